/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  What of a session makes its requests different from those of others.
 *
 * Which settings a query depends on cannot be enumerated, since any extension
 * may add one.  So every setting that differs from its built-in default is in
 * the key of a request, less those that are known not to matter
 * (settings_not_in_keys): what costs, limits and logging do to a query is not
 * seen in its rows.  Those that change plans can be seen in the order of the
 * rows, so the keys of plain statements have them (settings_planning).  A text
 * such as application_name can be used to say who someone is, so the keys of
 * queries that call functions of which nothing is known have the texts among
 * the ignored settings, too.  Settings that only a restart changes need no
 * place in the key of something that does not survive one.
 *
 * The search path is in keys as it was resolved and as it was written, since
 * the place of pg_temp is seen only there.  A session that has a temporary
 * schema shares with no other: functions that look up names as they run could
 * find its tables, and the schema's oid is reused by later sessions.  Nor does
 * it share with itself from before it made or dropped one, which no clock tells
 * of.
 *
 * The result of a statement that is proven not to depend on anything else has
 * only settings_shared in its key.
 *
 * Most requests come under the settings of the one before, and to write them
 * all down costs more than the rest of a hit.  So there is a number for the
 * state of the session: it counts the changes of the user, the search path and
 * the few settings that a proven statement depends on (settings_shared, those
 * that its text may be read by, settings_analysed, and those of planning).  In
 * the same state the same front of a key means the same statement, if that is
 * proven.
 *
 * This is the only file that knows how PostgreSQL keeps its settings.
 *
 * What this file must not do: read catalogs, or know what a key looks like.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/namespace.h"
#include "key/settings.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Schemas of a search path that are looked up without allocating. */
#define SETTINGS_PATH_LENGTH 16

/*
 * The settings that can change what built-in STABLE functions and the output of
 * built-in types give.  What a setting does to the analysis is in the digest.
 */
static const char *const settings_shared[] = {
	"DateStyle",
	"IntervalStyle",
	"TimeZone",
	"bytea_output",
	"default_text_search_config",
	"extra_float_digits",
	"gin_fuzzy_search_limit",
	"lc_monetary",
	"lc_numeric",
	"lc_time",
	"quote_all_identifiers",
	"timezone_abbreviations",
	"xmlbinary",
	"xmloption",
};

/*
 * The other settings that can change what the analysis makes of a text, as far
 * as that calls nothing but built-in types and functions.
 */
static const char *const settings_analysed[] = {
	"array_nulls",
	"backslash_quote",
	"row_security",
	"standard_conforming_strings",
	"transform_null_equals",
};

/*
 * Settings that are not part of a key, sorted.  A name that ends in an
 * asterisk stands for all that begin so.  search_path is here because it is in
 * the key by other means.
 */
static const char *const settings_not_in_keys[] = {
	"allow_in_place_tablespaces",
	"application_name",
	"archive_*",
	"authentication_timeout",
	"auto_explain.*",
	"autovacuum*",
	"backend_flush_after",
	"backtrace_functions",
	"bgwriter_*",
	"cache.default_ttl",
	"cache.enabled",
	"cache.explain",
	"cache.fill_wait",
	"cache.l*",
	"cache.max_*",
	"cache.min_cost",
	"cache.mode",
	"cache.redis_url",
	"cache.ttl_jitter",
	"checkpoint_*",
	"client_connection_check_interval",
	"client_encoding",
	"client_min_messages",
	"commit_*",
	"compute_query_id",
	"constraint_exclusion",
	"cpu_*",
	"cursor_tuple_fraction",
	"deadlock_timeout",
	"debug_*",
	"default_statistics_target",
	"default_transaction_*",
	"effective_*",
	"enable_*",
	"exit_on_error",
	"fsync",
	"full_page_writes",
	"geqo*",
	"hash_mem_multiplier",
	"hot_standby_*",
	"idle_*",
	"jit*",
	"lock_timeout",
	"log_*",
	"logical_decoding_work_mem",
	"maintenance_*",
	"max_parallel_*",
	"max_slot_wal_keep_size",
	"max_stack_depth",
	"max_standby_*",
	"max_wal_size",
	"min_parallel_*",
	"min_wal_size",
	"parallel_*",
	"password_encryption",
	"pg_stat_statements.*",
	"plan_cache_mode",
	"post_auth_delay",
	"pre_auth_delay",
	"primary_*",
	"promote_trigger_file",
	"random_page_cost",
	"recovery_*",
	"recursive_worktable_factor",
	"restart_after_crash",
	"restore_command",
	"search_path",
	"seq_page_cost",
	"ssl*",
	"statement_timeout",
	"stats_fetch_consistency",
	"synchronous_*",
	"syslog_*",
	"tcp_*",
	"temp_buffers",
	"temp_file_limit",
	"temp_tablespaces",
	"trace_*",
	"track_*",
	"transaction_*",
	"update_process_title",
	"vacuum_*",
	"wal_*",
	"work_mem",
	"zero_damaged_pages",
};

