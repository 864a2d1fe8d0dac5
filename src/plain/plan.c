/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Decides at planning which plain statements are cached.
 *
 * A plain statement is a SELECT that the application sends as it is, not
 * through an SQL function of the cache.  cache.mode says which of them are
 * considered.  A statement that is considered and may be cached (statement.c)
 * gets one of two plans:
 *
 *	- The plan that PostgreSQL makes, with the node of scan.c on top.  The node
 *	  looks the result up at each execution.
 *	- If the result is in L1 now, a promise: the node alone.  PostgreSQL does
 *	  not plan the statement at all (serve.c says what happens if the result is
 *	  gone when the statement is executed).
 *
 * Hints.  A comment can say how a statement is to be cached, or that it is not
 * to be cached (hint.c):
 *
 *	SELECT [slash-star]+ cache(policy = listing) [star-slash] * FROM story
 *
 * A hint that is malformed, or that names a policy which does not exist, is a
 * warning.  A plan whose hint names a policy depends on the table of policies,
 * whether the policy exists or not.  So PostgreSQL replans the statement once
 * policies change.
 *
 * No promise for relations with children by inheritance.  Planning locks the
 * children.  The planning of a promise that has failed comes after the
 * snapshot of the execution was taken.  If it had to wait there for a TRUNCATE
 * of a child, that snapshot would be older than the TRUNCATE, and the child
 * would look empty although it never was for this snapshot.  All other
 * relations were locked when the statement was analysed.
 *
 * Cheap statements.  In mode auto, a statement whose shape is known to be
 * cheap goes to PostgreSQL's planner at once (admit.c).
 *
 * Kept plans.  PostgreSQL may keep a plan and execute it when the mode is a
 * different one, or after the EXPLAIN or CREATE TABLE AS for which it was
 * made.  So serve.c checks the mode again at each execution.  A plan that is
 * made for such a command gets the node, but is never a promise.  A plan that
 * has no node only because of the mode is marked.  When it is executed in a
 * mode that would have given it a node, PostgreSQL is told to replan it.
 *
 * The clock is read before the statement is planned.  So the catalog that a
 * plan was made with is at least as new as the generations that the plan
 * carries.
 *
 * Protocol and locks: none of its own.
 *
 * What this file must not do: serve or store results.  It only looks whether
 * L1 has one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/extension.h"
#include "base/guc.h"
#include "lookup/answer.h"
#include "lookup/kept.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "plain/plan.h"
#include "plain/serve.h"
#include "plain/wrap.h"
#include "postmaster/autovacuum.h"
#include "sql/policy.h"
#include "store/admit.h"
#include "tcop/tcopprot.h"
#include "text/hint.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

static planner_hook_type plan_next_planner;

/* Serial number of the latest plan. */
static uint64 plan_serial;

static PlannedStmt *
plan_call_next(Query *tree, const char *query_string, int cursor_options,
			   ParamListInfo params)
{
	if (plan_next_planner != NULL)
		return plan_next_planner(tree, query_string, cursor_options, params);
	return standard_planner(tree, query_string, cursor_options, params);
}

/*
 * Plan a statement whose results may be stored.  Planning is watched: *failed
 * is set if it has reached something that is not proven.  stmt: as for
 * watch_begin.
 */
static PlannedStmt *
plan_watched(Query *tree, const char *query_string, int cursor_options,
			 ParamListInfo params, Statement *stmt, const PlanChoice *choice,
			 bool *failed)
{
	PlannedStmt *volatile planned = NULL;
	Watch		watch;

	watch_begin(&watch, stmt, choice->text, choice->spec.terms.automatic, NULL);
	watch_enter(&watch);
	PG_TRY();
	{
		planned = plan_call_next(tree, query_string, cursor_options, params);
	}
	PG_FINALLY();
	{
		watch_forget(&watch);
	}
	PG_END_TRY();
	*failed = watch.failed;
	return planned;
}

/*
 * Is the query considered at all?  Expressions without tables are left alone,
 * because PL/pgSQL evaluates them without the executor.
 */
static bool
plan_considers(const Query *tree, const char *query_string,
			   int cursor_options)
{
	return (cursor_options & STATEMENT_CURSOR_OPT_TEXT) == 0 &&
		tree->commandType == CMD_SELECT &&
		(tree->rtable != NIL || tree->hasSubLinks) &&
		tree->rowMarks == NIL &&
		!tree->hasModifyingCTE &&
		tree->utilityStmt == NULL &&
		query_string != NULL &&
		!IsParallelWorker() &&
		!compat_is_autovacuum_worker() &&
		IsTransactionState();
}

/*
 * Warn that a hint is not followed.  position: where in query_string the
 * problem is, in bytes.
 */
static void
plan_warn(const char *query_string, int position, const char *problem)
{
	int			cursor = pg_mbstrlen_with_len(query_string, position) + 1;
	bool		sent = query_string == debug_query_string;

	ereport(WARNING,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("statement is not cached: %s", problem),
			 sent ? errposition(cursor) : internalerrposition(cursor),
			 sent ? 0 : internalerrquery(query_string),
			 errhint("Write /*+ cache */, /*+ cache(ttl=300, tags=a|b) */, /*+ cache(policy=name) */ or /*+ nocache */.")));
}

