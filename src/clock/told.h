/*-------------------------------------------------------------------------
 *
 * told.h
 *	  Which changes of rows have triggers reported?
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TOLD_H
#define CACHE_TOLD_H

#include "utils/rel.h"

/*
 * The oid of the SQL function cache_invalidate() in the current database.
 * InvalidOid if the extension is not installed there.
 */
extern Oid	told_function(void);

/*
 * Does a trigger execute that function for every row that statements insert,
 * update or delete in its table, whatever the settings of the session?
 */
extern bool told_by(const Trigger *trigger);

/*
 * The first such trigger of a relation, or NULL.  The pointer is valid as long
 * as the relation is open.
 */
extern const Trigger *told_trigger(Relation rel);

/*
 * The counter of the changes of a relation's rows that its first such trigger
 * reports.  The pointer is valid until the end of the transaction.
 */
extern uint64 *told_counter(Oid relid);

/* A savepoint was rolled back: set all counters to zero. */
extern void told_restart(void);

/* The transaction has ended: forget the counters. */
extern void told_forget(void);

/*
 * The transaction has changed so many rows of a relation, or PG_UINT64_MAX if
 * that is not known.  If some of these changes are untold, touch the slot for
 * that.  Called when all triggers have fired.
 */
extern void told_check(Oid relid, uint64 changes);

#endif							/* CACHE_TOLD_H */
