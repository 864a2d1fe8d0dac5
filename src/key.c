/*-------------------------------------------------------------------------
 *
 * key.c
 *	  What makes two requests the same request.
 *
 * A key is a string of bytes.  That of a request says who asks, for which
 * statement and under which settings; it finds the analysed statement.  That of
 * a result adds what the statement means there (a digest of the analysed query)
 * and which parameters it gets:
 *
 *	KeyHeader | query | tags | name | parameter types	the front
 *	length | search path, settings						the session part
 *	digest | texts otherwise ignored, if opaque | parameters
 *
 * The result of a plain statement has no text in its key, so that comments make
 * no difference; the digest says it all.
 *
 * Entries are compared by all of these bytes; the hash only finds them.  Every
 * part has its length before it or in the header, so that no two different
 * requests give the same bytes.
 *
 * Shared results.  If the analysis has proved that neither the user nor a
 * custom setting can change the result (depend.c), its key holds no user, and
 * of the settings just those that built-in functions and types look at
 * (key_shared_settings).  Such a result is the same for everyone, and who may
 * not see it is kept out by the check of privileges before the lookup.
 *
 * The session.  Which settings a query depends on cannot be enumerated, since
 * any extension may add one.  So every setting that differs from its built-in
 * default is in the key, less those that are known not to matter
 * (key_ignored_settings): what costs, limits and logging do to a query is not
 * seen in its rows.  (Those that change plans are in the keys of plain
 * queries, for they can be seen in the order of the rows.)  But a text, such as application_name, can be used to say
 * who someone is; so a query that calls functions of which nothing is known
 * (opaque) has those in its key, too.  Settings that only a restart changes need no place in the
 * key of something that does not survive one.  Users are in the key by oid,
 * the search path as it was resolved and as it was written, since the place of
 * pg_temp is seen only there.  A session that has a temporary schema shares
 * with no other: functions that look up names as they run could find its
 * tables, and the schema's oid is reused by sessions to come.  Nor does it share
 * with itself from before it made or dropped one, which no clock tells of.
 *
 * Most requests come under the settings of the one before, and to write them
 * all down costs more than the rest of a hit.  So there is a version, which
 * counts the states of the few settings that a proven statement depends on
 * (those that its text may be read by, key_analysis_settings, and those of
 * shared results and of planning), the search path and the user.  Under the same
 * version the same front means the same statement, if that is proven.
 *
 * What this file must not do: read catalogs, or know about the store.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "breakage.h"
#include "catalog/namespace.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "compat.h"
#include "key.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"

/* Schemas of a search path that are looked up without allocating. */
#define KEY_PATH_LENGTH 16

/*
 * The settings that can change what built-in STABLE functions and the output of
 * built-in types give.  What a setting does to the analysis is in the digest.
 */
