/*-------------------------------------------------------------------------
 *
 * store.c
 *	  L1: the results in shared memory.
 *
 * The store is a fixed array of entries with a hash table over it, both
 * created at server start.  block.c manages the memory of what the entries
 * hold.  Entries are used from the first one up, so memory for entries that
 * are never needed is never touched.
 *
 * Words.  An entry's block is its memory: dependencies, key, payload and
 * label, one after the other.  The size of an entry is that of its block.  An
 * entry is in one of three states: linked, if the hash table leads to it;
 * free, if it is on the free list; or owned by a process, which has taken it
 * out of one of these and has not yet put it into the other.
 *
 * Locks.  The buckets are divided into partitions.  Each partition has a lock:
 * in shared mode it keeps the partition's linked entries unchanged, and in
 * exclusive mode its holder may change them.  The allocation lock protects the
 * free list and the hand of the replacement policy (evict.c).  LOCK ORDER: the
 * allocation lock, then one partition lock, then the locks of block.c.  A hit
 * takes one partition lock in shared mode, pins the block, and increments the
 * entry's count of hits.  While a lock is held, memory is allocated only in
 * ways that cannot throw, and no catalog is read.
 *
 * Time to live.  Each request states how old a result may be, its ttl.  An
 * entry is served to a request only while it is young enough for it.  The
 * entry itself lives for the longest ttl that any request so far has stated.
 * If a request states a longer one than all before, a hit prolongs the entry's
 * life (store_keep, under the exclusive lock).  A new result that replaces a
 * living entry inherits the longer ttl.  So a request with a short ttl does
 * not take the result away from others.  An expired entry is never revived.
 *
 * Except for that, a linked entry is never changed.  A new result for a key is
 * linked as a new entry, and the old one is unlinked under the same lock.  So
 * a process that holds the partition lock sees either the old or the new
 * result, complete.  A process that has pinned a block keeps the payload as it
 * was, whatever happens to the entry.  No process writes to a payload; builds
 * with assertions detect it.
 *
 * A hit copies a small payload instead of pinning it, which costs no more than
 * a pin.  It also copies a payload that block.c refuses to pin.
 *
 * Dead entries.  An entry is dead if one of its dependencies has ticked, or if
 * its time to live is over, including the time for which it may be served
 * stale.  No process searches for dead entries when something changes.  They
 * are replaced by the next fill of their key, evicted when the hand meets
 * them, before any living entry behind them, or swept by the worker.
 *
 * Errors.  After an entry is taken and before it is linked, nothing can throw,
 * except if the DSA itself is inconsistent.  So no entry is lost.
 *
 * Tolerated races.  If two processes store results for one key at the same
 * time, the one that links last wins.  Both results are valid under their
 * dependencies.
 *
 * What this file must not do: decide whether a result may be stored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/stats.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "store/block.h"
#include "store/evict.h"
#include "store/store.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define STORE_PARTITIONS 32

/* No entry.  All other numbers are positions in the array. */
#define STORE_NONE PG_UINT32_MAX

/*
 * A fill gives up once it has evicted this many times its own size without
 * finding room.  The memory may be too fragmented.
 */
#define STORE_MAX_EVICTED 4

/*
 * Maximum number of entries that a process owns at once: the one to link, and
 * the one that it replaces.
 */
#define STORE_MAX_OWNED 2

/* How often store_evict calls evict_choose before it gives up. */
#define STORE_MAX_CHOICES 32

/* A hit pins a payload from this size on, and copies a smaller one. */
#define STORE_PIN_SIZE 2048

typedef struct SharedStoreEntry
{
	/* while linked, under the partition lock of hash; otherwise the owner's */
	uint64		hash;
	uint32		next;			/* in the bucket or in the free list */
	bool		linked;
	uint32		key_len;
	uint32		label_len;
	uint32		ndeps;
	Size		payload_len;
	dsa_pointer block;
	StoreTimes	times;

	pg_atomic_uint64 hits;		/* atomic */
} SharedStoreEntry;

typedef struct SharedStore
{
	/* immutable */
	uint32		nentries;
	uint32		nbuckets;		/* a power of two, at least STORE_PARTITIONS */
	int			tranche;
	SipHashKey	secret;			/* for the keyed hashes of keys */

	LWLock		allocation_lock;
	uint32		free_head;		/* under allocation_lock */
	pg_atomic_uint32 used;		/* Entries below this one have been used.
								 * Those above are uninitialized memory.
								 * Raised under allocation_lock. */

	pg_atomic_uint64 entries;	/* atomic; number of linked entries */

	LWLockPadded partitions[STORE_PARTITIONS];
} SharedStore;

