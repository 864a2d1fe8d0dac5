/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  The settings of the extension.
 *
 * Every setting is defined here, sorted by name.
 *
 * Three settings take their defaults from environment variables of the
 * postmaster, so that a container can be configured without editing
 * postgresql.conf.  The times to live of three predefined policies do so as
 * well.  An invalid value in the environment is ignored with a warning.
 *
 * What this file must not do: act on a setting.  The module that uses a
 * setting reads the variable when it needs it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "base/guc.h"
#include "base/trust.h"
#include "base/url.h"
#include "utils/dsa.h"
#include "utils/guc.h"
#include "utils/plancache.h"

/*
 * L1 must fit into one segment of a DSA, including what block.c allocates
 * besides cache.l1_memory.  The limit in kB is a little less than 1 TB, or 128
 * MB on platforms where a dsa_pointer has 32 bits.
 */
#if SIZEOF_DSA_POINTER == 4
#define GUC_MAX_L1_MEMORY (100 * 1024)
#else
#define GUC_MAX_L1_MEMORY (900 * 1024 * 1024)
#endif

bool		cache_enabled = true;
bool		cache_explain = true;
bool		cache_log = false;
double		cache_min_cost = -1.0;
double		cache_ttl_jitter = 0.1;
int			cache_default_ttl = 300;
int			cache_fill_wait = 30000;
int			cache_l1_max_entries = 1000;
int			cache_l1_memory = 65536;
int			cache_l1_ttl = 60;
int			cache_l2_timeout = 50;
int			cache_max_entry_size = 1024;
int			cache_max_query_stats = 1000;
int			cache_mode = CACHE_MODE_OFF;
int			cache_tag_slots = 262144;
char	   *cache_redis_url = NULL;
char	   *cache_trusted_functions = NULL;

/* Predefined policies whose time to live can be set in the environment. */
static struct
{
	const char *policy;
	const char *variable;
	int			ttl;
}			guc_policies[] = {
	{"user_profile", "CACHE_TTL_USER_PROFILE", GUC_POLICY_TTL},
	{"story_listing", "CACHE_TTL_STORY_LISTING", GUC_POLICY_TTL},
	{"search_results", "CACHE_TTL_SEARCH_RESULTS", GUC_POLICY_TTL}
};

static const struct config_enum_entry guc_modes[] = {
	{"off", CACHE_MODE_OFF, false},
	{"hint", CACHE_MODE_HINT, false},
	{"auto", CACHE_MODE_AUTO, false},
	{"shadow", CACHE_MODE_SHADOW, false},
	{NULL, 0, false}
};

/*
 * The plans that PostgreSQL has cached depend on the old value of these
 * settings.  Discard them when the value changes.
 */
static void
guc_assign_mode(int newval, void *extra)
{
	if (newval != cache_mode)
		ResetPlanCache();
}

static void
guc_assign_min_cost(double newval, void *extra)
{
	if (newval != cache_min_cost)
		ResetPlanCache();
}

static void
guc_assign_default_ttl(int newval, void *extra)
{
	if (newval != cache_default_ttl)
		ResetPlanCache();
}

static void
guc_assign_max_entry_size(int newval, void *extra)
{
	if (newval != cache_max_entry_size)
		ResetPlanCache();
}

/*
 * Read an integer default from the environment.  Returns fallback if the
 * variable is not set, is not an integer, or is out of range.
 */
static int
guc_env_int(const char *name, int fallback, int min, int max)
{
	const char *text = getenv(name);
	int			value;

	if (text == NULL || *text == '\0')
		return fallback;
	if (!parse_int(text, &value, 0, NULL) || value < min || value > max)
	{
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ignoring environment variable %s", name),
				 errdetail("It must be an integer between %d and %d.",
						   min, max)));
		return fallback;
	}
	return value;
}

static void
guc_read_policies(void)
{
	for (int i = 0; i < (int) lengthof(guc_policies); i++)
		guc_policies[i].ttl = guc_env_int(guc_policies[i].variable,
										  GUC_POLICY_TTL, 1, INT_MAX);
}

int
guc_policy_ttl(const char *policy)
{
	for (int i = 0; i < (int) lengthof(guc_policies); i++)
	{
		if (strcmp(policy, guc_policies[i].policy) == 0)
			return guc_policies[i].ttl;
	}
	return GUC_POLICY_TTL;
}

/*
 * Read the default URL from the environment; an empty string if there is none.
 */
static const char *
guc_env_url(const char *name)
{
	const char *url = getenv(name);
	const char *problem;
	Url			parsed;

	if (url == NULL || *url == '\0')
		return "";
	problem = url_parse(url, &parsed);
	if (problem != NULL)
	{
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ignoring environment variable %s", name),
				 errdetail("%s", problem)));
		return "";
	}
	return url;
}

static bool
guc_check_redis_url(char **newval, void **extra, GucSource source)
{
	const char *problem;
	Url			parsed;

	if (*newval == NULL || **newval == '\0')
		return true;
	problem = url_parse(*newval, &parsed);
	if (problem == NULL)
		return true;
	GUC_check_errdetail("%s", problem);
	GUC_check_errhint("Write redis://[user:password@]host[:port][/db] or unix:///path[?db=n].");
	return false;
}

