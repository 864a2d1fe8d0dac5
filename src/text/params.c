/*-------------------------------------------------------------------------
 *
 * params.c
 *	  Query parameters: from VARIADIC "any" arguments, or those of an execution.
 *
 * Values are made flat (neither compressed, nor stored elsewhere, nor
 * expanded), since their bytes become part of a key: two values are the same
 * parameter iff their types and bytes are equal, which errs on the side of a
 * needless miss.
 *
 * What this file must not do: convert values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "text/params.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/*
 * A value of a type, flat, in the current memory context.
 */
static Datum
params_flatten(Datum value, Oid type)
{
	int16		typlen;
	bool		typbyval;

	get_typlenbyval(type, &typlen, &typbyval);
	if (typbyval)
		return value;
	if (typlen == -1)
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	return datumCopy(value, typbyval, typlen);
}

/*
 * The size that a value will have when flat, or had once.
 */
static Size
params_size(Datum value, Oid type)
{
	int16		typlen;
	bool		typbyval;

	get_typlenbyval(type, &typlen, &typbyval);
	if (typbyval)
		return sizeof(Datum);
	if (typlen == -1)
		return toast_raw_datum_size(value);
	return datumGetSize(value, typbyval, typlen);
}

int
params_read(FunctionCallInfo fcinfo, int first, Oid **types,
			ParamListInfo *params)
{
	Datum	   *values;
	bool	   *nulls;
	int			n = 0;

	*types = NULL;
	*params = NULL;
	if (PG_NARGS() > first)
		n = extract_variadic_args(fcinfo, first, true, &values, types, &nulls);
	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array of parameters must not be null"),
				 errhint("Leave the parameters out if there are none.")));
	if (n == 0)
		return 0;

	*params = makeParamList(n);
	for (int i = 0; i < n; i++)
	{
		ParamExternData *param = &(*params)->params[i];
		Oid			type = (*types)[i];

		if (get_typtype(type) == TYPTYPE_PSEUDO)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("parameter %d is of type %s", i + 1,
							format_type_be(type)),
					 errhint("Cast the parameter to the type that the query uses it as.")));
		param->ptype = type;
		param->pflags = PARAM_FLAG_CONST;
		param->isnull = nulls[i];
		param->value = nulls[i] ? (Datum) 0 : params_flatten(values[i], type);
	}
	return n;
}

ParamListInfo
params_pick(ParamListInfo params, const ParamUse *refs, int n, Size max_size)
{
	ParamListInfo picked;
	Size		size = 0;

	if (params == NULL || n == 0)
		return NULL;
	picked = makeParamList(n);
	for (int i = 0; i < n; i++)
	{
		ParamExternData *to = &picked->params[i];
		ParamExternData workspace;
		ParamExternData *from;

		if (refs[i].id > params->numParams)
			return NULL;

		/*
		 * Speculatively, that is, without the errors of a variable that has
		 * no value yet, and that the query may come not to look at.
		 */
		if (params->paramFetch != NULL)
			from = params->paramFetch(params, refs[i].id, true, &workspace);
		else
			from = &params->params[refs[i].id - 1];
		/* the columns of an anonymous record are known to this session only */
		if (from->ptype != refs[i].type || from->ptype == RECORDOID ||
			from->ptype == RECORDARRAYOID)
			return NULL;
		*to = *from;
		if (from->isnull)
			continue;
		size += params_size(from->value, from->ptype);
		if (size > max_size)
			return NULL;
		to->value = params_flatten(from->value, from->ptype);
	}
	return picked;
}