static struct
{
	SharedStore *shared;
	SharedEvict *evict;
	SharedStoreEntry *entries;
	uint32	   *buckets;
} store;

static uint32
store_bucket_count(void)
{
	uint32		n = STORE_PARTITIONS;

	while (n < (uint32) cache_l1_max_entries)
		n *= 2;
	return n;
}

Size
store_shmem_size(void)
{
	Size		size = MAXALIGN(sizeof(SharedStore));

	size = add_size(size, MAXALIGN(evict_size(cache_l1_max_entries)));
	size = add_size(size, MAXALIGN(mul_size(cache_l1_max_entries,
											sizeof(SharedStoreEntry))));
	return add_size(size, MAXALIGN(mul_size(store_bucket_count(),
											sizeof(uint32))));
}

/*
 * Set the pointers to the parts of the shared structure.
 */
static void
store_locate(char *start)
{
	store.shared = (SharedStore *) start;
	start += MAXALIGN(sizeof(SharedStore));
	store.evict = (SharedEvict *) start;
	start += MAXALIGN(evict_size(cache_l1_max_entries));
	store.entries = (SharedStoreEntry *) start;
	start += MAXALIGN(cache_l1_max_entries * sizeof(SharedStoreEntry));
	store.buckets = (uint32 *) start;
}

static void
store_make(void)
{
	SharedStore *shared = store.shared;

	shared->nentries = cache_l1_max_entries;
	shared->nbuckets = store_bucket_count();
	shared->tranche = LWLockNewTrancheId();
	if (!pg_strong_random(&shared->secret, sizeof(shared->secret)))
		ereport(FATAL,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random numbers"),
				 errhint("Check the random number generator of OpenSSL or of the operating system.")));
	LWLockInitialize(&shared->allocation_lock, shared->tranche);
	pg_atomic_init_u64(&shared->entries, 0);
	for (int i = 0; i < STORE_PARTITIONS; i++)
		LWLockInitialize(&shared->partitions[i].lock, shared->tranche);

	evict_init(store.evict, shared->nentries);
	for (uint32 i = 0; i < shared->nbuckets; i++)
		store.buckets[i] = STORE_NONE;
	pg_atomic_init_u32(&shared->used, 0);
	shared->free_head = STORE_NONE;
}

void
store_shmem_init(void)
{
	bool		found;

	store_locate(ShmemInitStruct("cache store", store_shmem_size(), &found));
	if (!found)
		store_make();
	key_set_secret(&store.shared->secret);
	LWLockRegisterTranche(store.shared->tranche, "cache_store");
}

/* Number of entries that are initialized. */
static inline uint32
store_used(void)
{
	uint32		used = pg_atomic_read_u32(&store.shared->used);

	pg_read_barrier();			/* see store_allocate_entry */
	return used;
}

static inline uint32
store_bucket(uint64 hash)
{
	return (uint32) hash & (store.shared->nbuckets - 1);
}

static inline LWLock *
store_partition(uint64 hash)
{
	return &store.shared->partitions[(uint32) hash % STORE_PARTITIONS].lock;
}

/* The parts of an entry's block. */
static inline ClockStamp *
store_deps(const SharedStoreEntry *entry)
{
	return block_data(entry->block);
}

static inline char *
store_key(const SharedStoreEntry *entry)
{
	return (char *) (store_deps(entry) + entry->ndeps);
}

static inline char *
store_payload(const SharedStoreEntry *entry)
{
	return store_key(entry) + MAXALIGN(entry->key_len);
}

static inline char *
store_label(const SharedStoreEntry *entry)
{
	return store_payload(entry) + entry->payload_len;
}

/* The size of the block for an entry. */
static inline Size
store_block_size(uint32 ndeps, Size key_len, Size payload_len, Size label_len)
{
	return block_size_for(ndeps * sizeof(ClockStamp) + MAXALIGN(key_len) +
						  payload_len + label_len);
}

/* Is a linked entry dead? */
static bool
store_dead_locked(const SharedStoreEntry *entry, TimestampTz now)
{
	return now >= entry->times.expires + entry->times.stale_us ||
		!clock_unchanged(store_deps(entry), entry->ndeps);
}

/*
 * Find the linked entry for a key.  The caller holds the partition lock.
 */