/*
 * Those of them that have a say in how a query is planned, and so in the order
 * of rows where the query does not give one; sorted.
 */
static const char *const settings_planning[] = {
	"constraint_exclusion",
	"cpu_*",
	"cursor_tuple_fraction",
	"effective_cache_size",
	"enable_*",
	"geqo*",
	"hash_mem_multiplier",
	"max_parallel_*",
	"min_parallel_*",
	"parallel_*",
	"plan_cache_mode",
	"random_page_cost",
	"recursive_worktable_factor",
	"seq_page_cost",
	"work_mem",
};

/*
 * Compare a setting's name, in either case, with an entry of a list.
 */
static int
settings_compare_name(const void *key, const void *entry)
{
	const unsigned char *name = key;
	const unsigned char *pattern = *(const unsigned char *const *) entry;

	while (*pattern != '\0' && pg_ascii_tolower(*name) == *pattern)
	{
		name++;
		pattern++;
	}
	return *pattern == '*' ? 0 : (int) pg_ascii_tolower(*name) - (int) *pattern;
}

/*
 * Is a setting in a sorted list?  An asterisk stands for no custom settings,
 * unless after their class.
 */
static bool
settings_list_has(const char *const *list, size_t n, const char *name)
{
	const char *const *entry = bsearch(name, list, n, sizeof(char *),
									   settings_compare_name);

	return entry != NULL &&
		(strchr(name, '.') == NULL || strchr(*entry, '.') != NULL);
}

bool
settings_ignored(const char *name)
{
	return settings_list_has(settings_not_in_keys,
							 lengthof(settings_not_in_keys), name);
}

static inline void
settings_append(StringInfo buf, const void *data, Size len)
{
	appendBinaryStringInfo(buf, data, (int) len);
}

/*
 * Append the name and value of a setting.
 */
static void
settings_append_one(StringInfo buf, struct config_generic *setting)
{
	settings_append(buf, setting->name, strlen(setting->name) + 1);
	switch (setting->vartype)
	{
		case PGC_BOOL:
			settings_append(buf, ((struct config_bool *) setting)->variable,
							sizeof(bool));
			break;
		case PGC_INT:
			settings_append(buf, ((struct config_int *) setting)->variable,
							sizeof(int));
			break;
		case PGC_REAL:
			settings_append(buf, ((struct config_real *) setting)->variable,
							sizeof(double));
			break;
		case PGC_STRING:
			{
				const char *value = *((struct config_string *) setting)->variable;

				/* a null pointer is no empty string */
				if (value != NULL)
					settings_append(buf, "=", 1);
				settings_append(buf, value ? value : "", value ? strlen(value) + 1 : 1);
				break;
			}
		case PGC_ENUM:
			settings_append(buf, ((struct config_enum *) setting)->variable,
							sizeof(int));
			break;
	}
}

/*
 * The settings worth a look at every key: of the built-in ones those that can
 * change and are not ignored, and all custom ones.  PostgreSQL's array is kept
 * beside, to notice when settings come and go: as long as it has the same
 * pointers in the same places, these point to settings, too.
 */
static struct
{
	struct config_generic **known;	/* PostgreSQL's array, when last looked */
	int			nknown;
	struct config_generic **watched;
	int			nwatched;
	struct config_generic **planning;	/* those of planning, of which keys of
										 * plain queries have those that are
										 * set */
	int			nplanning;
} guc;

