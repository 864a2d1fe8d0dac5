/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  The part of keys that distinguishes sessions: search path and settings.
 *
 * Requests.  Nobody can list the settings that a query depends on, since any
 * extension may add one.  So the key of a request contains every setting that
 * differs from its built-in default, except those known not to matter
 * (USAGE_NONE in usage.c).  Settings of the planner (USAGE_PLANNING) are in
 * the keys of plain statements only, because those promise the order of rows
 * that an execution would give.
 *
 * Shared results.  A statement may be proved to depend on nothing but the
 * settings of USAGE_RESULT and USAGE_ANALYSIS.  Then the key of its result
 * contains the values of these, defaults included, and of no other settings,
 * except USAGE_PLANNING for a plain statement.  So sessions that differ in
 * other settings share the result.
 *
 * Opaque results.  A query may call functions that are unknown to the cache,
 * except that they claim to be STABLE.  Such a function can read any setting;
 * for instance,
 *
 *	CREATE FUNCTION me() RETURNS text STABLE LANGUAGE plpgsql AS
 *	$$ BEGIN RETURN current_setting('application_name'); END $$;
 *
 * So the key of such a query contains all settings that are not at their
 * defaults, is_superuser, and whether this is a standby.  None is left out,
 * neither our own settings nor the isolation level of the transaction.
 * Settings that need a restart to change are in no key, because neither tier
 * survives a restart.
 *
 * role and session_authorization are treated like other settings.  The result
 * of current_setting() for a role also depends on whether one is set at all;
 * so the oid of the role is in the session part as well.
 *
 * The search path is in keys both as it was resolved and as it was written:
 * only the latter shows the place of pg_temp.  A session that has a temporary
 * schema shares no unproven results with others.  A function that looks up
 * names when it runs could find the session's temporary tables, and the oid of
 * the schema is reused by later sessions.  Creating or dropping temporary
 * objects also changes the keys of the session itself (settings_outdate_temp),
 * because such a change ticks no slot of the clock.
 *
 * State.  Most requests come under the same settings as the one before, and to
 * write all of them down would cost more than the rest of a hit.  So
 * settings_state returns a number that stands for the state of the session.
 * It changes with the users, the search path, the temporary schema, and the
 * settings of USAGE_RESULT, USAGE_ANALYSIS and USAGE_PLANNING.  A statement
 * that is proved to depend on no other setting can be found by this number and
 * the front of its key: as long as both are equal, the whole key is.
 *
 * Out of memory.  An error while remembering settings leaves what was
 * remembered before intact.
 *
 * This is the only file that knows how PostgreSQL keeps its settings.
 *
 * What this file must not do: read catalogs, or know the layout of a key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/compat.h"
#include "catalog/namespace.h"
#include "key/settings.h"
#include "key/usage.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A search path of up to this many schemas is read without allocating. */
#define SETTINGS_PATH_LENGTH 16

static inline void
settings_append(StringInfo buf, const void *data, Size len)
{
	appendBinaryStringInfo(buf, data, (int) len);
}

/*
 * Append the name and value of a setting.
 */
static void
settings_append_one(StringInfo buf, const struct config_generic *setting)
{
	settings_append(buf, setting->name, strlen(setting->name) + 1);
	/* a placeholder may change its type when its library is loaded */
	appendStringInfoChar(buf, (char) setting->vartype);
	switch (setting->vartype)
	{
		case PGC_BOOL:
			settings_append(buf, ((const struct config_bool *) setting)->variable,
							sizeof(bool));
			break;
		case PGC_INT:
			settings_append(buf, ((const struct config_int *) setting)->variable,
							sizeof(int));
			break;
		case PGC_REAL:
			settings_append(buf, ((const struct config_real *) setting)->variable,
							sizeof(double));
			break;
		case PGC_STRING:
			{
				const char *value = *((const struct config_string *) setting)->variable;

				/* distinguish NULL from an empty string */
				appendStringInfoChar(buf, value != NULL ? '=' : '-');
				settings_append(buf, value ? value : "", value ? strlen(value) + 1 : 1);
				break;
			}
		case PGC_ENUM:
			settings_append(buf, ((const struct config_enum *) setting)->variable,
							sizeof(int));
			break;
	}
}

/*
 * Has somebody set a setting?  A placeholder, that is, a custom setting that
 * no library has defined, exists only because it was set.  It counts as set
 * even if it has been reset since, because current_setting() then returns an
 * empty string, and NULL for a setting that does not exist.
 */
static inline bool
settings_is_set(const struct config_generic *setting)
{
	return setting->source > PGC_S_DYNAMIC_DEFAULT ||
		(setting->flags & GUC_CUSTOM_PLACEHOLDER) != 0;
}

/*
 * Do the keys of requests contain a setting if it is set?  Built-in settings
 * that no session can change do not affect any row.  For custom ones, nobody
 * knows.  A placeholder can have any value, whatever usage_of says of its
 * name.
 */