static uint32
store_find_locked(const CacheKey *key)
{
	uint32		i = store.buckets[store_bucket(key->hash)];

	while (i != STORE_NONE)
	{
		SharedStoreEntry *entry = &store.entries[i];

		if (entry->hash == key->hash && entry->key_len == key->len &&
			memcmp(store_key(entry), key->data, key->len) == 0)
			break;
		i = entry->next;
	}
	return i;
}

/*
 * Unlink an entry from its bucket.  The caller holds the partition lock
 * exclusively, and owns the entry afterwards.
 */
static void
store_unlink_locked(uint32 i, TimestampTz now)
{
	SharedStoreEntry *entry = &store.entries[i];
	uint32	   *link = &store.buckets[store_bucket(entry->hash)];

	while (*link != i)
		link = &store.entries[*link].next;
	*link = entry->next;
	entry->linked = false;
	pg_atomic_fetch_sub_u64(&store.shared->entries, 1);
	if (now >= entry->times.expires)
		stats_add(STATS_EXPIRATIONS, 1);
}

/*
 * Free the block of an entry that the caller owns.  Returns how many bytes are
 * free now, which is none if the block is pinned.
 */
static Size
store_free_block(uint32 i)
{
	SharedStoreEntry *entry = &store.entries[i];
	Size		size = block_size(entry->block);
	bool		freed = block_free(entry->block);

	entry->block = InvalidDsaPointer;
	return freed ? size : 0;
}

/*
 * Put an entry on the free list.  The caller owns it and has freed its block.
 */
static void
store_free_entry(uint32 i)
{
	LWLockAcquire(&store.shared->allocation_lock, LW_EXCLUSIVE);
	store.entries[i].next = store.shared->free_head;
	store.shared->free_head = i;
	LWLockRelease(&store.shared->allocation_lock);
}

/*
 * Is an entry linked in the partition of this hash, whose lock the caller
 * holds?  The entry may be linked in another partition at any moment.  But an
 * entry gets its hash before it is seen as linked, so the hash then differs.
 */
static inline bool
store_is_linked_locked(const SharedStoreEntry *entry, uint64 hash)
{
	if (!*(volatile const bool *) &entry->linked)
		return false;
	pg_read_barrier();
	return *(volatile const uint64 *) &entry->hash == hash;
}

/*
 * EvictProbe for evict_choose.  The hash of an entry that is not linked may
 * change during this call.  Then the entry is not found linked under the lock
 * that is taken here, and counts as absent.
 */
static EvictState
store_probe(uint32 i, void *arg)
{
	SharedStoreEntry *entry = &store.entries[i];
	TimestampTz now = *(TimestampTz *) arg;
	uint64		hash = *(volatile uint64 *) &entry->hash;
	LWLock	   *lock = store_partition(hash);
	EvictState	state = EVICT_ABSENT;

	/*
	 * skip free entries without a lock; missing one that is being linked is
	 * harmless
	 */
	if (!*(volatile bool *) &entry->linked)
		return state;
	LWLockAcquire(lock, LW_SHARED);
	if (store_is_linked_locked(entry, hash))
		state = store_dead_locked(entry, now) ? EVICT_DEAD : EVICT_LIVE;
	LWLockRelease(lock);
	return state;
}

/*
 * Unlink entry i if it is linked and, with dead_only, dead.  Returns true if
 * the caller owns it now; *was_alive says whether it was alive.
 */
static bool
store_take(uint32 i, bool dead_only, TimestampTz now, bool *was_alive)
{
	SharedStoreEntry *entry = &store.entries[i];
	uint64		hash = *(volatile uint64 *) &entry->hash;
	LWLock	   *lock = store_partition(hash);
	bool		taken = false;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	if (store_is_linked_locked(entry, hash))
	{
		*was_alive = !store_dead_locked(entry, now);
		if (!dead_only || !*was_alive)
		{
			store_unlink_locked(i, now);
			taken = true;
		}
	}
	LWLockRelease(lock);
	return taken;
}

/*
 * Evict one entry, and free its block.  The caller owns the entry afterwards.
 * Returns STORE_NONE if none was found among the limited number of entries
 * that are looked at. *freed is the number of bytes that are free now.
 */
