/*-------------------------------------------------------------------------
 *
 * depend.c
 *	  What a query reads, and whether its result may be cached.
 *
 * The query is examined as the rewriter leaves it: views are expanded, row
 * security is in it, and every relation is in some range table.  A partitioned
 * table stands for all that is below it.  Children that inherit are dependencies
 * of their own: unlike a partition, a table may come to inherit, or its parent
 * may, while someone writes to it, who then does not know of all above.
 *
 * Refused is what would do something (write, lock, or call what may), and what
 * reads the temporary tables of a session.
 *
 * If freshness is the cache's own (automatic), everything the result depends on
 * must be known, so more is refused: what changes without a committed change
 * to a table of this server (time, random samples, foreign tables), what the
 * cache does not watch (system catalogs, sequences), and functions that may
 * read anything.
 *
 * What is known is listed: kinds of nodes and range table entries here, built-in
 * functions in builtin.c.  The rest is refused.
 *
 * What the functions are that it calls, and what they do, is for call.c to say.
 * The queries inside of them are examined here.
 *
 * The planner replaces generated columns that are not stored by their
 * expressions, so the query does not show these.  They are examined with the
 * table.
 *
 * A result is shareable between users and custom settings if that can be proved
 * from the query: no row security, no foreign tables, values of built-in types
 * only, functions of which it is known that they look at no more than the
 * built-in settings in all keys (settings.c).  Definitions that change end the
 * proof with the statement.
 *
 * What this file must not do: remember anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/transam.h"
#include "base/compat.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "query/call.h"
#include "query/depend.h"
#include "query/reach.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

/*
 * Statements of more nodes are not examined, constants counting as one for so many
 * bytes: what is made of them (statement.c) would be larger than PostgreSQL can
 * allocate.
 */
#define DEPEND_MAX_SIZE 1000000
#define DEPEND_CONSTANT_BYTES 64

bool
depend_type_is_shareable(Oid type)
{
	Oid			element = get_base_element_type(type);

	if (OidIsValid(element))
		type = element;
	type = getBaseType(type);
	switch (type)
	{
			/* written as the names of objects that a user can see */
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGTYPEOID:
		case REGROLEOID:
		case REGNAMESPACEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case REGCOLLATIONOID:
		case ACLITEMOID:
			return false;
			/* of unknown columns */
		case RECORDOID:
		case RECORDARRAYOID:
			return false;
		default:
			/* others are what their makers made them */
			return type_is_enum(type) ||
				(type < FirstNormalObjectId && !type_is_rowtype(type));
	}
}

/*
 * The time and its relatives; the other ones are about users.
 */
static bool
depend_check_value(SQLValueFunction *value, Examination *walk)
{
	Dependencies *deps = walk->deps;

	if (value->op > SVFOP_LOCALTIMESTAMP_N)
	{
		if (value->op != SVFOP_CURRENT_CATALOG)
			deps->shareable = false;
		return false;
	}
	if (!finding_is_strict(walk))
		return false;
	return finding_refuse(deps, "it depends on the time", FINDING_TAGS_HINT);
}

/*
 * Check one relation that is read.
 */
static bool
depend_check_kind(Oid relid, Dependencies *deps)
{
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		return finding_refuse(deps,
							  psprintf("it reads the temporary table \"%s\"",
									   get_rel_name(relid)),
							  FINDING_UNCACHED_HINT);
	if (!deps->automatic)
	{
		/* what is fetched may depend on who asks, and what for */
		if (get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE)
		{
			deps->shareable = false;
			deps->opaque = true;
		}
		return false;
	}
	if (relid < FirstNormalObjectId)
		return finding_refuse(deps,
							  psprintf("it reads the system catalog \"%s\"",
									   get_rel_name(relid)),
							  FINDING_TAGS_HINT);
	switch (get_rel_relkind(relid))
	{
		case RELKIND_FOREIGN_TABLE:
			return finding_refuse(deps,
								  psprintf("it reads the foreign table \"%s\"",
										   get_rel_name(relid)),
								  FINDING_TAGS_HINT);
		case RELKIND_SEQUENCE:
			return finding_refuse(deps,
								  psprintf("it reads the sequence \"%s\"",
										   get_rel_name(relid)),
								  FINDING_TAGS_HINT);
		default:
			return false;
	}
}

static bool depend_walker(Node *node, Examination *walk);

/*
 * Check what is computed as a relation is read, whether the query uses it or not.
 * Where others inherit from it, the planner takes the expressions of this one for
 * all.
 */
