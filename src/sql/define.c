/*-------------------------------------------------------------------------
 *
 * define.c
 *	  The SQL functions and triggers that maintain named queries.
 *
 * Words.  A definition is a row of cache_queries, with its policy; policy.c
 * reads it.
 *
 * Protocol.  cache_define checks its arguments, so that a mistake is reported
 * when a query is defined and not when it is called.  It refuses a query with
 * names that its caller's search_path does not find, with parameters whose
 * types cannot be inferred, or with calls of volatile functions.  Whatever
 * depends on the later caller, privileges above all, is checked by the call.
 * Nothing is checked when a row is written by hand, because the restore of a
 * dump does that before the tables of the query exist.
 *
 * The functions write to the tables as their owner, since a user who may
 * define queries need not have privileges on them.  A trigger notices every
 * change of the tables, whether it is made by these functions, by hand or by
 * logical replication.  It touches the slot of definitions, so every session
 * reads the tables again.  It also sends a relcache invalidation, so
 * PostgreSQL replans the plans it keeps for statements whose hint names a
 * policy (plan.c).
 *
 * Replacing the text of a named query need not invalidate the results of the
 * old one: the text is a part of the key, as well as the name.
 *
 * A policy that a named query refers to can be neither deleted nor renamed.  A
 * constraint trigger checks that at the end of the statement or, if it is
 * deferred, of the transaction.  A foreign key would make it depend on the
 * order of the two tables whether a dump can be restored.
 *
 * Locks.  Those that INSERT and DELETE take on the rows.  cache_define also
 * locks the row of the policy, FOR KEY SHARE, as a foreign key would.
 *
 * Tolerated races.  A named query that is inserted by hand can refer to a
 * policy that does not exist, or that is just being deleted.  Calling that
 * query is an error.
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

/* Longest name, in bytes.  The tables have the same limit as a constraint. */
#define DEFINE_MAX_NAME 1024

/*
 * Error context while the query of a definition is parsed.  The position of a
 * syntax error is one in that query, not in the statement of the client.
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
 * Raise an error unless the query is one SELECT of tables that exist, and can
 * be cached on some terms.
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
 * Argument n, the name of a query, as a C string.
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
 * Run a statement with SPI.  Returns the number of rows it has returned or
 * changed.
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

	/* a session that deletes it now waits, and then sees the named query */
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
	/* PostgreSQL replans statements whose hint names a policy */
	CacheInvalidateRelcache(trigger->tg_relation);
	return PointerGetDatum(NULL);
}

/*
 * Raise an error if a named query refers to the policy of this name (0: to any
 * policy), and that policy is gone.  This uses the latest snapshot, to see
 * what others have committed since this transaction began.
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
