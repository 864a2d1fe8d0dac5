/*-------------------------------------------------------------------------
 *
 * finding.h
 *	  What the examination of a query has found so far.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_FINDING_H
#define CACHE_FINDING_H

#include "base/access.h"
#include "query/reach.h"

/*
 * What is known about a rewritten query.  Lists are in the caller's context.
 */
typedef struct Dependencies
{
	bool		automatic;		/* the cache is responsible for freshness */
	bool		shareable;		/* neither the user nor a custom setting can
								 * change the result */
	bool		executable;		/* the user may call all functions, also those
								 * called inside functions */
	bool		complete;		/* no function reads other relations */
	bool		vouched;		/* it calls a function that is in
								 * cache.trusted_functions */
	bool		opaque;			/* some function may read any setting */
	bool		inner_reads;	/* queries inside functions read relations */
	bool		final;			/* the refusal stands even inside a function
								 * that is declared STABLE */
	bool		inherits;		/* one of the relations has children */
	List	   *relations;		/* oids of all relations read, unique */
	Access		access;			/* the privileges it needs */
	Access		inner_access;	/* those that queries inside functions need */
	List	   *bodies;			/* rewritten queries inside functions */
	int64		size;			/* of what was examined, in nodes */
	int			nbodies;		/* calls that were examined */
	const char *refusal;		/* why it may not be cached, or NULL; a clause
								 * in lower case */
	const char *refusal_hint;	/* what to do about it, or NULL */
} Dependencies;

/* The examination of a query, or of the queries inside a function. */
typedef struct Examination
{
	Dependencies *deps;
	Reach	   *reach;			/* of the whole examination */
	int			depth;			/* how many functions it is inside of */
	bool		immutable;		/* one of them is declared IMMUTABLE */
	bool		folded;			/* they may be called during planning */
	List	   *known;			/* identities of calls that have been examined
								 * or are being examined */
	const RangeTblFunction *item;	/* the last function in FROM */
	ReachTimes	times;			/* of the constants so far */

	/* examines a query inside a function; returns whether it is refused */
	bool		(*query) (Query *query, struct Examination *walk);

	/* the node whose functions are being checked */
	Node	   *call;			/* NULL if it is not a call with arguments */
	const RangeTblFunction *columns;	/* its item in FROM, or NULL */
} Examination;

/* Hints for refusals. */
#define FINDING_UNCACHED_HINT "Run the query without the cache."
#define FINDING_TAGS_HINT "Name the tags that invalidate the result."

/* Record why the query may not be cached.  Returns true. */
extern bool finding_refuse(Dependencies *deps, char *refusal, const char *hint);

/* The same for a reason that stands even inside a function declared STABLE. */
extern bool finding_refuse_finally(Dependencies *deps, char *refusal);

/* Record that something in the query may read anything. */
extern void finding_note_unknown(Dependencies *deps);

/*
 * Must everything that the result depends on be known?  Not if the caller has
 * named tags; but yes where PostgreSQL may have computed something while it
 * planned, and kept it in the plan.
 */
extern bool finding_is_strict(const Examination *walk);

/*
 * If a text contains a date or time relative to the present, refuse the query
 * and return true.  text: what the query was just parsed from, or NULL.
 */
extern bool finding_check_dates(const Examination *walk, const char *text);

#endif							/* CACHE_FINDING_H */
