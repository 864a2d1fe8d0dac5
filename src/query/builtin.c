/*-------------------------------------------------------------------------
 *
 * builtin.c
 *	  What is known about each built-in function.
 *
 * For every function that a server comes with, the table in this file says
 * whether the key and the dependencies of a cached result determine what the
 * function returns.  The table is written by hand, from what the functions do.
 * It does not rely on what pg_proc says, with one exception: an IMMUTABLE
 * function whose arguments all have particular types is known without being
 * listed.  An IMMUTABLE function that takes arguments of any type, such as
 * array_eq(), is listed if it calls only functions that belong to these types.
 * reach.c finds those from the types, and they are examined on their own.
 *
 * A function that is not listed is BUILTIN_OPAQUE: it reads tables,
 * statistics, files or the state of the server, or nobody has classified it
 * yet.  So a new function of a newer server is refused.  test/tap/builtins.pl
 * has a list of functions that are left out here on purpose.  It fails if a
 * STABLE function, or an IMMUTABLE one of arguments of any type, is in neither
 * place.  VOLATILE functions are never listed.  An opaque function of LANGUAGE
 * sql is examined like one of a user (body.c).
 *
 * The table is a switch statement.  So the compiler generates the search, and
 * reports a function that is listed twice.
 *
 * What this file must not do: read catalogs, except the function's own row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "query/builtin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * Does an argument of a function take values of any type?
 */
static bool
builtin_is_generic(Form_pg_proc proc)
{
	for (int i = 0; i < proc->pronargs; i++)
	{
		Oid			type = proc->proargtypes.values[i];

		if (get_typtype(type) == TYPTYPE_PSEUDO && type != CSTRINGOID &&
			type != INTERNALOID)
			return true;
	}
	return false;
}

/*
 * The kind of a function that is not listed.
 */
static BuiltinKind
builtin_unlisted(Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Form_pg_proc proc;
	BuiltinKind kind = BUILTIN_OPAQUE;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (proc->provolatile == PROVOLATILE_IMMUTABLE && !builtin_is_generic(proc))
		kind = BUILTIN_KNOWN;
	ReleaseSysCache(tuple);
	return kind;
}

