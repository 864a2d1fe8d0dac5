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
 * If a node is a call, returns a copy with its arguments in order and defaults
 * filled in.  Returns other nodes as they are.
 */
extern Node *call_complete(Node *node);

/*
 * Check the functions that a node calls, if any.  columns: the item in FROM
 * that the node is the call of, or NULL.  Returns whether the query is
 * refused.
 */
extern bool call_check(Node *node, const RangeTblFunction *columns,
					   Examination *walk);

/* Check a function that built-in code calls.  This is a callback of Reach. */
extern bool call_check_reached(Oid funcid, bool folded, void *context);

/* The language of a function. */
extern Oid	call_language(Oid funcid);

#endif							/* CACHE_CALL_H */