static uint32
store_evict(TimestampTz now, Size *freed)
{
	uint32		victim;
	bool		was_alive;
	bool		chosen;

	/*
	 * Another process may take the chosen entry first, or all entries looked
	 * at may be free: choose again.  Other processes get the lock in between.
	 */
	for (int i = 0; i < STORE_MAX_CHOICES; i++)
	{
		LWLockAcquire(&store.shared->allocation_lock, LW_EXCLUSIVE);
		chosen = evict_choose(store.evict, store_used(), store_probe, &now,
							  &victim);
		LWLockRelease(&store.shared->allocation_lock);
		if (chosen && store_take(victim, false, now, &was_alive))
		{
			if (was_alive)
				stats_add(STATS_EVICTIONS, 1);
			*freed = store_free_block(victim);
			return victim;
		}
	}
	return STORE_NONE;
}

/*
 * Allocate a block, evicting entries as needed.  An interrupt may end this:
 * the process owns nothing meanwhile.
 */
static dsa_pointer
store_allocate(Size size, TimestampTz now)
{
	Size		evicted = 0;

	while (size <= block_max_bytes())
	{
		dsa_pointer block = block_allocate(size);
		uint32		victim;
		Size		freed;

		if (DsaPointerIsValid(block))
			return block;
		CHECK_FOR_INTERRUPTS();
		if (evicted / STORE_MAX_EVICTED > size)
			break;
		victim = store_evict(now, &freed);
		if (victim == STORE_NONE)
			break;
		evicted += freed;
		store_free_entry(victim);
	}
	return InvalidDsaPointer;
}

/* Take a free entry, evicting one if there is none. */
static uint32
store_allocate_entry(TimestampTz now)
{
	uint32		i;
	Size		freed;

	LWLockAcquire(&store.shared->allocation_lock, LW_EXCLUSIVE);
	i = store.shared->free_head;
	if (i != STORE_NONE)
		store.shared->free_head = store.entries[i].next;
	else if (store_used() < store.shared->nentries)
	{
		i = store_used();
		memset(&store.entries[i], 0, sizeof(SharedStoreEntry));
		pg_atomic_init_u64(&store.entries[i].hits, 0);
		pg_write_barrier();		/* see store_used */
		pg_atomic_write_u32(&store.shared->used, i + 1);
	}
	LWLockRelease(&store.shared->allocation_lock);
	return i != STORE_NONE ? i : store_evict(now, &freed);
}

/*
 * Are the dependencies of a linked entry, and their generations, those of the
 * reader?
 */
static bool
store_deps_equal_locked(const SharedStoreEntry *entry,
						const ClockStamp *deps, int ndeps)
{
	const ClockStamp *mine = store_deps(entry);

	if (entry->ndeps != (uint32) ndeps)
		return false;
	for (int i = 0; i < ndeps; i++)
	{
		if (mine[i].slot != deps[i].slot ||
			mine[i].generation != deps[i].generation)
			return false;
	}
	return true;
}

/*
 * Copy a payload.  Returns NULL if there is not enough memory.
 */
static const char *
store_copy_locked(const SharedStoreEntry *entry)
{
	char	   *copy = MemoryContextAllocExtended(CurrentMemoryContext,
												  entry->payload_len,
												  MCXT_ALLOC_HUGE |
												  MCXT_ALLOC_NO_OOM);

	if (copy != NULL)
		memcpy(copy, store_payload(entry), entry->payload_len);
	return copy;
}

/*
 * Return a payload to a reader, pinned or as a copy.  Returns false if there
 * is not enough memory for that.
 */
static bool
store_hand_out_locked(const SharedStoreEntry *entry, StoreResult *result)
{
	result->times = entry->times;
	result->len = entry->payload_len;
	result->pin = NULL;
	if (entry->payload_len >= STORE_PIN_SIZE)
		result->pin = block_pin(entry->block);
	result->payload = result->pin != NULL ? store_payload(entry) :
		store_copy_locked(entry);
	return result->payload != NULL;
}

