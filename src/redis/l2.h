/*-------------------------------------------------------------------------
 *
 * l2.h
 *	  Results in Redis: how they are named, signed, versioned and believed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_L2_H
#define CACHE_L2_H

#include "store/store.h"

extern Size l2_shmem_size(void);
extern void l2_shmem_init(void);

/* Recount; ERRCODE_DATA_CORRUPTED if something does not add up. */
extern void l2_verify(void);

/* Could a result with these dependencies be in L2, or go there? */
extern bool l2_usable(const ClockStamp *deps, int ndeps);

/*
 * Get a result.  It has the dependencies given, with their versions, and is
 * young enough for the asker.  Any failure is a miss.
 */
extern bool l2_get(const CacheKey *key, const ClockStamp *deps, int ndeps,
				   StoreAsker *asker, StoreResult *result);

/* Put a result; failing is forgetting it. */
extern void l2_put(const CacheKey *key, const ClockStamp *deps, int ndeps,
				   const StoreTimes *times, const char *payload, Size len);

/* Name of this server run's clock in Redis, for the worker; static. */
extern const char *l2_clock_name(void);

/* WAL position that stands for "everything", as of this start. */
extern XLogRecPtr l2_base(void);
extern void l2_set_base(XLogRecPtr base);

#endif							/* CACHE_L2_H */
