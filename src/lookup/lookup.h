/*-------------------------------------------------------------------------
 *
 * lookup.h
 *	  What a request means, what it depends on, its key, and whether it may use
 *	  the cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_LOOKUP_H
#define CACHE_LOOKUP_H

#include "base/stats.h"
#include "query/statement.h"
#include "store/flight.h"
#include "store/store.h"
#include "text/terms.h"
#include "utils/snapshot.h"

typedef struct LookupRequest
{
	KeyForm		form;
	const char *query;			/* terminated */
	uint32		query_len;
	const Query *tree;			/* of a plain statement, as the server has
								 * analysed it; NULL: to be analysed */
	uint64		serial;			/* of the plan of the tree, as statement_find
								 * takes it */
	const char *name;			/* of a named query, or NULL */
	Terms		terms;			/* complete */
	int			nparams;		/* of a text */
	Oid		   *types;
	ParamListInfo params;		/* NULL if there are none; those of a tree are
								 * looked at only as far as it uses them */
	Snapshot	snapshot;		/* that a miss is executed under; NULL if that
								 * will be a new one */
} LookupRequest;

/* The terms if nothing is stated: those of the settings. */
extern void lookup_default_terms(Terms *terms);

/*
 * Make a request for a text on complete terms.  The caller may then fill in a
 * tree, a name and parameters.
 */
extern void lookup_make_request(LookupRequest *request, KeyForm form,
								const char *query, uint32 query_len,
								const Terms *terms);

/* Most tags that a result may carry, or relations that it may depend on. */
#define LOOKUP_MAX_TAGS STATEMENT_MAX_RELATIONS

/* Cluster, database, catalog; tags or relations; two tags of a named query. */
#define LOOKUP_MAX_DEPS (3 + LOOKUP_MAX_TAGS + 2)

/* A request that is being answered. */
typedef struct Lookup
{
	LookupRequest request;
	CacheKey	request_key;
	uint64		state;			/* of the session, settings_state() */
	CacheKey	key;			/* of the result, once there is a statement */
	Statement  *stmt;
	ParamListInfo params;		/* converted to the types of the statement */
	int			ntypes;			/* types that the parameters of a named query
								 * were converted to */
	Oid		   *types;
	bool		settled;		/* each prepared transaction has a record */
	FlightPass	pass;			/* for flights of the key */
	TimestampTz deadline;		/* of waiting for flights; 0 before step 6 */
	TimestampTz now;			/* when the clock was read */
	StoreAsker	asker;			/* as of the latest look into the tiers */
	bool		unproven;		/* the execution has reached something that is
								 * not proven (watch.c) */
	int			nfixed_deps;	/* those known before the statement is found */
	int			ndeps;
	ClockStamp	deps[LOOKUP_MAX_DEPS];
} Lookup;

/* No reason to bypass. */
#define LOOKUP_NO_BYPASS STATS_NCOUNTERS

/*
 * Read the present generations of the catalog of this database and of roles;
 * STATEMENT_NO_GENERATION while one is being changed.  A plan that is made
 * after this is made with the catalog of these generations or a newer one.
 */
extern void lookup_read_definitions(uint64 *catalog_generation,
									uint64 *roles_generation);

/*
 * Begin to answer a request, in the current memory context.  Errors:
 * ERRCODE_PROGRAM_LIMIT_EXCEEDED for too many tags, or too large a key.
 */
extern void lookup_begin(Lookup *lookup, const LookupRequest *request);

/*
 * Steps 1 to 4: read the clock, find the statement, check privileges.  Returns
 * the reason to bypass the cache.  If that is LOOKUP_NO_BYPASS, the key is
 * complete.  Errors: those of the analysis of a text, of missing privileges,
 * and of lookup_begin.
 */
extern StatsCounter lookup_orient(Lookup *lookup);

/*
 * Are the user and settings that are in the key of the result still the same
 * as in lookup_orient?
 */
extern bool lookup_same_session(const Lookup *lookup);

/*
 * Has a slot that the result depends on changed since lookup_orient, or is it
 * fenced now?
 */
extern bool lookup_outdated(const Lookup *lookup);

/* Does the transaction have an id?  Then it may have changed something. */
extern bool lookup_has_written(void);

/*
 * Tags or names of relations that the result depends on, for EXPLAIN and the
 * like, without the catalog and roles.  The tags of a policy are left out
 * unless the user may read policies.  The strings are palloc'd.  Call after
 * lookup_orient.
 */
extern List *lookup_dependency_names(const Lookup *lookup);

/*
 * The tag that stands for the parameter set of a request for a named query.
 * Errors: those of the analysis, and of parameters that do not fit.
 */
extern char *lookup_query_tag(const LookupRequest *request, size_t *len);

#endif							/* CACHE_LOOKUP_H */
