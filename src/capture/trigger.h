/*-------------------------------------------------------------------------
 *
 * trigger.h
 *	  The trigger function that invalidates tags.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TRIGGER_H
#define CACHE_TRIGGER_H

/*
 * Do what the enabled triggers of a relation that execute cache_invalidate(),
 * and those of the partitioned tables above it, would do if all of its rows
 * changed.  The caller holds a lock on the relation.
 */
extern void trigger_touch_relation(Oid relid);

#endif							/* CACHE_TRIGGER_H */
