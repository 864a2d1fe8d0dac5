/*-------------------------------------------------------------------------
 *
 * body.h
 *	  The queries inside functions of LANGUAGE sql.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_BODY_H
#define CACHE_BODY_H

#include "nodes/parsenodes.h"

/* What is inside a function.  Allocated in the current memory context. */
typedef struct Body
{
	List	   *queries;		/* rewritten */
	const char *text;			/* that they were just parsed from; NULL if
								 * that was when the function was created */
	const char *obstacle;		/* why they are not known, a clause; NULL if
								 * there is no particular reason */
} Body;

/*
 * Find the queries that a call of a function would run in this session.  call:
 * of the function or operator, with all of its arguments; columns: the item in
 * FROM that the call is, or NULL.  Returns whether the queries are known.
 */
extern bool body_find(Oid funcid, Node *call, const RangeTblFunction *columns,
					  Body *body);

#endif							/* CACHE_BODY_H */
