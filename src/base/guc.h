/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  The settings of the extension, as C variables.
 *
 * docs/reference.md documents each of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_GUC_H
#define CACHE_GUC_H

/* Which plain SELECTs go through the cache. */
typedef enum CacheMode
{
	CACHE_MODE_OFF,
	CACHE_MODE_HINT,			/* those with a hint */
	CACHE_MODE_AUTO,			/* all that are cacheable and worth it */
	CACHE_MODE_SHADOW			/* none, but count what auto would do */
} CacheMode;

extern bool cache_enabled;
extern bool cache_explain;
extern bool cache_log;
extern double cache_min_cost;	/* ms, < 0: automatic */
extern double cache_ttl_jitter; /* fraction of the ttl, 0 .. 0.5 */
extern int	cache_default_ttl;	/* s */
extern int	cache_fill_wait;	/* ms */
extern int	cache_l1_max_entries;
extern int	cache_l1_memory;	/* kB */
extern int	cache_l1_ttl;		/* s */
extern int	cache_l2_timeout;	/* ms */
extern int	cache_max_entry_size;	/* kB */
extern int	cache_max_query_stats;
extern int	cache_mode;			/* a CacheMode */
extern int	cache_tag_slots;
extern char *cache_redis_url;
extern char *cache_trusted_functions;	/* a list of identifiers */

/* The level at which hits, misses, fills and invalidations are logged. */
#define CACHE_LOG_LEVEL (cache_log ? LOG : DEBUG1)

/* Time to live of the predefined policies, s. */
#define GUC_POLICY_TTL 300

/*
 * Time to live of a predefined policy, from the environment if it is set
 * there.
 */
extern int	guc_policy_ttl(const char *policy);

/* Define the settings; called once, while the postmaster loads the library. */
extern void guc_init(void);

#endif							/* CACHE_GUC_H */
