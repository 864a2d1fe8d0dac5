/*-------------------------------------------------------------------------
 *
 * fact.c
 *	  What the conditions of a query say of the values of its columns.
 *
 * Words.  A column is a Var, whatever it is a column of.  A fact is an equality
 * of two columns, or of a column and one of a few known values, constants or
 * parameters, that holds for every row that meets some conditions.  The values
 * of a column are known if there is such a fact for it, or for a column that
 * equals it, directly or not.
 *
 * Facts are about what rows have in common as they leave a join.  WHERE and ON of
 * an inner join hold for all that it hands on, and so does what holds for all rows
 * of one of its sides.  Of the facts of the sides of an outer join, only those
 * of the side that it keeps hold for all; its ON holds for none but the rows that
 * match, so that it is left to the caller.
 *
 * Equality means the same text.  What is made of the values are texts (template.c),
 * so equal ones must have the same.  There are types for which that is so, by
 * classes: integers of any width, strings of any kind under deterministic
 * collations, and single types that are equal only bit by bit.  1.0 equals 1.00, so
 * numeric is not among them, nor are floats (0 and -0), character(n) and
 * citext.  Casts are looked through if they keep the class, and with it the text.
 *
 * Every equality here is strict, so it also says that a column is not null.  A
 * condition on a null parameter is never true, so it leaves no value.
 *
 * What is not understood gives no fact, and that is always right.  So it is right,
 * too, to stop at any time, and the work for one statement is limited: its user
 * may have written it for no other purpose.  What a column of an outer query was
 * resolved to is remembered, since queries in queries ask for it again and again.
 *
 * What this file must not do: evaluate anything, or know why it is asked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/transam.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "query/fact.h"
#include "text/template.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* An equality costs a few lookups in the caches of catalogs. */
#define FACT_EQUALITY_WORK 20

/* Arrays of more elements, nulls included, are not looked into. */
#define FACT_MAX_ELEMENTS 1024

/* What a column of a level was resolved to. */
typedef struct FactAnswer
{
	Var		   *column;
	Fact	   *fact;			/* or NULL */
} FactAnswer;

bool
fact_work(int64 *work, int64 steps)
{
	CHECK_FOR_INTERRUPTS();
	if (*work >= 0)
		*work -= steps;
	return *work >= 0;
}

/*
 * The class of a type: values of types of one class that are equal, by the
 * equality of the class, have the same text.  InvalidOid if there is none.
 */
static Oid
fact_class(Oid type)
{
	Oid			base = getBaseType(type);

	switch (base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return INT8OID;
		case NAMEOID:
		case TEXTOID:
		case VARCHAROID:
			return TEXTOID;
		case BOOLOID:
		case BYTEAOID:
		case CHAROID:
		case DATEOID:
		case OIDOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case UUIDOID:
			return base;
		default:
			return type_is_enum(base) ? base : InvalidOid;
	}
}

/* Is an operator, under a collation, the equality of a class? */
static bool
fact_is_equality(Oid operator, Oid collation, Oid class)
{
	TypeCacheEntry *type = lookup_type_cache(class, TYPECACHE_BTREE_OPFAMILY);

	return operator < FirstNormalObjectId &&
		OidIsValid(type->btree_opf) &&
		get_op_opfamily_strategy(operator, type->btree_opf) == BTEqualStrategyNumber &&
		(class != TEXTOID ||
		 (OidIsValid(collation) && get_collation_isdeterministic(collation)));
}

/* The argument of what changes no bit: some casts, and COLLATE. */
static Node *
fact_relabelled(Node *node)
{
	if (IsA(node, RelabelType))
		return (Node *) ((RelabelType *) node)->arg;
	if (IsA(node, CollateExpr))
		return (Node *) ((CollateExpr *) node)->arg;
	if (IsA(node, ArrayCoerceExpr))
	{
		Node	   *element = (Node *) ((ArrayCoerceExpr *) node)->elemexpr;

		if (IsA(element, RelabelType) &&
			IsA(((RelabelType *) element)->arg, CaseTestExpr))
			return (Node *) ((ArrayCoerceExpr *) node)->arg;
	}
	return NULL;
}

