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

/* What is known of the relations that a query reads. */
typedef struct Narrowing Narrowing;

/*
 * Examine a query after rewriting.  relations: oids of all relations that its
 * result depends on (depend.c).  The outcome is allocated in context; garbage is
 * left in the current one.  NULL if the result depends on no relation by tags.
 */
extern Narrowing *narrow_find(Query *query, List *relations, MemoryContext context);

/*
 * Find the slots that stand for the relations, given the parameters: of tags, or
 * of the relation.  Returns how many there are, at most max, which must be
 * NARROW_MAX_RELATIONS or more.  Garbage is left in the current memory context.
 */
extern int	narrow_slots(const Narrowing *narrowing, ParamListInfo params,
						 ClockSlot *slots, int max);

/* Queries that read more relations are not looked into. */
#define NARROW_MAX_RELATIONS 64

#endif							/* CACHE_NARROW_H */
