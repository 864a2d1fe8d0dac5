/*-------------------------------------------------------------------------
 *
 * stable.c
 *	  STABLE functions whose inputs are known.
 *
 * A function that is STABLE, and not IMMUTABLE, reads something besides its
 * arguments.  Of the built-in ones listed here it is known what: settings, the
 * user, the database, definitions.  All of that is in the key of a result or
 * among its dependencies, so that a result that the cache keeps fresh by itself
 * may use them.  Those that read the clock, statistics or tables are left out,
 * as are input functions of dates and of what may contain dates ('now' is a
 * date).  What is not listed is not known.  current_setting() is known only by
 * the setting it is called with, so it is left to depend.c.
 *
 * The administrator's own list, cache.trusted_functions, names functions by
 * schema and name.
 *
 * What this file must not do: judge functions that are IMMUTABLE or VOLATILE.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "query/stable.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

static const Oid stable_known_functions[] = {
	F_ANYARRAY_OUT,
	F_ANYENUM_OUT,
	F_ANYRANGE_OUT,
	F_ANYTEXTCAT,
	F_ARRAY_OUT,
	F_ARRAY_TO_JSON_ANYARRAY,
	F_ARRAY_TO_JSON_ANYARRAY_BOOL,
	F_ARRAY_TO_STRING_ANYARRAY_TEXT,
	F_ARRAY_TO_STRING_ANYARRAY_TEXT_TEXT,
	F_CASH_IN,
	F_CASH_OUT,
	F_CONCAT,
	F_CONCAT_WS,
	F_CONVERT,
	F_CONVERT_FROM,
	F_CONVERT_TO,
	F_CURRENT_DATABASE,
	F_CURRENT_SCHEMA,
	F_CURRENT_SCHEMAS,
	F_CURRENT_USER,
	F_DATE_CMP_TIMESTAMPTZ,
	F_DATE_EQ_TIMESTAMPTZ,
	F_DATE_GE_TIMESTAMPTZ,
	F_DATE_GT_TIMESTAMPTZ,
	F_DATE_LE_TIMESTAMPTZ,
	F_DATE_LT_TIMESTAMPTZ,
	F_DATE_NE_TIMESTAMPTZ,
	F_DATE_OUT,
	F_DATE_PART_TEXT_TIMESTAMPTZ,
	F_DATE_TIMESTAMPTZ,
	F_DATE_TRUNC_TEXT_TIMESTAMPTZ,
	F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT,
	F_ENUM_IN,
	F_ENUM_OUT,
	F_EXTRACT_TEXT_TIMESTAMPTZ,
	F_FORMAT_TEXT,
	F_FORMAT_TEXT_ANY,
	F_FORMAT_TYPE,
	F_GENERATE_SERIES_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL,
	F_GETDATABASEENCODING,
	F_GETPGUSERNAME,
	F_GET_CURRENT_TS_CONFIG,
	F_INTERVAL_IN,
	F_INTERVAL_OUT,
	F_INTERVAL_PL_TIMESTAMPTZ,
	F_IN_RANGE_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL_BOOL_BOOL,
	F_JSONB_BUILD_ARRAY_,
	F_JSONB_BUILD_ARRAY_ANY,
	F_JSONB_BUILD_OBJECT_,
	F_JSONB_BUILD_OBJECT_ANY,
	F_JSONB_PATH_EXISTS_TZ,
	F_JSONB_PATH_MATCH_TZ,
	F_JSONB_PATH_QUERY_ARRAY_TZ,
	F_JSONB_PATH_QUERY_FIRST_TZ,
	F_JSONB_PATH_QUERY_TZ,
	F_JSONB_TO_TSVECTOR_JSONB_JSONB,
	F_JSON_BUILD_ARRAY_,
	F_JSON_BUILD_ARRAY_ANY,
	F_JSON_BUILD_OBJECT_,
	F_JSON_BUILD_OBJECT_ANY,
	F_JSON_TO_TSVECTOR_JSON_JSONB,
	F_LENGTH_BYTEA_NAME,
	F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8,
	F_MAKE_TIMESTAMPTZ_INT4_INT4_INT4_INT4_INT4_FLOAT8_TEXT,
	F_MONEY_INT4,
	F_MONEY_INT8,
	F_MONEY_NUMERIC,
	F_MULTIRANGE_OUT,
	F_NUMERIC_MONEY,
	F_OIDVECTORTYPES,
	F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_INTERVAL,
	F_OVERLAPS_TIMESTAMPTZ_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ,
	F_OVERLAPS_TIMESTAMPTZ_TIMESTAMPTZ_TIMESTAMPTZ_INTERVAL,
	F_PHRASETO_TSQUERY_TEXT,
	F_PLAINTO_TSQUERY_TEXT,
	F_QUOTE_LITERAL_ANYELEMENT,
	F_QUOTE_NULLABLE_ANYELEMENT,
	F_RANGE_OUT,
	F_RECORD_OUT,
	F_REGCLASSOUT,
	F_REGCOLLATIONOUT,
	F_REGCONFIGOUT,
	F_REGDICTIONARYOUT,
	F_REGNAMESPACEOUT,
	F_REGOPERATOROUT,
	F_REGOPEROUT,
	F_REGPROCEDUREOUT,
	F_REGPROCOUT,
	F_REGROLEOUT,
	F_REGTYPEOUT,
	F_ROW_TO_JSON_RECORD,
	F_ROW_TO_JSON_RECORD_BOOL,
	F_SESSION_USER,
	F_TEXTANYCAT,
	F_TIMESTAMPTZ_CMP_DATE,
	F_TIMESTAMPTZ_CMP_TIMESTAMP,
	F_TIMESTAMPTZ_DATE,
	F_TIMESTAMPTZ_DATE_TIME,
	F_TIMESTAMPTZ_EQ_DATE,
	F_TIMESTAMPTZ_EQ_TIMESTAMP,
	F_TIMESTAMPTZ_GE_DATE,
	F_TIMESTAMPTZ_GE_TIMESTAMP,
	F_TIMESTAMPTZ_GT_DATE,
	F_TIMESTAMPTZ_GT_TIMESTAMP,
	F_TIMESTAMPTZ_LE_DATE,
	F_TIMESTAMPTZ_LE_TIMESTAMP,
	F_TIMESTAMPTZ_LT_DATE,
	F_TIMESTAMPTZ_LT_TIMESTAMP,
	F_TIMESTAMPTZ_MI_INTERVAL,
	F_TIMESTAMPTZ_NE_DATE,
	F_TIMESTAMPTZ_NE_TIMESTAMP,
	F_TIMESTAMPTZ_OUT,
	F_TIMESTAMPTZ_PL_INTERVAL,
	F_TIMESTAMPTZ_TIMESTAMP,
	F_TIMESTAMP_CMP_TIMESTAMPTZ,
	F_TIMESTAMP_EQ_TIMESTAMPTZ,
	F_TIMESTAMP_GE_TIMESTAMPTZ,
	F_TIMESTAMP_GT_TIMESTAMPTZ,
	F_TIMESTAMP_LE_TIMESTAMPTZ,
	F_TIMESTAMP_LT_TIMESTAMPTZ,
	F_TIMESTAMP_NE_TIMESTAMPTZ,
	F_TIMESTAMP_OUT,
	F_TIMESTAMP_TIMESTAMPTZ,
	F_TIMETZ_TIME,
	F_TIMETZ_TIMESTAMPTZ,
	F_TIME_TIMESTAMPTZ,
	F_TO_CHAR_FLOAT4_TEXT,
	F_TO_CHAR_FLOAT8_TEXT,
	F_TO_CHAR_INT4_TEXT,
	F_TO_CHAR_INT8_TEXT,
	F_TO_CHAR_INTERVAL_TEXT,
	F_TO_CHAR_NUMERIC_TEXT,
	F_TO_CHAR_TIMESTAMPTZ_TEXT,
	F_TO_CHAR_TIMESTAMP_TEXT,
	F_TO_DATE,
	F_TO_JSON,
	F_TO_JSONB,
	F_TO_NUMBER,
	F_TO_TIMESTAMP_TEXT_TEXT,
	F_TO_TSQUERY_TEXT,
	F_TO_TSVECTOR_JSON,
	F_TO_TSVECTOR_JSONB,
	F_TO_TSVECTOR_TEXT,
	F_TS_HEADLINE_JSONB_TSQUERY,
	F_TS_HEADLINE_JSONB_TSQUERY_TEXT,
	F_TS_HEADLINE_JSON_TSQUERY,
	F_TS_HEADLINE_JSON_TSQUERY_TEXT,
	F_TS_HEADLINE_TEXT_TSQUERY,
	F_TS_HEADLINE_TEXT_TSQUERY_TEXT,
	F_VERSION,
	F_WEBSEARCH_TO_TSQUERY_TEXT,
	F_XML,
	F_XML_IN,
	F_XML_IS_WELL_FORMED,
};

/*
 * Is a function named in cache.trusted_functions?
 */