/* The argument of a cast from one integer type to another. */
static Node *
fact_widened(Node *node)
{
	FuncExpr   *cast = (FuncExpr *) node;

	if (!IsA(node, FuncExpr) || list_length(cast->args) != 1 ||
		cast->funcid >= FirstNormalObjectId ||
		cast->funcformat == COERCE_EXPLICIT_CALL ||
		fact_class(cast->funcresulttype) != INT8OID ||
		fact_class(exprType(linitial(cast->args))) != INT8OID)
		return NULL;
	return linitial(cast->args);
}

/* Are two columns the same one? */
static bool
fact_same(const Var *a, const Var *b)
{
	return a->varno == b->varno && a->varattno == b->varattno &&
		a->varlevelsup == b->varlevelsup;
}

/* Append a column, unless it is there. */
static List *
fact_add_column(List *columns, Var *column)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		if (fact_same(lfirst(lc), column))
			return columns;
	}
	return lappend(columns, column);
}

/* The level that a column is of; NULL if it is not known. */
static const FactLevel *
fact_level_of(const FactLevel *level, const Var *column)
{
	for (Index up = column->varlevelsup; up > 0 && level != NULL; up--)
		level = level->outer;
	return level;
}

/*
 * What a column of a join, or of a grouped query, is another name for; NULL if it
 * is computed.
 */
static Var *
fact_joined_column(const FactLevel *level, Var *column)
{
	for (;;)
	{
		const FactLevel *home = fact_level_of(level, column);
		List	   *renamed;
		Var		   *joined;

		if (home == NULL || column->varattno <= 0 || !fact_work(level->work, 1))
			return NULL;
		renamed = compat_renamed_columns(rt_fetch(column->varno,
												  home->query->rtable));
		if (renamed == NIL)
			return column;
		joined = list_nth(renamed, column->varattno - 1);
		if (joined == NULL || !IsA(joined, Var))
			return NULL;
		joined = copyObject(joined);
		joined->varlevelsup += column->varlevelsup;
		column = joined;
	}
}

/*
 * The column whose values have the text of those of an expression; NULL if it is
 * no column.
 */
static Var *
fact_column(const FactLevel *level, Node *node)
{
	Oid			class = fact_class(exprType(node));

	while (OidIsValid(class))
	{
		Node	   *arg = fact_relabelled(node);

		if (arg == NULL)
			arg = fact_widened(node);
		if (arg == NULL || fact_class(exprType(arg)) != class)
			break;
		node = arg;
	}
	if (!OidIsValid(class) || !IsA(node, Var))
		return NULL;
	return fact_joined_column(level, (Var *) node);
}

static List *
fact_add_constant(List *values, Oid type, Datum value)
{
	FactValue  *result = palloc0(sizeof(FactValue));

	result->text = template_value(type, value);
	result->type = type;
	return lappend(values, result);
}

/*
 * Append the elements of an array, unless they are null, to values.  False if
 * there are too many.
 */
static bool
fact_add_elements(List **values, Oid type, ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > FACT_MAX_ELEMENTS)
		return false;
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &elements, &nulls, &nelements);
	for (int i = 0; i < nelements; i++)
	{
		if (nulls[i])
			continue;
		if (list_length(*values) >= FACT_MAX_VALUES)
			return false;
		*values = fact_add_constant(*values, type, elements[i]);
	}
	return true;
}

/*
 * Append what a constant or parameter stands for to values, unless it is null.
 * class: of what it is compared with.  False if it is something else.
 */
