/*-------------------------------------------------------------------------
 *
 * l2.h
 *	  Results in Redis: how they are named, signed, versioned and checked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_L2_H
#define CACHE_L2_H

#include "store/store.h"

extern Size l2_shmem_size(void);
extern void l2_shmem_init(void);

/*
 * Check the shared state.  Raises ERRCODE_DATA_CORRUPTED if it is
 * inconsistent.
 */
extern void l2_verify(void);

/* Can a result with these dependencies be in L2, or be put there? */
extern bool l2_usable(const ClockStamp *deps, int ndeps);

/*
 * Get a result that has these dependencies with these versions, and that is
 * young enough for the asker.  Any failure is a miss.
 */
extern bool l2_get(const CacheKey *key, const ClockStamp *deps, int ndeps,
				   StoreAsker *asker, StoreResult *result);

/* Put a result.  Failures are ignored. */
extern void l2_put(const CacheKey *key, const ClockStamp *deps, int ndeps,
				   const StoreTimes *times, const char *payload, Size len);

/* The name of this server run's clock in Redis, for the worker; static. */
extern const char *l2_clock_name(void);

/*
 * The version of all slots that have not changed since the server started;
 * InvalidXLogRecPtr until the worker has first reached Redis.
 */
extern XLogRecPtr l2_base(void);
extern void l2_set_base(XLogRecPtr base);

#endif							/* CACHE_L2_H */
