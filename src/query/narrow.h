/*-------------------------------------------------------------------------
 *
 * narrow.h
 *	  Which rows of an attached table does a query read?
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_NARROW_H
#define CACHE_NARROW_H

#include "clock/clock.h"
#include "nodes/params.h"
#include "nodes/parsenodes.h"

/* The tags that replace relations in the dependencies of a query. */
typedef struct Narrowing Narrowing;

/*
 * Examine a rewritten query.  relations: oids of all relations that its result
 * depends on (depend.c).  The outcome is allocated in context; garbage is left
 * in the current memory context.  Returns NULL if no relation is replaced by
 * tags.
 */
extern Narrowing *narrow_find(Query *query, List *relations, MemoryContext context);

/*
 * Find the slots that a result depends on for its relations, given the
 * parameters.  For each relation, these are the slots of its tags and of its
 * untold changes, or its own slot.  Returns how many there are, at most max,
 * which must be NARROW_MAX_RELATIONS or more.  Garbage is left in the current
 * memory context.
 */
extern int	narrow_slots(const Narrowing *narrowing, ParamListInfo params,
						 ClockSlot *slots, int max);

/* Queries that read more relations are not examined. */
#define NARROW_MAX_RELATIONS 64

#endif							/* CACHE_NARROW_H */
