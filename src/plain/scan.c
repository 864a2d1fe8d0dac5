/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  The plan node that serves a plain statement from the cache.
 *
 * plan.c puts the node on top of the plan of a statement; serve.c decides at
 * each execution what becomes of it:
 *
 *	- hit: the node alone; it returns the rows of the payload.  The plan
 *	  below is not even initialized.
 *	- miss: the node over the plan, whose rows it passes on as they come and
 *	  encodes beside (the fill).  Once the last one has come, and only then, the
 *	  result is complete and can be stored.  An execution that stops before, or
 *	  starts over, stores nothing.
 *	- else (bypass, or nothing to be gained): the plan without the node, as if
 *	  there were no cache.
 *
 * Each gets a plan that is good for this one execution, copied no deeper than
 * needed.
 *
 * Waiting.  A miss joins the flight of its key when its first row is asked
 * for, if all of them are (a portal may be left open).  A leader is paced by its
 * client; who waits for it stops waiting when it waits for its client
 * (flight.c).  COPY can write to what nobody knows to be waited for, a pipe, so
 * it does not fly.  After waiting, a result is served if what the execution read
 * from the clock at its start still holds: then it is what its snapshot sees.
 *
 * A portal can be run in parts, and between them the session can become another
 * user or change its settings.  What it then gives is not the result that was
 * looked up, so that ends the fill.
 *
 * Rows go out where they lie in the payload, which is L1's own (store.c) and
 * lives as long as the execution.  What the node is asked for goes out in a
 * slot for minimal tuples that does not own them, so whoever wants to keep or
 * change one makes a copy.
 *
 * What an execution counts in the statistics of relations is attached to the
 * payload, and a hit counts the same (relstats.c).
 *
 * Errors.  A fill that fails is forgotten with the memory of its execution; its
 * flight is landed by its resource owner.
 *
 * What this file must not do: decide which statements are cached, or which
 * executions are served.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "lookup/lookup.h"
#include "lookup/relstats.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "plain/scan.h"
#include "store/admit.h"
#include "store/codec.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

/* How often an execution waits for a leader that then has nothing to give. */
#define SCAN_MAX_WAITS 3

/* Cost of a plan from which on others wait for its first execution. */
#define SCAN_FLIGHT_COST 1000.0

/* Bits of cursor options that plain statements are planned with. */
#define SCAN_PLAIN_OPTIONS \
	(CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_GENERIC_PLAN | CURSOR_OPT_CUSTOM_PLAN)

/* The node of one execution: a plan node with what was decided. */
typedef struct ScanNode
{
	CustomScan	custom;			/* must be first */
	ScanExecution *execution;
} ScanNode;

typedef struct ScanRun
{
	CustomScanState custom;		/* must be first */
	ScanExecution *execution;	/* NULL: pass on what the plan below gives */

	/* serving */
	TupleTableSlot *slot;
	CodecReader reader;
	MinimalTuple *rows;			/* where they are in the payload, as far as
								 * they were read */
	int64		nrows;
	int64		position;		/* of the row returned last: -1 .. nrows */

	/* filling */
	JunkFilter *junk;
	CodecReceiver *receiver;	/* NULL: not, or no longer */
	RelStats   *relstats;		/* from the first row on */
	instr_time	elapsed;		/* in the plan below */
	bool		started;		/* a row was asked for */
	bool		leads;			/* a flight */
	bool		to_the_end;		/* all rows are asked for at once */
} ScanRun;

