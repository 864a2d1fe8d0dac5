/*-------------------------------------------------------------------------
 *
 * fact.h
 *	  What the conditions of a query say about the values of its columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_FACT_H
#define CACHE_FACT_H

#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"

/*
 * A column is known to have at most this many values; else they are not
 * known.
 */
#define FACT_MAX_VALUES 16

/* A value, or a parameter that is an array of values. */
typedef struct FactValue
{
	char	   *text;			/* constant: its text in tags; else NULL */
	int			param;			/* number of the parameter */
	Oid			param_type;
	Oid			type;			/* of the value, or of the array's elements */
	bool		is_array;
} FactValue;

/* A column has one of several values, or equals another column. */
typedef struct Fact
{
	Var		   *column;
	Var		   *other;			/* NULL if there are values */
	List	   *values;			/* FactValue; NIL if no row matches */
} Fact;

/*
 * A query, and the queries that it is nested in.  Its facts must not change
 * after a nested query has resolved one of its columns, since answers are
 * remembered.
 */
typedef struct FactLevel
{
	struct FactLevel *outer;
	Query	   *query;
	List	   *facts;			/* that hold for all rows of FROM and WHERE */
	List	   *answers;		/* FactAnswer, found by these facts */
	int64	   *work;			/* steps left, shared by all levels */
} FactLevel;

/*
 * How many steps the search for the facts of one statement may take.  A step
 * takes a few nanoseconds.
 */
#define FACT_MAX_WORK 500000

/*
 * Take some steps, and check for interrupts.  Returns false once there are
 * none left.  From then on, the functions below may miss facts; those that
 * they return hold.
 */
extern bool fact_work(int64 *work, int64 steps);

/* The facts in a condition, or in a list of conditions connected by AND. */
extern List *fact_conditions(const FactLevel *level, Node *condition);

/* The facts that hold for all rows of a join, or of FROM and WHERE. */
extern List *fact_join(const FactLevel *level, Node *join);

/*
 * The fact that an expression has one of these values; NULL if it is not a
 * column.
 */
extern Fact *fact_given(const FactLevel *level, Node *expr, List *values);

/*
 * The fact that tells the values of a column, given facts of its level.  Facts
 * of the outer levels are used as well.  NULL if the values are not known.
 */
extern Fact *fact_resolve(const FactLevel *level, const List *facts,
						  Var *column);

/*
 * Can values of an expression be equal, under its own collation, without
 * having the same text?
 */
extern bool fact_is_fuzzy(Node *expr);

/* A copy of values in the current memory context. */
extern List *fact_copy_values(const List *values);

/*
 * Append the texts that values have in tags, given the parameters.  Nulls have
 * none.  Returns false if there are more than FACT_MAX_VALUES texts, or if a
 * parameter has another type than it had when the query was analysed.
 */
extern bool fact_add_texts(List **texts, const List *values,
						   ParamListInfo params);

#endif							/* CACHE_FACT_H */