static bool
stable_is_trusted(Oid funcid)
{
	char	   *schema = get_namespace_name(get_func_namespace(funcid));
	char	   *name = get_func_name(funcid);
	char	   *qualified;
	List	   *trusted;
	ListCell   *lc;

	if (schema == NULL || name == NULL ||
		!SplitIdentifierString(pstrdup(cache_trusted_functions), ',', &trusted))
		return false;
	qualified = psprintf("%s.%s", schema, name);
	foreach(lc, trusted)
	{
		if (strcmp(lfirst(lc), qualified) == 0)
			return true;
	}
	return false;
}

static bool
stable_is_listed(Oid funcid)
{
	for (int i = 0; i < (int) lengthof(stable_known_functions); i++)
	{
		if (stable_known_functions[i] == funcid)
			return true;
	}
	return false;
}

bool
stable_is_known(Oid funcid)
{
	return stable_is_listed(funcid) || stable_is_trusted(funcid);
}

bool
stable_is_impersonal(Oid funcid)
{
	switch (funcid)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
			return true;
		case F_CURRENT_SCHEMA:
		case F_CURRENT_SCHEMAS:
		case F_CURRENT_USER:
		case F_GETPGUSERNAME:
		case F_SESSION_USER:
			/* temporary objects of a session are in the way of others */
		case F_FORMAT_TYPE:
		case F_OIDVECTORTYPES:
			return false;
		default:
			return stable_is_listed(funcid);
	}
}

bool
stable_is_about_session(Oid funcid)
{
	switch (funcid)
	{
		case F_INET_CLIENT_ADDR:
		case F_INET_CLIENT_PORT:
		case F_PG_BACKEND_PID:
		case F_PG_CURRENT_SNAPSHOT:
		case F_PG_CURRENT_XACT_ID:
		case F_PG_CURRENT_XACT_ID_IF_ASSIGNED:
		case F_PG_CURSOR:
		case F_PG_LISTENING_CHANNELS:
		case F_PG_MY_TEMP_SCHEMA:
		case F_PG_PREPARED_STATEMENT:
		case F_TXID_CURRENT:
		case F_TXID_CURRENT_IF_ASSIGNED:
		case F_TXID_CURRENT_SNAPSHOT:
			return true;
		default:
			return false;
	}
}