static Node *scan_create_state(CustomScan *node);
static void scan_begin(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *scan_next(CustomScanState *node);
static void scan_end(CustomScanState *node);
static void scan_rescan(CustomScanState *node);
static void scan_explain(CustomScanState *node, List *ancestors,
						 ExplainState *es);

static const CustomScanMethods scan_plan_methods = {
	.CustomName = "Cache",
	.CreateCustomScanState = scan_create_state,
};

/* The same for nodes of one execution. */
static const CustomScanMethods scan_node_methods = {
	.CustomName = "Cache",
	.CreateCustomScanState = scan_create_state,
};

static const CustomExecMethods scan_exec_methods = {
	.CustomName = "Cache",
	.BeginCustomScan = scan_begin,
	.ExecCustomScan = scan_next,
	.EndCustomScan = scan_end,
	.ReScanCustomScan = scan_rescan,
	.ExplainCustomScan = scan_explain,
};

ScanSpec *
scan_spec(const CustomScan *node)
{
	return (ScanSpec *) DatumGetPointer(lsecond_node(Const, node->custom_private)->constvalue);
}

const Query *
scan_tree(const CustomScan *node)
{
	return linitial_node(Query, node->custom_private);
}

const char *
scan_text(const ScanSpec *spec)
{
	return spec->bytes + spec->terms.tags_len;
}

/*
 * A copied plan has its tags elsewhere.
 */
Terms
scan_terms(const ScanSpec *spec)
{
	Terms		terms = spec->terms;

	terms.tags = spec->bytes;
	return terms;
}

/*
 * The columns of the node, as those of a range table entry that stands for the
 * cache.  result: what the statement returns; *source: the same columns as
 * the node reads them.
 */
static List *
scan_columns(List *result, Index cache, List **source)
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
scan_range_table_entry(List *columns)
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
scan_make_node(List *result, Index cache, const Query *tree,
			   const ScanSpec *spec)
{
	CustomScan *node = makeNode(CustomScan);
	Datum		bytes = PointerGetDatum(spec);

	node->scan.plan.targetlist = scan_columns(result, cache,
											  &node->custom_scan_tlist);
	node->scan.plan.plan_node_id = -1;
	node->custom_private = list_make2((void *) tree,
									  makeConst(BYTEAOID, -1, InvalidOid, -1,
												bytes, false, false));
	node->methods = &scan_plan_methods;
	return node;
}

/*
 * Does the executor find the row of a table that this plan is at?
 */
static bool
scan_is_updatable(const Plan *plan)
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
			return scan_is_updatable(outerPlan(plan));
		case T_SubqueryScan:
			return scan_is_updatable(((const SubqueryScan *) plan)->subplan);
		case T_Append:
			foreach(lc, ((const Append *) plan)->appendplans)
			{
				if (scan_is_updatable(lfirst(lc)))
					return true;
			}
			return false;
		default:
			return false;
	}
}

