/*-------------------------------------------------------------------------
 *
 * wrap.c
 *	  Makes, recognizes and takes apart plans with a cache node on top.
 *
 * A wrapped plan is the plan of a statement with the node of scan.c on top of
 * it.  A promise is a plan that consists of the node alone; plan.c has one
 * made for a statement whose result is in L1.  For each execution of either,
 * serve.c has one of two plans made: it strips a wrapped plan, which leaves
 * the plan below the node, or it binds the plan, which tells the node what was
 * decided for this execution.
 *
 * The node carries what was known when the statement was planned: the query
 * tree, and a ScanSpec as the bytes of a constant.  The columns of the node
 * belong to a range table entry that is appended to those of the plan.  Thus
 * EXPLAIN and ruleutils find names for them.
 *
 * PostgreSQL may keep a plan and execute it many times, even while it is being
 * executed already.  So a wrapped plan is never written to.  Stripping and
 * binding copy the statement and the node, no deeper than needed.  All that
 * the node carries consists of PostgreSQL's own nodes, so copyObject() and
 * nodeToString() work on it, and a copy of a plan, bound or not, is as good as
 * the original.
 *
 * Protocol and locks: none.
 *
 * What this file must not do: look anything up, or decide which plans get a
 * node.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "plain/wrap.h"
#include "utils/inval.h"
#include "utils/syscache.h"

/* The cursor options that plain statements may be planned with. */
#define WRAP_PLAIN_OPTIONS \
	(CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_GENERIC_PLAN | CURSOR_OPT_CUSTOM_PLAN)

/* The mark of mode 0. */
#define WRAP_MARK 0x63616368

const ScanSpec *
wrap_spec(const CustomScan *node)
{
	return (ScanSpec *) DatumGetPointer(lsecond_node(Const, node->custom_private)->constvalue);
}

const Query *
wrap_tree(const CustomScan *node)
{
	return linitial_node(Query, node->custom_private);
}

const char *
wrap_text(const ScanSpec *spec)
{
	return spec->bytes + spec->terms.tags_len;
}

/*
 * The terms of a spec.  Its tags are the first of its bytes.  The pointer in
 * spec->terms is not set, as the spec may have been copied with its plan.
 */
Terms
wrap_terms(const ScanSpec *spec)
{
	Terms		terms = spec->terms;

	terms.tags = spec->bytes;
	return terms;
}

/*
 * The target list of the node, for the columns in result, which the statement
 * returns.  *source is set to the same columns as Vars of the range table
 * entry number cache, which stands for the cache.
 */
static List *
wrap_columns(List *result, Index cache, List **source)
{
	List	   *columns = NIL;
	ListCell   *lc;

	*source = NIL;
	foreach(lc, result)
	{
		TargetEntry *column = lfirst_node(TargetEntry, lc);
		AttrNumber	number = list_length(columns) + 1;
		Expr	   *expr = column->expr;
		TargetEntry *read;
		TargetEntry *returned;

		if (column->resjunk)
			continue;
		read = makeTargetEntry((Expr *) makeVar(cache, number, exprType((Node *) expr),
												exprTypmod((Node *) expr),
												exprCollation((Node *) expr), 0),
							   number, column->resname, false);
		returned = flatCopyTargetEntry(column);
		returned->resno = number;
		returned->ressortgroupref = 0;
		returned->expr = (Expr *) makeVar(INDEX_VAR, number, exprType((Node *) expr),
										  exprTypmod((Node *) expr),
										  exprCollation((Node *) expr), 0);
		*source = lappend(*source, read);
		columns = lappend(columns, returned);
	}
	return columns;
}

/*
 * A range table entry that stands for the cache.
 */
static RangeTblEntry *
wrap_range_table_entry(List *columns)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, columns)
	{
		const char *name = lfirst_node(TargetEntry, lc)->resname;

		names = lappend(names, makeString(pstrdup(name ? name : "?column?")));
	}
	rte->rtekind = RTE_VALUES;
	rte->eref = makeAlias("cache", names);
	return rte;
}

/*
 * A node for a statement that returns these columns.  cache: number of its
 * range table entry.
 */
static CustomScan *
wrap_make_node(List *result, Index cache, const Query *tree,
			   ScanSpec *spec)
{
	CustomScan *node = makeNode(CustomScan);
	Datum		bytes = PointerGetDatum(spec);

	node->scan.plan.targetlist = wrap_columns(result, cache,
											  &node->custom_scan_tlist);
	node->scan.plan.plan_node_id = SCAN_UNBOUND;
	node->custom_private = list_make2((void *) tree,
									  makeConst(BYTEAOID, -1, InvalidOid, -1,
												bytes, false, false));
	node->methods = &scan_methods;
	return node;
}

/*
 * Does the executor find the row of a table that this plan is at?
 */
static bool
wrap_is_updatable(const Plan *plan)
{
	ListCell   *lc;

	if (plan == NULL)
		return false;
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_ForeignScan:
		case T_CustomScan:
			return true;
		case T_Result:
		case T_Limit:
			return wrap_is_updatable(outerPlan(plan));
		case T_SubqueryScan:
			return wrap_is_updatable(((const SubqueryScan *) plan)->subplan);
		case T_Append:
			foreach(lc, ((const Append *) plan)->appendplans)
			{
				if (wrap_is_updatable(lfirst(lc)))
					return true;
			}
			return false;
		default:
			return false;
	}
}

