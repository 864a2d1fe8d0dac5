/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  What of a session makes its requests different from those of others.
 *
 * Which settings a query depends on cannot be enumerated, since any extension
 * may add one.  So the key of a request has every setting that differs from its
 * built-in default, less those that are known not to matter (USAGE_NONE in
 * usage.c).  USAGE_PLANNING is in the keys of plain statements, whose rows are
 * to come in the order of an execution, and in no others.
 *
 * What is proven to depend on nothing else has USAGE_RESULT and USAGE_ANALYSIS
 * in its key, with the defaults, so that it can be shared with sessions that
 * differ in other settings.
 *
 * A query may call functions of which nothing is known but that they claim to be
 * STABLE.  Such a function can read any setting: application_name can say who
 * someone is.  So the key of such a query has all settings that are not at their
 * defaults, is_superuser, and whether this is a standby.  Left out are our own,
 * the switches of the planner (enable_seqscan and the like), and what is said of
 * the transaction, its isolation level for example: a function that looks at these
 * has little claim to be STABLE, and different transactions are to find the same
 * results.  Settings that only a
 * restart changes are in no key: neither tier survives one.
 *
 * Role and session_authorization are keyed like others.  What current_setting()
 * says of a role depends also on whether one is set; the role's oid tells.
 *
 * The search path is in keys as it was resolved and as it was written, since
 * the place of pg_temp is seen only there.  A session that has a temporary
 * schema shares with no other: functions that look up names as they run could
 * find its tables, and the schema's oid is reused by later sessions.  Nor does
 * it share with itself from before it made or dropped one, which no clock tells
 * of.
 *
 * Most requests come under the settings of the one before, and to write them
 * all down costs more than the rest of a hit.  So there is a number for the
 * state of the session: it counts the changes of the user, the search path and
 * the settings that a proven statement depends on (USAGE_RESULT, USAGE_ANALYSIS
 * and USAGE_PLANNING).  In the same state the same front of a key means the same
 * statement, if that is proven.
 *
 * Without memory for what is remembered, an error leaves what was remembered
 * before, whole.
 *
 * This is the only file that knows how PostgreSQL keeps its settings.
 *
 * What this file must not do: read catalogs, or know what a key looks like.
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

/* Schemas of a search path that are looked up without allocating. */
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
	/* a placeholder becomes another type when its library is loaded */
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

				/* a null pointer is no empty string */
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
 * Is a setting not what it is if nobody sets it?  A custom setting that no library
 * knows is there only because this session has set it, and is told from one
 * never set even if it was reset since.
 */
static inline bool
settings_is_set(const struct config_generic *setting)
{
	return setting->source > PGC_S_DYNAMIC_DEFAULT ||
		(setting->flags & GUC_CUSTOM_PLACEHOLDER) != 0;
}

/*
 * Do the keys of requests have a setting, once it is set?  What no session can
 * change of the built-in ones changes no row.  Of the custom ones that is not
 * known.  A placeholder can have any value, whatever the setting that its name
 * belongs to is for.
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

static bool
settings_begins(const struct config_generic *setting, const char *prefix)
{
	return strncmp(setting->name, prefix, strlen(prefix)) == 0;
}

/*
 * Do the keys of queries have a setting, once it is set, that call functions of
 * which nothing is known?
 */
static bool
settings_is_readable(const struct config_generic *setting)
{
	return setting->context > PGC_POSTMASTER &&
		!settings_begins(setting, "enable_") &&
		!settings_begins(setting, "transaction_") &&
		!settings_begins(setting, "cache.");
}

/*
 * What is known of PostgreSQL's settings, in one piece.  Its array is kept to
 * notice when settings come and go: as long as it has the same pointers in the
 * same places, these point to settings, too.
 */
typedef struct SettingsKnown
{
	int			n;
	int			nkeyed;
	int			nplanning;
	int			nshared;
	int			nreadable;
	struct config_generic **keyed;	/* keys of requests have them */
	struct config_generic **planning;	/* those of plain queries, too */
	struct config_generic **shared; /* keys of shared results have them */
	struct config_generic **readable;	/* keys have them if any could be read */
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
 * The present name of a setting that may be given by an old one; NULL if there
 * is none.
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
	/* one that does not exist may come to be set */
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
 * A setting that the state counts, and its value when last looked at.
 */
typedef struct SettingsValue
{
	const void *variable;
	union config_var_val seen;	/* strings malloc'd */
} SettingsValue;

/*
 * What the state counts, as of the last call.
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

	/* by type; NULL before the first call */
	SettingsValue *values;
	SettingsValue *ints;		/* where bools end; enums are among them */
	SettingsValue *reals;
	SettingsValue *texts;
	SettingsValue *end;
} settings_seen;

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

/* The variable of a setting, if it has one of the type. */
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
 * Put those of a type among some settings at the end of what the state counts.
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
 * Find the settings that the state counts, once.  They are built-in ones and our
 * own, which stay where they are.
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

/*
 * Have the settings the values that were seen?  If not, remember them.
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
