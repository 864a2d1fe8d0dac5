/*-------------------------------------------------------------------------
 *
 * store.h
 *	  L1: the results in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "clock/clock.h"
#include "datatype/timestamp.h"
#include "key/key.h"
#include "store/block.h"

/*
 * When a result was made, how expensive it was, and how long it lives: for the
 * longest ttl that any request so far has stated.
 */
typedef struct StoreTimes
{
	TimestampTz created;
	TimestampTz latest;			/* upper limit of expires */
	int64		ttl_us;			/* the longest ttl requested */
	double		share;			/* fraction of the ttl that it lives, after
								 * jitter */
	TimestampTz expires;		/* the end of its life, from the above */
	int64		fill_us;		/* how long its execution took */
	int64		stale_us;		/* how long it is kept after it expires, to be
								 * served while it is refreshed */
} StoreTimes;

/* What a request wants. */
typedef struct StoreAsker
{
	TimestampTz now;
	int64		ttl_us;			/* how old a result may be */
	int64		stale_us;		/* and how much older while it is being
								 * refreshed */

	/* out: what others want of an entry that was too old for this request */
	int64		others_ttl_us;
	int64		others_stale_us;
} StoreAsker;

/* When is a result too old for requests with that ttl? */
static inline TimestampTz
store_end(const StoreTimes *times, int64 ttl_us)
{
	return Min(times->expires, times->created + ttl_us);
}

/* Prolong the life of a result as a request wants. */
static inline void
store_prolong(StoreTimes *times, int64 ttl_us, int64 stale_us)
{
	if (ttl_us > times->ttl_us)
	{
		times->ttl_us = ttl_us;
		times->expires = Min(times->created + (int64) (ttl_us * times->share),
							 times->latest);
	}
	times->stale_us = Max(times->stale_us, stale_us);
}

/*
 * A result.  The payload may be in shared memory, and must not be written to.
 */
typedef struct StoreResult
{
	StoreTimes	times;
	const char *payload;
	Size		len;
	BlockPin   *pin;			/* keeps the payload in place; NULL if it is
								 * palloc'd */
} StoreResult;

typedef enum StoreStatus
{
	STORE_HIT,
	STORE_EXPIRED,				/* expired, but may be served stale: result is
								 * filled in */
	STORE_MISS
} StoreStatus;

extern Size store_shmem_size(void);
extern void store_shmem_init(void);

/*
 * Look up a key.  An entry is served only if it has exactly these dependencies
 * with these generations, and is young enough for the request.  The payload
 * stays valid until store_release, or until the memory context of the call is
 * reset.  With NULL for result, only the status is returned.
 */
extern StoreStatus store_lookup(const CacheKey *key, const ClockStamp *deps,
								int ndeps, StoreAsker *asker,
								StoreResult *result);

/*
 * Prolong the life of an entry as the request wants, if it is still the one
 * that was created at that time.
 */
extern void store_keep(const CacheKey *key, TimestampTz created,
					   const StoreAsker *asker);

/* Release the payload. */
extern void store_release(StoreResult *result);

/*
 * Store a result, replacing any other for that key, and evicting others as
 * needed.  It lives at least as long as the entry it replaces would live if
 * that had been created now.  Returns false, having stored nothing, if there
 * is no room.
 */
extern bool store_insert(const CacheKey *key, const ClockStamp *deps,
						 int ndeps, const StoreTimes *times,
						 const char *payload, Size len);

/* Drop all entries, or, if all is false, those that are dead. */
extern void store_sweep(bool all);

/*
 * What cache_entries shows of an entry.  The pointers point into palloc'd
 * memory.
 */
typedef struct StoreListing
{
	KeyParts	key;
	StoreTimes	times;
	Size		size;
	uint64		hits;
} StoreListing;

/*
 * Call fn with a copy of each entry that can still be served.  No lock is held
 * during the calls.
 */
extern void store_list(void (*fn) (const StoreListing *listing, void *arg),
					   void *arg);

extern void store_usage(int64 *entries, int64 *bytes);
extern void store_verify(void);

#endif							/* CACHE_STORE_H */
