/*-------------------------------------------------------------------------
 *
 * params.h
 *	  Query parameters: from VARIADIC "any" arguments, or those of an execution.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_PARAMS_H
#define CACHE_PARAMS_H

#include "fmgr.h"
#include "nodes/params.h"

/*
 * Read the arguments from number first on as parameters, in the current memory
 * context.  Returns how many there are; *params is NULL if there are none.
 * Literals of unknown type are text; values are flat.  Errors: parameters of
 * pseudo-types, whose values mean nothing to another session.
 */
extern int	params_read(FunctionCallInfo fcinfo, int first, Oid **types,
						ParamListInfo *params);

/*
 * The values of n parameters, which are of types given, converted to the types
 * that a query uses them as, in the current memory context; flat.  A string is
 * read as a literal would be.  Errors: what cannot be converted, or
 * has no equal of that type.
 */
extern ParamListInfo params_convert(ParamListInfo params, int n,
									const Oid *given, const Oid *types);

/* A parameter that a query refers to. */
typedef struct ParamUse
{
	int			id;				/* from 1 */
	Oid			type;
} ParamUse;

/*
 * Those of params that a query refers to, flat, in that order, in the current
 * memory context.  NULL if there are none, if one of them has no value of that
 * type to look at or one that means nothing to another session, or if they are
 * larger than max_size bytes.
 */
extern ParamListInfo params_pick(ParamListInfo params, const ParamUse *refs,
								 int n, Size max_size);

#endif							/* CACHE_PARAMS_H */
