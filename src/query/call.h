/*-------------------------------------------------------------------------
 *
 * call.h
 *	  Judges the functions that a query calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_CALL_H
#define CACHE_CALL_H

#include "query/finding.h"

/*
 * A call with its arguments in order and the default ones filled in; other nodes
 * as they are.
 */
extern Node *call_complete(Node *node);

/*
 * Check the functions that a node calls, if it is one that does.  columns: the
 * function in FROM that it is, or NULL.  Returns whether the query is refused.
 */
extern bool call_check(Node *node, const RangeTblFunction *columns,
					   Examination *walk);

/* Check a function that built-in code calls; a callback of Reach. */
extern bool call_check_reached(Oid funcid, bool folded, void *context);

/* The language of a function. */
extern Oid	call_language(Oid funcid);

#endif							/* CACHE_CALL_H */
