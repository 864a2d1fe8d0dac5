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

/* When a result was made, how dear it was and how long it lives. */
typedef struct StoreTimes
{
	TimestampTz created;
	TimestampTz expires;
	int64		fill_us;		/* microseconds its execution took */
	int64		stale_us;		/* may be served that long past its end while
								 * it is being refreshed */
} StoreTimes;

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
	STORE_EXPIRED,				/* past its time, but within stale_us: result
								 * is filled in */
	STORE_MISS
} StoreStatus;

extern Size store_shmem_size(void);
extern void store_shmem_init(void);

/*
 * Look up a key.  Served is only what carries exactly these dependencies with
 * these generations, and is younger than max_age_us.  The payload stays
 * until the memory context of the call is reset, or store_release; NULL for
 * result: only see what there is.
 */
extern StoreStatus store_lookup(const CacheKey *key, const ClockStamp *deps,
								int ndeps, TimestampTz now, int64 max_age_us,
								StoreResult *result);

/* The payload is not needed any more. */
extern void store_release(StoreResult *result);

/*
 * Store a result, in place of any other for that key, evicting others as
 * needed.  Returns false, having stored nothing, if there is no room.
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
