/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  Counters of the whole cache.
 *
 * A hit must not write what other processes write, or counting hits would
 * cost more than serving them.  So every backend has a slot of its own, an
 * array of counters in cache lines of its own, and whoever asks adds them up.
 *
 * Words.  A slot belongs to a backend id, not to a process: the next backend
 * with that id goes on adding, and nothing is lost when one ends.  A process
 * without a backend id counts in the last slot, which all of those share.  The
 * baseline holds the totals as they were at the last reset.
 *
 * Protocol and locks.  The owner of a slot adds by an atomic read and an
 * atomic write, with no locked instruction between, because nobody else
 * writes there; in the shared slot it takes an atomic addition.  Anyone may
 * read any counter at any time.  Baseline and time of the reset are under the
 * lock, which a reader holds while it sums, so that a sum never falls below
 * its baseline.
 *
 * Tolerated races.  The counters of one reading are not of one instant.  A
 * backend that counts while it exits, after it gave back its backend id, may
 * collide with the next owner of the slot, and one of two additions is lost.
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

/* The counters of one backend id, padded to whole cache lines. */
typedef union SharedStatsSlot
{
	pg_atomic_uint64 counters[STATS_NCOUNTERS]; /* atomic; the owner adds */
	char		pad[TYPEALIGN(PG_CACHE_LINE_SIZE,
							  STATS_NCOUNTERS * sizeof(pg_atomic_uint64))];
} SharedStatsSlot;

typedef struct SharedStats
{
	int			nslots;			/* immutable; the last slot is shared */
	int			tranche;		/* immutable */
	LWLock		lock;
	TimestampTz reset;			/* under lock */
	uint64		baseline[STATS_NCOUNTERS];	/* under lock */
	/* followed, at a cache line, by SharedStatsSlot[nslots] */
} SharedStats;

static SharedStats *stats_shared;
static SharedStatsSlot *stats_slots;

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
					mul_size(MaxBackends + 1, sizeof(SharedStatsSlot)));
}

void
stats_shmem_init(void)
{
	bool		found;

	stats_shared = ShmemInitStruct("cache stats", stats_shmem_size(), &found);
	stats_slots = (SharedStatsSlot *)
		((char *) stats_shared + CACHELINEALIGN(sizeof(SharedStats)));

	if (!found)
	{
		stats_shared->nslots = MaxBackends + 1;
		stats_shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&stats_shared->lock, stats_shared->tranche);
		stats_shared->reset = GetCurrentTimestamp();
		for (int c = 0; c < STATS_NCOUNTERS; c++)
			stats_shared->baseline[c] = 0;
		for (int i = 0; i < stats_shared->nslots; i++)
			for (int c = 0; c < STATS_NCOUNTERS; c++)
				pg_atomic_init_u64(&stats_slots[i].counters[c], 0);
	}

	LWLockRegisterTranche(stats_shared->tranche, "cache_stats");
}

void
stats_add(StatsCounter counter, int64 n)
{
	int			shared_slot = stats_shared->nslots - 1;
	int			i = compat_backend_slot();
	pg_atomic_uint64 *value;

	if (i >= 0 && i < shared_slot)
	{
		value = &stats_slots[i].counters[counter];
		pg_atomic_write_u64(value, pg_atomic_read_u64(value) + n);
	}
	else
	{
		value = &stats_slots[shared_slot].counters[counter];
		pg_atomic_fetch_add_u64(value, n);
	}
}

/*
 * One counter of all slots, since startup.
 */
static uint64
stats_sum_locked(StatsCounter counter)
{
	uint64		sum = 0;

	Assert(LWLockHeldByMe(&stats_shared->lock));

	for (int i = 0; i < stats_shared->nslots; i++)
		sum += pg_atomic_read_u64(&stats_slots[i].counters[counter]);
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
 * Name of the bypass counted in STATS_BYPASS_FIRST + i; static.
 */
const char *
stats_bypass_name(int i)
{
	Assert(i >= 0 && i < STATS_NBYPASSES);
	return stats_bypass_names[i];
}

/*
 * Counters only rise, so that none is below its baseline.
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
				 errmsg("a counter of the cache has gone down")));
}
