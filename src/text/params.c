/*-------------------------------------------------------------------------
 *
 * params.c
 *	  Query parameters, from VARIADIC "any" arguments or from an execution.
 *
 * The bytes of parameters become part of a key.  Two values are the same
 * parameter if their types and bytes are equal.  That may distinguish values
 * that SQL considers equal, which costs a miss, but it never takes different
 * values for the same.  Values are made flat for this: neither compressed, nor
 * stored in a TOAST table, nor expanded.
 *
 * Conversion.  The parameters of a named query are converted to the types that
 * the query uses them as, so that 1, 1::bigint and '1' are the same parameter
 * set for it.  An implicit cast is used if there is one.  Otherwise a string
 * is read by the type's input function, as a literal would be.  For other
 * types an assignment cast is used.  That may lose information (1.5 becomes
 * the integer 2), so the converted value must be equal to the original one
 * when it is cast back; if it is not, the call fails.
 *
 * What this file must not do: know what parameters are used for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "text/params.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * A flat copy of a value, in the current memory context.
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
 * The size that a value has, or will have when it is made flat.
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
					 errmsg("parameter %d is of pseudo-type %s", i + 1,
							format_type_be(type)),
					 errhint("Cast the parameter to the type that the query uses it as.")));
		param->ptype = type;
		param->pflags = PARAM_FLAG_CONST;
		param->isnull = nulls[i];
		param->value = nulls[i] ? (Datum) 0 : params_flatten(values[i], type);
	}
	return n;
}

/*
 * Cast a value that is not null, as an expression would do it.  A cast may
 * return null; *isnull tells.
 */
static Datum
params_cast(Datum value, Oid from, Oid to, CoercionContext context,
			bool *isnull)
{
	EState	   *estate;
	int16		typlen;
	bool		typbyval;
	Oid			function;
	Node	   *expr;
	Datum		cast;

	/* common casts need no executor, which keeps hits fast */
	*isnull = false;
	switch (find_coercion_pathway(to, from, context, &function))
	{
		case COERCION_PATH_RELABELTYPE:
			return value;
		case COERCION_PATH_FUNC:
			if (function < FirstGenbkiObjectId && get_func_nargs(function) == 1)
				return OidFunctionCall1Coll(function, get_typcollation(to),
											value);
			break;
		default:
			break;
	}

	estate = CreateExecutorState();
	get_typlenbyval(from, &typlen, &typbyval);
	expr = (Node *) makeConst(from, -1, get_typcollation(from), typlen, value,
							  false, typbyval);
	expr = coerce_to_target_type(NULL, expr, from, to, -1, context,
								 COERCE_IMPLICIT_CAST, -1);
	cast = ExecEvalExprSwitchContext(ExecPrepareExpr((Expr *) expr, estate),
									 GetPerTupleExprContext(estate), isnull);
	if (!*isnull)
		cast = params_flatten(cast, to);
	FreeExecutorState(estate);
	return cast;
}

static bool
params_is_text(Oid type)
{
	return OidIsValid(type) && TypeCategory(type) == TYPCATEGORY_STRING;
}

/*
 * Did a value survive its cast from one type to another?
 */
static bool
params_survived(Datum value, Oid from, Datum cast, Oid to)
{
	TypeCacheEntry *type = lookup_type_cache(from, TYPECACHE_EQ_OPR_FINFO);
	Datum		back;
	bool		isnull;

	/* different values have different texts */
	if (params_is_text(to))
		return true;
	if (!OidIsValid(type->eq_opr_finfo.fn_oid) ||
		!can_coerce_type(1, &to, &from, COERCION_ASSIGNMENT))
		return false;
	back = params_cast(cast, to, from, COERCION_ASSIGNMENT, &isnull);
	return !isnull &&
		DatumGetBool(FunctionCall2Coll(&type->eq_opr_finfo, type->typcollation,
									   value, back));
}

/*
 * Convert a value that is not null to a type that is not a domain.
 */
static Datum
params_convert_value(int number, Datum value, Oid from, Oid to, bool *isnull)
{
	Datum		cast;

	if (can_coerce_type(1, &from, &to, COERCION_IMPLICIT))
		return params_cast(value, from, to, COERCION_IMPLICIT, isnull);
	if (params_is_text(from) ||
		(OidIsValid(get_element_type(to)) && params_is_text(get_element_type(from))))
	{
		Oid			output;
		Oid			input;
		Oid			ioparam;
		bool		varlena;

		getTypeOutputInfo(from, &output, &varlena);
		getTypeInputInfo(to, &input, &ioparam);
		*isnull = false;
		return OidInputFunctionCall(input, OidOutputFunctionCall(output, value),
									ioparam, -1);
	}
	if (!can_coerce_type(1, &from, &to, COERCION_ASSIGNMENT))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("parameter %d is of type %s, but the query uses it as %s",
						number, format_type_be(from), format_type_be(to)),
				 errhint("Cast the parameter to the type that the query uses it as.")));
	cast = params_cast(value, from, to, COERCION_ASSIGNMENT, isnull);
	if (*isnull || !params_survived(value, from, cast, to))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("parameter %d cannot be converted to type %s without loss",
						number, format_type_be(to)),
				 errhint("Cast the parameter to the type that the query uses it as.")));
	return cast;
}

ParamListInfo
params_convert(ParamListInfo params, int n, const Oid *given, const Oid *types)
{
	ParamListInfo converted = makeParamList(n);

	for (int i = 0; i < n; i++)
	{
		ParamExternData *to = &converted->params[i];
		Oid			base = getBaseType(types[i]);
		Oid			from = getBaseType(given[i]);

		*to = params->params[i];
		to->ptype = types[i];
		if (given[i] == types[i])
			continue;
		if (!to->isnull && from != base)
			to->value = params_convert_value(i + 1, to->value, from, base,
											 &to->isnull);
		if (base != types[i])
			domain_check(to->value, to->isnull, types[i], NULL, NULL);
		if (!to->isnull)
			to->value = params_flatten(to->value, base);
	}
	return converted;
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
		 * The fetch is speculative: a variable that has no value yet is no
		 * error, since the query may never read it.
		 */
		if (params->paramFetch != NULL)
			from = params->paramFetch(params, refs[i].id, true, &workspace);
		else
			from = &params->params[refs[i].id - 1];
		/* an anonymous record type has a meaning in this session only */
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
