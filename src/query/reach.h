/*-------------------------------------------------------------------------
 *
 * reach.h
 *	  User-made functions that built-in code calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_REACH_H
#define CACHE_REACH_H

#include "access/tupdesc.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"

/* The callbacks, and what has been examined already. */
typedef struct Reach
{
	/*
	 * Called for each function that is found.  folded: built-in functions
	 * that are IMMUTABLE may call it, so possibly during planning.  Returns
	 * true to stop.
	 */
	bool		(*function) (Oid funcid, bool folded, void *context);
	/* called for the condition of a domain; returns true to stop */
	bool		(*condition) (Node *condition, void *context);
	void	   *context;

	/* oids; NIL at first */
	List	   *used;			/* types whose values are used */
	List	   *made;			/* types whose values are made as well */
	List	   *operators;
	List	   *families;		/* of operators */
} Reach;

/*
 * Examine a type of which the query has values: they may be written, converted
 * to json, compared and hashed.  made: the query also makes values, from a
 * text or by a conversion.  This function and the next two return whether a
 * callback has stopped them.
 */
extern bool reach_type(Reach *reach, Oid type, bool made);

/* The same for the columns of a row. */
extern bool reach_columns(Reach *reach, TupleDesc desc, bool made);

/*
 * Examine an operator that the query uses, and those that the planner may use
 * in its place.  itself: also call back for the operator's own function.
 */
extern bool reach_operator(Reach *reach, Oid opno, bool itself);

/*
 * Note how much has been examined; and forget what has been examined since, so
 * that it is examined again.
 */
#define REACH_LISTS 4
extern void reach_lengths(const Reach *reach, int *lengths);
extern void reach_truncate(Reach *reach, const int *lengths);

/* Which dates and times the values of some types contain. */
typedef struct ReachTimes
{
	bool		any;			/* some date or time, read from text */
	bool		zoned;			/* a time of day with time zone */
	List	   *seen;			/* oids of types; NIL at first */
} ReachTimes;

/* Add those of a type. */
extern void reach_times(Oid type, ReachTimes *times);

#endif							/* CACHE_REACH_H */