static bool
depend_check_virtual_columns(Oid relid, Examination *walk)
{
	Relation	rel = RelationIdGetRelation(relid);
	List	   *expressions;

	if (!RelationIsValid(rel))
		elog(ERROR, "cannot open relation %u", relid);
	expressions = compat_virtual_columns(rel);
	RelationClose(rel);
	return depend_walker((Node *) expressions, walk);
}

static bool
depend_check_relation(RangeTblEntry *rte, Examination *walk)
{
	Dependencies *deps = walk->deps;
	ListCell   *lc;

	if (walk->folded)
		return finding_refuse(deps,
							  psprintf("it reads the table \"%s\" inside of what is IMMUTABLE",
									   get_rel_name(rte->relid)),
							  "Declare the function STABLE.");
	if (depend_check_kind(rte->relid, deps) ||
		depend_check_virtual_columns(rte->relid, walk))
		return true;
	if (rte->inh && has_subclass(rte->relid))
	{
		bool		partitioned = rte->relkind == RELKIND_PARTITIONED_TABLE;

		deps->inherits = true;
		foreach(lc, find_all_inheritors(rte->relid, NoLock, NULL))
		{
			if (depend_check_kind(lfirst_oid(lc), deps))
				return true;
			if (!partitioned)
				deps->relations = list_append_unique_oid(deps->relations,
														 lfirst_oid(lc));
		}
	}
	/* also with REPEATABLE: where rows are stored changes without a change */
	if (deps->automatic && rte->tablesample != NULL)
		return finding_refuse(deps, "it reads a random sample", FINDING_TAGS_HINT);

	deps->inner_reads |= walk->depth > 0;
	deps->relations = list_append_unique_oid(deps->relations, rte->relid);
	return false;
}

/*
 * Where a row is stored, and who has locked it, changes without any change of
 * data.
 */
static bool
depend_check_column(const Var *column, Dependencies *deps)
{
	if (!deps->automatic || column->varattno >= 0 ||
		column->varattno == TableOidAttributeNumber)
		return false;
	return finding_refuse(deps, "it reads a system column", FINDING_TAGS_HINT);
}

/*
 * XMLTABLE and JSON_TABLE read text as dates and times as they run, 'today'
 * among them.
 */
static bool
depend_check_table_function(const TableFunc *table, Examination *walk)
{
	ReachTimes	times = {0};
	ListCell   *lc;

	foreach(lc, table->coltypes)
	{
		if (reach_type(walk->reach, lfirst_oid(lc), true))
			return true;
		reach_times(lfirst_oid(lc), &times);
	}
	if (!times.any || !finding_is_strict(walk))
		return false;
	return finding_refuse(walk->deps, "it reads dates or times from XML or JSON",
						  FINDING_TAGS_HINT);
}

/*
 * A function in FROM whose columns the query names.
 */
static bool
depend_check_item(const RangeTblFunction *item, Examination *walk)
{
	ListCell   *lc;

	foreach(lc, item->funccoltypes)
	{
		if (reach_type(walk->reach, lfirst_oid(lc), true))
			return true;
	}
	return false;
}

static bool
depend_check_sorting(const SortGroupClause *clause, Examination *walk)
{
	return reach_operator(walk->reach, clause->eqop, true) ||
		reach_operator(walk->reach, clause->sortop, true);
}

static bool
depend_check_sortings(const List *clauses, Examination *walk)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		if (depend_check_sorting(lfirst_node(SortGroupClause, lc), walk))
			return true;
	}
	return false;
}

static bool
depend_check_window(const WindowClause *window, Examination *walk)
{
	return (OidIsValid(window->startInRangeFunc) &&
			call_check_reached(window->startInRangeFunc, false, walk)) ||
		(OidIsValid(window->endInRangeFunc) &&
		 call_check_reached(window->endInRangeFunc, false, walk));
}

/*
 * Check what may be put in place of the operators of an expression; those
 * themselves are checked with their arguments.
 */
static bool
depend_check_operators(Node *node, Examination *walk)
{
	ListCell   *lc;

	switch (nodeTag(node))
	{
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			return reach_operator(walk->reach, ((OpExpr *) node)->opno, false);
		case T_ScalarArrayOpExpr:
			return reach_operator(walk->reach,
								  ((ScalarArrayOpExpr *) node)->opno, false);
		case T_RowCompareExpr:
			foreach(lc, ((RowCompareExpr *) node)->opnos)
			{
				if (reach_operator(walk->reach, lfirst_oid(lc), false))
					return true;
			}
			return false;
		default:
			return false;
	}
}

