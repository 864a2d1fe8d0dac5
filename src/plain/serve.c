/*-------------------------------------------------------------------------
 *
 * serve.c
 *	  Decides at each execution of a plan with a cache node: serve, fill, or
 *	  leave alone.
 *
 * The decision is made when the execution starts, because its parameters and
 * its snapshot are known then.  The executor is given a plan that serves the
 * result, one that fills while it executes, or one without the node (scan.c).
 * The plan that was made by the planner is not changed, as other executions
 * use it.
 *
 * Promises.  A plan may be a promise: the node alone, made because the result
 * was in L1 when the statement was planned.  If the result is gone, the
 * statement is planned when its execution starts.  If that promise has been
 * executed before, PostgreSQL keeps it, and would have to plan it at each
 * execution.  So PostgreSQL is told to replan its kept plans, and the
 * statement gets no promise any more.
 *
 * Old plans.  If the catalog has changed since a plan was made, what the plan
 * returns must not be stored (lookup.c, "Trees").  A plan that is old at its
 * first execution is so because the catalog has changed just then.  It is
 * executed as it is, and nothing is stored.  If an old plan has been executed
 * before, PostgreSQL may keep it for ever.  So the statement is planned again
 * for each execution that fills.
 *
 * Plans of others.  PostgreSQL may keep a plan that was made for another user
 * or under other settings than those of an execution.  Whatever the planner
 * has computed is a part of the plan.  The plan of
 *
 *	SELECT (1::float8 / 3)::text, count(*) FROM t
 *
 * contains the text as a constant, in the length that extra_float_digits had
 * then.  PostgreSQL goes on executing that plan.  But its result is not the
 * one that the present key stands for and that other sessions look up.  So the
 * node carries a digest of the key that the results of its plan have, without
 * parameters.  If an execution that fills has another digest, the statement is
 * planned again for that execution.  An execution that stores nothing uses the
 * plan as it is.  Two plans with the same key give the same result, because
 * the key contains the user (unless that is proven not to matter), the
 * settings and the meaning of the tree.
 *
 * WHERE CURRENT OF.  If a portal has a name, WHERE CURRENT OF may ask the
 * executor for the portal's position in a table.  The executor can answer that
 * if the plan is a scan, maybe of an index that provides the order.  A node
 * that serves a result cannot.  Whether it may be asked can be seen only in
 * the plan.  So in a portal with a name, a plan that may be such a scan is
 * executed without the node.  A promise is planned there, and served
 * nevertheless if the plan turns out not to be such a scan.
 *
 * Memory.  What is made for one execution is in a memory context of its own,
 * which is deleted with the state of the executor.  A function may be executed
 * a million times in one query.
 *
 * What this file must not do: decide which statements are cached.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "base/breakage.h"
#include "base/compat.h"
#include "base/guc.h"
#include "executor/executor.h"
#include "lookup/kept.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "plain/scan.h"
#include "plain/serve.h"
#include "plain/wrap.h"
#include "store/admit.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/portal.h"

/* Executions that take less than this many us are not examined further. */
#define SERVE_SUSPECT_US 1000

static struct
{
	ExecutorStart_hook_type next_start;
	ExecutorRun_hook_type next_run;
	ProcessUtility_hook_type next_utility;
	int			explaining;		/* nesting of EXPLAIN */
	int			writing;		/* of commands that write what they select */
	int			copying;		/* of COPY, whose reader may be slow */
	uint64		executed;		/* highest serial number of an executed plan */
} serve;

bool
serve_suspended(void)
{
	return serve.writing > 0 || (serve.explaining > 0 && !cache_explain);
}

/*
 * Plan the tree of a node again for these parameters, with a node on top.
 * stmt is the statement of the tree if a result may be stored.
 */
static PlannedStmt *
serve_plan(const CustomScan *node, ParamListInfo params, Statement *stmt)
{
	const ScanSpec *kept = wrap_spec(node);
	ScanSpec   *spec = palloc(VARSIZE(kept));
	Query	   *tree = copyObject(unconstify(Query *, wrap_tree(node)));
	int			location = tree->stmt_location;
	int			len = tree->stmt_len;
	PlannedStmt *planned = NULL;
	Watch		watch;

	memcpy(spec, kept, VARSIZE(kept));
	/* the text is that of this statement alone */
	tree->stmt_location = -1;
	tree->stmt_len = 0;
	watch_begin(&watch, stmt, wrap_text(spec), spec->terms.automatic, NULL);
	watch_enter(&watch);
	PG_TRY();
	{
		planned = planner(tree, wrap_text(spec),
						  spec->cursor_options | STATEMENT_CURSOR_OPT_TEXT,
						  params);
	}
	PG_FINALLY();
	{
		watch_forget(&watch);
	}
	PG_END_TRY();
	spec->unproven = watch.failed;
	planned->stmt_location = location;
	planned->stmt_len = len;
	return wrap_plan(planned, wrap_tree(node), spec);
}

