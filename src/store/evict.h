/*-------------------------------------------------------------------------
 *
 * evict.h
 *	  The replacement policy: which entry to give up when one is needed.
 *
 * Knows entries by their number only, so that test/evict can replay traces
 * through it outside of a server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_EVICT_H
#define CACHE_EVICT_H

#include "port/atomics.h"

/* Lives in shared memory; all fields are the policy's own. */
typedef struct SharedEvict
{
	uint32		size;			/* number of entries; immutable */
	uint32		hand;			/* under the caller's allocation lock */
	pg_atomic_uint32 usage[FLEXIBLE_ARRAY_MEMBER];	/* atomic */
} SharedEvict;

/*
 * What the policy asks of its caller about entry i.  EVICT_ABSENT: it holds
 * nothing.  EVICT_DEAD: nothing can be served from it any more.
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
 * Choose the entry to give up next, among the first used ones; the caller holds
 * its allocation lock.  Returns false if those that were looked at hold nothing.
 */
extern bool evict_choose(SharedEvict *evict, uint32 used, EvictProbe probe,
						 void *arg, uint32 *victim);

/* What does not add up, or NULL. */
extern const char *evict_verify(SharedEvict *evict);

#endif							/* CACHE_EVICT_H */