static bool
settings_is_keyed(const struct config_generic *setting)
{
	Usage		usage = usage_of(setting->name);

	if ((setting->flags & GUC_CUSTOM_PLACEHOLDER) != 0)
		return true;
	return usage != USAGE_NONE && usage != USAGE_PLANNING &&
		setting->context > (setting->group == CUSTOM_OPTIONS ? PGC_POSTMASTER : PGC_SIGHUP);
}

/*
 * Do opaque keys contain a setting if it is set?
 */
static bool
settings_is_readable(const struct config_generic *setting)
{
	return setting->context > PGC_POSTMASTER;
}

/*
 * The settings of PostgreSQL by usage, in one piece of memory.  all is a copy
 * of PostgreSQL's array of settings.  While the two are equal, no setting has
 * been added or removed, and the pointers in the other arrays are valid.
 */
typedef struct SettingsKnown
{
	int			n;
	int			nkeyed;
	int			nplanning;
	int			nshared;
	int			nreadable;
	struct config_generic **keyed;	/* in keys of requests */
	struct config_generic **planning;	/* also in those of plain statements */
	struct config_generic **shared; /* in keys of shared results */
	struct config_generic **readable;	/* in opaque keys */
	struct config_generic *all[FLEXIBLE_ARRAY_MEMBER];
} SettingsKnown;

static SettingsKnown *settings_known;

static void
settings_learn(struct config_generic **settings, int n)
{
	SettingsKnown *old = settings_known;
	SettingsKnown *known;

	known = MemoryContextAllocZero(TopMemoryContext,
								   offsetof(SettingsKnown, all) +
								   5 * n * sizeof(*settings));
	known->keyed = known->all + n;
	known->planning = known->keyed + n;
	known->shared = known->planning + n;
	known->readable = known->shared + n;
	for (int i = 0; i < n; i++)
	{
		Usage		usage = usage_of(settings[i]->name);

		if (settings_is_keyed(settings[i]))
			known->keyed[known->nkeyed++] = settings[i];
		if (usage == USAGE_PLANNING)
			known->planning[known->nplanning++] = settings[i];
		else if (usage == USAGE_RESULT || usage == USAGE_ANALYSIS)
			known->shared[known->nshared++] = settings[i];
		if (settings_is_readable(settings[i]))
			known->readable[known->nreadable++] = settings[i];
	}
	memcpy(known->all, settings, n * sizeof(*settings));
	known->n = n;
	settings_known = known;
	if (old != NULL)
		pfree(old);
}

static void
settings_watch(void)
{
	int			n;
	struct config_generic **settings = compat_guc_variables(&n);

	if (settings_known == NULL || n != settings_known->n ||
		memcmp(settings, settings_known->all, n * sizeof(*settings)) != 0)
		settings_learn(settings, n);
}

static void
settings_append_set(StringInfo buf, struct config_generic **settings, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (unlikely(settings_is_set(settings[i])))
			settings_append_one(buf, settings[i]);
	}
}

/* Counts the events that may have changed the session's temporary schema. */
static uint64 settings_temp_epoch;

void
settings_outdate_temp(void)
{
	settings_temp_epoch++;
}

/*
 * Append the search path.  With private_temp, if the session has a temporary
 * schema, also append what distinguishes it from all other sessions.
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
	if (!private_temp)
		return;
	settings_append(buf, &temp, sizeof(temp));
	if (OidIsValid(temp))
	{
		settings_append(buf, &MyProcPid, sizeof(MyProcPid));
		settings_append(buf, &MyStartTimestamp, sizeof(MyStartTimestamp));
		settings_append(buf, &settings_temp_epoch, sizeof(settings_temp_epoch));
	}
}

void
settings_append_session(StringInfo buf, bool plain)
{
	Oid			role = GetCurrentRoleId();

	settings_watch();
	settings_append_path(buf, true);
	settings_append(buf, &role, sizeof(role));
	settings_append_set(buf, settings_known->keyed, settings_known->nkeyed);
	if (plain)
		settings_append_set(buf, settings_known->planning,
							settings_known->nplanning);
}

void
settings_append_shared(StringInfo buf, bool plain)
{
	settings_watch();
	settings_append_path(buf, false);
	for (int i = 0; i < settings_known->nshared; i++)
		settings_append_one(buf, settings_known->shared[i]);
	if (plain)
		settings_append_set(buf, settings_known->planning,
							settings_known->nplanning);
}

void
settings_append_all(StringInfo buf)
{
	settings_watch();
	appendStringInfoChar(buf, (char) RecoveryInProgress());
	appendStringInfoString(buf, GetConfigOption("is_superuser", false, false));
	settings_append_set(buf, settings_known->readable, settings_known->nreadable);
}

/*
 * The present name of a setting, given that or a former name.  NULL if there
 * is no such setting.
 */
static const char *
settings_canonical(const char *name)
{
	const char *canonical;

	(void) GetConfigOptionByName(name, &canonical, true);
	return canonical;
}

static bool
settings_include(struct config_generic *const *settings, int n, const char *name)
{
	for (int i = 0; name != NULL && i < n; i++)
	{
		if (strcmp(settings[i]->name, name) == 0)
			return true;
	}
	return false;
}