/*
 * The plan for an execution without the cache.
 */
static PlannedStmt *
serve_plainly(const QueryDesc *queryDesc, PlannedStmt *wrapped)
{
	const CustomScan *node = wrap_find(wrapped);

	if (outerPlan(node) == NULL)
		wrapped = serve_plan(node, queryDesc->params, NULL);
	return wrap_find(wrapped) != NULL ? wrap_strip(wrapped) : wrapped;
}

/*
 * Is the execution that of a portal which WHERE CURRENT OF can refer to?  A
 * client names portals by the protocol, as if they were cursors.  Portals that
 * PostgreSQL names for itself are not, but for cursors of PL/pgSQL, whose
 * plans have no node then.
 */
static bool
serve_in_named_portal(void)
{
	return ActivePortal != NULL && ActivePortal->name[0] != '\0' &&
		strncmp(ActivePortal->name, "<unnamed portal ", 16) != 0;
}

/*
 * Is the execution not one to look up or store anything for, nor to count?
 */
static bool
serve_ignores(const QueryDesc *queryDesc, const ScanSpec *spec, bool explained)
{
	if (serve_suspended() || cache_mode == CACHE_MODE_OFF ||
		(cache_mode == CACHE_MODE_HINT && !spec->hinted))
		return true;
	if (queryDesc->crosscheck_snapshot != InvalidSnapshot ||
		queryDesc->snapshot == InvalidSnapshot ||
		queryDesc->snapshot->snapshot_type != SNAPSHOT_MVCC)
		return true;
	return spec->terms.min_cost_us < 0 && !explained &&
		admit_verdict(spec->shape) == ADMIT_CHEAP;
}

/*
 * Look up the result of an execution.
 */
static void
serve_look_up(QueryDesc *queryDesc, const CustomScan *node,
			  ScanExecution *execution)
{
	const ScanSpec *spec = execution->spec;
	Terms		terms = wrap_terms(spec);
	LookupRequest request;

	lookup_make_request(&request, cache_mode == CACHE_MODE_SHADOW ?
						KEY_FORM_SHADOW : KEY_FORM_PLAIN,
						wrap_text(spec), spec->text_len, &terms);
	request.tree = wrap_tree(node);
	request.serial = spec->serial;
	request.params = queryDesc->params;
	request.snapshot = queryDesc->snapshot;

	execution->lookup = palloc(sizeof(Lookup));
	lookup_begin(execution->lookup, &request);
	answer_look_up(execution->lookup, &execution->answer);
}

/*
 * Is a plan of the definitions that the lookup has counted?
 */
static bool
serve_is_current(const ScanSpec *spec, const Lookup *lookup)
{
	return spec->catalog_generation == lookup->stmt->catalog_generation &&
		spec->roles_generation == lookup->stmt->roles_generation;
}

/*
 * Does a plan give what the key of the lookup stands for?  It does if it was
 * made when executing it had the same key, but for the parameters.
 */
static bool
serve_is_of_key(const ScanSpec *spec, const Lookup *lookup)
{
	return BREAK_PLAN_KEY ||
		memcmp(spec->key_digest, lookup->stmt->key_head.digest,
			   KEY_DIGEST_LENGTH) == 0;
}

/*
 * The result of a promise that PostgreSQL keeps is gone.  Have PostgreSQL
 * replan, and mark the statement, so that it gets a real plan then.
 */
static void
serve_break_promise(Statement *stmt)
{
	if (stmt->needs_plan)
		return;
	stmt->needs_plan = true;
	ResetPlanCache();
}

/*
 * Has a plan been executed before?  Plans are numbered in the order in which
 * they are made.  A plan with a higher number than any executed one has not
 * been executed.  All others are taken to have been.  If that is wrong, the
 * statement is planned once more than needed.
 */
