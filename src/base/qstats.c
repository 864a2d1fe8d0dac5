/*-------------------------------------------------------------------------
 *
 * qstats.c
 *	  Counters per query.
 *
 * A table of cache.max_query_stats entries in shared memory, one per database,
 * user and query text.  If the setting is zero there is no table, and all
 * functions of this file do nothing.
 *
 * Structure.  The entries from the first one up to "used" are in use.  A hash
 * table chains them in buckets.  An entry is found by the hash and length of
 * the query text and by the start of it, which is all of the text that is
 * kept.  The 64-bit hash covers the whole text, so long queries that start
 * alike are told apart.
 * It is a keyed hash (key.c).  Otherwise a user could put all entries into one
 * bucket, which everybody would then search under the lock.
 *
 * Handles.  A backend keeps a handle to the entry of each of its queries.
 * When the table is full, the entry of a query with few calls is reclaimed for
 * another query.  That raises the entry's serial number, so older handles no
 * longer match, and what is counted through them is dropped.
 *
 * Protocol and locks.  The lock protects everything except the serial numbers
 * and counters.  It is taken in shared mode to look up and to list entries, in
 * exclusive mode to insert one.  A serial number is written under the
 * exclusive lock and read without a lock.  Counters are atomic.  There is no
 * counter of calls: each call is a hit or a miss, so the number of calls is
 * their sum.
 *
 * Reclaiming.  At most QSTATS_SCAN entries are examined to find one to
 * reclaim.  The next search continues where the last one found its entry.
 * This bounds the cost of an insertion, and new entries, which all have few
 * calls, are reclaimed in turn rather than always the same one.
 *
 * Tolerated races.  An entry can be reclaimed or reset between the moment when
 * a backend checks the serial number and the moment when it counts.  Its new
 * owner then gets a count that is not its own.  A query whose entry was
 * reclaimed is not counted until its backend opens it again.
 *
 * What this file must not do: take a lock in qstats_hit or qstats_miss; raise
 * an error while holding the lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/qstats.h"
#include "mb/pg_wchar.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

/* Maximum number of entries examined to find one to reclaim. */
#define QSTATS_SCAN 1024

/* End of a chain. */
#define QSTATS_NONE (-1)

typedef struct SharedQstatsEntry
{
	/* under the lock */
	uint64		hash;			/* of database, user and text */
	Oid			database;
	Oid			user;
	uint32		query_len;		/* of the whole text */
	uint32		start_len;		/* of "start" */
	int32		next;			/* in the chain, or QSTATS_NONE */

	/* written under the exclusive lock, read at any time */
	pg_atomic_uint32 serial;	/* raised with each owner, from 1 */

	/*
	 * atomic; added to by anyone with a handle, zeroed under the exclusive
	 * lock
	 */
	pg_atomic_uint64 hits;
	pg_atomic_uint64 misses;
	pg_atomic_uint64 fill_us;
	pg_atomic_uint64 bytes;		/* size of the result stored last */
	pg_atomic_uint64 shadow_hits;
	pg_atomic_uint64 shadow_saved_us;

	/* under the lock */
	char		start[QSTATS_TEXT_LENGTH];	/* terminated */
} SharedQstatsEntry;

typedef struct SharedQstats
{
	int			size;			/* number of entries; immutable */
	uint32		nbuckets;		/* a power of two; immutable */
	int			tranche;		/* immutable */
	LWLock		lock;
	int			used;			/* number of entries in use; under lock */
	int			hand;			/* where the next search starts; under lock */
	SharedQstatsEntry entries[FLEXIBLE_ARRAY_MEMBER];
	/* followed by the buckets, int32[nbuckets]; under lock */
} SharedQstats;

/* NULL if there is no table. */
static SharedQstats *qstats_shared;
static int32 *qstats_buckets;

static Size
qstats_entries_size(void)
{
	return MAXALIGN(add_size(offsetof(SharedQstats, entries),
							 mul_size(cache_max_query_stats,
									  sizeof(SharedQstatsEntry))));
}

static uint32
qstats_nbuckets(void)
{
	return pg_nextpower2_32(cache_max_query_stats);
}

Size
qstats_shmem_size(void)
{
	if (cache_max_query_stats == 0)
		return 0;
	return add_size(qstats_entries_size(),
					mul_size(qstats_nbuckets(), sizeof(int32)));
}