StoreStatus
store_lookup(const CacheKey *key, const ClockStamp *deps, int ndeps,
			 StoreAsker *asker, StoreResult *result)
{
	LWLock	   *lock = store_partition(key->hash);
	StoreStatus status = STORE_MISS;
	uint32		i;

	block_attach();
	LWLockAcquire(lock, LW_SHARED);
	i = store_find_locked(key);
	if (i != STORE_NONE)
	{
		SharedStoreEntry *entry = &store.entries[i];
		TimestampTz end = store_end(&entry->times, asker->ttl_us);
		bool		equal = store_deps_equal_locked(entry, deps, ndeps);

		if (asker->now < end + asker->stale_us && equal &&
			(result == NULL || store_hand_out_locked(entry, result)))
		{
			status = asker->now < end ? STORE_HIT : STORE_EXPIRED;
			if (result != NULL)
				pg_atomic_fetch_add_u64(&entry->hits, 1);
		}
		if (status != STORE_HIT && equal &&
			asker->now < entry->times.expires + entry->times.stale_us)
		{
			asker->others_ttl_us = Max(asker->others_ttl_us,
									   entry->times.ttl_us);
			asker->others_stale_us = Max(asker->others_stale_us,
										 entry->times.stale_us);
		}
	}
	LWLockRelease(lock);

	if (status != STORE_MISS && result != NULL)
		evict_touched(store.evict, i);
	return status;
}

void
store_keep(const CacheKey *key, TimestampTz created, const StoreAsker *asker)
{
	LWLock	   *lock = store_partition(key->hash);
	uint32		i;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	i = store_find_locked(key);
	if (i != STORE_NONE && store.entries[i].times.created == created)
		store_prolong(&store.entries[i].times, asker->ttl_us,
					  asker->stale_us);
	LWLockRelease(lock);
}

void
store_release(StoreResult *result)
{
	if (result->pin != NULL)
		block_unpin(result->pin);
	result->pin = NULL;
	result->payload = NULL;
}

/*
 * Link an entry that the caller owns.  Returns the entry that it replaces,
 * which the caller then owns, or STORE_NONE.
 */
static uint32
store_link(uint32 i, const CacheKey *key, TimestampTz now)
{
	SharedStoreEntry *entry = &store.entries[i];
	uint32	   *bucket = &store.buckets[store_bucket(key->hash)];
	LWLock	   *lock = store_partition(key->hash);
	uint32		old;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	old = store_find_locked(key);
	if (old != STORE_NONE)
	{
		if (!store_dead_locked(&store.entries[old], now))
			store_prolong(&entry->times, store.entries[old].times.ttl_us,
						  store.entries[old].times.stale_us);
		store_unlink_locked(old, now);
	}
	entry->hash = key->hash;
	entry->next = *bucket;
	pg_write_barrier();			/* see store_is_linked_locked */
	entry->linked = true;
	*bucket = i;
	pg_atomic_fetch_add_u64(&store.shared->entries, 1);
	evict_inserted(store.evict, i);
	LWLockRelease(lock);
	return old;
}

bool
store_insert(const CacheKey *key, const ClockStamp *deps, int ndeps,
			 const StoreTimes *times, const char *payload, Size len)
{
	TimestampTz now = GetCurrentTimestamp();
	Size		size = store_block_size(ndeps, key->len, len, key->label_len);
	dsa_pointer block;
	SharedStoreEntry *entry;
	uint32		i;
	uint32		old;

	block_attach();
	block = store_allocate(size, now);
	if (!DsaPointerIsValid(block))
		return false;
	i = store_allocate_entry(now);
	if (i == STORE_NONE)
	{
		(void) block_free(block);
		return false;
	}

	entry = &store.entries[i];
	entry->key_len = key->len;
	entry->label_len = key->label_len;
	entry->ndeps = ndeps;
	entry->payload_len = len;
	entry->block = block;
	entry->times = *times;
	pg_atomic_write_u64(&entry->hits, 0);
	memcpy(store_deps(entry), deps, ndeps * sizeof(ClockStamp));
	memcpy(store_key(entry), key->data, key->len);
	memcpy(store_payload(entry), payload, len);
	memcpy(store_label(entry), key->label, key->label_len);
	block_seal(block);

	old = store_link(i, key, now);
	if (old != STORE_NONE)
	{
		(void) store_free_block(old);
		store_free_entry(old);
	}
	return true;
}

void
store_sweep(bool all)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		was_alive;

	block_attach();
	for (uint32 i = 0; i < store_used(); i++)
	{
		if (store.entries[i].linked && store_take(i, !all, now, &was_alive))
		{
			(void) store_free_block(i);
			store_free_entry(i);
		}
	}
}

/*
 * Copy what cache_entries shows of entry i into buffer, growing it as needed.
 * Returns false if the entry is not linked or is dead.
 */