BuiltinKind
builtin_kind(Oid funcid)
{
	Assert(funcid < FirstNormalObjectId);

	switch (funcid)
	{
			/*
			 * IMMUTABLE, with arguments of any type: these call only
			 * functions of the types, to compare, hash, write or copy values
			 */
		case F_ARRAYCONTAINED:
		case F_ARRAYCONTAINS:
		case F_ARRAYOVERLAP:
		case F_ARRAY_AGG_ANYARRAY:
		case F_ARRAY_AGG_ANYNONARRAY:
		case F_ARRAY_AGG_ARRAY_FINALFN:
		case F_ARRAY_AGG_ARRAY_TRANSFN:
		case F_ARRAY_AGG_FINALFN:
		case F_ARRAY_AGG_TRANSFN:
		case F_ARRAY_APPEND:
		case F_ARRAY_CAT:
		case F_ARRAY_DIMS:
		case F_ARRAY_EQ:
		case F_ARRAY_FILL_ANYELEMENT__INT4:
		case F_ARRAY_FILL_ANYELEMENT__INT4__INT4:
		case F_ARRAY_GE:
		case F_ARRAY_GT:
		case F_ARRAY_LARGER:
		case F_ARRAY_LE:
		case F_ARRAY_LENGTH:
		case F_ARRAY_LOWER:
		case F_ARRAY_LT:
		case F_ARRAY_NDIMS:
		case F_ARRAY_NE:
		case F_ARRAY_POSITIONS:
		case F_ARRAY_POSITION_ANYCOMPATIBLEARRAY_ANYCOMPATIBLE:
		case F_ARRAY_POSITION_ANYCOMPATIBLEARRAY_ANYCOMPATIBLE_INT4:
		case F_ARRAY_PREPEND:
		case F_ARRAY_REMOVE:
		case F_ARRAY_REPLACE:
		case F_ARRAY_SMALLER:
		case F_ARRAY_UPPER:
		case F_BTARRAYCMP:
		case F_BTRECORDCMP:
		case F_BTRECORDIMAGECMP:
		case F_CARDINALITY:
		case F_COUNT_ANY:
		case F_CUME_DIST_ANY:
		case F_CUME_DIST_FINAL:
		case F_DENSE_RANK_ANY:
		case F_DENSE_RANK_FINAL:
		case F_ELEM_CONTAINED_BY_MULTIRANGE:
		case F_ELEM_CONTAINED_BY_RANGE:
		case F_ENUM_CMP:
		case F_ENUM_EQ:
		case F_ENUM_GE:
		case F_ENUM_GT:
		case F_ENUM_LARGER:
		case F_ENUM_LE:
		case F_ENUM_LT:
		case F_ENUM_NE:
		case F_ENUM_SMALLER:
		case F_FIRST_VALUE:
		case F_GENERATE_SUBSCRIPTS_ANYARRAY_INT4:
		case F_GENERATE_SUBSCRIPTS_ANYARRAY_INT4_BOOL:
		case F_GINARRAYCONSISTENT:
		case F_GINARRAYEXTRACT_ANYARRAY_INTERNAL:
		case F_GINARRAYEXTRACT_ANYARRAY_INTERNAL_INTERNAL:
		case F_GINARRAYTRICONSISTENT:
		case F_GINQUERYARRAYEXTRACT:
		case F_HASHENUM:
		case F_HASHENUMEXTENDED:
		case F_HASH_ARRAY:
		case F_HASH_ARRAY_EXTENDED:
		case F_HASH_MULTIRANGE:
		case F_HASH_MULTIRANGE_EXTENDED:
		case F_HASH_RANGE:
		case F_HASH_RANGE_EXTENDED:
		case F_HASH_RECORD:
		case F_HASH_RECORD_EXTENDED:
		case F_INT8DEC_ANY:
		case F_INT8INC_ANY:
		case F_ISEMPTY_ANYMULTIRANGE:
		case F_ISEMPTY_ANYRANGE:
		case F_JSONB_OBJECT_AGG:
		case F_LAG_ANYCOMPATIBLE_INT4_ANYCOMPATIBLE:
		case F_LAG_ANYELEMENT:
		case F_LAG_ANYELEMENT_INT4:
		case F_LAST_VALUE:
		case F_LEAD_ANYCOMPATIBLE_INT4_ANYCOMPATIBLE:
		case F_LEAD_ANYELEMENT:
		case F_LEAD_ANYELEMENT_INT4:
		case F_LOWER_ANYMULTIRANGE:
		case F_LOWER_ANYRANGE:
		case F_LOWER_INC_ANYMULTIRANGE:
		case F_LOWER_INC_ANYRANGE:
		case F_LOWER_INF_ANYMULTIRANGE:
		case F_LOWER_INF_ANYRANGE:
		case F_MAX_ANYARRAY:
		case F_MAX_ANYENUM:
		case F_MIN_ANYARRAY:
		case F_MIN_ANYENUM:
		case F_MODE:
		case F_MODE_FINAL:
		case F_MULTIRANGE:
		case F_MULTIRANGE_ADJACENT_MULTIRANGE:
		case F_MULTIRANGE_ADJACENT_RANGE:
		case F_MULTIRANGE_AFTER_MULTIRANGE:
		case F_MULTIRANGE_AFTER_RANGE:
		case F_MULTIRANGE_AGG_FINALFN:
		case F_MULTIRANGE_AGG_TRANSFN:
		case F_MULTIRANGE_BEFORE_MULTIRANGE:
		case F_MULTIRANGE_BEFORE_RANGE:
		case F_MULTIRANGE_CMP:
		case F_MULTIRANGE_CONTAINED_BY_MULTIRANGE:
		case F_MULTIRANGE_CONTAINED_BY_RANGE:
		case F_MULTIRANGE_CONTAINS_ELEM:
		case F_MULTIRANGE_CONTAINS_MULTIRANGE:
		case F_MULTIRANGE_CONTAINS_RANGE:
		case F_MULTIRANGE_EQ:
		case F_MULTIRANGE_GE:
		case F_MULTIRANGE_GIST_CONSISTENT:
		case F_MULTIRANGE_GT:
		case F_MULTIRANGE_INTERSECT:
		case F_MULTIRANGE_INTERSECT_AGG_TRANSFN:
		case F_MULTIRANGE_LE:
		case F_MULTIRANGE_LT:
		case F_MULTIRANGE_MINUS:
		case F_MULTIRANGE_NE:
		case F_MULTIRANGE_OVERLAPS_MULTIRANGE:
		case F_MULTIRANGE_OVERLAPS_RANGE:
		case F_MULTIRANGE_OVERLEFT_MULTIRANGE:
		case F_MULTIRANGE_OVERLEFT_RANGE:
		case F_MULTIRANGE_OVERRIGHT_MULTIRANGE:
		case F_MULTIRANGE_OVERRIGHT_RANGE:
		case F_MULTIRANGE_UNION:
		case F_NTH_VALUE:
		case F_NUM_NONNULLS:
		case F_NUM_NULLS:
		case F_ORDERED_SET_TRANSITION:
		case F_ORDERED_SET_TRANSITION_MULTI:
		case F_PERCENTILE_DISC_FINAL:
		case F_PERCENTILE_DISC_FLOAT8_ANYELEMENT:
		case F_PERCENTILE_DISC_MULTI_FINAL:
		case F_PERCENTILE_DISC__FLOAT8_ANYELEMENT:
		case F_PERCENT_RANK_ANY:
		case F_PERCENT_RANK_FINAL:
		case F_RANGE_ADJACENT:
		case F_RANGE_ADJACENT_MULTIRANGE:
		case F_RANGE_AFTER:
		case F_RANGE_AFTER_MULTIRANGE:
		case F_RANGE_AGG_ANYMULTIRANGE:
		case F_RANGE_AGG_ANYRANGE:
		case F_RANGE_AGG_FINALFN:
		case F_RANGE_AGG_TRANSFN:
		case F_RANGE_BEFORE:
		case F_RANGE_BEFORE_MULTIRANGE:
		case F_RANGE_CMP:
		case F_RANGE_CONTAINED_BY:
		case F_RANGE_CONTAINED_BY_MULTIRANGE:
		case F_RANGE_CONTAINS:
		case F_RANGE_CONTAINS_ELEM:
		case F_RANGE_CONTAINS_MULTIRANGE:
		case F_RANGE_EQ:
		case F_RANGE_GE:
		case F_RANGE_GIST_CONSISTENT:
		case F_RANGE_GIST_SAME:
		case F_RANGE_GT:
		case F_RANGE_INTERSECT:
		case F_RANGE_INTERSECT_AGG_ANYMULTIRANGE:
		case F_RANGE_INTERSECT_AGG_ANYRANGE:
		case F_RANGE_INTERSECT_AGG_TRANSFN:
		case F_RANGE_LE:
		case F_RANGE_LT:
		case F_RANGE_MERGE_ANYMULTIRANGE:
		case F_RANGE_MERGE_ANYRANGE_ANYRANGE:
		case F_RANGE_MINUS:
		case F_RANGE_NE:
		case F_RANGE_OVERLAPS:
		case F_RANGE_OVERLAPS_MULTIRANGE:
		case F_RANGE_OVERLEFT:
		case F_RANGE_OVERLEFT_MULTIRANGE:
		case F_RANGE_OVERRIGHT:
		case F_RANGE_OVERRIGHT_MULTIRANGE:
		case F_RANGE_UNION:
		case F_RANK_ANY:
		case F_RANK_FINAL:
		case F_RECORD_EQ:
		case F_RECORD_GE:
		case F_RECORD_GT:
		case F_RECORD_IMAGE_EQ:
		case F_RECORD_IMAGE_GE:
		case F_RECORD_IMAGE_GT:
		case F_RECORD_IMAGE_LE:
		case F_RECORD_IMAGE_LT:
		case F_RECORD_IMAGE_NE:
		case F_RECORD_LE:
		case F_RECORD_LT:
		case F_RECORD_NE:
		case F_TRIM_ARRAY:
		case F_UNKNOWNOUT:
		case F_UNKNOWNSEND:
		case F_UNNEST_ANYARRAY:
		case F_UNNEST_ANYMULTIRANGE:
		case F_UPPER_ANYMULTIRANGE:
		case F_UPPER_ANYRANGE:
		case F_UPPER_INC_ANYMULTIRANGE:
		case F_UPPER_INC_ANYRANGE:
		case F_UPPER_INF_ANYMULTIRANGE:
		case F_UPPER_INF_ANYRANGE:
		case F_VOID_OUT:
		case F_VOID_SEND:
		case F_WIDTH_BUCKET_ANYCOMPATIBLE_ANYCOMPATIBLEARRAY:
#ifdef F_ANY_VALUE				/* since 16 */
		case F_ANY_VALUE:
		case F_ANY_VALUE_TRANSFN:
		case F_JSONB_OBJECT_AGG_STRICT:
		case F_JSONB_OBJECT_AGG_UNIQUE:
		case F_JSONB_OBJECT_AGG_UNIQUE_STRICT:
#endif
#ifdef F_ARRAY_REVERSE			/* since 18 */
		case F_ARRAY_REVERSE:
		case F_ARRAY_SORT_ANYARRAY:
		case F_ARRAY_SORT_ANYARRAY_BOOL:
		case F_ARRAY_SORT_ANYARRAY_BOOL_BOOL:
		case F_MAX_RECORD:
		case F_MIN_RECORD:
		case F_RECORD_LARGER:
		case F_RECORD_SMALLER:
#endif
			return BUILTIN_KNOWN;

			/*
			 * STABLE: these read the catalog and the settings that are in
			 * keys of shared results (settings.c), and call input, output,
			 * cast and comparison functions of the types of their arguments
			 */
		case F_ANYARRAY_OUT:
		case F_ANYENUM_OUT:
		case F_ANYRANGE_OUT:
		case F_ARRAY_OUT:
		case F_ARRAY_TO_JSON_ANYARRAY:
		case F_ARRAY_TO_JSON_ANYARRAY_BOOL:
		case F_ARRAY_TO_STRING_ANYARRAY_TEXT:
		case F_ARRAY_TO_STRING_ANYARRAY_TEXT_TEXT:
		case F_CASH_IN:
		case F_CASH_OUT:
		case F_CONCAT:
		case F_CONCAT_WS:
		case F_CONVERT:
		case F_CONVERT_FROM:
		case F_CONVERT_TO:
		case F_CURRENT_DATABASE:
		case F_DATE_CMP_TIMESTAMPTZ:
		case F_DATE_EQ_TIMESTAMPTZ:
		case F_DATE_GE_TIMESTAMPTZ:
		case F_DATE_GT_TIMESTAMPTZ:
		case F_DATE_LE_TIMESTAMPTZ:
		case F_DATE_LT_TIMESTAMPTZ:
		case F_DATE_NE_TIMESTAMPTZ:
		case F_DATE_OUT:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_DATE_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
		case F_ENUM_IN:
		case F_ENUM_OUT:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_FORMAT_TEXT:
		case F_FORMAT_TEXT_ANY:
		case F_GENERATE_SERIES_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL:
		case F_GETDATABASEENCODING:
		case F_GET_CURRENT_TS_CONFIG:
		case F_INTERVAL_IN:
		case F_INTERVAL_OUT:
		case F_INTERVAL_PL_TIMESTAMPTZ:
		case F_IN_RANGE_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL_BOOL_BOOL:
		case F_JSONB_AGG:
		case F_JSONB_BUILD_ARRAY_:
		case F_JSONB_BUILD_ARRAY_ANY:
		case F_JSONB_BUILD_OBJECT_:
		case F_JSONB_BUILD_OBJECT_ANY:
		case F_JSONB_TO_TSVECTOR_JSONB_JSONB:
		case F_JSON_AGG:
		case F_JSON_BUILD_ARRAY_:
		case F_JSON_BUILD_ARRAY_ANY:
		case F_JSON_BUILD_OBJECT_:
		case F_JSON_BUILD_OBJECT_ANY:
		case F_JSON_OBJECT_AGG:
		case F_JSON_TO_TSVECTOR_JSON_JSONB:
		case F_LENGTH_BYTEA_NAME:
		case F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8:
		case F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8_TEXT:
		case F_MONEY_INT4:
		case F_MONEY_INT8:
		case F_MONEY_NUMERIC:
		case F_MULTIRANGE_OUT:
		case F_NUMERIC_MONEY:
		case F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_INTERVAL:
		case F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ:
		case F_OVERLAPS_TIMESTAMPTZ_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL:
		case F_PG_TYPEOF:
		case F_PHRASETO_TSQUERY_TEXT:
		case F_PLAINTO_TSQUERY_TEXT:
		case F_RANGE_OUT:
		case F_RECORD_OUT:
		case F_REGCLASSOUT:
		case F_REGCOLLATIONOUT:
		case F_REGCONFIGOUT:
		case F_REGDICTIONARYOUT:
		case F_REGNAMESPACEOUT:
		case F_REGOPERATOROUT:
		case F_REGOPEROUT:
		case F_REGPROCEDUREOUT:
		case F_REGPROCOUT:
		case F_REGROLEOUT:
		case F_REGTYPEOUT:
		case F_ROW_TO_JSON_RECORD:
		case F_ROW_TO_JSON_RECORD_BOOL:
		case F_TIMESTAMPTZ_CMP_DATE:
		case F_TIMESTAMPTZ_CMP_TIMESTAMP:
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMPTZ_DATE_TIME:
		case F_TIMESTAMPTZ_EQ_DATE:
		case F_TIMESTAMPTZ_EQ_TIMESTAMP:
		case F_TIMESTAMPTZ_GE_DATE:
		case F_TIMESTAMPTZ_GE_TIMESTAMP:
		case F_TIMESTAMPTZ_GT_DATE:
		case F_TIMESTAMPTZ_GT_TIMESTAMP:
		case F_TIMESTAMPTZ_LE_DATE:
		case F_TIMESTAMPTZ_LE_TIMESTAMP:
		case F_TIMESTAMPTZ_LT_DATE:
		case F_TIMESTAMPTZ_LT_TIMESTAMP:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMPTZ_NE_DATE:
		case F_TIMESTAMPTZ_NE_TIMESTAMP:
		case F_TIMESTAMPTZ_OUT:
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_TIMESTAMP_CMP_TIMESTAMPTZ:
		case F_TIMESTAMP_EQ_TIMESTAMPTZ:
		case F_TIMESTAMP_GE_TIMESTAMPTZ:
		case F_TIMESTAMP_GT_TIMESTAMPTZ:
		case F_TIMESTAMP_LE_TIMESTAMPTZ:
		case F_TIMESTAMP_LT_TIMESTAMPTZ:
		case F_TIMESTAMP_NE_TIMESTAMPTZ:
		case F_TIMESTAMP_OUT:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMETZ_TIMESTAMPTZ:
		case F_TIME_TIMESTAMPTZ:
		case F_TO_CHAR_FLOAT4_TEXT:
		case F_TO_CHAR_FLOAT8_TEXT:
		case F_TO_CHAR_INT4_TEXT:
		case F_TO_CHAR_INT8_TEXT:
		case F_TO_CHAR_INTERVAL_TEXT:
		case F_TO_CHAR_NUMERIC_TEXT:
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
		case F_TO_CHAR_TIMESTAMP_TEXT:
		case F_TO_DATE:
		case F_TO_JSON:
		case F_TO_JSONB:
		case F_TO_NUMBER:
		case F_TO_TIMESTAMP_TEXT_TEXT:
		case F_TO_TSQUERY_TEXT:
		case F_TO_TSVECTOR_JSON:
		case F_TO_TSVECTOR_JSONB:
		case F_TO_TSVECTOR_TEXT:
		case F_TS_HEADLINE_JSONB_TSQUERY:
		case F_TS_HEADLINE_JSONB_TSQUERY_TEXT:
		case F_TS_HEADLINE_JSON_TSQUERY:
		case F_TS_HEADLINE_JSON_TSQUERY_TEXT:
		case F_TS_HEADLINE_TEXT_TSQUERY:
		case F_TS_HEADLINE_TEXT_TSQUERY_TEXT:
		case F_TS_MATCH_TQ:
		case F_TS_MATCH_TT:
		case F_VERSION:
		case F_WEBSEARCH_TO_TSQUERY_TEXT:
		case F_XML:
		case F_XML_IN:
		case F_XML_IS_WELL_FORMED:
#ifdef F_ANY_VALUE				/* since 16 */
		case F_DATE_ADD_TIMESTAMPTZ_INTERVAL:
		case F_DATE_SUBTRACT_TIMESTAMPTZ_INTERVAL:
		case F_JSONB_AGG_STRICT:
		case F_JSON_AGG_STRICT:
		case F_JSON_OBJECT_AGG_STRICT:
		case F_JSON_OBJECT_AGG_UNIQUE:
		case F_JSON_OBJECT_AGG_UNIQUE_STRICT:
#endif
			return BUILTIN_KNOWN;

			/* these read the user, the search path, or a setting by name */
		case F_CURRENT_SCHEMA:
		case F_CURRENT_SCHEMAS:
		case F_CURRENT_SETTING_TEXT:
		case F_CURRENT_SETTING_TEXT_BOOL:
		case F_CURRENT_USER:
		case F_FORMAT_TYPE:
		case F_GETPGUSERNAME:
		case F_OIDVECTORTYPES:
		case F_SESSION_USER:
			return BUILTIN_PERSONAL;

			/*
			 * these depend on the time, if only on whether it is summer, or
			 * they read text that may: 'today' is a date
			 */
		case F_AGE_TIMESTAMP:
		case F_AGE_TIMESTAMPTZ:
		case F_ANYCOMPATIBLEMULTIRANGE_IN:
		case F_ANYCOMPATIBLERANGE_IN:
		case F_ANYMULTIRANGE_IN:
		case F_ANYRANGE_IN:
		case F_ARRAY_IN:
		case F_DATE_IN:
		case F_DOMAIN_IN:
		case F_JSONB_PATH_EXISTS_TZ:
		case F_JSONB_PATH_MATCH_TZ:
		case F_JSONB_PATH_QUERY_ARRAY_TZ:
		case F_JSONB_PATH_QUERY_FIRST_TZ:
		case F_JSONB_PATH_QUERY_TZ:
		case F_MULTIRANGE_IN:
		case F_NOW:
		case F_RANGE_IN:
		case F_RECORD_IN:
		case F_STATEMENT_TIMESTAMP:
		case F_TIMESTAMPTZ_IN:
		case F_TIMESTAMP_IN:
		case F_TIMETZ_IN:
		case F_TIMETZ_TIME:
		case F_TIMEZONE_TEXT_TIMETZ:
		case F_TIME_IN:
		case F_TRANSACTION_TIMESTAMP:
			return BUILTIN_TIME;

			/* these read what belongs to the session and is in no key */
		case F_INET_CLIENT_ADDR:
		case F_INET_CLIENT_PORT:
		case F_INET_SERVER_ADDR:
		case F_INET_SERVER_PORT:
		case F_PG_BACKEND_PID:
		case F_PG_CLIENT_ENCODING:
		case F_PG_CONF_LOAD_TIME:
		case F_PG_CURRENT_SNAPSHOT:
		case F_PG_CURRENT_XACT_ID:
		case F_PG_CURRENT_XACT_ID_IF_ASSIGNED:
		case F_PG_CURSOR:
		case F_PG_EVENT_TRIGGER_DDL_COMMANDS:
		case F_PG_EVENT_TRIGGER_DROPPED_OBJECTS:
		case F_PG_EVENT_TRIGGER_TABLE_REWRITE_OID:
		case F_PG_EVENT_TRIGGER_TABLE_REWRITE_REASON:
		case F_PG_IS_OTHER_TEMP_SCHEMA:
		case F_PG_LISTENING_CHANNELS:
		case F_PG_MY_TEMP_SCHEMA:
		case F_PG_PREPARED_STATEMENT:
		case F_PG_SHOW_ALL_SETTINGS:
		case F_PG_STAT_GET_SNAPSHOT_TIMESTAMP:
		case F_PG_TRIGGER_DEPTH:
		case F_TXID_CURRENT:
		case F_TXID_CURRENT_IF_ASSIGNED:
		case F_TXID_CURRENT_SNAPSHOT:
#ifdef F_SYSTEM_USER			/* since 16 */
		case F_SYSTEM_USER:
#endif
			return BUILTIN_SESSION;

		default:
			return builtin_unlisted(funcid);
	}
}
