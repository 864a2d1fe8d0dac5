/*-------------------------------------------------------------------------
 *
 * depend.h
 *	  What a query reads, and whether its result may be cached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_DEPEND_H
#define CACHE_DEPEND_H

#include "query/finding.h"

/*
 * Examine a query after rewriting.  text: that it is parsed from each time, NULL
 * if it is there as a tree; automatic:
 * refuse what has dependencies that cannot be known.  Stops at the first reason
 * for refusal.
 */
extern void depend_examine(Query *query, const char *text, bool automatic,
						   Dependencies *deps);

/*
 * Is the output of a type the same for everyone, given the settings that shared
 * results are told apart by?
 */
extern bool depend_type_is_shareable(Oid type);

#endif							/* CACHE_DEPEND_H */