static bool
fact_add_values(List **values, Node *node, bool is_array, Oid class)
{
	Oid			type = exprType(node);
	Node	   *arg;
	FactValue  *value;

	while ((arg = fact_relabelled(node)) != NULL)
		node = arg;
	/* of the type that it is compared as, so the cast matters */
	while (type == exprType(node) && (arg = fact_widened(node)) != NULL)
	{
		node = arg;
		type = exprType(node);
	}
	if (is_array)
		type = get_base_element_type(type);
	if (!OidIsValid(type) || fact_class(type) != class)
		return false;

	if (IsA(node, Const))
	{
		Const	   *constant = (Const *) node;

		if (constant->constisnull)
			return true;
		if (is_array)
			return fact_add_elements(values, type,
									 DatumGetArrayTypeP(constant->constvalue));
		*values = fact_add_constant(*values, type, constant->constvalue);
		return true;
	}
	if (!IsA(node, Param) || ((Param *) node)->paramkind != PARAM_EXTERN)
		return false;
	value = palloc0(sizeof(FactValue));
	value->param = ((Param *) node)->paramid;
	value->param_type = ((Param *) node)->paramtype;
	value->type = type;
	value->is_array = is_array;
	*values = lappend(*values, value);
	return true;
}

static Fact *
fact_make(Var *column, Var *other, List *values)
{
	Fact	   *fact = palloc0(sizeof(Fact));

	fact->column = column;
	fact->other = other;
	fact->values = values;
	return fact;
}

/*
 * The fact that two expressions are equal, NULL if it says nothing to us.
 */
static Fact *
fact_equality(const FactLevel *level, OpExpr *equality)
{
	Node	   *left;
	Node	   *right;
	Oid			class;
	Var		   *column;
	Var		   *other;
	List	   *values = NIL;

	if (list_length(equality->args) != 2)
		return NULL;
	left = linitial(equality->args);
	right = lsecond(equality->args);
	class = fact_class(exprType(left));
	if (!OidIsValid(class) || fact_class(exprType(right)) != class ||
		!fact_is_equality(equality->opno, equality->inputcollid, class))
		return NULL;

	column = fact_column(level, left);
	other = fact_column(level, right);
	if (column != NULL && other != NULL)
		return fact_make(column, other, NIL);
	if (column == NULL)
	{
		column = other;
		right = left;
	}
	if (column == NULL || !fact_add_values(&values, right, false, class))
		return NULL;
	return fact_make(column, NULL, values);
}

/*
 * The fact that a column equals an element of an array, NULL if it is not known
 * which elements there are.
 */
static Fact *
fact_membership(const FactLevel *level, ScalarArrayOpExpr *membership)
{
	Node	   *scalar = linitial(membership->args);
	Node	   *array = lsecond(membership->args);
	Oid			class = fact_class(exprType(scalar));
	Node	   *list = array;
	Var		   *column;
	List	   *values = NIL;
	ListCell   *lc;

	if (!membership->useOr || !OidIsValid(class) ||
		!fact_is_equality(membership->opno, membership->inputcollid, class))
		return NULL;
	column = fact_column(level, scalar);
	if (column == NULL)
		return NULL;
	while (list != NULL && !IsA(list, ArrayExpr))
		list = fact_relabelled(list);
	if (list == NULL || ((ArrayExpr *) list)->multidims)
	{
		if (!fact_add_values(&values, array, true, class))
			return NULL;
		return fact_make(column, NULL, values);
	}
	foreach(lc, ((ArrayExpr *) list)->elements)
	{
		if (list_length(values) > FACT_MAX_VALUES ||
			!fact_add_values(&values, lfirst(lc), false, class))
			return NULL;
	}
	return fact_make(column, NULL, values);
}

/*
 * The facts of one condition or another: columns that have values in each.
 */