void
qstats_shmem_init(void)
{
	bool		found;

	qstats_shared = NULL;
	if (cache_max_query_stats == 0)
		return;

	qstats_shared = ShmemInitStruct("cache qstats", qstats_shmem_size(),
									&found);
	qstats_buckets = (int32 *) ((char *) qstats_shared + qstats_entries_size());

	if (!found)
	{
		qstats_shared->size = cache_max_query_stats;
		qstats_shared->nbuckets = qstats_nbuckets();
		qstats_shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&qstats_shared->lock, qstats_shared->tranche);
		qstats_shared->used = 0;
		qstats_shared->hand = 0;
		for (int i = 0; i < qstats_shared->size; i++)
		{
			SharedQstatsEntry *entry = &qstats_shared->entries[i];

			pg_atomic_init_u32(&entry->serial, 0);
			pg_atomic_init_u64(&entry->hits, 0);
			pg_atomic_init_u64(&entry->misses, 0);
			pg_atomic_init_u64(&entry->fill_us, 0);
			pg_atomic_init_u64(&entry->bytes, 0);
			pg_atomic_init_u64(&entry->shadow_hits, 0);
			pg_atomic_init_u64(&entry->shadow_saved_us, 0);
		}
		for (uint32 b = 0; b < qstats_shared->nbuckets; b++)
			qstats_buckets[b] = QSTATS_NONE;
	}

	LWLockRegisterTranche(qstats_shared->tranche, "cache_qstats");
}

static int32 *
qstats_bucket(uint64 hash)
{
	return &qstats_buckets[hash & (qstats_shared->nbuckets - 1)];
}

static uint64
qstats_calls(SharedQstatsEntry *entry)
{
	return pg_atomic_read_u64(&entry->hits) +
		pg_atomic_read_u64(&entry->misses);
}

static void
qstats_zero_locked(SharedQstatsEntry *entry)
{
	pg_atomic_write_u64(&entry->hits, 0);
	pg_atomic_write_u64(&entry->misses, 0);
	pg_atomic_write_u64(&entry->fill_us, 0);
	pg_atomic_write_u64(&entry->bytes, 0);
	pg_atomic_write_u64(&entry->shadow_hits, 0);
	pg_atomic_write_u64(&entry->shadow_saved_us, 0);
}

/*
 * Index of the entry of a query, or QSTATS_NONE.
 */
static int
qstats_find_locked(uint64 hash, Oid database, Oid user, const char *query,
				   uint32 query_len)
{
	int32		i;

	Assert(LWLockHeldByMe(&qstats_shared->lock));

	for (i = *qstats_bucket(hash); i != QSTATS_NONE;
		 i = qstats_shared->entries[i].next)
	{
		SharedQstatsEntry *entry = &qstats_shared->entries[i];

		if (entry->hash == hash &&
			entry->database == database &&
			entry->user == user &&
			entry->query_len == query_len &&
			memcmp(entry->start, query, entry->start_len) == 0)
			break;
	}
	return i;
}

/*
 * Take an entry that is in no chain, one never used or one just reclaimed.
 * Returns its index.
 */
static int
qstats_take_locked(void)
{
	SharedQstatsEntry *entries = qstats_shared->entries;
	int			victim = qstats_shared->hand;
	uint64		fewest = PG_UINT64_MAX;
	int32	   *link;

	Assert(LWLockHeldByMeInMode(&qstats_shared->lock, LW_EXCLUSIVE));

	if (qstats_shared->used < qstats_shared->size)
		return qstats_shared->used++;

	for (int n = Min(qstats_shared->size, QSTATS_SCAN), i = victim;
		 n > 0 && fewest > 0;
		 n--, i = (i + 1) % qstats_shared->size)
	{
		uint64		calls = qstats_calls(&entries[i]);

		if (calls < fewest)
		{
			fewest = calls;
			victim = i;
		}
	}
	qstats_shared->hand = (victim + 1) % qstats_shared->size;

	link = qstats_bucket(entries[victim].hash);
	while (*link != victim)
		link = &entries[*link].next;
	*link = entries[victim].next;

	return victim;
}

QstatsHandle
qstats_open(uint64 hash, Oid database, Oid user, const char *query,
			uint32 query_len)
{
	QstatsHandle handle = {QSTATS_NONE, 0};
	uint32		start_len;

	if (qstats_shared == NULL)
		return handle;

	LWLockAcquire(&qstats_shared->lock, LW_SHARED);
	handle.index = qstats_find_locked(hash, database, user, query, query_len);
	if (handle.index != QSTATS_NONE)
		handle.serial =
			pg_atomic_read_u32(&qstats_shared->entries[handle.index].serial);
	LWLockRelease(&qstats_shared->lock);
	if (handle.index != QSTATS_NONE)
		return handle;

	start_len = pg_mbcliplen(query, (int) query_len, QSTATS_TEXT_LENGTH - 1);

	LWLockAcquire(&qstats_shared->lock, LW_EXCLUSIVE);
	handle.index = qstats_find_locked(hash, database, user, query, query_len);
	if (handle.index == QSTATS_NONE)
	{
		SharedQstatsEntry *entry;
		int32	   *bucket = qstats_bucket(hash);

		handle.index = qstats_take_locked();
		entry = &qstats_shared->entries[handle.index];
		pg_atomic_write_u32(&entry->serial,
							pg_atomic_read_u32(&entry->serial) + 1);
		qstats_zero_locked(entry);
		entry->hash = hash;
		entry->database = database;
		entry->user = user;
		entry->query_len = query_len;
		entry->start_len = start_len;
		memcpy(entry->start, query, start_len);
		entry->start[start_len] = '\0';
		entry->next = *bucket;
		*bucket = handle.index;
	}
	handle.serial =
		pg_atomic_read_u32(&qstats_shared->entries[handle.index].serial);
	LWLockRelease(&qstats_shared->lock);

	return handle;
}

