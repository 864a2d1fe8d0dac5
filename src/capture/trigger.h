/*-------------------------------------------------------------------------
 *
 * trigger.h
 *	  The trigger function cache_invalidate().
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TRIGGER_H
#define CACHE_TRIGGER_H

/*
 * Touch the tags of all enabled triggers that execute cache_invalidate() on a
 * relation or on the partitioned tables above it, as if every row of the
 * relation had changed.  The caller holds a lock on the relation.
 */
extern void trigger_touch_relation(Oid relid);

#endif							/* CACHE_TRIGGER_H */