static List *
fact_alternatives(const FactLevel *level, List *conditions)
{
	List	   *facts = NIL;
	ListCell   *lc;
	ListCell   *lc2;
	ListCell   *lc3;

	foreach(lc, conditions)
	{
		List	   *branch = fact_conditions(level, lfirst(lc));

		if (lc == list_head(conditions))
			facts = list_copy(branch);
		/* none that holds for all, or none that can be told to */
		if (facts == NIL ||
			!fact_work(level->work,
					   (int64) list_length(facts) * list_length(branch)))
			return NIL;
		foreach(lc2, facts)
		{
			Fact	   *fact = lfirst(lc2);
			Fact	   *match = NULL;

			foreach(lc3, branch)
			{
				Fact	   *candidate = lfirst(lc3);

				if (candidate->other == NULL &&
					fact_same(candidate->column, fact->column))
					match = candidate;
			}
			if (fact->other != NULL || match == NULL)
				facts = foreach_delete_current(facts, lc2);
			else if (match != fact)
			{
				fact->values = list_concat(fact->values, match->values);
				if (list_length(fact->values) > FACT_MAX_VALUES)
					facts = foreach_delete_current(facts, lc2);
			}
		}
	}
	return facts;
}

List *
fact_conditions(const FactLevel *level, Node *condition)
{
	Fact	   *fact = NULL;
	List	   *facts = NIL;
	ListCell   *lc;

	check_stack_depth();
	if (condition == NULL || !fact_work(level->work, 1))
		return NIL;
	if (IsA(condition, List) || is_andclause(condition))
	{
		foreach(lc, IsA(condition, List) ? (List *) condition :
				((BoolExpr *) condition)->args)
			facts = list_concat(facts, fact_conditions(level, lfirst(lc)));
		return facts;
	}
	if (is_orclause(condition))
		return fact_alternatives(level, ((BoolExpr *) condition)->args);
	if (!fact_work(level->work, FACT_EQUALITY_WORK))
		return NIL;
	if (IsA(condition, OpExpr))
		fact = fact_equality(level, (OpExpr *) condition);
	else if (IsA(condition, ScalarArrayOpExpr))
		fact = fact_membership(level, (ScalarArrayOpExpr *) condition);
	return fact != NULL ? list_make1(fact) : NIL;
}

List *
fact_join(const FactLevel *level, Node *join)
{
	List	   *facts = NIL;
	ListCell   *lc;

	check_stack_depth();
	if (IsA(join, FromExpr))
	{
		foreach(lc, ((FromExpr *) join)->fromlist)
			facts = list_concat(facts, fact_join(level, lfirst(lc)));
		return list_concat(facts,
						   fact_conditions(level, ((FromExpr *) join)->quals));
	}
	if (IsA(join, JoinExpr))
	{
		JoinExpr   *expr = (JoinExpr *) join;

		if (expr->jointype == JOIN_INNER || expr->jointype == JOIN_LEFT)
			facts = list_concat(facts, fact_join(level, expr->larg));
		if (expr->jointype == JOIN_INNER || expr->jointype == JOIN_RIGHT)
			facts = list_concat(facts, fact_join(level, expr->rarg));
		if (expr->jointype == JOIN_INNER)
			facts = list_concat(facts, fact_conditions(level, expr->quals));
	}
	return facts;
}

/* How many values, at a guess. */
static int
fact_count(const Fact *fact)
{
	int			count = 0;
	ListCell   *lc;

	foreach(lc, fact->values)
		count += ((FactValue *) lfirst(lc))->is_array ? FACT_MAX_VALUES : 1;
	return count;
}

/* Of two facts, either of which may be NULL, the one with fewer values. */
static Fact *
fact_better(Fact *a, Fact *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return fact_count(b) < fact_count(a) ? b : a;
}

/*
 * The fact that tells the values of a column of an outer level, by what holds there.
 */
