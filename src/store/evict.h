/*-------------------------------------------------------------------------
 *
 * evict.h
 *	  The replacement policy: which entry to evict when room is needed.
 *
 * It knows entries only by number, so that test/evict can replay traces
 * through it outside a server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_EVICT_H
#define CACHE_EVICT_H

#include "port/atomics.h"

/* Lives in shared memory.  Only evict.c accesses the fields. */
typedef struct SharedEvict
{
	uint32		size;			/* number of entries; immutable */
	uint32		hand;			/* under the caller's allocation lock */
	pg_atomic_uint32 usage[FLEXIBLE_ARRAY_MEMBER];	/* atomic */
} SharedEvict;

/*
 * What the policy asks its caller about an entry: does it hold nothing
 * (EVICT_ABSENT); can nothing be served from it any more (EVICT_DEAD)?
 */
typedef enum EvictState
{
	EVICT_ABSENT,
	EVICT_DEAD,
	EVICT_LIVE
} EvictState;

typedef EvictState (*EvictProbe) (uint32 i, void *arg);

extern Size evict_size(uint32 entries);
extern void evict_init(SharedEvict *evict, uint32 entries);

/* Entry i has just been stored. */
extern void evict_inserted(SharedEvict *evict, uint32 i);

/* Entry i has just been served; usually writes nothing. */
extern void evict_touched(SharedEvict *evict, uint32 i);

/*
 * Choose an entry to evict among the first "used" ones.  The caller holds its
 * allocation lock.  Returns false if none of those that were looked at holds
 * anything.
 */
extern bool evict_choose(SharedEvict *evict, uint32 used, EvictProbe probe,
						 void *arg, uint32 *victim);

/* Check the state.  Returns what is inconsistent, or NULL. */
extern const char *evict_verify(SharedEvict *evict);

#endif							/* CACHE_EVICT_H */
