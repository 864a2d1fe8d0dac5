/*-------------------------------------------------------------------------
 *
 * body.h
 *	  What is inside functions of LANGUAGE sql.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_BODY_H
#define CACHE_BODY_H

#include "nodes/parsenodes.h"

/* The inside of a function; in the memory context of the call. */
typedef struct Body
{
	List	   *queries;		/* rewritten */
	const char *text;			/* that they were parsed from just now; NULL
								 * if they were when the function was made */
	const char *obstacle;		/* why they are not known, a clause; NULL if
								 * nothing more can be said */
} Body;

/*
 * Find the queries that a call of a function runs, as this session means them
 * at present.  call: of the function or operator, with all of its arguments;
 * columns: the item of FROM that it is, or NULL.  Returns whether they are
 * known.
 */
extern bool body_find(Oid funcid, Node *call, const RangeTblFunction *columns,
					  Body *body);

#endif							/* CACHE_BODY_H */