void
guc_init(void)
{
	guc_read_policies();
	DefineCustomIntVariable("cache.default_ttl",
							"Default time to live of a result.",
							NULL,
							&cache_default_ttl,
							300,
							1,
							INT_MAX,
							PGC_USERSET,
							GUC_UNIT_S,
							NULL,
							guc_assign_default_ttl,
							NULL);

	DefineCustomBoolVariable("cache.enabled",
							 "Serve and store results.",
							 "Results are invalidated even while this is off.",
							 &cache_enabled,
							 true,
							 PGC_USERSET,
							 0,
							 NULL,
							 NULL,
							 NULL);

	DefineCustomBoolVariable("cache.explain",
							 "Show in EXPLAIN how the cache serves a statement.",
							 "When off, EXPLAIN shows and runs the plan without the cache.",
							 &cache_explain,
							 true,
							 PGC_USERSET,
							 0,
							 NULL,
							 NULL,
							 NULL);

	DefineCustomIntVariable("cache.fill_wait",
							"Maximum time to wait for another session that executes the same query.",
							"Zero disables waiting.",
							&cache_fill_wait,
							30000,
							0,
							INT_MAX,
							PGC_USERSET,
							GUC_UNIT_MS,
							NULL,
							NULL,
							NULL);

	DefineCustomIntVariable("cache.l1_max_entries",
							"Maximum number of results in shared memory.",
							NULL,
							&cache_l1_max_entries,
							guc_env_int("L1_CACHE_MAX_SIZE", 1000, 1, 10000000),
							1,
							10000000,
							PGC_POSTMASTER,
							0,
							NULL,
							NULL,
							NULL);

	DefineCustomIntVariable("cache.l1_memory",
							"Amount of shared memory for results.",
							NULL,
							&cache_l1_memory,
							65536,
							64,
							GUC_MAX_L1_MEMORY,
							PGC_POSTMASTER,
							GUC_UNIT_KB,
							NULL,
							NULL,
							NULL);

	DefineCustomIntVariable("cache.l1_ttl",
							"Maximum time that shared memory keeps a result that is also in Redis.",
							"Without Redis, only the result's own time to live applies.",
							&cache_l1_ttl,
							guc_env_int("L1_CACHE_DEFAULT_TTL", 60, 1, INT_MAX),
							1,
							INT_MAX,
							PGC_SIGHUP,
							GUC_UNIT_S,
							NULL,
							NULL,
							NULL);

	DefineCustomIntVariable("cache.l2_timeout",
							"Maximum time for a Redis operation, including connecting.",
							NULL,
							&cache_l2_timeout,
							50,
							1,
							60000,
							PGC_SIGHUP,
							GUC_UNIT_MS,
							NULL,
							NULL,
							NULL);

	DefineCustomBoolVariable("cache.log",
							 "Log hits, misses, fills and invalidations.",
							 "When off, they are logged at level DEBUG1.",
							 &cache_log,
							 false,
							 PGC_SUSET,
							 0,
							 NULL,
							 NULL,
							 NULL);

	DefineCustomIntVariable("cache.max_entry_size",
							"Maximum size of a result that is stored.",
							"A larger result is returned and counted, but not stored.",
							&cache_max_entry_size,
							1024,
							1,
							MAX_KILOBYTES / 2,
							PGC_SUSET,
							GUC_UNIT_KB,
							NULL,
							guc_assign_max_entry_size,
							NULL);

	DefineCustomIntVariable("cache.max_query_stats",
							"Maximum number of queries that statistics are kept for.",
							NULL,
							&cache_max_query_stats,
							1000,
							0,
							1000000,
							PGC_POSTMASTER,
							0,
							NULL,
							NULL,
							NULL);

	DefineCustomRealVariable("cache.min_cost",
							 "Minimum execution time of a plain SELECT for its result to be stored.",
							 "With -1, results are stored if they are requested again and are measured to be more expensive to compute than to serve.",
							 &cache_min_cost,
							 -1.0,
							 -1.0,
							 INT_MAX,
							 PGC_USERSET,
							 GUC_UNIT_MS,
							 NULL,
							 guc_assign_min_cost,
							 NULL);

	DefineCustomEnumVariable("cache.mode",
							 "Which plain SELECTs use the cache.",
							 NULL,
							 &cache_mode,
							 CACHE_MODE_OFF,
							 guc_modes,
							 PGC_USERSET,
							 0,
							 NULL,
							 guc_assign_mode,
							 NULL);

	DefineCustomStringVariable("cache.redis_url",
							   "URL of Redis or Valkey, the second tier.",
							   "An empty string disables the second tier.",
							   &cache_redis_url,
							   guc_env_url("VALKEY_URL"),
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY,
							   guc_check_redis_url,
							   NULL,
							   NULL);

	DefineCustomIntVariable("cache.tag_slots",
							"Number of slots that tags are hashed to.",
							"Two tags in one slot invalidate each other's results.",
							&cache_tag_slots,
							262144,
							1024,
							16777216,
							PGC_POSTMASTER,
							0,
							NULL,
							NULL,
							NULL);

	DefineCustomStringVariable("cache.trusted_functions",
							   "Functions that read nothing but their arguments, settings and system catalogs.",
							   "Written as schema.function, separated by commas.",
							   &cache_trusted_functions,
							   "",
							   PGC_SUSET,
							   GUC_LIST_INPUT,
							   trust_check,
							   NULL,
							   NULL);

	DefineCustomRealVariable("cache.ttl_jitter",
							 "Maximum fraction of the time to live that is randomly subtracted from it.",
							 "This keeps results that were stored together from expiring together.",
							 &cache_ttl_jitter,
							 0.1,
							 0.0,
							 0.5,
							 PGC_USERSET,
							 0,
							 NULL,
							 NULL,
							 NULL);

	MarkGUCPrefixReserved("cache");
}