static void
settings_watch(struct config_generic **settings, int n)
{
	if (n == guc.nknown &&
		memcmp(settings, guc.known, n * sizeof(*settings)) == 0)
		return;

	if (guc.known != NULL)
	{
		pfree(guc.known);
		pfree(guc.watched);
		pfree(guc.planning);
	}
	guc.nknown = 0;
	guc.known = MemoryContextAlloc(TopMemoryContext,
								   n * sizeof(*settings));
	guc.watched = MemoryContextAlloc(TopMemoryContext,
									 n * sizeof(*settings));
	guc.planning = MemoryContextAlloc(TopMemoryContext,
									  n * sizeof(*settings));
	guc.nwatched = 0;
	guc.nplanning = 0;
	for (int i = 0; i < n; i++)
	{
		if (settings_list_has(settings_planning,
							  lengthof(settings_planning),
							  settings[i]->name))
			guc.planning[guc.nplanning++] = settings[i];
		if (settings[i]->group == CUSTOM_OPTIONS ||
			(settings[i]->context > PGC_POSTMASTER &&
			 !settings_ignored(settings[i]->name)))
			guc.watched[guc.nwatched++] = settings[i];
	}
	memcpy(guc.known, settings, n * sizeof(*settings));
	guc.nknown = n;
}

/*
 * Append what is set.  A custom setting that no library knows is there only
 * because this session has set it, and is told from one never set even if it
 * was reset since.
 */
static void
settings_append_set(StringInfo buf)
{
	int			n;
	struct config_generic **settings = compat_guc_variables(&n);

	settings_watch(settings, n);
	for (int i = 0; i < guc.nwatched; i++)
	{
		struct config_generic *setting = guc.watched[i];

		if (unlikely(setting->source > PGC_S_DYNAMIC_DEFAULT ||
					 (setting->flags & GUC_CUSTOM_PLACEHOLDER) != 0) &&
			(setting->group != CUSTOM_OPTIONS ||
			 (setting->context > PGC_POSTMASTER &&
			  !settings_ignored(setting->name))))
			settings_append_one(buf, setting);
	}
}

/*
 * Append what is set of planning.
 */
static void
settings_append_planning(StringInfo buf)
{
	for (int i = 0; i < guc.nplanning; i++)
	{
		if (guc.planning[i]->source > PGC_S_DYNAMIC_DEFAULT)
			settings_append_one(buf, guc.planning[i]);
	}
}

void
settings_append_ignored_texts(StringInfo buf)
{
	int			n;
	struct config_generic **settings = compat_guc_variables(&n);

	for (int i = 0; i < n; i++)
	{
		if (settings[i]->source > PGC_S_DYNAMIC_DEFAULT &&
			settings[i]->context > PGC_POSTMASTER &&
			settings[i]->vartype == PGC_STRING &&
			settings_ignored(settings[i]->name))
			settings_append_one(buf, settings[i]);
	}
}

/* How often the session may have changed what its temporary schema holds. */
static uint64 settings_temp_epoch;

void
settings_outdate_temp(void)
{
	settings_temp_epoch++;
}

/*
 * Append the search path; with private_temp also what tells a session with a
 * temporary schema from all others.
 */
static void
settings_append_path(StringInfo buf, bool private_temp)
{
	Oid			fixed[SETTINGS_PATH_LENGTH];
	Oid		   *schemas = fixed;
	int			n;
	Oid			temp;
	Oid			temp_toast;

	n = fetch_search_path_array(fixed, SETTINGS_PATH_LENGTH);
	if (n > SETTINGS_PATH_LENGTH)
	{
		schemas = palloc(n * sizeof(Oid));
		n = fetch_search_path_array(schemas, n);
	}
	settings_append(buf, &n, sizeof(n));
	settings_append(buf, schemas, n * sizeof(Oid));
	settings_append(buf, namespace_search_path, strlen(namespace_search_path) + 1);

	GetTempNamespaceState(&temp, &temp_toast);
	if (private_temp && OidIsValid(temp))
	{
		settings_append(buf, &temp, sizeof(temp));
		settings_append(buf, &MyProcPid, sizeof(MyProcPid));
		settings_append(buf, &MyStartTimestamp, sizeof(MyStartTimestamp));
		settings_append(buf, &settings_temp_epoch, sizeof(settings_temp_epoch));
	}
}

/*
 * Is a text what it was?  The remembered one is a copy, since the place of an
 * old value may be that of a new one.  Without memory for one, it never is.
 */
static bool
settings_same_text(const char *text, char **seen)
{
	if (text == NULL)
		text = "";
	if (*seen != NULL && strcmp(text, *seen) == 0)
		return true;
	free(*seen);
	*seen = strdup(text);
	return false;
}