static Fact *
fact_resolve_outer(const FactLevel *level, const Var *column)
{
	FactLevel  *home = level->outer;
	Var		   *local = copyObject(unconstify(Var *, column));
	FactAnswer *answer;
	ListCell   *lc;

	for (Index up = column->varlevelsup; up > 1 && home != NULL; up--)
		home = home->outer;
	if (home == NULL || !fact_work(level->work, list_length(home->answers)))
		return NULL;
	local->varlevelsup = 0;
	foreach(lc, home->answers)
	{
		answer = lfirst(lc);
		if (fact_same(answer->column, local))
			return answer->fact;
	}
	answer = palloc(sizeof(FactAnswer));
	answer->column = local;
	answer->fact = fact_resolve(home, home->facts, local);
	home->answers = lappend(home->answers, answer);
	return answer->fact;
}

/*
 * Of several facts, the one with the fewest values.
 */
Fact *
fact_resolve(const FactLevel *level, const List *facts, Var *column)
{
	List	   *equals = list_make1(column);
	Fact	   *best = NULL;
	ListCell   *lc;

	check_stack_depth();
	/* the list grows while it is walked */
	for (int i = 0; i < list_length(equals); i++)
	{
		Var		   *member = list_nth(equals, i);

		if (!fact_work(level->work, list_length(facts) + list_length(equals)))
			return best;
		foreach(lc, facts)
		{
			Fact	   *fact = lfirst(lc);

			if (fact->other == NULL)
			{
				if (fact_same(fact->column, member))
					best = fact_better(best, fact);
			}
			else if (fact_same(fact->column, member))
				equals = fact_add_column(equals, fact->other);
			else if (fact_same(fact->other, member))
				equals = fact_add_column(equals, fact->column);
		}
		if (member->varlevelsup > 0)
			best = fact_better(best, fact_resolve_outer(level, member));
	}
	return best;
}

Fact *
fact_given(const FactLevel *level, Node *expr, List *values)
{
	Var		   *column = fact_column(level, expr);

	return column != NULL ? fact_make(column, NULL, values) : NULL;
}

bool
fact_is_fuzzy(Node *expr)
{
	Oid			collation = exprCollation(expr);

	return fact_class(exprType(expr)) == TEXTOID &&
		!(OidIsValid(collation) && get_collation_isdeterministic(collation));
}

List *
fact_copy_values(const List *values)
{
	List	   *copies = NIL;
	ListCell   *lc;

	foreach(lc, values)
	{
		FactValue  *copy = palloc(sizeof(FactValue));

		*copy = *(FactValue *) lfirst(lc);
		if (copy->text)
			copy->text = pstrdup(copy->text);
		copies = lappend(copies, copy);
	}
	return copies;
}

/*
 * The part of fact_add_texts for one value.
 */
static bool
fact_add_text(List **texts, const FactValue *value, ParamListInfo params)
{
	ParamExternData workspace;
	ParamExternData *param;
	List	   *elements = NIL;
	ListCell   *lc;

	if (value->text)
	{
		*texts = lappend(*texts, value->text);
		return list_length(*texts) <= FACT_MAX_VALUES;
	}
	if (params == NULL || value->param > params->numParams)
		return false;
	param = params->paramFetch != NULL ?
		params->paramFetch(params, value->param, true, &workspace) :
		&params->params[value->param - 1];
	if (param->ptype != value->param_type)
		return false;
	if (param->isnull)
		return true;
	if (!value->is_array)
		elements = fact_add_constant(NIL, value->type, param->value);
	else if (!fact_add_elements(&elements, value->type,
								DatumGetArrayTypeP(param->value)))
		return false;
	foreach(lc, elements)
	{
		value = lfirst(lc);
		*texts = lappend(*texts, value->text);
	}
	return list_length(*texts) <= FACT_MAX_VALUES;
}

bool
fact_add_texts(List **texts, const List *values, ParamListInfo params)
{
	ListCell   *lc;

	foreach(lc, values)
	{
		if (!fact_add_text(texts, lfirst(lc), params))
			return false;
	}
	return true;
}