bool
settings_in_keys(const char *name)
{
	if ((GetConfigOptionFlags(name, true) & GUC_SUPERUSER_ONLY) != 0)
		return false;
	/* a custom setting that does not exist may be set later */
	if (settings_canonical(name) == NULL)
		return strchr(name, '.') != NULL && usage_of(name) != USAGE_NONE;
	settings_watch();
	return settings_include(settings_known->keyed, settings_known->nkeyed,
							settings_canonical(name));
}

bool
settings_in_opaque_keys(const char *name)
{
	if ((GetConfigOptionFlags(name, true) & GUC_SUPERUSER_ONLY) != 0)
		return false;
	settings_watch();
	return settings_include(settings_known->readable,
							settings_known->nreadable, settings_canonical(name));
}

/*
 * A setting that belongs to the state, and its value when last looked at.
 */
typedef struct SettingsValue
{
	const void *variable;
	union config_var_val seen;	/* strings malloc'd */
} SettingsValue;

/*
 * The state of the session, as of the last call of settings_state.
 */
static struct
{
	uint64		state;
	Oid			user;
	Oid			session_user;
	Oid			temp;			/* the temporary schema */
	int			nschemas;
	Oid			schemas[SETTINGS_PATH_LENGTH];
	char	   *path;			/* namespace_search_path */

	/* settings, sorted by type; NULL before the first call */
	SettingsValue *values;
	SettingsValue *ints;		/* where bools end; includes enums */
	SettingsValue *reals;
	SettingsValue *texts;
	SettingsValue *end;
} settings_seen;

/*
 * Does a text equal the one that was seen?  If not, remember a copy of it (not
 * the pointer, since a new value may be at the address of an old one).  If
 * there is no memory for the copy, the next call returns false as well.
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

/* The variable of a setting, or NULL if it is of another type. */
static const void *
settings_variable(const struct config_generic *setting, enum config_type type)
{
	if (setting->vartype != type &&
		!(setting->vartype == PGC_ENUM && type == PGC_INT))
		return NULL;
	switch (setting->vartype)
	{
		case PGC_BOOL:
			return ((const struct config_bool *) setting)->variable;
		case PGC_INT:
			return ((const struct config_int *) setting)->variable;
		case PGC_REAL:
			return ((const struct config_real *) setting)->variable;
		case PGC_STRING:
			return ((const struct config_string *) setting)->variable;
		case PGC_ENUM:
			return ((const struct config_enum *) setting)->variable;
	}
	pg_unreachable();
}

/*
 * Add those of n settings that are of a type to the settings of the state.
 */
static void
settings_count(enum config_type type, struct config_generic **settings, int n)
{
	for (int i = 0; i < n; i++)
	{
		const void *variable = settings_variable(settings[i], type);

		if (variable != NULL)
			(settings_seen.end++)->variable = variable;
	}
}

/*
 * Find the settings that belong to the state.  This is done once: they are
 * built-in settings and our own, whose variables do not move.
 */
static void
settings_find_counted(void)
{
	static const enum config_type types[] = {
		PGC_BOOL, PGC_INT, PGC_REAL, PGC_STRING
	};
	SettingsValue *first[lengthof(types)];

	settings_watch();
	settings_seen.values = MemoryContextAllocZero(TopMemoryContext,
												  (settings_known->nshared +
												   settings_known->nplanning) *
												  sizeof(SettingsValue));
	settings_seen.end = settings_seen.values;
	for (int i = 0; i < (int) lengthof(types); i++)
	{
		first[i] = settings_seen.end;
		settings_count(types[i], settings_known->shared, settings_known->nshared);
		settings_count(types[i], settings_known->planning, settings_known->nplanning);
	}
	settings_seen.ints = first[1];
	settings_seen.reals = first[2];
	settings_seen.texts = first[3];
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
	/* a path that is too long to be remembered never counts as equal */
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

/*
 * Do the settings have the values that were seen?  If not, remember the new
 * ones.
 */
static bool
settings_same_values(void)
{
	bool		same = true;
	SettingsValue *value = settings_seen.values;

	for (; value < settings_seen.ints; value++)
	{
		bool		now = *(const bool *) value->variable;

		same &= now == value->seen.boolval;
		value->seen.boolval = now;
	}
	for (; value < settings_seen.reals; value++)
	{
		int			now = *(const int *) value->variable;

		same &= now == value->seen.intval;
		value->seen.intval = now;
	}
	for (; value < settings_seen.texts; value++)
	{
		double		now = *(const double *) value->variable;

		same &= now == value->seen.realval;
		value->seen.realval = now;
	}
	for (; value < settings_seen.end; value++)
		same &= settings_same_text(*(char *const *) value->variable,
								   &value->seen.stringval);
	return same;
}

uint64
settings_state(void)
{
	bool		same;

	if (settings_seen.values == NULL)
		settings_find_counted();
	same = settings_same_session();
	same &= settings_same_text(namespace_search_path, &settings_seen.path);
	same &= settings_same_values();
	if (!same)
		settings_seen.state++;
	return settings_seen.state;
}