static const char *const key_shared_settings[] = {
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
static const char *const key_analysis_settings[] = {
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
static const char *const key_ignored_settings[] = {
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
static const char *const key_planning_settings[] = {
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

static void
key_reserve(CacheKey *key, Size more)
{
	Size		needed = (Size) key->len + more;

	if (needed <= key->size)
		return;
	if (needed > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("query and parameters are too large to be a cache key"),
				 errdetail("They have %zu bytes.", needed),
				 errhint("Run the query without the cache.")));
	key->size = Max(needed, (Size) key->size * 2);
	key->data = repalloc(key->data, key->size);
}

void
key_append_bytes(CacheKey *key, const void *data, Size len)
{
	key_reserve(key, len);
	memcpy(key->data + key->len, data, len);
	key->len += len;
}

/* Is a key one of a query as it was sent? */
static inline bool
key_is_plain(uint32 form)
{
	return form == KEY_FORM_PLAIN || form == KEY_FORM_SHADOW;
}

/*
 * Compare a setting's name, in either case, with an entry of a list.
 */
static int
key_compare_setting(const void *key, const void *entry)
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
key_lists_setting(const char *const *list, size_t n, const char *name)
{
	const char *const *entry = bsearch(name, list, n, sizeof(char *),
									   key_compare_setting);

	return entry != NULL &&
		(strchr(name, '.') == NULL || strchr(*entry, '.') != NULL);
}

bool
key_ignores_setting(const char *name)
{
	return key_lists_setting(key_ignored_settings,
							 lengthof(key_ignored_settings), name);
}

/*
 * Append the name and value of a setting.
 */
static void
key_append_setting(CacheKey *key, struct config_generic *setting)
{
	key_append_bytes(key, setting->name, strlen(setting->name) + 1);
	switch (setting->vartype)
	{
		case PGC_BOOL:
			key_append_bytes(key, ((struct config_bool *) setting)->variable,
							 sizeof(bool));
			break;
		case PGC_INT:
			key_append_bytes(key, ((struct config_int *) setting)->variable,
							 sizeof(int));
			break;
		case PGC_REAL:
			key_append_bytes(key, ((struct config_real *) setting)->variable,
							 sizeof(double));
			break;
		case PGC_STRING:
			{
				const char *value = *((struct config_string *) setting)->variable;

				/* a null pointer is no empty string */
				if (value != NULL)
					key_append_bytes(key, "=", 1);
				key_append_bytes(key, value ? value : "", value ? strlen(value) + 1 : 1);
				break;
			}
		case PGC_ENUM:
			key_append_bytes(key, ((struct config_enum *) setting)->variable,
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
} key_settings;

static void
key_watch_settings(struct config_generic **settings, int n)
{
	if (n == key_settings.nknown &&
		memcmp(settings, key_settings.known, n * sizeof(*settings)) == 0)
		return;

	if (key_settings.known != NULL)
	{
		pfree(key_settings.known);
		pfree(key_settings.watched);
		pfree(key_settings.planning);
	}
	key_settings.nknown = 0;
	key_settings.known = MemoryContextAlloc(TopMemoryContext,
											n * sizeof(*settings));
	key_settings.watched = MemoryContextAlloc(TopMemoryContext,
											  n * sizeof(*settings));
	key_settings.planning = MemoryContextAlloc(TopMemoryContext,
											   n * sizeof(*settings));
	key_settings.nwatched = 0;
	key_settings.nplanning = 0;
	for (int i = 0; i < n; i++)
	{
		if (key_lists_setting(key_planning_settings,
							  lengthof(key_planning_settings),
							  settings[i]->name))
			key_settings.planning[key_settings.nplanning++] = settings[i];
		if (settings[i]->group == CUSTOM_OPTIONS ||
			(settings[i]->context > PGC_POSTMASTER &&
			 !key_ignores_setting(settings[i]->name)))
			key_settings.watched[key_settings.nwatched++] = settings[i];
	}
	memcpy(key_settings.known, settings, n * sizeof(*settings));
	key_settings.nknown = n;
}

/*
 * Append what is set.  A custom setting that no library knows is there only
 * because this session has set it, and is told from one never set even if it
 * was reset since.
 */
static void
key_append_settings(CacheKey *key)
{
	int			n;
	struct config_generic **settings = compat_guc_variables(&n);

	key_watch_settings(settings, n);
	for (int i = 0; i < key_settings.nwatched; i++)
	{
		struct config_generic *setting = key_settings.watched[i];

		if (unlikely(setting->source > PGC_S_DYNAMIC_DEFAULT ||
					 (setting->flags & GUC_CUSTOM_PLACEHOLDER) != 0) &&
			(setting->group != CUSTOM_OPTIONS ||
			 (setting->context > PGC_POSTMASTER &&
			  !key_ignores_setting(setting->name))))
			key_append_setting(key, setting);
	}
}

/*
 * Append what is set of planning.
 */
static void
key_append_planning(CacheKey *key)
{
	for (int i = 0; i < key_settings.nplanning; i++)
	{
		if (key_settings.planning[i]->source > PGC_S_DYNAMIC_DEFAULT)
			key_append_setting(key, key_settings.planning[i]);
	}
}

/* Append the texts that are set among the ignored settings. */
static void
key_append_ignored_texts(CacheKey *key)
{
	int			n;
	struct config_generic **settings = compat_guc_variables(&n);

	for (int i = 0; i < n; i++)
	{
		if (settings[i]->source > PGC_S_DYNAMIC_DEFAULT &&
			settings[i]->context > PGC_POSTMASTER &&
			settings[i]->vartype == PGC_STRING &&
			key_ignores_setting(settings[i]->name))
			key_append_setting(key, settings[i]);
	}
}

/* How often the session may have changed what its temporary schema holds. */
static uint64 key_temp_epoch;

void
key_outdate_temp(void)
{
	key_temp_epoch++;
}

/*
 * Append the search path; with private_temp also what tells a session with a
 * temporary schema from all others.
 */
static void
key_append_path(CacheKey *key, bool private_temp)
{
	Oid			fixed[KEY_PATH_LENGTH];
	Oid		   *schemas = fixed;
	int			n;
	Oid			temp;
	Oid			temp_toast;

	n = fetch_search_path_array(fixed, KEY_PATH_LENGTH);
	if (n > KEY_PATH_LENGTH)
	{
		schemas = palloc(n * sizeof(Oid));
		n = fetch_search_path_array(schemas, n);
	}
	key_append_bytes(key, &n, sizeof(n));
	key_append_bytes(key, schemas, n * sizeof(Oid));
	key_append_bytes(key, namespace_search_path, strlen(namespace_search_path) + 1);

	GetTempNamespaceState(&temp, &temp_toast);
	if (private_temp && OidIsValid(temp))
	{
		key_append_bytes(key, &temp, sizeof(temp));
		key_append_bytes(key, &MyProcPid, sizeof(MyProcPid));
		key_append_bytes(key, &MyStartTimestamp, sizeof(MyStartTimestamp));
		key_append_bytes(key, &key_temp_epoch, sizeof(key_temp_epoch));
	}
}

/*
 * Is a text what it was?  The remembered one is a copy, since the place of an
 * old value may be that of a new one.  Without memory for one, it never is.
 */
static bool
key_same_text(const char *text, char **seen)
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
key_has_name(const char *const *list, size_t n, const char *name)
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
	Oid			schemas[KEY_PATH_LENGTH];
	char	   *path;			/* namespace_search_path */
	int			nsettings;		/* 0 before the first call */
	struct config_generic **settings;
	union config_var_val *values;	/* of them; strings malloc'd */
} key_seen;

/*
 * Is a setting what it was, given a place that remembers it?  If not, it is
 * remembered.
 */
static bool
key_same_value(struct config_generic *setting, union config_var_val *seen)
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
			return key_same_text(*((struct config_string *) setting)->variable,
								 &seen->stringval);
	}
	pg_unreachable();
}

/*
 * Find the settings that the version counts, once; built-in ones stay where they
 * are.
 */
static void
key_find_counted(void)
{
	int			n;
	struct config_generic **all = compat_guc_variables(&n);

	key_seen.settings = MemoryContextAlloc(TopMemoryContext, n * sizeof(*all));
	key_seen.values = MemoryContextAllocZero(TopMemoryContext,
											 n * sizeof(*key_seen.values));
	for (int i = 0; i < n; i++)
	{
		if (all[i]->group != CUSTOM_OPTIONS &&
			(key_has_name(key_shared_settings, lengthof(key_shared_settings),
						  all[i]->name) ||
			 key_has_name(key_analysis_settings,
						  lengthof(key_analysis_settings), all[i]->name) ||
			 key_lists_setting(key_planning_settings,
							   lengthof(key_planning_settings), all[i]->name)))
			key_seen.settings[key_seen.nsettings++] = all[i];
	}
}

static bool
key_same_session(void)
{
	Oid			schemas[KEY_PATH_LENGTH];
	Oid			temp;
	Oid			temp_toast;
	int			nschemas = fetch_search_path_array(schemas, KEY_PATH_LENGTH);
	bool		same;

	GetTempNamespaceState(&temp, &temp_toast);
	/* a longer path is never taken to be the same */
	same = nschemas <= KEY_PATH_LENGTH && nschemas == key_seen.nschemas &&
		memcmp(schemas, key_seen.schemas, nschemas * sizeof(Oid)) == 0 &&
		temp == key_seen.temp && GetUserId() == key_seen.user &&
		GetSessionUserId() == key_seen.session_user;
	if (!same)
	{
		key_seen.nschemas = nschemas;
		memcpy(key_seen.schemas, schemas,
			   Min(nschemas, KEY_PATH_LENGTH) * sizeof(Oid));
		key_seen.temp = temp;
		key_seen.user = GetUserId();
		key_seen.session_user = GetSessionUserId();
	}
	return same;
}

uint64
key_version(void)
{
	bool		same;

	if (key_seen.nsettings == 0)
		key_find_counted();
	same = key_same_session();
	same &= key_same_text(namespace_search_path, &key_seen.path);
	for (int i = 0; i < key_seen.nsettings; i++)
		same &= key_same_value(key_seen.settings[i], &key_seen.values[i]);
	if (!same)
		key_seen.version++;
	return key_seen.version;
}

void
key_begin(CacheKey *key, KeyForm form, const char *query, uint32 query_len,
		  const char *tags, uint32 tags_len, const char *name, bool automatic,
		  const Oid *types, int ntypes)
{
	KeyHeader	header;

	memset(key, 0, sizeof(*key));
	key->size = 1024;
	key->data = palloc(key->size);

	header.query_len = query_len;
	header.tags_len = tags_len;
	header.name_len = name != NULL ? strlen(name) : 0;
	header.types_len = ntypes * sizeof(Oid);
	header.database = MyDatabaseId;
	header.user = BREAK_ROLE ? InvalidOid : GetUserId();
	header.session_user = BREAK_ROLE ? InvalidOid : GetSessionUserId();
	header.form = form;
	header.automatic = automatic;
	key_append_bytes(key, &header, sizeof(header));
	key_append_bytes(key, query, query_len);
	key_append_bytes(key, tags, tags_len);
	if (name != NULL)
		key_append_bytes(key, name, header.name_len);
	key_append_bytes(key, types, header.types_len);

	key->front_len = key->len;
	key->hash = hash_bytes_extended((unsigned char *) key->data, key->len, 0);
}

/*
 * Reserve the length of a session part, or fill it in.
 */
static uint32
key_begin_session(CacheKey *key)
{
	uint32		none = 0;

	key_append_bytes(key, &none, sizeof(none));
	return key->len;
}

static void
key_end_session(CacheKey *key, uint32 start)
{
	uint32		len = key->len - start;

	memcpy(key->data + start - sizeof(len), &len, sizeof(len));
}

void
key_finish(CacheKey *key)
{
	uint32		start;

	if (key->len > key->front_len)
		return;
	start = key_begin_session(key);
	key_append_path(key, true);
	key_append_settings(key);
	if (key_is_plain(((KeyHeader *) key->data)->form))
		key_append_planning(key);
	key_end_session(key, start);
}

/*
 * Append the values of the parameters.
 */
void
key_append_params(CacheKey *key, ParamListInfo params)
{
	for (int i = 0; i < params->numParams; i++)
	{
		ParamExternData *param = &params->params[i];
		int16		typlen;
		bool		typbyval;
		int32		len = -1;

		if (param->isnull)
		{
			key_append_bytes(key, &len, sizeof(len));
			continue;
		}
		get_typlenbyval(param->ptype, &typlen, &typbyval);
		if (typbyval)
		{
			len = sizeof(Datum);
			key_append_bytes(key, &len, sizeof(len));
			key_append_bytes(key, &param->value, sizeof(Datum));
		}
		else
		{
			len = (int32) datumGetSize(param->value, typbyval, typlen);
			key_append_bytes(key, &len, sizeof(len));
			key_append_bytes(key, DatumGetPointer(param->value), len);
		}
	}
}

/*
 * Append the front of a request's key, for results.
 */
static void
key_append_front(CacheKey *key, const CacheKey *request)
{
	KeyHeader	header = *(KeyHeader *) request->data;
	const char *query = request->data + sizeof(header);
	uint32		query_len = header.query_len;

	if (key_is_plain(header.form))
		header.query_len = 0;
	key_append_bytes(key, &header, sizeof(header));
	key_append_bytes(key, query, header.query_len);
	key_append_bytes(key, query + query_len,
					 request->front_len - query_len - sizeof(header));
}

/*
 * The same, without who asks, and with the settings of shared results.
 */
static void
key_share(const CacheKey *request, CacheKey *shared)
{
	KeyHeader  *header;
	uint32		start;

	key_append_front(shared, request);
	start = key_begin_session(shared);
	key_append_path(shared, false);
	for (int i = 0; i < (int) lengthof(key_shared_settings); i++)
	{
		const char *value = GetConfigOption(key_shared_settings[i], false,
											false);

		key_append_bytes(shared, value, strlen(value) + 1);
	}
	if (key_is_plain(((KeyHeader *) shared->data)->form))
		key_append_planning(shared);
	key_end_session(shared, start);
	header = (KeyHeader *) shared->data;
	header->user = InvalidOid;
	header->session_user = InvalidOid;
}

void
key_make_head(const CacheKey *request, const uint8 *digest, bool shared,
			  bool opaque, KeyHead *head)
{
	CacheKey	key;

	memset(&key, 0, sizeof(key));
	key.size = request->len + KEY_DIGEST_LENGTH;
	key.data = palloc(key.size);
	if (shared)
		key_share(request, &key);
	else
	{
		key_append_front(&key, request);
		key_append_bytes(&key, request->data + request->front_len,
						 request->len - request->front_len);
	}
	key_append_bytes(&key, digest, KEY_DIGEST_LENGTH);

	head->data = key.data;
	head->len = key.len;
	head->hash = hash_bytes_extended((unsigned char *) key.data, key.len, 0);
	head->opaque = opaque;
}

void
key_complete(CacheKey *key, const KeyHead *head, ParamListInfo params)
{
	memset(key, 0, sizeof(*key));
	key->size = head->len + (params != NULL ? 64 * params->numParams : 0);
	key->data = palloc(key->size);
	key_append_bytes(key, head->data, head->len);
	key->hash = head->hash;
	if (head->opaque)
		key_append_ignored_texts(key);
	if (params != NULL)
		key_append_params(key, params);
	if (key->len > head->len)
		key->hash = hash_bytes_extended((unsigned char *) key->data + head->len,
										key->len - head->len, head->hash);
}

void
key_digest(const void *data, size_t len, uint8 *digest)
{
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	if (ctx == NULL ||
		pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, data, len) < 0 ||
		pg_cryptohash_final(ctx, digest, KEY_DIGEST_LENGTH) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute SHA-256: %s",
						ctx ? pg_cryptohash_error(ctx) : "out of memory")));
	pg_cryptohash_free(ctx);
}

bool
key_parts(const char *data, uint32 len, KeyParts *parts)
{
	KeyHeader	header;

	if (len < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	if ((uint64) header.query_len + header.tags_len + header.name_len + header.types_len +
		sizeof(uint32) + KEY_DIGEST_LENGTH > len - sizeof(header))
		return false;
	parts->database = header.database;
	parts->user = header.user;
	parts->form = header.form;
	parts->automatic = header.automatic;
	parts->query = data + sizeof(header);
	parts->query_len = header.query_len;
	parts->tags = parts->query + header.query_len;
	parts->tags_len = header.tags_len;
	return true;
}
