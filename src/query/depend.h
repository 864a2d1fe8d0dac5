/*-------------------------------------------------------------------------
 *
 * depend.h
 *	  What a query reads, and whether its result may be cached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_DEPEND_H
#define CACHE_DEPEND_H

#include "base/access.h"

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

/*
 * Examine a query after rewriting.  text: that it is parsed from each time, NULL
 * if it is there as a tree; automatic:
 * refuse what has dependencies that cannot be known.  Stops at the first reason
 * for refusal.
 */
extern void depend_examine(Query *query, const char *text, bool automatic,
						   Dependencies *deps);

/*
 * Is the output of a type the same for everyone, given the settings that shared
 * results are told apart by?
 */
extern bool depend_type_is_shareable(Oid type);

#endif							/* CACHE_DEPEND_H */
