/*-------------------------------------------------------------------------
 *
 * params.h
 *	  Query parameters from VARIADIC "any" arguments.
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

#endif							/* CACHE_PARAMS_H */