static bool
settings_names(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
	{
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * What the version counts the states of, as of the last call.
 */
static struct
{
	uint64		version;
	Oid			user;
	Oid			session_user;
	Oid			temp;			/* the temporary schema */
	int			nschemas;
	Oid			schemas[SETTINGS_PATH_LENGTH];
	char	   *path;			/* namespace_search_path */
	int			nsettings;		/* 0 before the first call */
	struct config_generic **settings;
	union config_var_val *values;	/* of them; strings malloc'd */
} settings_seen;

/*
 * Is a setting what it was, given a place that remembers it?  If not, it is
 * remembered.
 */
static bool
settings_same_value(struct config_generic *setting, union config_var_val *seen)
{
	switch (setting->vartype)
	{
		case PGC_BOOL:
			{
				bool		value = *((struct config_bool *) setting)->variable;
				bool		same = seen->boolval == value;

				seen->boolval = value;
				return same;
			}
		case PGC_INT:
			{
				int			value = *((struct config_int *) setting)->variable;
				bool		same = seen->intval == value;

				seen->intval = value;
				return same;
			}
		case PGC_REAL:
			{
				double		value = *((struct config_real *) setting)->variable;
				bool		same = seen->realval == value;

				seen->realval = value;
				return same;
			}
		case PGC_ENUM:
			{
				int			value = *((struct config_enum *) setting)->variable;
				bool		same = seen->enumval == value;

				seen->enumval = value;
				return same;
			}
		case PGC_STRING:
			return settings_same_text(*((struct config_string *) setting)->variable,
									  &seen->stringval);
	}
	pg_unreachable();
}

/*
 * Find the settings that the version counts, once; built-in ones stay where they
 * are.
 */
static void
settings_find_counted(void)
{
	int			n;
	struct config_generic **all = compat_guc_variables(&n);

	settings_seen.settings = MemoryContextAlloc(TopMemoryContext, n * sizeof(*all));
	settings_seen.values = MemoryContextAllocZero(TopMemoryContext,
												  n * sizeof(*settings_seen.values));
	for (int i = 0; i < n; i++)
	{
		if (all[i]->group != CUSTOM_OPTIONS &&
			(settings_names(settings_shared, lengthof(settings_shared),
							all[i]->name) ||
			 settings_names(settings_analysed,
							lengthof(settings_analysed), all[i]->name) ||
			 settings_list_has(settings_planning,
							   lengthof(settings_planning), all[i]->name)))
			settings_seen.settings[settings_seen.nsettings++] = all[i];
	}
}

static bool
settings_same_session(void)
{
	Oid			schemas[SETTINGS_PATH_LENGTH];
	Oid			temp;
	Oid			temp_toast;
	int			nschemas = fetch_search_path_array(schemas, SETTINGS_PATH_LENGTH);
	bool		same;

	GetTempNamespaceState(&temp, &temp_toast);
	/* a longer path is never taken to be the same */
	same = nschemas <= SETTINGS_PATH_LENGTH && nschemas == settings_seen.nschemas &&
		memcmp(schemas, settings_seen.schemas, nschemas * sizeof(Oid)) == 0 &&
		temp == settings_seen.temp && GetUserId() == settings_seen.user &&
		GetSessionUserId() == settings_seen.session_user;
	if (!same)
	{
		settings_seen.nschemas = nschemas;
		memcpy(settings_seen.schemas, schemas,
			   Min(nschemas, SETTINGS_PATH_LENGTH) * sizeof(Oid));
		settings_seen.temp = temp;
		settings_seen.user = GetUserId();
		settings_seen.session_user = GetSessionUserId();
	}
	return same;
}

uint64
settings_state(void)
{
	bool		same;

	if (settings_seen.nsettings == 0)
		settings_find_counted();
	same = settings_same_session();
	same &= settings_same_text(namespace_search_path, &settings_seen.path);
	for (int i = 0; i < settings_seen.nsettings; i++)
		same &= settings_same_value(settings_seen.settings[i], &settings_seen.values[i]);
	if (!same)
		settings_seen.version++;
	return settings_seen.version;
}

void
settings_append_session(StringInfo buf, bool plain)
{
	settings_append_path(buf, true);
	settings_append_set(buf);
	if (plain)
		settings_append_planning(buf);
}

void
settings_append_shared(StringInfo buf, bool plain)
{
	settings_append_path(buf, false);
	for (int i = 0; i < (int) lengthof(settings_shared); i++)
	{
		const char *value = GetConfigOption(settings_shared[i], false, false);

		settings_append(buf, value, strlen(value) + 1);
	}
	if (plain)
		settings_append_planning(buf);
}
