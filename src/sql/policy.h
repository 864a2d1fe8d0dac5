/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  Reads named queries and policies from their tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include "clock/clock.h"
#include "lookup/lookup.h"
#include "text/terms.h"
#include "utils/array.h"

/* A named query together with its policy, or a policy alone. */
typedef struct Definition
{
	char	   *query;			/* terminated; empty for a policy alone */
	uint32		query_len;
	Terms		terms;			/* those that are stated */
	const char *problem;		/* with the terms, a constant, or NULL */
	Oid			relid;			/* for a policy: the table of policies */
} Definition;

/*
 * Turn the arguments of a call by name (the name, then parameters) into a
 * request.  Errors: ERRCODE_UNDEFINED_OBJECT; those of params_read.
 */
extern void policy_read_call(FunctionCallInfo fcinfo, LookupRequest *request);

/*
 * Find a policy by its name, for a hint.  The result is one chunk in the
 * current memory context.  Returns NULL and sets *problem if there is no such
 * policy, if the extension is not in this database, if the tags of the policy
 * are not valid, or if the table is locked.  A mistake in a comment must not
 * make the statement fail, so none of these raises an error.
 */
extern Definition *policy_find_policy(const char *name, const char **problem);

/*
 * Notice changes of definitions: read a stamp first, then read definitions.
 * They are up to date as long as the stamp is current.
 */
extern void policy_read_stamp(ClockStamp *stamp);
extern bool policy_stamp_current(const ClockStamp *stamp);

/*
 * The tags of an array in the form of keys: sorted, unique, each followed by a
 * zero byte, in the current memory context.  Never NULL.  Errors: NULL or
 * empty elements.
 */
extern char *policy_tags(ArrayType *array, uint32 *len);

#endif							/* CACHE_POLICY_H */