/*
 * The function whose result an expression is, or InvalidOid.
 */
static Oid
depend_result_of(const Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			return ((const FuncExpr *) node)->funcid;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			return ((const OpExpr *) node)->opfuncid;
		case T_Aggref:
			return ((const Aggref *) node)->aggfnoid;
		case T_WindowFunc:
			return ((const WindowFunc *) node)->winfnoid;
		default:
			return InvalidOid;
	}
}

/*
 * Does an expression make values of its type, by a conversion or as the result of
 * a function that works on any type?  Other functions answer for what they
 * make.
 */
static bool
depend_makes_values(const Node *node)
{
	Oid			funcid = depend_result_of(node);

	switch (nodeTag(node))
	{
		case T_Const:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_ConvertRowtypeExpr:
		case T_CoerceToDomain:
			return true;
		default:
			return OidIsValid(funcid) &&
				(funcid < FirstNormalObjectId ||
				 call_language(funcid) == INTERNALlanguageId);
	}
}

/*
 * Check the type of an expression.  columns: the function in FROM that it is, or
 * NULL; of that, what counts are the columns that are used.
 */
static bool
depend_check_type(Node *node, const RangeTblFunction *columns, Examination *walk)
{
	Oid			type = exprType(node);
	bool		made = depend_makes_values(node);
	TupleDesc	desc;

	if (reach_type(walk->reach, type, made))
		return true;
	if (IsA(node, FuncExpr) && type == RECORDOID)
	{
		(void) get_expr_result_type(node, NULL, &desc);
		if (desc != NULL && reach_columns(walk->reach, desc, made))
			return true;
	}
	/* the fields of an anonymous row are expressions of their own */
	if (columns == NULL && !IsA(node, RowExpr) && !depend_type_is_shareable(type))
		walk->deps->shareable = false;
	return false;
}

/*
 * Check a range table entry, apart from the expressions in it.
 */
static bool
depend_check_entry(RangeTblEntry *rte, Examination *walk)
{
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return depend_check_relation(rte, walk);
		case RTE_SUBQUERY:
			/* a view, where the rewriter leaves no other trace of it */
			return OidIsValid(rte->relid) &&
				depend_check_kind(rte->relid, walk->deps);
		case RTE_JOIN:
		case RTE_FUNCTION:
		case RTE_TABLEFUNC:
		case RTE_VALUES:
		case RTE_CTE:
		case RTE_RESULT:
			return false;
		case RTE_NAMEDTUPLESTORE:
			return finding_refuse(walk->deps,
								  "it reads the rows that a statement has changed",
								  FINDING_UNCACHED_HINT);
		default:
			if (compat_is_grouping(rte))
				return false;
			return finding_refuse(walk->deps,
								  "it reads from something that is not known",
								  FINDING_UNCACHED_HINT);
	}
}

static bool
depend_walk_query(Query *query, Examination *walk)
{
	Dependencies *deps = walk->deps;
	ListCell   *lc;

	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL ||
		query->hasModifyingCTE)
		return finding_refuse(deps, "it is not a plain SELECT",
							  "Only SELECT and VALUES can be cached.");
	if (query->rowMarks != NIL)
		return finding_refuse(deps, "it locks rows",
							  "Leave FOR UPDATE, FOR SHARE and the like out of the query.");
	if (query->hasRowSecurity)
		deps->shareable = false;
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		access_add(walk->depth == 0 ? &deps->access : &deps->inner_access,
				   query, rte);
		if (depend_check_entry(rte, walk))
			return true;
	}
	return query_tree_walker(query, depend_walker, walk, QTW_EXAMINE_SORTGROUP);
}

/*
 * Check a node that has no value.  What is not listed here or in
 * depend_check_node is refused.
 */
