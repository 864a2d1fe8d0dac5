/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  The plan node that serves a plain statement from the cache.
 *
 * plan.c puts the node on top of the plan of a statement.  At each execution,
 * serve.c decides what happens:
 *
 *	- Hit: the node alone is executed.  It returns the rows of the payload, and
 *	  the plan below is not even initialized.
 *	- Miss: the node is executed over the plan.  It passes the rows of the plan
 *	  on as they come, and encodes each of them as well (the fill).  The result
 *	  is complete, and can be stored, only after the last row.  An execution
 *	  that stops earlier or starts over stores nothing.
 *	- Otherwise (bypass, or nothing to be gained): the plan is executed without
 *	  the node, as if there were no cache.
 *
 * Waiting.  A miss joins the flight of its key when its first row is asked
 * for, if all rows are fetched at once.  (A portal that is fetched in parts
 * may be left open.)  The speed of a leader depends on its client.  If the
 * leader waits for its client, its followers stop waiting for it (flight.c).
 * A COPY may write to a pipe and block there, and nobody can see that, so it
 * joins no flight.  After waiting, a result is served if what this execution
 * has read from the clock at its start still holds: then the result is what
 * the snapshot of the execution sees.
 *
 * ScanExecution holds the decision for one execution.  It cannot be a part of
 * the plan, because it could not be copied with it.  So the plan of an
 * execution carries an id, and the node looks the ScanExecution up by that id
 * when its state is made.  It is searched among the executions that are
 * starting.  That is a list, because one execution may start while another one
 * does (in a function that the planner calls, or in a hook).  An execution is
 * taken off the list when it has started, or with its memory if starting it
 * fails.  If a copy of such a plan is executed without serve.c, the node finds
 * nothing.
 *
 * A portal can be run in parts.  Between them, the session can become another
 * user or change its settings.  The rows that come then do not belong to the
 * key, so that ends the fill.
 *
 * A hit returns rows where they lie in the payload, which is L1's own memory
 * (store.c) and stays as long as the execution.  The node returns them in a
 * tuple table slot for minimal tuples that does not own them, so a caller that
 * wants to keep or change a row makes a copy.
 *
 * The statistics that an execution has counted for relations are attached to
 * the payload, and a hit counts the same (relstats.c).
 *
 * Errors.  A fill that fails is forgotten with the memory of its execution.
 * The resource owner lands its flight as failed.
 *
 * What this file must not do: decide which statements are cached, or which
 * executions are served.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/seal.h"
#include "executor/executor.h"
#include "lookup/kept.h"
#include "lookup/relstats.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "plain/scan.h"
#include "store/admit.h"
#include "store/codec.h"

/* Plans of at least this cost join a flight although not hinted. */
#define SCAN_FLIGHT_COST 1000.0

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

/* Executions that are starting, the innermost first, and the last id given. */
static dlist_head scan_starting = DLIST_STATIC_INIT(scan_starting);
static int	scan_last_id = SCAN_UNBOUND;

