/*-------------------------------------------------------------------------
 *
 * depend.c
 *	  What a query reads, and whether its result may be cached.
 *
 * The query is examined as the rewriter leaves it: views are expanded, row
 * security is applied, and every relation is in some range table.
 *
 * Dependencies.  A query over a partitioned table depends on that table only,
 * because a writer of a partition touches the slots of all ancestors
 * (relation.c).  With plain inheritance that is not enough:
 *
 *	CREATE TABLE c () INHERITS (p);
 *	ALTER TABLE p INHERIT g;	-- does not lock c against writers
 *
 * A transaction that is writing to c at that moment does not know that g is
 * now an ancestor of c.  So a query over g depends on each of g, p and c.
 *
 * Refused, whatever the tags:
 *	- what has effects: queries that write, lock rows, or call what may do so;
 *	- what reads the temporary tables of the session.
 *
 * Refused without tags (automatic).  The cache must then know everything that
 * the result depends on:
 *	- what changes without a committed change to a table of this server: the
 *	  time, random samples, foreign tables, system columns such as ctid;
 *	- what the cache does not watch: system catalogs, sequences;
 *	- functions that may read anything (call.c).
 * For instance,
 *
 *	SELECT cached_query('SELECT * FROM story WHERE day = current_date');
 *
 * is refused; with a third argument, '{story}', it is cached.
 *
 * What is harmless is listed: kinds of nodes and of range table entries here,
 * built-in functions in builtin.c.  Everything else is refused.
 *
 * call.c judges the functions that a query calls.  The queries inside these
 * functions are examined here.
 *
 * The planner replaces virtual generated columns by their expressions, so the
 * query does not show these expressions.  They are examined together with the
 * table.
 *
 * Shareable.  A result is shared between users and custom settings only if the
 * query proves that it may be: it has no row security and no foreign tables;
 * all its values are of built-in types or enums; and it calls only functions
 * that are known to read no settings but the built-in ones in the keys of
 * shared results (settings.c).  DDL invalidates the statement, and with it the
 * proof.
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
 * Statements with more nodes are refused, where a constant counts as one more
 * node per so many bytes.  Their written form (analyse_digest) would be
 * larger than PostgreSQL can allocate.
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
			/* output depends on which objects the search path shows */
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
			/* the types of their columns are not known */
		case RECORDOID:
		case RECORDARRAYOID:
			return false;
		default:
			/* the output of other types is what their makers made it */
			return type_is_enum(type) ||
				(type < FirstNormalObjectId && !type_is_rowtype(type));
	}
}

/*
 * Check CURRENT_DATE and the like; those after LOCALTIMESTAMP are about users.
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
		/* the rows may depend on the user and on any setting */
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
 * Check the virtual generated columns of a relation, whether the query uses
 * them or not.  For the children of the relation, the planner uses the same
 * expressions.
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
							  psprintf("it reads the table \"%s\" inside an IMMUTABLE function",
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
	/* even with REPEATABLE, since VACUUM FULL can move rows */
	if (deps->automatic && rte->tablesample != NULL)
		return finding_refuse(deps, "it reads a random sample", FINDING_TAGS_HINT);

	deps->inner_reads |= walk->depth > 0;
	deps->relations = list_append_unique_oid(deps->relations, rte->relid);
	return false;
}

/*
 * Check a column.  System columns, about a row's place and who has locked it,
 * can change without a change of data.
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
 * Check XMLTABLE or JSON_TABLE.  They may read 'today' from a text when they
 * run.
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
 * Check the columns of a function in FROM with a column definition list.
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
 * Check what the planner may use in place of an expression's operators.  The
 * operators themselves are checked as calls.
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
 * The function that an expression calls, or InvalidOid.
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
 * Does an expression make values of its type, by a conversion or by a function
 * of C code in the server, which may work on any type?  Other functions are
 * examined, with the conversions inside them.
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
 * Check the type of an expression.  columns: the item in FROM that it is the
 * call of, or NULL.  Of a function in FROM, only the columns that are used
 * must be shareable.
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
	/* the fields of an anonymous row are checked by themselves */
	if (columns == NULL && !IsA(node, RowExpr) && !depend_type_is_shareable(type))
		walk->deps->shareable = false;
	return false;
}

/*
 * Check a range table entry, without the expressions in it.
 */
static bool
depend_check_entry(RangeTblEntry *rte, Examination *walk)
{
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return depend_check_relation(rte, walk);
		case RTE_SUBQUERY:
			/* a view, if the rewriter has left no other trace of it */
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
								  "it reads from an unknown kind of source",
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
 * Check a node that is not an expression.  Nodes that are listed neither here
 * nor in depend_check_node are refused.
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
 * Check a node.  Those that are not expressions are left to depend_check_part.
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
 * Refuse a statement that is too large.
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
 * Walk until there is a reason to refuse.
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
 * Check a condition of a domain.  This is a callback of Reach.
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
