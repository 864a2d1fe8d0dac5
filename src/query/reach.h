/*-------------------------------------------------------------------------
 *
 * reach.h
 *	  User-made functions that built-in code reaches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_REACH_H
#define CACHE_REACH_H

#include "access/tupdesc.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"

/* What was met, so that it is met once; and who is told. */
typedef struct Reach
{
	/*
	 * Called for a function, as if it was called; true stops.  folded: by
	 * built-in functions that are IMMUTABLE, so maybe in planning.
	 */
	bool		(*function) (Oid funcid, bool folded, void *context);
	/* called for the condition of a domain; true stops */
	bool		(*condition) (Node *condition, void *context);
	void	   *context;

	/* oids, to be set to NIL */
	List	   *used;			/* types of which there are values */
	List	   *made;			/* types of which values are made */
	List	   *operators;
	List	   *families;		/* of operators */
} Reach;

/*
 * A value of a type is at hand: it may be written, converted to json, compared
 * and hashed.  made: it is also read from a text or converted to the type.
 * Each of these functions returns whether it was stopped.
 */
extern bool reach_type(Reach *reach, Oid type, bool made);

/* The same for the columns of a row. */
extern bool reach_columns(Reach *reach, TupleDesc desc, bool made);

/*
 * An operator is used, or what the planner takes in its place.  itself: its
 * own function is to be told of, too.
 */
extern bool reach_operator(Reach *reach, Oid opno, bool itself);

/*
 * How much was met, and back to that: what was met since is met again.
 */
#define REACH_LISTS 4
extern void reach_lengths(const Reach *reach, int *lengths);
extern void reach_truncate(Reach *reach, const int *lengths);

/* What values of a type consist of, as far as it is about dates and times. */
typedef struct ReachTimes
{
	bool		any;			/* some text is read as a time */
	bool		zoned;			/* a time of day with a time zone */
	List	   *seen;			/* oids, to be set to NIL */
} ReachTimes;

extern void reach_times(Oid type, ReachTimes *times);

#endif							/* CACHE_REACH_H */