PlannedStmt *
wrap_plan(PlannedStmt *stmt, const Query *tree, ScanSpec *spec)
{
	Plan	   *plan = stmt->planTree;
	CustomScan *node;

	node = wrap_make_node(plan->targetlist, list_length(stmt->rtable) + 1, tree,
						  spec);
	spec->updatable = wrap_is_updatable(plan);
	if (spec->updatable &&
		(spec->cursor_options & ~WRAP_PLAIN_OPTIONS) != 0)
		return stmt;
	stmt->rtable = lappend(stmt->rtable,
						   wrap_range_table_entry(node->custom_scan_tlist));
	if (ExecSupportsBackwardScan(plan))
		node->flags |= CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	node->scan.plan.startup_cost = plan->startup_cost;
	node->scan.plan.total_cost = plan->total_cost;
	node->scan.plan.plan_rows = plan->plan_rows;
	node->scan.plan.plan_width = plan->plan_width;
	outerPlan(node) = plan;
	stmt->planTree = (Plan *) node;
	return stmt;
}

/*
 * What a statement returns, as planning would leave it: what is constant is
 * folded, by which a column can come to a type modifier.
 */
static List *
wrap_fold_result(const Query *tree)
{
	List	   *result = copyObject(tree->targetList);
	ListCell   *lc;

	foreach(lc, result)
	{
		TargetEntry *column = lfirst_node(TargetEntry, lc);

		if (!IsA(column->expr, Var) && exprTypmod((Node *) column->expr) < 0)
			column->expr = (Expr *) eval_const_expressions(NULL,
														   (Node *) column->expr);
	}
	return result;
}

PlannedStmt *
wrap_promise(const Query *tree, ScanSpec *spec, const Access *access,
			 double cost, double rows)
{
	PlannedStmt *stmt = makeNode(PlannedStmt);
	List	   *result = wrap_fold_result(tree);
	CustomScan *node = wrap_make_node(result, list_length(access->rtable) + 1, tree,
									  spec);
	ListCell   *lc;

	/* no plan is there to tell: could there be one that is? */
	spec->updatable = !tree->hasAggs && !tree->hasWindowFuncs &&
		tree->groupClause == NIL;
	/* the rows are there, in whichever direction */
	node->flags |= CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	node->scan.plan.total_cost = cost;
	node->scan.plan.plan_rows = rows;

	stmt->commandType = CMD_SELECT;
	stmt->queryId = tree->queryId;
	stmt->canSetTag = tree->canSetTag;
	stmt->dependsOnRole = tree->hasRowSecurity;
	stmt->planTree = (Plan *) node;
	compat_set_perminfos(stmt, copyObject(access->perminfos));
	stmt->rtable = lappend(copyObject(access->rtable),
						   wrap_range_table_entry(node->custom_scan_tlist));
	foreach(lc, access->rtable)
		stmt->relationOids = lappend_oid(stmt->relationOids,
										 lfirst_node(RangeTblEntry, lc)->relid);
	stmt->stmt_location = tree->stmt_location;
	stmt->stmt_len = tree->stmt_len;
	return stmt;
}

CustomScan *
wrap_find(const PlannedStmt *stmt)
{
	CustomScan *node = (CustomScan *) stmt->planTree;

	if (node == NULL || !IsA(node, CustomScan) ||
		node->methods != &scan_methods)
		return NULL;
	return node;
}

/*
 * A mark is a dependency of the plan, on a type that need not exist.  So plans
 * that have it, and no others, can be invalidated as if the type had changed.
 */
static uint32
wrap_mode_mark(int mode)
{
	return WRAP_MARK + mode;
}

PlannedStmt *
wrap_mark(PlannedStmt *stmt)
{
	PlanInvalItem *item = makeNode(PlanInvalItem);

	item->cacheId = TYPEOID;
	item->hashValue = wrap_mode_mark(cache_mode);
	stmt->invalItems = lappend(stmt->invalItems, item);
	return stmt;
}

void
wrap_outdate_marked(const PlannedStmt *stmt)
{
	const PlanInvalItem *last;

	if (cache_mode == CACHE_MODE_OFF || stmt->invalItems == NIL)
		return;
	last = llast_node(PlanInvalItem, stmt->invalItems);
	if (last->cacheId != TYPEOID)
		return;
	if (last->hashValue == wrap_mode_mark(CACHE_MODE_OFF) ||
		(last->hashValue == wrap_mode_mark(CACHE_MODE_HINT) &&
		 cache_mode != CACHE_MODE_HINT))
		CallSyscacheCallbacks(TYPEOID, last->hashValue);
}

PlannedStmt *
wrap_strip(const PlannedStmt *wrapped)
{
	PlannedStmt *stmt = palloc(sizeof(PlannedStmt));

	memcpy(stmt, wrapped, sizeof(PlannedStmt));
	stmt->planTree = outerPlan(wrapped->planTree);
	/* without the entry for the cache, which EXPLAIN would count */
	stmt->rtable = list_copy_head(wrapped->rtable,
								  list_length(wrapped->rtable) - 1);
	return stmt;
}

PlannedStmt *
wrap_bind(const PlannedStmt *wrapped, int execution, bool serves)
{
	PlannedStmt *stmt = palloc(sizeof(PlannedStmt));
	CustomScan *node = palloc(sizeof(CustomScan));

	memcpy(stmt, wrapped, sizeof(PlannedStmt));
	memcpy(node, wrapped->planTree, sizeof(CustomScan));
	node->scan.plan.plan_node_id = execution;
	stmt->planTree = (Plan *) node;
	if (serves)
	{
		outerPlan(node) = NULL;
		stmt->subplans = NIL;
		stmt->jitFlags = 0;
		stmt->parallelModeNeeded = false;
	}
	return stmt;
}