/*
 * Apply a hint and, where the hint states nothing, the policy that it names.
 * Returns a reason if that cannot be done, else NULL.
 */
static const char *
plan_apply_hint(const Hint *hint, PlanChoice *choice)
{
	ScanSpec   *spec = &choice->spec;

	spec->hinted = true;
	spec->terms.min_cost_us = 0;
	if (hint->policy != NULL)
	{
		const char *problem;
		Definition *policy;

		choice->by_policy = true;
		policy_read_stamp(&choice->stamp);
		policy = policy_find_policy(hint->policy, &problem);
		choice->policies = policy != NULL ? policy->relid :
			extension_relid(EXTENSION_POLICIES);
		if (policy == NULL)
			return problem;
		terms_refine(&spec->terms, &policy->terms);
	}
	terms_refine(&spec->terms, &hint->terms);
	if (spec->terms.tags_len > Min(spec->terms.max_entry_size, KEY_MAX_PART))
		return "tags are larger than a result may be";
	return NULL;
}

bool
plan_choose(const char *text, int location, int len, PlanChoice *choice)
{
	ScanSpec   *spec = &choice->spec;
	Hint		hint = {.verdict = HINT_NONE};

	memset(choice, 0, sizeof(*choice));
	lookup_default_terms(&spec->terms);
	spec->terms.min_cost_us = cache_min_cost < 0 ? -1 :
		(int64) (cache_min_cost * 1000);

	if (COMPAT_STATEMENT_STARTS_AT_TOKEN)
		hint_reach_back(text, &location, &len);
	if (hint_possible(text, location, len))
		hint_find(text, location, len, &hint);
	switch (hint.verdict)
	{
		case HINT_NONE:
			choice->by_mode = cache_mode == CACHE_MODE_HINT;
			if (choice->by_mode)
				choice->reason = "mode hint, and it has no hint";
			break;
		case HINT_NOCACHE:
			choice->reason = "a hint says so";
			break;
		case HINT_MALFORMED:
			choice->reason = choice->problem = hint.problem;
			choice->position = hint.position;
			break;
		case HINT_CACHE:
			if (hint.policy != NULL && IsInParallelMode())
			{
				/* the table of policies cannot be read there */
				choice->reason = "a parallel operation is under way";
				break;
			}
			choice->reason = choice->problem = plan_apply_hint(&hint, choice);
			choice->position = Max(location, 0);
			break;
	}
	return choice->reason == NULL;
}

/*
 * Make the ScanSpec of a node, as one chunk.
 */
static ScanSpec *
plan_make_spec(const PlanChoice *choice)
{
	const Terms *terms = &choice->spec.terms;
	Size		size = offsetof(ScanSpec, bytes) + terms->tags_len +
	choice->text_len + 1;
	ScanSpec   *spec = palloc(size);

	memcpy(spec, &choice->spec, offsetof(ScanSpec, bytes));
	SET_VARSIZE(spec, size);
	spec->terms.tags = NULL;
	spec->text_len = choice->text_len;
	memcpy(spec->bytes, terms->tags, terms->tags_len);
	memcpy(spec->bytes + terms->tags_len, choice->text, choice->text_len + 1);
	return spec;
}

/*
 * Look a statement up as its execution will do.
 */
static StatsCounter
plan_look_up(Lookup *lookup, const Query *tree, const ScanSpec *spec,
			 ParamListInfo params)
{
	Terms		terms = wrap_terms(spec);
	LookupRequest request;

	lookup_make_request(&request, cache_mode == CACHE_MODE_SHADOW ?
						KEY_FORM_SHADOW : KEY_FORM_PLAIN,
						wrap_text(spec), spec->text_len, &terms);
	request.tree = tree;
	request.serial = spec->serial;
	request.params = params;
	lookup_begin(lookup, &request);
	return lookup_orient(lookup);
}

/*
 * May the statement get a promise in place of a plan?
 */
static bool
plan_may_promise(Lookup *lookup, StatsCounter bypass, int cursor_options)
{
	return bypass == LOOKUP_NO_BYPASS &&
		cache_mode != CACHE_MODE_SHADOW && !serve_suspended() &&
		(cursor_options & ~CURSOR_OPT_PARALLEL_OK) == 0 &&
		!lookup->stmt->inherits && !lookup->stmt->needs_plan &&
		answer_l1(lookup, NULL) == STORE_HIT;
}

/*
 * Plan a statement that is not known to be cheap, with a node on top.
 * planned: its plan, if it has been planned already; then original is a copy
 * of the tree from before that.
 */
