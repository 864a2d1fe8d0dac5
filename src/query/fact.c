/*-------------------------------------------------------------------------
 *
 * fact.c
 *	  What the conditions of a query say about the values of its columns.
 *
 * For example, the conditions of
 *
 *	SELECT * FROM author a JOIN story s ON s.author_id = a.id
 *	WHERE a.id IN (7, $1)
 *
 * say that a.id is 7 or the value of $1, and that s.author_id equals a.id.  So
 * the values of both columns are known.  narrow.c asks for them.
 *
 * Words.  A column is a Var, whatever kind of range table entry it belongs to.
 * A fact is an equality that holds for every row that meets some conditions:
 * either of two columns, or of a column and one of a few values, which are
 * constants or parameters.  The values of a column are known if there is a
 * fact of the second kind for it, or for a column that equals it, directly or
 * through other columns.
 *
 * Facts of a join.  fact_join returns the facts that hold for all rows of a
 * join:
 *	- the conditions in WHERE, and in ON of inner joins;
 *	- the facts of both sides of an inner join;
 *	- the facts of the side that an outer join keeps.  The other side may be
 *	  null, so its facts hold for matching rows only.
 * ON of an outer join also holds for matching rows only; it is left to the
 * caller.
 *
 * Since PostgreSQL 16 a Var says which outer joins may have made it null.  That is not
 * looked at: a column is the same above and below them.  This is right because a
 * fact is strict, so it never holds of a value that a join, or since 18 a grouping
 * set, has made null, and any other value is the one below.
 *
 * Equality means equal text.  Values become texts, which are put into tags
 * (template.c).  So values that are equal must have the same text.  That is so
 * for some classes of types: integers of any width; strings of any kind, under
 * deterministic collations; and several types of which equal values have equal
 * bits, such as date and uuid.  It is not so for numeric, since 1.0 equals
 * 1.00, nor for floats (0 and -0), character(n) and citext.  Casts are looked
 * through if they stay in the class, because then they do not change the text.
 *
 * Every equality here is strict, so it also says that a column is not null.  A
 * comparison with a null parameter is never true, so such a parameter
 * contributes no value.
 *
 * A condition that is not understood gives no fact.  To miss a fact is always
 * right.  So it is also right to stop at any time.  The work for one statement
 * is limited (fact_work), since a user may have written the statement only to
 * cause work.  The facts found for columns of outer queries are remembered,
 * because nested queries ask for them again and again.
 *
 * What this file must not do: evaluate expressions, or know what the facts are
 * used for.
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

/* The steps for an equality, which costs a few syscache lookups. */
#define FACT_EQUALITY_WORK 20

/* Arrays with more elements, nulls included, give no facts. */
#define FACT_MAX_ELEMENTS 1024

/* The remembered answer of fact_resolve for a column of a level. */
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
 * The class of a type, or InvalidOid.  Values of types of one class that are
 * equal, by the equality of the class, have the same text.
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

/* Is an operator with a collation the equality of a class? */
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

/*
 * The argument of an expression that does not change its bits: a
 * binary-coercible cast, or COLLATE.  NULL for other expressions.
 */
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

/* The argument of a cast between integer types, or NULL. */
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

/* Are two Vars the same column? */
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

/* The level that a column belongs to; NULL if it is not known. */
static const FactLevel *
fact_level_of(const FactLevel *level, const Var *column)
{
	for (Index up = column->varlevelsup; up > 0 && level != NULL; up--)
		level = level->outer;
	return level;
}

/*
 * The column that a column of a join, or of a grouped query, is another name
 * for.  NULL if it is computed.
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
 * The column that has the same text as an expression; NULL if the expression
 * is not a column, with or without casts.
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
 * Append the elements of an array that are not null to values.  Returns false
 * if there are too many.
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
 * Append a constant or parameter to values, unless it is null.  class: of what
 * it is compared with.  Returns false if the expression is neither, or not of
 * the class.
 */
static bool
fact_add_values(List **values, Node *node, bool is_array, Oid class)
{
	Oid			type = exprType(node);
	Node	   *arg;
	FactValue  *value;

	while ((arg = fact_relabelled(node)) != NULL)
		node = arg;
	/* the value gets the type before the cast, which has the same text */
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
 * The fact in an equality, or NULL.
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
 * The fact in column = ANY (array), or NULL.
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
 * The facts of an OR: a column has a fact if it has values in every
 * alternative.
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
		/* no fact holds for all alternatives, or the work exceeds the limit */
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

/* How many values a fact may have.  The size of an array is guessed. */
static int
fact_count(const Fact *fact)
{
	int			count = 0;
	ListCell   *lc;

	foreach(lc, fact->values)
		count += ((FactValue *) lfirst(lc))->is_array ? FACT_MAX_VALUES : 1;
	return count;
}

/* The fact with fewer values; either may be NULL. */
static Fact *
fact_better(Fact *a, Fact *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return fact_count(b) < fact_count(a) ? b : a;
}

/*
 * The fact that tells the values of a column of an outer level, given the
 * facts of that level.
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
 * If several facts tell the values, this returns the one with the fewest.
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
 * Do the work of fact_add_texts for one value.
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
