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

/* What is known of a rewritten query; lists in the caller's memory context. */
typedef struct Dependencies
{
	bool		automatic;		/* freshness is the cache's */
	bool		shareable;		/* neither user nor custom settings can change
								 * the result, as far as the query goes */
	bool		executable;		/* the user may call all functions, also those
								 * inside of functions */
	bool		complete;		/* no function reads relations besides these */
	bool		opaque;			/* of some function it is only believed what
								 * else it reads */
	bool		inner_reads;	/* functions read relations */
	bool		final;			/* there is no way around the refusal */
	bool		inherits;		/* one of the relations has children */
	List	   *relations;		/* oids of all relations read, unique */
	Access		access;			/* the privileges it needs */
	Access		inner_access;	/* those that queries inside functions need */
	List	   *bodies;			/* rewritten queries inside functions: part of
								 * what the query means */
	int64		size;			/* nodes and constants that were looked at */
	int			nbodies;		/* functions that were looked into */
	const char *refusal;		/* why it may not be cached, or NULL; a clause
								 * in lower case */
	const char *refusal_hint;	/* what to do about it, or NULL */
} Dependencies;

/* The examination of a query, or of the inside of a function. */
typedef struct Examination
{
	Dependencies *deps;
	Reach	   *reach;			/* of the whole examination */
	int			depth;			/* of functions around what is examined */
	bool		immutable;		/* one of them is declared IMMUTABLE */
	bool		folded;			/* they may be called in planning */
	List	   *known;			/* identities of calls that were looked into,
								 * or are being */
	const RangeTblFunction *item;	/* the function in FROM that was met last */
	ReachTimes	times;			/* of the constants met */

	/* examines a query inside of a function; true if it is refused */
	bool		(*query) (Query *query, struct Examination *walk);

	/* whose functions are being checked */
	Node	   *call;			/* NULL if it is not a call as it stands */
	const RangeTblFunction *columns;	/* if it is in FROM */
} Examination;

/* What to do about a refusal. */
#define FINDING_UNCACHED_HINT "Run the query without the cache."
#define FINDING_TAGS_HINT "Name the tags that invalidate the result."

/* Note why the query may not be cached.  Returns true. */
extern bool finding_refuse(Dependencies *deps, char *refusal, const char *hint);

/* The same, and that a function around it claims to be STABLE does not help. */
extern bool finding_refuse_finally(Dependencies *deps, char *refusal);

/* Something may read anything. */
extern void finding_note_unknown(Dependencies *deps);

/*
 * Does everything that the result depends on have to be known?  The caller's tags may
 * stand for what is not, but not where PostgreSQL may have computed something
 * beforehand, and kept it with the plan.
 */
extern bool finding_is_strict(const Examination *walk);

/*
 * Is there a date or time that was relative to the present when this text was
 * parsed?  Then the query is refused.  text: NULL if there is none.
 */
extern bool finding_check_dates(const Examination *walk, const char *text);

#endif							/* CACHE_FINDING_H */