static PlannedStmt *
plan_with_node(Query *tree, const char *query_string, int cursor_options,
			   ParamListInfo params, PlanChoice *choice,
			   const Query *original, PlannedStmt *planned)
{
	Lookup	   *lookup = palloc(sizeof(Lookup));
	ScanSpec   *spec;
	Statement  *stmt;
	StatsCounter bypass;

	choice->spec.serial = ++plan_serial;
	choice->spec.cursor_options = cursor_options;
	spec = plan_make_spec(choice);
	bypass = plan_look_up(lookup, original != NULL ? original : tree, spec,
						  params);
	stmt = lookup->stmt;
	if (stmt->refusal != NULL)
	{
		if (!serve_suspended())
			answer_count_bypass(lookup, STATS_BYPASS_REFUSED);
		return planned != NULL ? planned :
			plan_call_next(tree, query_string, cursor_options, params);
	}
	if (planned == NULL && plan_may_promise(lookup, bypass, cursor_options))
		return wrap_promise(tree, spec, &stmt->access, stmt->plan_cost,
							stmt->plan_rows);

	(void) statement_pin(stmt);
	memcpy(spec->key_digest, stmt->key_head.digest, KEY_DIGEST_LENGTH);
	if (planned == NULL)
	{
		spec->catalog_generation = stmt->catalog_generation;
		spec->roles_generation = stmt->roles_generation;
		original = copyObject(tree);
		planned = plan_watched(tree, query_string, cursor_options, params, stmt,
							   choice, &spec->unproven);
	}
	stmt->plan_cost = planned->planTree->total_cost;
	stmt->plan_rows = planned->planTree->plan_rows;
	return wrap_plan(planned, original, spec);
}

/*
 * Plan a statement that is to be cached.
 */
static PlannedStmt *
plan_as_chosen(Query *tree, const char *query_string, int cursor_options,
			   ParamListInfo params, PlanChoice *choice)
{
	Query	   *original = NULL;
	PlannedStmt *planned = NULL;
	bool		failed;

	if (choice->spec.terms.min_cost_us < 0)
	{
		choice->spec.shape = admit_shape(query_string, tree->stmt_location,
										 tree->stmt_len);
		switch (admit_verdict(choice->spec.shape))
		{
			case ADMIT_CHEAP:
				return plan_call_next(tree, query_string, cursor_options,
									  params);
			case ADMIT_UNKNOWN:
				lookup_read_definitions(&choice->spec.catalog_generation,
										&choice->spec.roles_generation);
				original = copyObject(tree);
				planned = plan_watched(tree, query_string, cursor_options, params,
									   NULL, choice, &failed);
				if (admit_estimate(choice->spec.shape,
								   planned->planTree->total_cost) == ADMIT_CHEAP)
					return planned;
				if (failed)
				{
					tree = copyObject(original);
					planned = NULL;
				}
				break;
			case ADMIT_EXPENSIVE:
				break;
		}
	}

	choice->text = hint_strip(query_string, tree->stmt_location, tree->stmt_len,
							  &choice->text_len);
	if (choice->text_len > Min(choice->spec.terms.max_entry_size, KEY_MAX_PART))
		return planned != NULL ? planned :
			plan_call_next(tree, query_string, cursor_options, params);
	return plan_with_node(tree, query_string, cursor_options, params, choice,
						  original, planned);
}

/*
 * A plan depends on a policy, or on the policy not existing.  If PostgreSQL
 * keeps the plan, it must replan when policies change: define.c then sends a
 * relcache invalidation for the table of policies.  If policies have changed
 * while the plan was made, that invalidation came too early for it.
 */
static void
plan_watch_policies(PlannedStmt *planned, const PlanChoice *choice)
{
	if (OidIsValid(choice->policies))
		planned->relationOids = lappend_oid(planned->relationOids,
											choice->policies);
	if (!policy_stamp_current(&choice->stamp))
		ResetPlanCache();
}

static PlannedStmt *
plan_planner(Query *tree, const char *query_string, int cursor_options,
			 ParamListInfo params)
{
	PlanChoice	choice;
	PlannedStmt *planned;

	kept_note_plan();
	if (watch_current != NULL)
		watch_note_plan(tree, (cursor_options & STATEMENT_CURSOR_OPT_TEXT) != 0);
	if (!plan_considers(tree, query_string, cursor_options))
		return plan_call_next(tree, query_string, cursor_options, params);
	if (cache_mode == CACHE_MODE_OFF)
		return wrap_mark(plan_call_next(tree, query_string, cursor_options,
										params));
	if (plan_choose(query_string, tree->stmt_location, tree->stmt_len, &choice))
		planned = plan_as_chosen(tree, query_string, cursor_options, params,
								 &choice);
	else
	{
		if (choice.problem != NULL && !serve_suspended())
			plan_warn(query_string, choice.position, choice.problem);
		planned = plan_call_next(tree, query_string, cursor_options, params);
		if (choice.by_mode)
			planned = wrap_mark(planned);
	}
	if (choice.by_policy)
		plan_watch_policies(planned, &choice);
	return planned;
}

void
plan_init(void)
{
	plan_next_planner = planner_hook;
	planner_hook = plan_planner;
}
