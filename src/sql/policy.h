/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  Named queries and policies, as the tables have them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include "clock/clock.h"
#include "lookup/lookup.h"
#include "text/terms.h"
#include "utils/array.h"

/* A named query with its policy filled in. */
typedef struct Definition
{
	char	   *query;			/* terminated */
	uint32		query_len;
	Terms		terms;			/* as far as they are stated */
	const char *problem;		/* with them, or NULL; a constant */
	Oid			relid;			/* of the table of policies, for a policy */
} Definition;

/*
 * The request that the arguments of a call by name stand for: a name, then
 * parameters.  Errors: ERRCODE_UNDEFINED_OBJECT; those of params_read.
 */
extern void policy_read_call(FunctionCallInfo fcinfo, LookupRequest *request);

/*
 * The policy of a name, which has no query: a copy, of one piece, in the current
 * memory context.  NULL if it is not to be had,
 * and then *problem is why: there is none, the extension is not in this
 * database, its tags make no sense, or the table is locked.  No errors, for
 * whoever asks has only written a comment.
 */
extern Definition *policy_find_policy(const char *name, const char **problem);

/*
 * What tells that definitions have changed: read the stamp, then look
 * definitions up, and they are of that stamp as long as it is current.
 */
extern void policy_read_stamp(ClockStamp *stamp);
extern bool policy_stamp_current(const ClockStamp *stamp);

/*
 * Tags as keys have them: sorted, unique, each followed by a zero byte, in the
 * current memory context; never NULL.  Errors: NULL or empty elements.
 */
extern char *policy_tags(ArrayType *array, uint32 *len);

#endif							/* CACHE_POLICY_H */