static Node *scan_create_state(CustomScan *node);
static void scan_begin(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *scan_next(CustomScanState *node);
static void scan_end(CustomScanState *node);
static void scan_rescan(CustomScanState *node);
static void scan_explain(CustomScanState *node, List *ancestors,
						 ExplainState *es);

const CustomScanMethods scan_methods = {
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

static void
scan_started(ScanExecution *execution)
{
	if (execution->starting)
		dlist_delete(&execution->link);
	execution->starting = false;
}

/*
 * The memory of an execution goes.
 */
static void
scan_forget(void *arg)
{
	scan_started(arg);
	watch_forget(&((ScanExecution *) arg)->watch);
}

void
scan_expect_start(ScanExecution *execution)
{
	if (scan_last_id == PG_INT32_MIN)
		scan_last_id = SCAN_UNBOUND;
	execution->id = --scan_last_id;
	execution->starting = true;
	dlist_push_head(&scan_starting, &execution->link);
	execution->callback.func = scan_forget;
	execution->callback.arg = execution;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &execution->callback);
}

/*
 * The execution that a node is bound to, if it is starting.
 */
static ScanExecution *
scan_find_execution(const CustomScan *node)
{
	int			id = node->scan.plan.plan_node_id;
	dlist_iter	iter;

	dlist_foreach(iter, &scan_starting)
	{
		ScanExecution *execution = dlist_container(ScanExecution, link,
												   iter.cur);

		if (execution->id == id)
		{
			scan_started(execution);
			return execution;
		}
	}
	return NULL;
}

static Node *
scan_create_state(CustomScan *node)
{
	ScanRun    *state = palloc0(sizeof(ScanRun));

	NodeSetTag(state, T_CustomScanState);
	state->custom.methods = &scan_exec_methods;
	state->execution = scan_find_execution(node);
	return (Node *) state;
}

/*
 * Begin to read the payload that is to be served.
 */
static void
scan_open_payload(ScanRun *state)
{
	const StoreResult *found = &state->execution->answer.found;

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
 * May this execution join a flight?
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
 * The first row of a miss is asked for.  Decides whether the execution serves
 * a result that another session has stored meanwhile, leads a flight, or
 * executes alone.
 */
static void
scan_start(ScanRun *state)
{
	ScanExecution *execution = state->execution;
	Lookup	   *lookup = execution->lookup;

	if (scan_may_fly(state))
	{
		AnswerTurn	turn;

		do
			turn = answer_turn(lookup, &execution->answer);
		while (turn == ANSWER_AGAIN);
		execution->serves = turn == ANSWER_SERVE;
		state->leads = turn == ANSWER_LEAD;
	}

	if (execution->serves)
	{
		answer_count_hit(lookup, &execution->answer);
		scan_open_payload(state);
		state->receiver = NULL;
	}
	else
	{
		answer_count_miss(lookup);
		state->relstats = relstats_begin(outerPlanState(state));
	}
}

/*
 * The plan has returned its last row: the result is complete.
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
	execution->lookup->unproven = execution->watch.failed;
	outcome = answer_fill(execution->lookup, payload, len, us);
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
	Watch	   *watch;
	instr_time	start;
	instr_time	end;

	if (state->receiver == NULL)
	{
		slot = ExecProcNode(below);
		return TupIsNull(slot) || state->junk == NULL ? slot :
			ExecFilterJunk(state->junk, slot);
	}

	watch = &state->execution->watch;
	INSTR_TIME_SET_CURRENT(start);
	watch_enter(watch);
	slot = ExecProcNode(below);
	watch_leave(watch);
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
		scan_count(&state->execution->answer.found);
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
		status = execution->answer.tier == STATS_L1_HITS ? "hit L1" : "hit L2";
	else if (execution->answer.bypass != LOOKUP_NO_BYPASS)
		status = psprintf("bypass: %s",
						  stats_bypass_name(execution->answer.bypass - STATS_BYPASS_FIRST));
	ExplainPropertyText("Cache Status", status, es);
}

static void
scan_explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	const ScanRun *state = (ScanRun *) node;
	const ScanExecution *execution = state->execution;
	char		key[SEAL_NAME_LENGTH];

	if (execution == NULL)
		return;
	scan_explain_status(state, es);
	if (execution->serves)
	{
		const StoreTimes *times = &execution->answer.found.times;
		TimestampTz now = GetCurrentTimestamp();

		ExplainPropertyFloat("Cache Age", "ms", (now - times->created) / 1000.0,
							 3, es);
		ExplainPropertyFloat("Cache TTL Left", "ms",
							 (store_end(times, execution->lookup->asker.ttl_us) - now) / 1000.0,
							 3, es);
	}
	if (execution->answer.bypass != LOOKUP_NO_BYPASS || !es->verbose)
		return;
	if (seal_name(execution->lookup->key.data, execution->lookup->key.len, key))
		ExplainPropertyText("Cache Key", key, es);
	ExplainPropertyList("Cache Dependencies",
						lookup_dependency_names(execution->lookup), es);
}

void
scan_expect_run(PlanState *top, bool to_the_end)
{
	ScanRun    *state = (ScanRun *) top;

	if (!IsA(top, CustomScanState) ||
		state->custom.methods != &scan_exec_methods)
		return;
	state->to_the_end = to_the_end;
	if (state->receiver != NULL &&
		(!lookup_same_session(state->execution->lookup) ||
		 !kept_is_renewed(state->execution->lookup->stmt)))
		scan_give_up(state);
}

void
scan_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
}
