/*-------------------------------------------------------------------------
 *
 * trust.c
 *	  The setting cache.trusted_functions.
 *
 * With this setting the administrator states that a function reads nothing but
 * its arguments, settings and system catalogs.  A function is named by its
 * schema and name, each written as an identifier in SQL, so "My Schema".f is
 * valid.  A name stands for all functions of that name, whatever their
 * arguments.
 *
 * The setting may come from postgresql.conf, where no catalog can be read when
 * it is checked.  So trust_check can refuse by name only.  It refuses built-in
 * functions that depend on the time, the session or somebody's privileges,
 * since the statement is not true of them.  (For built-in functions, what
 * builtin.c says takes precedence over this setting anyway.)
 *
 * A name without a function is no error: the function may be created later,
 * and another database may have it.  trust_check warns about it if the setting
 * is changed inside a transaction, where catalogs can be read.
 *
 * What this file must not do: judge users' functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/trust.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/*
 * The names in pg_catalog that are refused, besides those that start with
 * "has_".  They are sorted.  test/tap/builtins.pl compares them with
 * builtin.c.
 */
static const char *const trust_refused[] = {
	"age",
	"anycompatiblemultirange_in",
	"anycompatiblerange_in",
	"anymultirange_in",
	"anyrange_in",
	"array_in",
	"clock_timestamp",
	"current_schema",
	"current_schemas",
	"current_setting",
	"current_user",
	"date_in",
	"domain_in",
	"format_type",
	"getpgusername",
	"inet_client_addr",
	"inet_client_port",
	"inet_server_addr",
	"inet_server_port",
	"jsonb_path_exists_tz",
	"jsonb_path_match_tz",
	"jsonb_path_query_array_tz",
	"jsonb_path_query_first_tz",
	"jsonb_path_query_tz",
	"multirange_in",
	"now",
	"oidvectortypes",
	"pg_backend_pid",
	"pg_client_encoding",
	"pg_conf_load_time",
	"pg_current_snapshot",
	"pg_current_xact_id",
	"pg_current_xact_id_if_assigned",
	"pg_cursor",
	"pg_event_trigger_ddl_commands",
	"pg_event_trigger_dropped_objects",
	"pg_event_trigger_table_rewrite_oid",
	"pg_event_trigger_table_rewrite_reason",
	"pg_has_role",
	"pg_is_other_temp_schema",
	"pg_listening_channels",
	"pg_my_temp_schema",
	"pg_prepared_statement",
	"pg_show_all_settings",
	"pg_stat_get_snapshot_timestamp",
	"pg_trigger_depth",
	"range_in",
	"record_in",
	"row_security_active",
	"session_user",
	"statement_timestamp",
	"system_user",
	"time_in",
	"timeofday",
	"timestamp_in",
	"timestamptz_in",
	"timetz",
	"timetz_in",
	"timezone",
	"transaction_timestamp",
	"txid_current",
	"txid_current_if_assigned",
	"txid_current_snapshot",
};

/*
 * Split a list at its commas, except those inside quotes.  The list is
 * overwritten.
 */
static List *
trust_split(char *list)
{
	List	   *items = NIL;
	bool		quoted = false;
	char	   *start = list;

	for (char *c = list; *c != '\0'; c++)
	{
		if (*c == '"')
			quoted = !quoted;
		if (*c != ',' || quoted)
			continue;
		*c = '\0';
		items = lappend(items, start);
		start = c + 1;
	}
	return lappend(items, start);
}

/*
 * Parse a list into schemas and names, two lists of the same length.  Returns
 * what is wrong with it, or NULL.
 */
static const char *
trust_parse(const char *list, List **schemas, List **names)
{
	ListCell   *lc;

	*schemas = *names = NIL;
	if (list[strspn(list, " \t\n\r\f\v")] == '\0')
		return NULL;
	foreach(lc, trust_split(pstrdup(list)))
	{
		char	   *item = pstrdup(lfirst(lc));
		List	   *parts;

		if (!SplitIdentifierString(item, '.', &parts) || parts == NIL)
			return "List syntax is invalid.";
		if (list_length(parts) != 2)
			return psprintf("Function \"%s\" is not named as schema.function.",
							(char *) lfirst(lc));
		*schemas = lappend(*schemas, linitial(parts));
		*names = lappend(*names, lsecond(parts));
	}
	return NULL;
}

static bool
trust_refuses(const char *schema, const char *name)
{
	if (strcmp(schema, "pg_catalog") != 0)
		return false;
	if (strncmp(name, "has_", 4) == 0)
		return true;
	for (int i = 0; i < (int) lengthof(trust_refused); i++)
	{
		if (strcmp(trust_refused[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * Does this database have a function of that name?
 */
static bool
trust_exists(const char *schema, const char *name)
{
	Oid			namespace = get_namespace_oid(schema, true);
	CatCList   *functions;
	bool		found = false;

	if (!OidIsValid(namespace))
		return false;
	functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	for (int i = 0; i < functions->n_members && !found; i++)
		found = ((Form_pg_proc) GETSTRUCT(&functions->members[i]->tuple))->pronamespace == namespace;
	ReleaseSysCacheList(functions);
	return found;
}

bool
trust_check(char **newval, void **extra, GucSource source)
{
	List	   *schemas;
	List	   *names;
	ListCell   *schema;
	ListCell   *name;
	const char *problem = trust_parse(*newval, &schemas, &names);

	if (problem != NULL)
	{
		GUC_check_errdetail("%s", problem);
		GUC_check_errhint("Write schema.function, separated by commas.");
		return false;
	}
	forboth(schema, schemas, name, names)
	{
		if (trust_refuses(lfirst(schema), lfirst(name)))
		{
			GUC_check_errdetail("The built-in function \"%s\" depends on the time, the session or somebody's rights.",
								(char *) lfirst(name));
			GUC_check_errhint("Leave it out; a query that calls it can be cached with tags, or not at all.");
			return false;
		}
	}
	if (source < PGC_S_TEST || !IsTransactionState() ||
		IsInParallelMode() || !OidIsValid(MyDatabaseId))
		return true;
	forboth(schema, schemas, name, names)
	{
		if (!trust_exists(lfirst(schema), lfirst(name)))
			ereport(WARNING,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("there is no function %s to trust in this database",
							quote_qualified_identifier(lfirst(schema), lfirst(name)))));
	}
	return true;
}

bool
trust_names(const char *list, Oid funcid)
{
	char	   *schema = get_namespace_name(get_func_namespace(funcid));
	char	   *name = get_func_name(funcid);
	List	   *schemas;
	List	   *names;
	ListCell   *lc;
	ListCell   *lc2;

	if (schema == NULL || name == NULL ||
		trust_parse(list, &schemas, &names) != NULL)
		return false;
	forboth(lc, schemas, lc2, names)
	{
		if (strcmp(lfirst(lc), schema) == 0 && strcmp(lfirst(lc2), name) == 0)
			return true;
	}
	return false;
}
