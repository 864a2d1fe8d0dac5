/*-------------------------------------------------------------------------
 *
 * define.c
 *	  The SQL functions that maintain named queries.
 *
 * Words.  A definition is a row of cache_queries; policy.c reads it.
 *
 * Protocol.  cache_define checks its arguments, so that a mistake is reported when
 * a query is defined rather than when it is called: what the search path of who
 * defines it does not find, parameters whose types cannot be inferred, and calls
 * of volatile functions.  What depends on who calls it is left to the call.
 * Nothing of that is checked when rows are written by hand, as the restore of a
 * dump does before the tables of the query exist.
 *
 * The tables are written as their owner, since whoever may define queries need
 * have no privileges on them.  However they are written, by these functions, by
 * hand or by logical replication, a trigger ticks the tag that makes every
 * session read them anew, and has PostgreSQL make plans anew that it keeps for
 * hints which name a policy (plan.c).
 *
 * Results are cached under the text of a query as well as its name, so a
 * new definition needs no invalidation of the results of the old one.
 *
 * A policy that named queries refer to can be neither deleted nor renamed: a
 * trigger looks for them, at the end of the statement, or of the transaction if
 * the constraint is deferred.  It is no foreign key, which would make the
 * restore of a dump depend on the order of the two tables.
 *
 * Locks.  Those of the rows, taken by INSERT and DELETE.  cache_define locks the
 * row of the policy as a foreign key would.
 *
 * Tolerated races.  A named query that is inserted by hand can refer to a policy
 * that is not there, or that is being deleted; using it is an error then.
 *
 * What this file must not do: run the query it is given.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/extension.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "clock/invalidate.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "query/analyse.h"
#include "sql/policy.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PGDLLEXPORT Datum cache_define(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_undefine(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_definitions_changed(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_policy_in_use(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_policy_ttl(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_define);
PG_FUNCTION_INFO_V1(cache_undefine);
PG_FUNCTION_INFO_V1(cache_definitions_changed);
PG_FUNCTION_INFO_V1(cache_policy_in_use);
PG_FUNCTION_INFO_V1(cache_policy_ttl);

/* Longest name, in bytes; the tables say so, too. */
#define DEFINE_MAX_NAME 1024

/*
 * Error context while a query is parsed: its position is one in that query
 * and not in the one that called.
 */
static void
define_error_callback(void *arg)
{
	const char *query = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(query);
	}
	errcontext("definition of a named query");
}

/*
 * A query must be one SELECT that returns its rows, of tables that exist, and
 * without what no terms make cacheable.
 */
static void
define_check_query(const char *query)
{
	ErrorContextCallback callback;

	callback.callback = define_error_callback;
	callback.arg = unconstify(char *, query);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	analyse_check(query);
	error_context_stack = callback.previous;
}

/*
 * An argument that is a name, as a C string.
 */
static char *
define_name(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(n)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a query must not be null or empty"),
				 errhint("Give it a name of up to %d bytes.",
						 DEFINE_MAX_NAME)));
	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(n)) > DEFINE_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("name of a query is too long"),
				 errhint("Give it a name of up to %d bytes.",
						 DEFINE_MAX_NAME)));
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/*
 * Run a statement with SPI; returns the number of rows it found or changed.
 */
static uint64
define_execute(const char *statement, int expected, int nargs, Oid *types,
			   Datum *values, const char *nulls)
{
	int			result;

	result = SPI_execute_with_args(statement, nargs, types, values, nulls,
								   false, 0);
	if (result != expected)
		elog(ERROR, "could not maintain definitions: %s",
			 SPI_result_code_string(result));
	return SPI_processed;
}

static void
define_check_policy(Datum policy)
{
	Oid			types[] = {TEXTOID};
	char	   *statement;

	/* who deletes it waits for this, and then sees the named query */
	statement = psprintf("SELECT FROM %s"
						 " WHERE name OPERATOR(pg_catalog.=) $1"
						 " FOR KEY SHARE",
						 extension_table(EXTENSION_POLICIES));
	if (define_execute(statement, SPI_OK_SELECT, 1, types, &policy, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("policy \"%s\" does not exist",
						TextDatumGetCString(policy)),
				 errhint("Insert it into the table cache_policies first.")));
}

