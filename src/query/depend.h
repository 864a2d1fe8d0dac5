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
 * Examine a rewritten query.  text: what it was just parsed from, or NULL if
 * it came as a tree; automatic: the cache is responsible for freshness, so
 * refuse what depends on something unknown.  Stops at the first reason to
 * refuse.
 */
extern void depend_examine(Query *query, const char *text, bool automatic,
						   Dependencies *deps);

/*
 * Is the output of a type the same for all users, given the settings in the
 * keys of shared results?
 */
extern bool depend_type_is_shareable(Oid type);

#endif							/* CACHE_DEPEND_H */
