/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  Analysed statements, remembered per backend.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_STATEMENT_H
#define CACHE_STATEMENT_H

#include "base/access.h"
#include "base/qstats.h"
#include "clock/clock.h"
#include "executor/spi.h"
#include "key/key.h"
#include "lib/ilist.h"
#include "query/narrow.h"
#include "text/params.h"
#include "text/tags.h"

/*
 * An analysed statement.  The pointer is valid until the next call of one of
 * the functions below, unless the statement is pinned.
 */
typedef struct Statement
{
	uint64		front_hash;		/* of request */
	char	   *request;		/* the key of the request */
	uint32		request_len;
	uint32		front_len;
	Size		size;			/* bytes of memory, when last measured */
	uint64		state;			/* settings_state() when last found; 0 if it
								 * cannot be found by state */
	dlist_node	variant;		/* list of those with the same front hash */
	MemoryContext context;		/* holds this struct and the analysis */
	dlist_node	lru;
	int			pins;			/* running executions */
	bool		forgotten;		/* free it when the last pin goes */

	/* it came either as a text or as a query tree */
	SPIPlanPtr	plan;			/* text: saved plan */
	Query	   *query;			/* tree: before planning */
	uint64		serial;			/* tree: of a plan known to be of it */

	int			ntypes;			/* named query: its parameters */
	Oid		   *types;

	const char *refusal;		/* tree: why it may not be cached, or NULL */
	int			nparams;
	ParamUse   *params;			/* tree: the parameters in it, by id */
	double		plan_cost;		/* tree: of the last plan, or 0 */
	double		plan_rows;
	bool		needs_plan;		/* tree: a node without a plan was kept, and
								 * its result was gone */

	TupleDesc	result_desc;	/* of its rows */
	Access		access;			/* the privileges it needs */
	Access		inner_access;	/* those that queries inside functions need */
	List	   *relations;		/* oids of the relations that it reads */
	List	   *examined;		/* oids of the functions that it calls,
								 * directly or in examined bodies */
	bool		vouched;		/* it calls a function that is in
								 * cache.trusted_functions */
	bool		keeps_plans;	/* functions that it calls may keep plans of
								 * their own */
	bool		believed;		/* it calls functions that are taken at their
								 * word, and could be seen to break it */
	bool		unproven;		/* an execution reached more than was proven */
	bool		inherits;		/* some of the relations have children */
	bool		executable;		/* the user may call all its functions */
	Oid			permitted;		/* a user known to have the privileges of
								 * access */
	bool		complete;		/* it reads no other relations */
	int			nslots;			/* of the relations */
	ClockSlot  *slots;
	Narrowing  *narrowing;		/* which of their rows it reads, or NULL */
	KeyHead		key_head;		/* of its results */
	QstatsHandle qstats;

	/* what it was analysed under */
	uint64		catalog_generation;
	uint64		roles_generation;
	uint64		epoch;
} Statement;

/* A tree that reads more relations than this may not be cached. */
#define STATEMENT_MAX_RELATIONS TAGS_MAX

/*
 * Means that the generation could not be read: the statement is never
 * current.
 */
#define STATEMENT_NO_GENERATION PG_UINT64_MAX

/*
 * A cursor option that marks the plan of a text, so that plan.c does not cache
 * it a second time.  PostgreSQL passes cursor options on, and does not use
 * this bit.
 */
#define STATEMENT_CURSOR_OPT_TEXT 0x100000

/* The serial number of a plan whose tree has to be compared. */
#define STATEMENT_NO_SERIAL 0

/*
 * Find the current statement for the key of a request.  Returns NULL if it has
 * to be analysed; then the key has been finished.  state: settings_state();
 * query: the tree, or NULL for a text.  The statement's tree must be equal to
 * it, unless the plan with this serial number is known to be of that tree.
 */
extern Statement *statement_find(CacheKey *key, uint64 state,
								 const Query *query, uint64 serial,
								 uint64 catalog_generation,
								 uint64 roles_generation);

/*
 * Make an empty statement for the key of a request, in a memory context below
 * the current one.
 */
extern Statement *statement_create(const CacheKey *key,
								   uint64 catalog_generation,
								   uint64 roles_generation);

/*
 * Remember a statement once its analysis is finished.  text: for statistics.
 */
extern void statement_keep(Statement *stmt, const char *text);

/*
 * The planner's cost estimate of a statement that came as a text, if this
 * session executed it now.  Errors: those of planning.
 */
extern double statement_estimate(Statement *stmt, ParamListInfo params);

/*
 * Keep a statement from being freed while it is executed.  The pin is released
 * with the current memory context, or before by statement_unpin.
 */
typedef struct StatementPin StatementPin;
extern StatementPin *statement_pin(Statement *stmt);
extern void statement_unpin(StatementPin *pin);

/*
 * A statement has been executed: measure its memory again.
 */
extern void statement_measure(Statement *stmt);

/*
 * The generic plan of a text contains values that can be different the next
 * time.  The next execution makes a new plan.
 */
extern void statement_outdate_plan(const Statement *stmt);

/*
 * This session has run DDL, if only for temporary objects: every statement has
 * to be analysed again.
 */
extern void statement_outdate_all(void);

#endif							/* CACHE_STATEMENT_H */