/*
 * The entry of a handle, or NULL if the handle is stale.
 */
static SharedQstatsEntry *
qstats_entry(QstatsHandle handle)
{
	SharedQstatsEntry *entry;

	if (qstats_shared == NULL || handle.index < 0)
		return NULL;
	Assert(handle.index < qstats_shared->size);

	entry = &qstats_shared->entries[handle.index];
	if (pg_atomic_read_u32(&entry->serial) != handle.serial)
		return NULL;
	return entry;
}

void
qstats_hit(QstatsHandle handle)
{
	SharedQstatsEntry *entry = qstats_entry(handle);

	if (entry != NULL)
		pg_atomic_fetch_add_u64(&entry->hits, 1);
}

void
qstats_shadow_hit(QstatsHandle handle, int64 saved_us)
{
	SharedQstatsEntry *entry = qstats_entry(handle);

	if (entry == NULL)
		return;
	pg_atomic_fetch_add_u64(&entry->shadow_hits, 1);
	pg_atomic_fetch_add_u64(&entry->shadow_saved_us, saved_us);
}

/*
 * bytes is 0 if the result was not stored.
 */
void
qstats_miss(QstatsHandle handle, int64 fill_us, int64 bytes)
{
	SharedQstatsEntry *entry = qstats_entry(handle);

	if (entry == NULL)
		return;
	pg_atomic_fetch_add_u64(&entry->misses, 1);
	pg_atomic_fetch_add_u64(&entry->fill_us, fill_us);
	if (bytes > 0)
		pg_atomic_write_u64(&entry->bytes, bytes);
}

bool
qstats_read(int i, QstatsListing *listing)
{
	SharedQstatsEntry *entry;
	bool		used;

	if (qstats_shared == NULL)
		return false;
	Assert(i >= 0 && i < qstats_shared->size);
	entry = &qstats_shared->entries[i];

	LWLockAcquire(&qstats_shared->lock, LW_SHARED);
	used = i < qstats_shared->used;
	if (used)
	{
		listing->database = entry->database;
		listing->user = entry->user;
		memcpy(listing->query, entry->start, entry->start_len + 1);
		listing->hits = pg_atomic_read_u64(&entry->hits);
		listing->misses = pg_atomic_read_u64(&entry->misses);
		listing->shadow_hits = pg_atomic_read_u64(&entry->shadow_hits);
		listing->shadow_saved_us = pg_atomic_read_u64(&entry->shadow_saved_us);
		listing->calls = listing->hits + listing->misses + listing->shadow_hits;
		listing->fill_us = pg_atomic_read_u64(&entry->fill_us);
		listing->bytes = pg_atomic_read_u64(&entry->bytes);
	}
	LWLockRelease(&qstats_shared->lock);

	return used;
}

/*
 * Set all counters to zero.  The entries stay, so that handles remain valid.
 */
void
qstats_reset(void)
{
	if (qstats_shared == NULL)
		return;

	LWLockAcquire(&qstats_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < qstats_shared->used; i++)
		qstats_zero_locked(&qstats_shared->entries[i]);
	LWLockRelease(&qstats_shared->lock);
}

/*
 * Check that every entry in use is in the chain of its hash, and that the
 * chains contain no other entries.
 */
void
qstats_verify(void)
{
	const char *problem = NULL;
	int			found = 0;

	if (qstats_shared == NULL)
		return;

	LWLockAcquire(&qstats_shared->lock, LW_SHARED);
	for (uint32 b = 0; b < qstats_shared->nbuckets && problem == NULL; b++)
	{
		for (int32 i = qstats_buckets[b]; i != QSTATS_NONE && problem == NULL;
			 i = qstats_shared->entries[i].next)
		{
			SharedQstatsEntry *entry;

			if (i < 0 || i >= qstats_shared->used)
			{
				problem = "a chain leads to an entry that is not in use";
				break;
			}
			entry = &qstats_shared->entries[i];
			if (++found > qstats_shared->used)
				problem = "a chain has no end";
			else if (qstats_bucket(entry->hash) != &qstats_buckets[b])
				problem = "an entry is in the chain of another hash";
			else if (entry->start_len >= QSTATS_TEXT_LENGTH ||
					 entry->start_len > entry->query_len ||
					 entry->start[entry->start_len] != '\0')
				problem = "the start of a text has a wrong length";
			else if (pg_atomic_read_u32(&entry->serial) == 0)
				problem = "an entry in use has no serial";
		}
	}
	if (problem == NULL && found != qstats_shared->used)
		problem = "an entry in use is in no chain";
	LWLockRelease(&qstats_shared->lock);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("statistics of queries are inconsistent: %s",
						problem)));
}