static bool
depend_check_part(Node *node, Examination *walk)
{
	switch (nodeTag(node))
	{
		case T_List:
		case T_FromExpr:
		case T_JoinExpr:
		case T_RangeTblRef:
		case T_TargetEntry:
		case T_CommonTableExpr:
		case T_CTESearchClause:
			return false;
		case T_RangeTblFunction:
			walk->item = (RangeTblFunction *) node;
			return depend_check_item(walk->item, walk);
		case T_TableFunc:
			return depend_check_table_function((TableFunc *) node, walk);
		case T_TableSampleClause:
			if (((TableSampleClause *) node)->tsmhandler >= FirstNormalObjectId)
				finding_note_unknown(walk->deps);
			return false;
		case T_SortGroupClause:
			return depend_check_sorting((SortGroupClause *) node, walk);
		case T_WindowClause:
			return depend_check_window((WindowClause *) node, walk);
		case T_SetOperationStmt:
			return depend_check_sortings(((SetOperationStmt *) node)->groupClauses,
										 walk);
		case T_CTECycleClause:
			return reach_operator(walk->reach,
								  ((CTECycleClause *) node)->cycle_mark_neop,
								  true);
		default:
			return finding_refuse(walk->deps, "a part of it is of a kind that is not known",
								  FINDING_UNCACHED_HINT);
	}
}

/*
 * Check a node that has a value, and others by the way.
 */
static bool
depend_check_node(Node *node, const RangeTblFunction *columns, Examination *walk)
{
	Dependencies *deps = walk->deps;

	switch (nodeTag(node))
	{
		case T_Var:
			if (depend_check_column((Var *) node, deps))
				return true;
			break;
		case T_Const:
			if (!((Const *) node)->constisnull)
				reach_times(((Const *) node)->consttype, &walk->times);
			break;
		case T_SQLValueFunction:
			if (depend_check_value((SQLValueFunction *) node, walk))
				return true;
			break;
		case T_NextValueExpr:
			return finding_refuse(deps, "it advances a sequence",
								  FINDING_UNCACHED_HINT);
		case T_Param:
		case T_FuncExpr:
		case T_Aggref:
		case T_GroupingFunc:
		case T_WindowFunc:
		case T_SubscriptingRef:
		case T_NamedArgExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_BoolExpr:
		case T_SubLink:
		case T_FieldSelect:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_ConvertRowtypeExpr:
		case T_CollateExpr:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_RowCompareExpr:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_XmlExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CoerceToDomain:
		case T_CoerceToDomainValue:
			break;
		default:
			if (!compat_makes_json(node))
				return depend_check_part(node, walk);
			break;
	}
	return depend_check_type(node, columns, walk) ||
		depend_check_operators(node, walk);
}

/*
 * Is what was looked at more than there is a point in looking at?
 */
static bool
depend_check_size(const Node *node, Dependencies *deps)
{
	CHECK_FOR_INTERRUPTS();
	deps->size++;
	if (IsA(node, Const))
	{
		const Const *constant = (const Const *) node;

		if (!constant->constbyval && !constant->constisnull)
			deps->size += datumGetSize(constant->constvalue, false,
									   constant->constlen) / DEPEND_CONSTANT_BYTES;
	}
	if (deps->size <= DEPEND_MAX_SIZE)
		return false;
	return finding_refuse(deps, "it is too large", FINDING_UNCACHED_HINT);
}

/*
 * Walks until there is a reason to refuse.
 */
static bool
depend_walker(Node *node, Examination *walk)
{
	const RangeTblFunction *columns = NULL;

	if (node == NULL)
		return false;
	if (depend_check_size(node, walk->deps))
		return true;
	if (IsA(node, Query))
	{
		check_stack_depth();
		return depend_walk_query((Query *) node, walk);
	}
	if (walk->item != NULL && walk->item->funcexpr == node)
		columns = walk->item;
	node = call_complete(node);
	return call_check(node, columns, walk) ||
		depend_check_node(node, columns, walk) ||
		expression_tree_walker(node, depend_walker, walk);
}

/*
 * Check a condition of a domain.
 */
static bool
depend_check_condition(Node *condition, void *context)
{
	Examination *walk = context;
	Node	   *call = walk->call;
	const RangeTblFunction *columns = walk->columns;
	bool		refused = depend_walker(condition, walk);

	walk->call = call;
	walk->columns = columns;
	return refused;
}

void
depend_examine(Query *query, const char *text, bool automatic,
			   Dependencies *deps)
{
	Examination walk = {0};
	Reach		reach = {0};

	memset(deps, 0, sizeof(*deps));
	deps->automatic = automatic;
	deps->shareable = true;
	deps->complete = true;
	deps->executable = true;
	reach.function = call_check_reached;
	reach.condition = depend_check_condition;
	reach.context = &walk;
	walk.deps = deps;
	walk.reach = &reach;
	walk.query = depend_walk_query;
	if (!depend_walk_query(query, &walk))
		(void) finding_check_dates(&walk, text);
}