static bool
store_read_listing(uint32 i, StringInfo buffer, StoreListing *listing)
{
	SharedStoreEntry *entry = &store.entries[i];
	TimestampTz now = GetCurrentTimestamp();

	for (;;)
	{
		uint64		hash = *(volatile uint64 *) &entry->hash;
		LWLock	   *lock = store_partition(hash);
		bool		alive = false;
		Size		needed = 0;
		uint32		label_len = 0;

		LWLockAcquire(lock, LW_SHARED);
		if (store_is_linked_locked(entry, hash) &&
			!store_dead_locked(entry, now))
		{
			alive = true;
			needed = entry->key_len + entry->label_len;
			if (needed < (Size) buffer->maxlen)
			{
				memcpy(buffer->data, store_key(entry), entry->key_len);
				memcpy(buffer->data + entry->key_len, store_label(entry),
					   entry->label_len);
				buffer->len = (int) entry->key_len;
				label_len = entry->label_len;
				listing->times = entry->times;
				listing->size = block_size(entry->block);
				listing->hits = pg_atomic_read_u64(&entry->hits);
			}
		}
		LWLockRelease(lock);

		if (!alive)
			return false;
		if (needed < (Size) buffer->maxlen)
		{
			if (!key_parts(buffer->data, buffer->len, &listing->key))
				return false;
			if (listing->key.query_len == 0)
			{
				listing->key.query = buffer->data + buffer->len;
				listing->key.query_len = label_len;
			}
			return true;
		}
		resetStringInfo(buffer);
		enlargeStringInfo(buffer, (int) needed);
	}
}

void
store_list(void (*fn) (const StoreListing *listing, void *arg), void *arg)
{
	StringInfoData buffer;
	StoreListing listing;

	block_attach();
	initStringInfo(&buffer);
	for (uint32 i = 0; i < store_used(); i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (store.entries[i].linked &&
			store_read_listing(i, &buffer, &listing))
			fn(&listing, arg);
	}
	pfree(buffer.data);
}

void
store_usage(int64 *entries, int64 *bytes)
{
	*entries = pg_atomic_read_u64(&store.shared->entries);
	*bytes = block_bytes();
}

/*
 * Recount chains, free list and bytes with everything locked.  Entries owned
 * by a process at that moment, at most STORE_MAX_OWNED per process, are in
 * neither chain nor list.
 */
void
store_verify(void)
{
	SharedStore *shared = store.shared;
	uint64		linked = 0;
	uint64		free = 0;
	Size		bytes = 0;
	bool		misplaced = false;
	uint64		counted;
	uint32		used;
	const char *problem;

	block_attach();
	LWLockAcquire(&shared->allocation_lock, LW_EXCLUSIVE);
	used = store_used();
	for (uint32 i = shared->free_head; i != STORE_NONE && free <= used;
		 i = store.entries[i].next)
	{
		misplaced |= i >= used || store.entries[i].linked ||
			DsaPointerIsValid(store.entries[i].block);
		free++;
	}
	for (int p = 0; p < STORE_PARTITIONS; p++)
		LWLockAcquire(&shared->partitions[p].lock, LW_SHARED);
	for (uint32 b = 0; b < shared->nbuckets; b++)
	{
		for (uint32 i = store.buckets[b]; i != STORE_NONE && linked <= used;
			 i = store.entries[i].next)
		{
			SharedStoreEntry *entry = &store.entries[i];

			misplaced |= !entry->linked || store_bucket(entry->hash) != b ||
				i >= used || entry->times.expires > entry->times.latest ||
				entry->times.expires > entry->times.created + entry->times.ttl_us ||
				block_size(entry->block) !=
				store_block_size(entry->ndeps, entry->key_len,
								 entry->payload_len, entry->label_len);
			bytes += block_size(entry->block);
			linked++;
		}
	}
	counted = pg_atomic_read_u64(&shared->entries);
	problem = block_recount(bytes);
	for (int p = STORE_PARTITIONS - 1; p >= 0; p--)
		LWLockRelease(&shared->partitions[p].lock);
	LWLockRelease(&shared->allocation_lock);

	if (problem == NULL)
		problem = evict_verify(store.evict);
	if (problem == NULL &&
		(misplaced || counted != linked || linked + free > used ||
		 used - (linked + free) > (uint64) MaxBackends * STORE_MAX_OWNED))
		problem = "entries are lost, misplaced or counted wrongly";
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the store does not add up: %s", problem),
				 errdetail("Linked entries: %llu, counted: %llu, free: %llu of %u, bytes: %zu of %zu.",
						   (unsigned long long) linked,
						   (unsigned long long) counted,
						   (unsigned long long) free,
						   shared->nentries, bytes, block_max_bytes())));
}
