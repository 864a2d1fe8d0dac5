/*-------------------------------------------------------------------------
 *
 * told.h
 *	  Which changes of rows have been told of by triggers?
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TOLD_H
#define CACHE_TOLD_H

#include "utils/rel.h"

/*
 * Oid of the SQL function cache_invalidate() in the current database;
 * InvalidOid if the extension is not there.
 */
extern Oid	told_function(void);

/*
 * Does a trigger execute that function for every row that statements insert,
 * update or delete in its table, whatever the session's settings?
 */
extern bool told_by(const Trigger *trigger);

/*
 * The first such trigger of a relation, or NULL.  Valid as long as the relation
 * is open.
 */
extern const Trigger *told_trigger(Relation rel);

/*
 * Where to count the changes of rows of a relation that its first such trigger
 * tells of; good until the end of the transaction.
 */
extern uint64 *told_counter(Oid relid);

/* A savepoint was rolled back: nothing counted so far counts. */
extern void told_restart(void);

/* The transaction has ended: there are no counters. */
extern void told_forget(void);

/*
 * The transaction has changed a relation, in so many rows; PG_UINT64_MAX if that
 * is not known.  Unless each was told of, touch the slot of changes that were
 * not.  Called when all triggers have fired.
 */
extern void told_check(Oid relid, uint64 changes);

#endif							/* CACHE_TOLD_H */
