/*-------------------------------------------------------------------------
 *
 * params.h
 *	  Query parameters, from VARIADIC "any" arguments or from an execution.
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
 * Literals of unknown type are read as text.  The values are flat.  Errors:
 * parameters of pseudo-types, whose values have no meaning in another session.
 */
extern int	params_read(FunctionCallInfo fcinfo, int first, Oid **types,
						ParamListInfo *params);

/*
 * Convert n parameters from the types given to the types that a query uses
 * them as.  A string is read like a literal.  The result is flat and in the
 * current memory context.  Errors: a value that cannot be converted, or that
 * has no equal value of that type.
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
 * Pick the parameters that a query refers to, flat, in that order, in the
 * current memory context.  Returns NULL if there are none, if one of them has
 * no value of the expected type, if one of them has a meaning in this session
 * only, or if together they are larger than max_size bytes.
 */
extern ParamListInfo params_pick(ParamListInfo params, const ParamUse *refs,
								 int n, Size max_size);

#endif							/* CACHE_PARAMS_H */
