/*-------------------------------------------------------------------------
 *
 * relation.h
 *	  The slots that stand for the rows of relations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_RELATION_H
#define CACHE_RELATION_H

#include "clock/clock.h"
#include "nodes/pg_list.h"

/*
 * The slots of a relation of the current database: that of its rows, and that
 * of its untold changes.
 */
extern ClockSlot relation_slot(Oid relid);
extern ClockSlot relation_untold_slot(Oid relid);

/*
 * Rows of a relation have changed: touch its slot, and those of all relations
 * that it is a partition of or inherits from, directly or indirectly.  Does
 * nothing for system catalogs, temporary tables and TOAST tables.  May read
 * catalogs.
 */
extern void relation_touch(Oid relid);

/*
 * Some of these changes may be untold: touch the slots of untold changes of
 * the same relations.  relation_touch is called as well.
 */
extern void relation_touch_untold(Oid relid);

/*
 * A relation, and after it all relations that it is a partition of or inherits
 * from, directly or indirectly.
 */
extern List *relation_with_ancestors(Oid relid);

#endif							/* CACHE_RELATION_H */
