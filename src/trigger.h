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
 * Oid of the SQL function cache_invalidate() in the current database;
 * InvalidOid if the extension is not there.
 */
extern Oid	trigger_function(void);

/*
 * Do what the enabled triggers of a relation that execute cache_invalidate(),
 * and those of the partitioned tables above it, would do if all of its rows
 * changed.  The caller holds a lock on the relation.
 */
extern void trigger_touch_relation(Oid relid);

#endif							/* CACHE_TRIGGER_H */
