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
 * When a result was made, how expensive it was, and how long it lives: for as long
 * as wants whoever has asked for it and wants most.
 */
typedef struct StoreTimes
{
	TimestampTz created;
	TimestampTz latest;			/* it never lives longer than that */
	int64		ttl_us;			/* that was asked for */
	double		share;			/* of a ttl that it lives, jitter taken off */
	TimestampTz expires;		/* what comes of these */
	int64		fill_us;		/* microseconds its execution took */
	int64		stale_us;		/* it is kept that long past its end, to be
								 * served while it is being refreshed */
} StoreTimes;

/* Who asks for a result. */
typedef struct StoreAsker
{
	TimestampTz now;
	int64		ttl_us;			/* how old it may be */
	int64		stale_us;		/* and how much older while it is refreshed */

	/* out: what was wanted by others of what was found to be too old */
	int64		others_ttl_us;
	int64		others_stale_us;
} StoreAsker;

/* When does a result end for those who want none that is older? */
static inline TimestampTz
store_end(const StoreTimes *times, int64 ttl_us)
{
	return Min(times->expires, times->created + ttl_us);
}

/* Someone wants a result to live for that long. */
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

/* A result.  The payload may lie in shared memory: it is only read. */
typedef struct StoreResult
{
	StoreTimes	times;
	const char *payload;
	Size		len;
	BlockPin   *pin;			/* keeps the payload; NULL if it is palloc'd */
} StoreResult;

typedef enum StoreStatus
{
	STORE_HIT,
	STORE_EXPIRED,				/* past its time, but within that of stale
								 * ones: result is filled in */
	STORE_MISS
} StoreStatus;

extern Size store_shmem_size(void);
extern void store_shmem_init(void);

/*
 * Look up a key.  Served is only what carries exactly these dependencies with
 * these generations, and is young enough for the asker.  The payload stays
 * until the memory context of the call is reset, or store_release; NULL for
 * result: only see what there is.
 */
extern StoreStatus store_lookup(const CacheKey *key, const ClockStamp *deps,
								int ndeps, StoreAsker *asker,
								StoreResult *result);

/* What was found, and created then, is to live as long as the asker wants. */
extern void store_keep(const CacheKey *key, TimestampTz created,
					   const StoreAsker *asker);

/* The payload is not needed any more. */
extern void store_release(StoreResult *result);

/*
 * Store a result, in place of any other for that key, evicting others as
 * needed.  It lives no shorter than what it takes the place of would have, had
 * that been made now.  Returns false, having stored nothing, if there is no room.
 */
extern bool store_insert(const CacheKey *key, const ClockStamp *deps,
						 int ndeps, const StoreTimes *times,
						 const char *payload, Size len);

/* Drop every entry (all) or those that can no longer be served. */
extern void store_sweep(bool all);

/* What cache_entries shows of an entry; pointers into palloc'd memory. */
typedef struct StoreListing
{
	KeyParts	key;
	StoreTimes	times;
	Size		size;
	uint64		hits;
} StoreListing;

/*
 * Call fn for each entry that can still be served, with copies.  No lock is
 * held during the call.
 */
extern void store_list(void (*fn) (const StoreListing *listing, void *arg),
					   void *arg);

extern void store_usage(int64 *entries, int64 *bytes);
extern void store_verify(void);

#endif							/* CACHE_STORE_H */
