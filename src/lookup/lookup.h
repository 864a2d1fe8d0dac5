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
	const Query *tree;			/* what the server made of it; NULL: to be
								 * analysed */
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

/* The terms of a request for which nothing is said: those of the settings. */
extern void lookup_default_terms(Terms *terms);

/*
 * Make the request for a text on complete terms.  What else there is to say,
 * of a tree, a name and parameters, is for the caller to fill in.
 */
extern void lookup_make_request(LookupRequest *request, KeyForm form,
								const char *query, uint32 query_len,
								const Terms *terms);

/* Most tags that a result may carry, or relations that it may depend on. */
#define LOOKUP_MAX_TAGS STATEMENT_MAX_RELATIONS

/* Cluster, database and catalog; those; and the two tags of a named query. */
#define LOOKUP_MAX_DEPS (3 + LOOKUP_MAX_TAGS + 2)

/* What is known of a request while it is answered. */
typedef struct Lookup
{
	LookupRequest request;
	CacheKey	request_key;
	uint64		state;			/* of the session, settings_state() */
	CacheKey	key;			/* of the result, once there is a statement */
	Statement  *stmt;
	ParamListInfo params;		/* of the request, as the statement takes them */
	int			ntypes;			/* that those of a named query were made */
	Oid		   *types;
	bool		settled;		/* no unknown prepared transactions */
	FlightPass	pass;			/* for flights of the key */
	TimestampTz deadline;		/* of waiting for them; 0 before step 6 */
	TimestampTz now;			/* when the clock was read */
	StoreAsker	asker;			/* as of the last look into the tiers */
	bool		unproven;		/* the execution has reached what it may not */
	int			nfixed_deps;	/* known before the statement is */
	int			ndeps;
	ClockStamp	deps[LOOKUP_MAX_DEPS];
} Lookup;

/* No reason to bypass. */
#define LOOKUP_NO_BYPASS STATS_NCOUNTERS

/*
 * The generations of definitions in this database and of roles, as of now;
 * STATEMENT_NO_GENERATION while one is being changed.  What is planned after
 * this is of those definitions, or newer ones.
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
 * why the cache must be left alone, or LOOKUP_NO_BYPASS, and then the key is
 * complete.  Errors: those of the analysis of a text, of missing privileges,
 * and of lookup_begin.
 */
extern StatsCounter lookup_orient(Lookup *lookup);

/*
 * Are user and settings still what they were in lookup_orient, as far as they
 * are in the key of the result?
 */
extern bool lookup_same_session(const Lookup *lookup);

/*
 * Has anything that the result depends on changed since lookup_orient, or is
 * it about to?
 */
extern bool lookup_outdated(const Lookup *lookup);

/* Has the transaction an id, and so may have changed something? */
extern bool lookup_has_written(void);

/*
 * What the result depends on, besides definitions and roles, for people to read:
 * tags, or relations by name.  The tags of a policy are for those to read who may
 * read policies.  The strings are palloc'd.  After lookup_orient.
 */
extern List *lookup_dependency_names(const Lookup *lookup);

/*
 * The tag that stands for the parameter set of a request for a named query.
 * Errors: those of the analysis, and of parameters that do not fit.
 */
extern char *lookup_query_tag(const LookupRequest *request, size_t *len);

#endif							/* CACHE_LOOKUP_H */