Datum
cache_define(PG_FUNCTION_ARGS)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, TEXTARRAYOID, TEXTOID};
	const int	nargs = lengthof(types);
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];
	ExtensionIdentity saved;
	uint32		tags_len;

	(void) define_name(fcinfo, 0);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must not be null")));
	define_check_query(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (!PG_ARGISNULL(2) && PG_GETARG_INT32(2) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time to live must be greater than zero"),
				 errhint("Pass null for that of the policy.")));
	if (!PG_ARGISNULL(3))
		(void) policy_tags(PG_GETARG_ARRAYTYPE_P(3), &tags_len);

	for (int i = 0; i < nargs; i++)
	{
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}

	SPI_connect();
	extension_become_owner(&saved);
	if (!PG_ARGISNULL(4))
		define_check_policy(values[4]);
	define_execute(psprintf("INSERT INTO %s (name, query, ttl, tags, policy)"
							" VALUES ($1, $2, $3, $4, $5)"
							" ON CONFLICT (name) DO UPDATE SET"
							" query = EXCLUDED.query, ttl = EXCLUDED.ttl,"
							" tags = EXCLUDED.tags, policy = EXCLUDED.policy",
							extension_table(EXTENSION_QUERIES)),
				   SPI_OK_INSERT, nargs, types, values, nulls);
	extension_restore_user(&saved);
	SPI_finish();

	PG_RETURN_VOID();
}

Datum
cache_undefine(PG_FUNCTION_ARGS)
{
	char	   *name = define_name(fcinfo, 0);
	Oid			types[] = {TEXTOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};
	ExtensionIdentity saved;
	bool		existed;

	SPI_connect();
	extension_become_owner(&saved);
	existed = define_execute(psprintf("DELETE FROM %s"
									  " WHERE name OPERATOR(pg_catalog.=) $1",
									  extension_table(EXTENSION_QUERIES)),
							 SPI_OK_DELETE, 1, types, values, NULL) > 0;
	extension_restore_user(&saved);
	SPI_finish();

	if (existed)
		invalidate_tag(CLOCK_TAG_QUERY, name, strlen(name));
	PG_RETURN_BOOL(existed);
}

Datum
cache_definitions_changed(PG_FUNCTION_ARGS)
{
	const TriggerData *trigger = (const TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as a trigger",
						"cache_definitions_changed")));

	invalidate_touch(clock_database_slot(MyDatabaseId, CLOCK_TAG_DEFINITIONS));
	/* PostgreSQL makes kept plans anew that were made under a policy */
	CacheInvalidateRelcache(trigger->tg_relation);
	return PointerGetDatum(NULL);
}

/*
 * Is a policy that is gone still referred to?  name is that of the policy, or
 * 0 for any.  It is looked for under a snapshot of its own, which sees what
 * others have committed since this transaction began.
 */
static void
define_check_use(Datum name)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {name};
	char		nulls[] = {name == (Datum) 0 ? 'n' : ' '};
	char	   *statement;
	SPIPlanPtr	plan;

	statement = psprintf("SELECT q.name, q.policy FROM %s q"
						 " WHERE (q.policy OPERATOR(pg_catalog.=) $1"
						 " OR $1 IS NULL AND q.policy IS NOT NULL)"
						 " AND NOT EXISTS (SELECT FROM %s p"
						 " WHERE p.name OPERATOR(pg_catalog.=) q.policy)",
						 extension_table(EXTENSION_QUERIES),
						 extension_table(EXTENSION_POLICIES));
	plan = SPI_prepare(statement, 1, types);
	if (plan == NULL ||
		SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(),
							 InvalidSnapshot, false, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for named queries: %s",
			 SPI_result_code_string(SPI_result));
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("policy \"%s\" is in use by named query \"%s\"",
						SPI_getvalue(SPI_tuptable->vals[0],
									 SPI_tuptable->tupdesc, 2),
						SPI_getvalue(SPI_tuptable->vals[0],
									 SPI_tuptable->tupdesc, 1)),
				 errhint("Define the query with another policy first, or remove it with cache_undefine().")));
}

Datum
cache_policy_in_use(PG_FUNCTION_ARGS)
{
	const TriggerData *trigger = (const TriggerData *) fcinfo->context;
	Datum		name = (Datum) 0;
	ExtensionIdentity saved;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as a trigger",
						"cache_policy_in_use")));
	if (RelationGetRelid(trigger->tg_relation) !=
		extension_relid(EXTENSION_POLICIES))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" is not on the table of policies",
						trigger->tg_trigger->tgname),
				 errhint("Drop the trigger.")));

	SPI_connect();
	extension_become_owner(&saved);
	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
	{
		bool		isnull;

		name = SPI_getbinval(trigger->tg_trigtuple,
							 trigger->tg_relation->rd_att, 1, &isnull);
	}
	define_check_use(name);
	extension_restore_user(&saved);
	SPI_finish();
	return PointerGetDatum(NULL);
}

Datum
cache_policy_ttl(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(guc_policy_ttl(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
