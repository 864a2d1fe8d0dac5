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
 * A statement as this session means it at present.  Valid until the next call
 * of one of the functions below, unless pinned.
 */
typedef struct Statement
{
	uint64		front_hash;		/* of the key below */
	char	   *request;		/* the key of its requests */
	uint32		request_len;
	uint32		front_len;
	Size		size;			/* memory it takes, when last measured */
	uint64		state;			/* settings_state() when last found by it; 0
								 * if it cannot be */
	dlist_node	variant;		/* those of the same front hash */
	MemoryContext context;		/* holds head, and what it was analysed into */
	dlist_node	lru;
	int			pins;			/* executions under way */
	bool		forgotten;		/* free it when the last pin goes */

	/* how it came: as a text, or as the query tree that a text was made into */
	SPIPlanPtr	plan;			/* of a text; saved */
	Query	   *query;			/* a tree as it was before planning */
	uint64		serial;			/* of the plan last seen to be of that tree */

	int			ntypes;			/* of the parameters of a named query */
	Oid		   *types;

	const char *refusal;		/* why a tree may not be cached, or NULL */
	int			nparams;
	ParamUse   *params;			/* that a tree refers to, by id */
	double		plan_cost;		/* of the plan last made of a tree, or 0 */
	double		plan_rows;
	bool		needs_plan;		/* one without a plan was kept, in vain */

	TupleDesc	result_desc;	/* of its rows */
	Access		access;			/* the privileges it needs */
	Access		inner_access;	/* those that queries inside functions need */
	List	   *relations;		/* oids of the relations read */
	List	   *examined;		/* oids of the functions that it calls, also
								 * in functions that were looked into */
	bool		vouched;		/* cache.trusted_functions has one that it
								 * calls */
	bool		unproven;		/* it was seen to reach more than is proven */
	bool		inherits;		/* some of them have children */
	bool		executable;		/* the user may call all its functions */
	Oid			permitted;		/* a user who may read all in rtable */
	bool		complete;		/* these are all relations that it reads */
	int			nslots;			/* of the relations read */
	ClockSlot  *slots;
	Narrowing  *narrowing;		/* which rows of them it reads, or NULL */
	KeyHead		key_head;		/* of its results */
	QstatsHandle qstats;

	/* of the definitions it was analysed under */
	uint64		catalog_generation;
	uint64		roles_generation;
	uint64		epoch;
} Statement;

/* A tree that reads more relations than this may not be cached. */
#define STATEMENT_MAX_RELATIONS TAGS_MAX

/* A generation that was not to be had: the statement is never current. */
#define STATEMENT_NO_GENERATION PG_UINT64_MAX

/*
 * Among the cursor options of a plan: it is one of a text, which is looked up
 * already.  PostgreSQL hands these bits through, and has no use for this one.
 */
#define STATEMENT_CURSOR_OPT_TEXT 0x100000

/* A plan whose tree has to be compared. */
#define STATEMENT_NO_SERIAL 0

/*
 * The statement for the key of a request, analysed under definitions of these
 * generations; NULL if it is to be analysed, and then the key is finished.
 * state: settings_state(); query: the tree if it came as
 * one, which then must be equal, unless the plan of this serial number was
 * found to be of that tree before.
 */
extern Statement *statement_find(CacheKey *key, uint64 state,
								 const Query *query, uint64 serial,
								 uint64 catalog_generation,
								 uint64 roles_generation);

/*
 * Make a statement of a request, of which nothing is known yet, in a memory
 * context below the current one.
 */
extern Statement *statement_create(const CacheKey *key,
								   uint64 catalog_generation,
								   uint64 roles_generation);

/* Remember a statement once its analysis is finished.  text: for statistics. */
extern void statement_keep(Statement *stmt, const char *text);

/*
 * The planner's cost of a statement that came as a text, as this session would
 * execute it now.  Errors: those of planning.
 */
extern double statement_estimate(Statement *stmt, ParamListInfo params);

/*
 * Keep a statement while it is executed.  The pin goes with the current memory
 * context, or earlier with statement_unpin.
 */
typedef struct StatementPin StatementPin;
extern StatementPin *statement_pin(Statement *stmt);
extern void statement_unpin(StatementPin *pin);

/*
 * A statement was executed: measure anew what its plan takes.
 */
extern void statement_measure(Statement *stmt);

/*
 * The plan of a text has values in it that may be different the next time: the
 * next execution is to make another one.
 */
extern void statement_outdate_plan(const Statement *stmt);

/*
 * This session changed definitions, if only for itself: whatever was analysed
 * before is to be analysed again.
 */
extern void statement_outdate_all(void);

#endif							/* CACHE_STATEMENT_H */
