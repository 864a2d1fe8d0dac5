/*-------------------------------------------------------------------------
 *
 * fact.h
 *	  What the conditions of a query say of the values of its columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_FACT_H
#define CACHE_FACT_H

#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"

/* Most values that a column can be known to have. */
#define FACT_MAX_VALUES 16

/* A value, or an array of them. */
typedef struct FactValue
{
	char	   *text;			/* a constant, as tags have it; else NULL */
	int			param;			/* else the number of a parameter */
	Oid			param_type;
	Oid			type;			/* it is compared as, or its elements are */
	bool		is_array;
} FactValue;

/* A column has one of these values, or equals another one. */
typedef struct Fact
{
	Var		   *column;
	Var		   *other;			/* NULL if there are values */
	List	   *values;			/* FactValue; NIL: nothing equals them */
} Fact;

/*
 * A query amid those that it is nested in.  Its facts must not change once one of
 * its columns was resolved from a query inside of it.
 */
typedef struct FactLevel
{
	struct FactLevel *outer;
	Query	   *query;
	List	   *facts;			/* of all rows that the query lets through */
	List	   *answers;		/* what fact_resolve has found by them alone */
	int64	   *work;			/* steps that are left to take, shared by all
								 * levels */
} FactLevel;

/*
 * Steps that the facts of one statement may take, a few nanoseconds each.
 */
#define FACT_MAX_WORK 500000

/*
 * Take some steps, and serve interrupts.  False once there are none left: then what
 * the functions below return is still true, but not all that could be known.
 */
extern bool fact_work(int64 *work, int64 steps);

/* The facts of a condition, or of a list of them that are all true. */
extern List *fact_conditions(const FactLevel *level, Node *condition);

/* The facts that hold for all rows of a join, or of a whole FROM and WHERE. */
extern List *fact_join(const FactLevel *level, Node *join);

/*
 * The fact that the values of an expression are among some; NULL if it stands for
 * no column.
 */
extern Fact *fact_given(const FactLevel *level, Node *expr, List *values);

/*
 * The fact that tells the values of a column, given facts of its level; those of
 * outer levels are looked at as well.  NULL if they are not known.
 */
extern Fact *fact_resolve(const FactLevel *level, const List *facts,
						  Var *column);

/*
 * Can several values of an expression be equal without being the same, where its
 * own collation decides?
 */
extern bool fact_is_fuzzy(Node *expr);

/* A copy of values in the current memory context. */
extern List *fact_copy_values(const List *values);

/*
 * Append the texts of values, as tags have them, for these parameters; none for
 * nulls.  False if there are more than FACT_MAX_VALUES, or if a parameter is not
 * of the type that it had.
 */
extern bool fact_add_texts(List **texts, const List *values,
						   ParamListInfo params);

#endif							/* CACHE_FACT_H */
