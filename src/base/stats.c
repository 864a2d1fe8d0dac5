/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  Counters of the whole cache.
 *
 * If all backends wrote to one counter, counting a hit would cost more than
 * serving it, since the counter's cache line would move between processors.
 * So every backend has a set of counters of its own, in cache lines of its
 * own, and stats_read adds them up.
 *
 * A counter set belongs to a backend number (compat_backend_index), not to a
 * process.  The next backend with the same number continues to add to the same
 * set, so nothing is lost when a backend exits.  All processes without such a
 * number share the last set.
 *
 * Protocol and locks.  Only its owner writes to a counter set.  So the owner
 * adds by an atomic read and an atomic write, without a locked instruction.
 * In the shared set, an atomic addition is needed.  Any process may read any
 * counter at any time.  The baseline holds the sums at the time of the last
 * reset.  The lock protects the baseline and the time of the reset; stats_read
 * holds it while it sums up, so that no sum is smaller than its baseline.
 *
 * Tolerated races.  stats_read does not read all counters at one instant.  A
 * backend that still counts during its exit, after it has given back its
 * number, may collide with the next owner of the set.  One of two concurrent
 * additions is then lost.
 *
 * What this file must not do: lock, allocate or throw in stats_add.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/stats.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* The counters of one backend number, padded to whole cache lines. */
typedef union SharedStatsSet
{
	pg_atomic_uint64 counters[STATS_NCOUNTERS]; /* atomic; written by the
												 * owner only */
	char		pad[TYPEALIGN(PG_CACHE_LINE_SIZE,
							  STATS_NCOUNTERS * sizeof(pg_atomic_uint64))];
} SharedStatsSet;

typedef struct SharedStats
{
	int			nsets;			/* immutable; the last set is shared */
	int			tranche;		/* immutable */
	LWLock		lock;
	TimestampTz reset;			/* under lock */
	uint64		baseline[STATS_NCOUNTERS];	/* under lock */
	/* followed, at a cache line, by SharedStatsSet[nsets] */
} SharedStats;

static SharedStats *stats_shared;
static SharedStatsSet *stats_sets;

static const char *const stats_bypass_names[] = {
	"disabled",
	"fenced",
	"isolation",
	"own_writes",
	"snapshot",
	"standby",
	"privilege",
	"prepared",
	"parallel",
	"refused",
};

StaticAssertDecl(lengthof(stats_bypass_names) == STATS_NBYPASSES,
				 "a bypass has no name");

Size
stats_shmem_size(void)
{
	return add_size(CACHELINEALIGN(sizeof(SharedStats)),
					mul_size(MaxBackends + 1, sizeof(SharedStatsSet)));
}

void
stats_shmem_init(void)
{
	bool		found;

	stats_shared = ShmemInitStruct("cache stats", stats_shmem_size(), &found);
	stats_sets = (SharedStatsSet *)
		((char *) stats_shared + CACHELINEALIGN(sizeof(SharedStats)));

	if (!found)
	{
		stats_shared->nsets = MaxBackends + 1;
		stats_shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&stats_shared->lock, stats_shared->tranche);
		stats_shared->reset = GetCurrentTimestamp();
		for (int c = 0; c < STATS_NCOUNTERS; c++)
			stats_shared->baseline[c] = 0;
		for (int i = 0; i < stats_shared->nsets; i++)
			for (int c = 0; c < STATS_NCOUNTERS; c++)
				pg_atomic_init_u64(&stats_sets[i].counters[c], 0);
	}

	LWLockRegisterTranche(stats_shared->tranche, "cache_stats");
}

void
stats_add(StatsCounter counter, int64 n)
{
	int			shared_set = stats_shared->nsets - 1;
	int			i = compat_backend_index();
	pg_atomic_uint64 *value;

	if (i >= 0 && i < shared_set)
	{
		value = &stats_sets[i].counters[counter];
		pg_atomic_write_u64(value, pg_atomic_read_u64(value) + n);
	}
	else
	{
		value = &stats_sets[shared_set].counters[counter];
		pg_atomic_fetch_add_u64(value, n);
	}
}

/*
 * The sum of one counter over all sets, since server start.
 */
static uint64
stats_sum_locked(StatsCounter counter)
{
	uint64		sum = 0;

	Assert(LWLockHeldByMe(&stats_shared->lock));

	for (int i = 0; i < stats_shared->nsets; i++)
		sum += pg_atomic_read_u64(&stats_sets[i].counters[counter]);
	return sum;
}

void
stats_read(int64 *totals, TimestampTz *reset)
{
	LWLockAcquire(&stats_shared->lock, LW_SHARED);
	for (int c = 0; c < STATS_NCOUNTERS; c++)
		totals[c] = (int64) (stats_sum_locked(c) - stats_shared->baseline[c]);
	*reset = stats_shared->reset;
	LWLockRelease(&stats_shared->lock);
}

void
stats_reset(void)
{
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(&stats_shared->lock, LW_EXCLUSIVE);
	for (int c = 0; c < STATS_NCOUNTERS; c++)
		stats_shared->baseline[c] = stats_sum_locked(c);
	stats_shared->reset = now;
	LWLockRelease(&stats_shared->lock);
}

/*
 * The name of the bypass reason counted in STATS_BYPASS_FIRST + i; static.
 */
const char *
stats_bypass_name(int i)
{
	Assert(i >= 0 && i < STATS_NBYPASSES);
	return stats_bypass_names[i];
}

/*
 * Check that no counter is below its baseline.  Counters never decrease.
 */
void
stats_verify(void)
{
	bool		lost = false;

	LWLockAcquire(&stats_shared->lock, LW_SHARED);
	for (int c = 0; c < STATS_NCOUNTERS; c++)
		lost |= (int64) (stats_sum_locked(c) - stats_shared->baseline[c]) < 0;
	LWLockRelease(&stats_shared->lock);

	if (lost)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("counter of the cache has decreased")));
}