PlannedStmt *
scan_wrap(PlannedStmt *stmt, const Query *tree, const ScanSpec *spec)
{
	Plan	   *plan = stmt->planTree;
	CustomScan *node;

	node = scan_make_node(plan->targetlist, list_length(stmt->rtable) + 1, tree,
						  spec);
	scan_spec(node)->updatable = scan_is_updatable(plan);
	if (scan_spec(node)->updatable &&
		(spec->cursor_options & ~SCAN_PLAIN_OPTIONS) != 0)
		return stmt;
	stmt->rtable = lappend(stmt->rtable,
						   scan_range_table_entry(node->custom_scan_tlist));
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
scan_fold_result(const Query *tree)
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
scan_promise(const Query *tree, const ScanSpec *spec, List *rtable,
			 double cost, double rows)
{
	PlannedStmt *stmt = makeNode(PlannedStmt);
	List	   *result = scan_fold_result(tree);
	CustomScan *node = scan_make_node(result, list_length(rtable) + 1, tree, spec);
	ListCell   *lc;

	/* there is no plan to tell; few trees are that plain */
	scan_spec(node)->updatable = !tree->hasAggs && !tree->hasWindowFuncs &&
		tree->groupClause == NIL && tree->distinctClause == NIL &&
		tree->sortClause == NIL && tree->setOperations == NULL;
	/* the rows are there, in whichever direction */
	node->flags |= CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	node->scan.plan.total_cost = cost;
	node->scan.plan.plan_rows = rows;

	stmt->commandType = CMD_SELECT;
	stmt->queryId = tree->queryId;
	stmt->canSetTag = tree->canSetTag;
	stmt->dependsOnRole = tree->hasRowSecurity;
	stmt->planTree = (Plan *) node;
	stmt->rtable = lappend(copyObject(rtable),
						   scan_range_table_entry(node->custom_scan_tlist));
	foreach(lc, rtable)
		stmt->relationOids = lappend_oid(stmt->relationOids,
										 lfirst_node(RangeTblEntry, lc)->relid);
	stmt->stmt_location = tree->stmt_location;
	stmt->stmt_len = tree->stmt_len;
	return stmt;
}

CustomScan *
scan_find(const PlannedStmt *stmt)
{
	CustomScan *node = (CustomScan *) stmt->planTree;

	if (node == NULL || !IsA(node, CustomScan) ||
		node->methods != &scan_plan_methods)
		return NULL;
	return node;
}

bool
scan_is_bound(const PlannedStmt *stmt)
{
	const CustomScan *node = (const CustomScan *) stmt->planTree;

	return IsA(node, CustomScan) && node->methods == &scan_node_methods;
}

PlannedStmt *
scan_strip(const PlannedStmt *wrapped)
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
scan_bind(const PlannedStmt *wrapped, ScanExecution *execution)
{
	PlannedStmt *stmt = palloc(sizeof(PlannedStmt));
	ScanNode   *node = palloc(sizeof(ScanNode));

	memcpy(stmt, wrapped, sizeof(PlannedStmt));
	memcpy(node, wrapped->planTree, sizeof(CustomScan));
	node->custom.methods = &scan_node_methods;
	node->execution = execution;
	stmt->planTree = (Plan *) node;
	if (execution->serves)
	{
		outerPlan(node) = NULL;
		stmt->subplans = NIL;
		stmt->jitFlags = 0;
		stmt->parallelModeNeeded = false;
	}
	return stmt;
}

static Node *
scan_create_state(CustomScan *node)
{
	ScanRun    *state = palloc0(sizeof(ScanRun));

	NodeSetTag(state, T_CustomScanState);
	state->custom.methods = &scan_exec_methods;
	if (node->methods == &scan_node_methods)
		state->execution = ((ScanNode *) node)->execution;
	return (Node *) state;
}

/*
 * Begin to read the payload that is to be served.
 */
static void
scan_open_payload(ScanRun *state)
{
	const StoreResult *found = &state->execution->found;

	if (!codec_read(&state->reader, KEY_FORM_PLAIN, found->payload,
					found->len))
		elog(ERROR, "cached result is not of the form that was asked for");
	state->rows = palloc(Max(state->reader.rows_left, 1) *
						 sizeof(MinimalTuple));
	state->nrows = 0;
	state->position = -1;
}

static TupleTableSlot *
scan_next_served(ScanRun *state)
{
	bool		forward = ScanDirectionIsForward(state->custom.ss.ps.state->es_direction);
	MinimalTuple row;

	if (forward && state->position < state->nrows)
	{
		state->position++;
		if (state->position == state->nrows &&
			(row = codec_next_tuple(&state->reader)) != NULL)
			state->rows[state->nrows++] = row;
	}
	else if (!forward && state->position >= 0)
		state->position--;
	if (state->position < 0 || state->position == state->nrows)
		return ExecClearTuple(state->slot);
	return ExecStoreMinimalTuple(state->rows[state->position], state->slot,
								 false);
}

static void
scan_begin_fill(ScanRun *state)
{
	ScanExecution *execution = state->execution;
	TupleDesc	tupdesc = state->custom.ss.ps.ps_ResultTupleDesc;
	DestReceiver *dest;

	state->receiver = codec_create_receiver(KEY_FORM_PLAIN,
											execution->spec->terms.max_entry_size,
											NULL, NULL);
	dest = codec_dest(state->receiver);
	dest->rStartup(dest, CMD_SELECT, tupdesc);
}

static void
scan_begin(CustomScanState *node, EState *estate, int eflags)
{
	ScanRun    *state = (ScanRun *) node;
	Plan	   *plan = outerPlan(node->ss.ps.plan);
	ListCell   *lc;

	if (state->execution != NULL && state->execution->serves)
		scan_open_payload(state);
	else if (plan == NULL)
		elog(ERROR, "a promise of a cached result was not looked after");
	state->slot = ExecInitExtraTupleSlot(estate, node->ss.ps.ps_ResultTupleDesc,
										 &TTSOpsMinimalTuple);
	if (plan == NULL)
		return;

	outerPlanState(node) = ExecInitNode(plan, estate, eflags);
	foreach(lc, plan->targetlist)
	{
		if (lfirst_node(TargetEntry, lc)->resjunk && state->junk == NULL)
			state->junk = ExecInitJunkFilter(plan->targetlist,
											 ExecInitExtraTupleSlot(estate, NULL,
																	&TTSOpsVirtual));
	}
	if (state->execution != NULL && state->execution->fills &&
		(eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		scan_begin_fill(state);
}

/*
 * Others may wait for this execution, or it for theirs.
 */
static bool
scan_may_fly(const ScanRun *state)
{
	return state->to_the_end &&
		state->execution->lookup->request.form == KEY_FORM_PLAIN &&
		(state->execution->spec->terms.min_cost_us >= 0 ||
		 state->custom.ss.ps.plan->total_cost >= SCAN_FLIGHT_COST);
}

/*
 * The first row of a miss is asked for.  Afterwards the execution serves what
 * someone else has stored meanwhile, or leads, or goes alone.
 */
static void
scan_start(ScanRun *state)
{
	ScanExecution *execution = state->execution;
	Lookup	   *lookup = execution->lookup;
	TimestampTz deadline = lookup->now + (int64) cache_fill_wait * 1000;

	for (int waits = 0; scan_may_fly(state) && waits <= SCAN_MAX_WAITS; waits++)
	{
		switch (lookup_join(lookup, deadline, execution->status,
							&execution->found, &execution->tier))
		{
			case LOOKUP_SERVE:
				execution->serves = true;
				break;
			case LOOKUP_LEAD:
				state->leads = true;
				break;
			case LOOKUP_ALONE:
				break;
			case LOOKUP_AGAIN:
				lookup->now = GetCurrentTimestamp();
				if (lookup_outdated(lookup))
					break;
				execution->status = lookup_l1(lookup, &execution->found);
				if (execution->status != STORE_HIT)
					continue;
				execution->serves = true;
				break;
		}
		break;
	}

	if (execution->serves)
	{
		lookup_count_hit(lookup, execution->tier, &execution->found);
		scan_open_payload(state);
		state->receiver = NULL;
	}
	else
	{
		lookup_count_miss(lookup);
		state->relstats = relstats_begin(outerPlanState(state));
	}
}

/*
 * The last row has come: the result is complete.
 */
static void
scan_complete(ScanRun *state)
{
	ScanExecution *execution = state->execution;
	DestReceiver *dest = codec_dest(state->receiver);
	int64		us = (int64) INSTR_TIME_GET_MICROSEC(state->elapsed);
	FlightOutcome outcome;
	const char *payload;
	const void *counts;
	Size		len;

	dest->rShutdown(dest);
	counts = relstats_end(state->relstats, &len);
	codec_attach(state->receiver, counts, len);
	payload = codec_payload(state->receiver, &len);
	outcome = lookup_fill(execution->lookup, payload, len, us);
	if (state->leads)
		flight_land(outcome);
	state->leads = false;
	qstats_miss(execution->lookup->stmt->qstats, us,
				payload != NULL ? len : 0);
	if (execution->spec->terms.min_cost_us < 0)
		(void) admit_note_execution(execution->spec->shape, us);
	state->receiver = NULL;
}

/*
 * Has the plan below given its last row, as far as that can be told without
 * asking it for another one?  Who wants one row does not ask for a second.
 */
static bool
scan_was_last(const PlanState *below)
{
	switch (nodeTag(below))
	{
		case T_AggState:
			return ((const AggState *) below)->agg_done;
		case T_LimitState:
			{
				const LimitState *limit = (const LimitState *) below;

				return limit->limitOption == LIMIT_OPTION_COUNT &&
					!limit->noCount && limit->lstate == LIMIT_INWINDOW &&
					limit->position - limit->offset >= limit->count;
			}
		default:
			return false;
	}
}

static TupleTableSlot *
scan_next_filled(ScanRun *state)
{
	PlanState  *below = outerPlanState(state);
	DestReceiver *dest;
	TupleTableSlot *slot;
	instr_time	start;
	instr_time	end;

	if (state->receiver == NULL)
	{
		slot = ExecProcNode(below);
		return TupIsNull(slot) || state->junk == NULL ? slot :
			ExecFilterJunk(state->junk, slot);
	}

	INSTR_TIME_SET_CURRENT(start);
	slot = ExecProcNode(below);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(state->elapsed, end, start);
	if (TupIsNull(slot))
	{
		scan_complete(state);
		return slot;
	}
	if (state->junk != NULL)
		slot = ExecFilterJunk(state->junk, slot);
	dest = codec_dest(state->receiver);
	dest->receiveSlot(slot, dest);
	if (scan_was_last(below))
		scan_complete(state);
	return slot;
}

/*
 * The first row of a hit is asked for: it counts as an execution does.
 */
static void
scan_count(const StoreResult *found)
{
	Size		len;
	const void *counts = codec_attachment(found->payload, found->len, &len);

	relstats_count(counts, len);
}

static TupleTableSlot *
scan_next(CustomScanState *node)
{
	ScanRun    *state = (ScanRun *) node;
	bool		first = !state->started;

	state->started = true;
	if (first && state->receiver != NULL)
		scan_start(state);
	if (state->execution == NULL || !state->execution->serves)
		return scan_next_filled(state);
	if (first)
		scan_count(&state->execution->found);
	return scan_next_served(state);
}

/*
 * Nothing will come of the fill.
 */
static void
scan_give_up(ScanRun *state)
{
	if (state->leads)
		flight_land(FLIGHT_FAILED);
	state->leads = false;
	state->receiver = NULL;
}

static void
scan_end(CustomScanState *node)
{
	scan_give_up((ScanRun *) node);
	ExecEndNode(outerPlanState(node));
}

static void
scan_rescan(CustomScanState *node)
{
	ScanRun    *state = (ScanRun *) node;

	state->position = -1;
	if (!state->started)
		return;
	scan_give_up(state);
	if (outerPlanState(node) != NULL)
		ExecReScan(outerPlanState(node));
}

/*
 * EXPLAIN.
 */

static void
scan_explain_status(const ScanRun *state, ExplainState *es)
{
	const ScanExecution *execution = state->execution;
	const char *status = "miss";

	if (execution->serves)
		status = execution->tier == STATS_L1_HITS ? "hit L1" : "hit L2";
	else if (execution->bypass != LOOKUP_NO_BYPASS)
		status = psprintf("bypass: %s",
						  stats_bypass_name(execution->bypass - STATS_BYPASS_FIRST));
	ExplainPropertyText("Cache Status", status, es);
}

static void
scan_explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	const ScanRun *state = (ScanRun *) node;
	const ScanExecution *execution = state->execution;

	if (execution == NULL)
		return;
	scan_explain_status(state, es);
	if (execution->serves)
	{
		const StoreTimes *times = &execution->found.times;
		TimestampTz now = GetCurrentTimestamp();

		ExplainPropertyFloat("Cache Age", "ms", (now - times->created) / 1000.0,
							 3, es);
		ExplainPropertyFloat("Cache TTL Left", "ms",
							 (times->expires - now) / 1000.0, 3, es);
	}
	if (execution->bypass != LOOKUP_NO_BYPASS || !es->verbose)
		return;
	ExplainPropertyText("Cache Key",
						psprintf("%016" INT64_MODIFIER "x",
								 execution->lookup->key.hash), es);
	ExplainPropertyList("Cache Dependencies",
						lookup_dependency_names(execution->lookup), es);
}

void
scan_expect(PlanState *top, bool to_the_end)
{
	ScanRun    *state = (ScanRun *) castNode(CustomScanState, top);

	state->to_the_end = to_the_end;
	if (state->receiver != NULL &&
		!lookup_same_session(state->execution->lookup))
		scan_give_up(state);
}

void
scan_init(void)
{
	RegisterCustomScanMethods(&scan_plan_methods);
}
