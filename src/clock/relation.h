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
 * The slots of a relation of the current database: that of its rows, and that of
 * changes of rows that no trigger told of.
 */
extern ClockSlot relation_slot(Oid relid);
extern ClockSlot relation_untold_slot(Oid relid);

/*
 * Rows of a relation have changed: touch its slot, and those of the relations
 * it is a partition of or inherits from, at any distance.  System catalogs,
 * temporary tables and TOAST tables are left out.  May read catalogs.
 */
extern void relation_touch(Oid relid);

/*
 * Rows have changed, for which relation_touch is called as well, and it is not
 * known that triggers told of each: touch the second slots of the same relations.
 */
extern void relation_touch_untold(Oid relid);

/*
 * A relation and those it is a partition of or inherits from, at any distance;
 * itself first.
 */
extern List *relation_with_ancestors(Oid relid);

#endif							/* CACHE_RELATION_H */