static bool
serve_note_plan(const ScanSpec *spec, bool explain_only)
{
	if (spec->serial <= serve.executed)
		return true;
	if (!explain_only)
		serve.executed = spec->serial;
	return false;
}

/*
 * The plan for an execution that is served the result that was found.
 */
static PlannedStmt *
serve_hit(const QueryDesc *queryDesc, PlannedStmt *wrapped,
		  ScanExecution *execution, const instr_time *start, bool explain_only)
{
	instr_time	elapsed;

	execution->serves = true;
	if (!explain_only)
		answer_count_hit(execution->lookup, &execution->answer);
	scan_expect_start(execution);
	wrapped = wrap_bind(wrapped, execution->id, true);
	INSTR_TIME_SET_CURRENT(elapsed);
	INSTR_TIME_SUBTRACT(elapsed, *start);
	admit_note_hit(INSTR_TIME_GET_MICROSEC(elapsed));
	return wrapped;
}

/*
 * Decide about an execution.  Returns the plan for it.
 */
static PlannedStmt *
serve_choose(QueryDesc *queryDesc, PlannedStmt *wrapped, int eflags)
{
	const CustomScan *node = wrap_find(wrapped);
	const ScanSpec *spec = wrap_spec(node);
	bool		promise = outerPlan(node) == NULL;
	bool		explain_only = (eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
	bool		explained = explain_only || serve.explaining > 0;
	bool		named = spec->updatable && serve_in_named_portal();
	ScanExecution *execution;
	instr_time	start;
	bool		executed;
	bool		hit;
	bool		outdated;

	if (serve_ignores(queryDesc, spec, explained) || (named && !promise))
		return serve_plainly(queryDesc, wrapped);

	executed = serve_note_plan(spec, explain_only);
	INSTR_TIME_SET_CURRENT(start);
	execution = palloc0(sizeof(ScanExecution));
	execution->spec = spec;
	serve_look_up(queryDesc, node, execution);
	hit = execution->answer.bypass == LOOKUP_NO_BYPASS &&
		execution->answer.status == STORE_HIT;
	if (hit && cache_mode == CACHE_MODE_SHADOW)
	{
		if (!explain_only)
			answer_count_shadow_hit(execution->lookup, &execution->answer);
		return serve_plainly(queryDesc, wrapped);
	}
	(void) statement_pin(execution->lookup->stmt);
	if (hit && !named)
		return serve_hit(queryDesc, wrapped, execution, &start, explain_only);

	outdated = !promise && !serve_is_current(spec, execution->lookup);
	if (outdated && !executed && execution->answer.bypass == LOOKUP_NO_BYPASS)
		execution->answer.bypass = STATS_BYPASS_FENCED;
	if (execution->answer.bypass != LOOKUP_NO_BYPASS && !explain_only)
		answer_count_bypass(execution->lookup, execution->answer.bypass);

	/* a fill cannot go backwards: it has passed its rows on already */
	execution->fills = execution->answer.bypass == LOOKUP_NO_BYPASS &&
		(eflags & EXEC_FLAG_BACKWARD) == 0;
	if (execution->fills)
		kept_renew(execution->lookup->stmt);
	if (promise && executed)
		serve_break_promise(execution->lookup->stmt);
	if (promise ||
		(execution->fills &&
		 (outdated || !serve_is_of_key(execution->spec, execution->lookup))))
		wrapped = serve_plan(node, queryDesc->params,
							 execution->lookup->stmt);
	node = wrap_find(wrapped);
	if (node == NULL)
		return wrapped;
	if (named && wrap_spec(node)->updatable)
	{
		answer_release(&execution->answer);
		return wrap_strip(wrapped);
	}
	if (hit)
	{
		INSTR_TIME_SET_CURRENT(start);	/* without planning */
		return serve_hit(queryDesc, wrapped, execution, &start, explain_only);
	}
	if (!execution->fills && !explained)
		return wrap_strip(wrapped);
	if (execution->fills)
	{
		watch_begin(&execution->watch, execution->lookup->stmt,
					wrap_text(spec), spec->terms.automatic, NULL);
		execution->watch.failed |= wrap_spec(node)->unproven;
	}
	scan_expect_start(execution);
	return wrap_bind(wrapped, execution->id, false);
}

/*
 * What is made for the execution goes with its state.
 */
static void
serve_executor_start(QueryDesc *queryDesc, int eflags)
{
	MemoryContext context = NULL;

	if (wrap_find(queryDesc->plannedstmt) != NULL && !IsParallelWorker())
	{
		MemoryContext old;

		context = AllocSetContextCreate(CurrentMemoryContext,
										"cache execution",
										ALLOCSET_DEFAULT_SIZES);
		old = MemoryContextSwitchTo(context);
		queryDesc->plannedstmt = serve_choose(queryDesc,
											  queryDesc->plannedstmt, eflags);
		MemoryContextSwitchTo(old);
	}
	else if (!serve_suspended())
		wrap_outdate_marked(queryDesc->plannedstmt);

	if (serve.next_start != NULL)
		serve.next_start(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
	if (context != NULL)
		MemoryContextSetParent(context, queryDesc->estate->es_query_cxt);
}

/*
 * A statement that was taken to be cheap, and so runs without a node, may turn
 * out not to be.
 */
static void
serve_note_execution(const QueryDesc *queryDesc, const instr_time *start)
{
	const PlannedStmt *stmt = queryDesc->plannedstmt;
	instr_time	elapsed;
	int64		us;
	uint64		shape;

	INSTR_TIME_SET_CURRENT(elapsed);
	INSTR_TIME_SUBTRACT(elapsed, *start);
	us = (int64) INSTR_TIME_GET_MICROSEC(elapsed);
	if (us < SERVE_SUSPECT_US)
		return;
	shape = admit_shape(queryDesc->sourceText, stmt->stmt_location,
						stmt->stmt_len);
	if (admit_verdict(shape) == ADMIT_CHEAP && admit_note_execution(shape, us))
		ResetPlanCache();		/* so that a kept plan gets a node */
}

static void
serve_executor_run(COMPAT_EXECUTOR_RUN_PARAMS)
{
	bool		watched = cache_mode != CACHE_MODE_OFF && cache_min_cost < 0 &&
	queryDesc->operation == CMD_SELECT && !IsParallelWorker() &&
	!IsA(queryDesc->plannedstmt->planTree, CustomScan);
	instr_time	start;

	if (watched)
		INSTR_TIME_SET_CURRENT(start);
	if (wrap_find(queryDesc->plannedstmt) != NULL)
		scan_expect_run(queryDesc->planstate,
						count == 0 && ScanDirectionIsForward(direction) &&
						serve.copying == 0);
	if (serve.next_run != NULL)
		serve.next_run(COMPAT_EXECUTOR_RUN_ARGS);
	else
		standard_ExecutorRun(COMPAT_EXECUTOR_RUN_ARGS);
	if (watched)
		serve_note_execution(queryDesc, &start);
}

static void
serve_call_utility(PlannedStmt *pstmt, const char *queryString,
				   bool readOnlyTree, ProcessUtilityContext context,
				   ParamListInfo params, QueryEnvironment *queryEnv,
				   DestReceiver *dest, QueryCompletion *qc)
{
	if (serve.next_utility != NULL)
		serve.next_utility(pstmt, queryString, readOnlyTree, context, params,
						   queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);
}

static void
serve_utility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
			  ProcessUtilityContext context, ParamListInfo params,
			  QueryEnvironment *queryEnv, DestReceiver *dest,
			  QueryCompletion *qc)
{
	int		   *depth;

	switch (nodeTag(pstmt->utilityStmt))
	{
		case T_ExplainStmt:
			depth = &serve.explaining;
			break;
		case T_CreateTableAsStmt:
		case T_RefreshMatViewStmt:
			depth = &serve.writing;
			break;
		case T_CopyStmt:
			depth = &serve.copying;
			break;
		default:
			serve_call_utility(pstmt, queryString, readOnlyTree, context, params,
							   queryEnv, dest, qc);
			return;
	}

	(*depth)++;
	PG_TRY();
	{
		serve_call_utility(pstmt, queryString, readOnlyTree, context, params,
						   queryEnv, dest, qc);
	}
	PG_FINALLY();
	{
		(*depth)--;
	}
	PG_END_TRY();
}

void
serve_init(void)
{
	serve.next_start = ExecutorStart_hook;
	ExecutorStart_hook = serve_executor_start;
	serve.next_run = ExecutorRun_hook;
	ExecutorRun_hook = serve_executor_run;
	serve.next_utility = ProcessUtility_hook;
	ProcessUtility_hook = serve_utility;
}
