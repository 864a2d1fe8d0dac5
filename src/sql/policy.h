/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  Named queries and policies, as the tables have them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include "utils/array.h"

/* A named query with its policy filled in. */
typedef struct Definition
{
	char	   *query;			/* terminated */
	uint32		query_len;
	uint32		tags_len;
	char	   *tags;			/* sorted, each with a zero byte; NULL if none
								 * were given */
	int			ttl;			/* s, 0: cache.default_ttl */
	int			stale;			/* s */
	int64		max_entry_size; /* bytes, 0: cache.max_entry_size */
	int64		min_cost_us;
} Definition;

/*
 * The definition of a name: a copy, of one piece, in the current memory
 * context.  Errors: ERRCODE_UNDEFINED_OBJECT.
 */
extern Definition *policy_find(const char *name);

/*
 * The policy of a name, likewise; it has no query.  NULL if there is none, or
 * if the extension is not in this database.
 */
extern Definition *policy_find_policy(const char *name);

/*
 * Tags as keys have them: sorted, unique, each followed by a zero byte, in the
 * current memory context; never NULL.  Errors: NULL or empty elements.
 */
extern char *policy_tags(ArrayType *array, uint32 *len);

#endif							/* CACHE_POLICY_H */
