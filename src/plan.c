/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Which plain statements are cached, decided as they are planned.
 *
 * cache.mode says which SELECTs are considered.  One that may be cached
 * (statement.c) is planned as ever, and gets the node of scan.c on top, which
 * looks the result up at each execution.  If the result is in L1 already, it
 * is not planned at all: it gets a plan that is a promise.
 *
 * No promise is made for what has children by inheritance.  Planning locks
 * those, and if it comes after the snapshot was taken, a TRUNCATE that was waited
 * for would show up as an empty table.  Other relations were locked as the
 * statement was analysed.
 *
 * In mode auto a statement whose shape is known to be cheap goes to the planner
 * at once (admit.c).
 *
 * The clock is read before the statement is planned, so that a plan is known
 * to be of definitions not older than the generations it carries.
 *
 * What this file must not do: look at results.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "admit.h"
#include "guc.h"
#include "lookup.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "plan.h"
#include "postmaster/autovacuum.h"
#include "scan.h"
#include "serve.h"
#include "utils/memutils.h"

static planner_hook_type plan_next_planner;

/* Number of the plan made last. */
static uint64 plan_serial;

/* What was decided about a statement. */
typedef struct PlanChoice
{
	const char *text;			/* without comments; terminated */
	uint32		text_len;
	const char *tags;
	uint32		tags_len;
	ScanSpec	spec;			/* without tags and text */
} PlanChoice;

static PlannedStmt *
plan_call_next(Query *tree, const char *query_string, int cursor_options,
			   ParamListInfo params)
{
	if (plan_next_planner != NULL)
		return plan_next_planner(tree, query_string, cursor_options, params);
	return standard_planner(tree, query_string, cursor_options, params);
}

/*
 * Is a query one to consider at all?  Those without range table are left
 * alone for PL/pgSQL, which evaluates them without executor.
 */
static bool
plan_considers(const Query *tree, const char *query_string)
{
	return cache_mode != CACHE_MODE_OFF &&
		tree->commandType == CMD_SELECT &&
		tree->rtable != NIL &&
		tree->rowMarks == NIL &&
		!tree->hasModifyingCTE &&
		tree->utilityStmt == NULL &&
		query_string != NULL &&
		!serve_suspended() &&
		!IsParallelWorker() &&
		!IsAutoVacuumWorkerProcess() &&
		IsTransactionState();
}

/*
 * How a statement is to be cached; false if it is not.
 */
static bool
plan_choose(const Query *tree, const char *query_string, PlanChoice *choice)
{
	ScanSpec   *spec = &choice->spec;

	memset(choice, 0, sizeof(*choice));
	choice->tags = "";
	spec->automatic = true;
	spec->ttl = cache_default_ttl;
	spec->max_entry_size = (Size) cache_max_entry_size * 1024;
	spec->min_cost_us = cache_min_cost < 0 ? -1 : (int64) (cache_min_cost * 1000);
	if (cache_mode == CACHE_MODE_HINT)
		return false;
	if (spec->min_cost_us < 0)
		spec->shape = admit_shape(query_string, tree->stmt_location,
								  tree->stmt_len);
	return true;
}

/*
 * The specification of a node, in one piece.
 */
static ScanSpec *
plan_make_spec(const PlanChoice *choice)
{
	Size		size = offsetof(ScanSpec, bytes) + choice->tags_len +
	choice->text_len + 1;
	ScanSpec   *spec = palloc(size);

	memcpy(spec, &choice->spec, offsetof(ScanSpec, bytes));
	SET_VARSIZE(spec, size);
	spec->tags_len = choice->tags_len;
	spec->text_len = choice->text_len;
	memcpy(spec->bytes, choice->tags, choice->tags_len);
	memcpy(spec->bytes + choice->tags_len, choice->text, choice->text_len + 1);
	return spec;
}

/*
 * Look a statement up as its execution would.
 */
static StatsCounter
plan_look_up(Lookup *lookup, const Query *tree, const ScanSpec *spec,
			 ParamListInfo params)
{
	LookupRequest request = {
		.form = cache_mode == CACHE_MODE_SHADOW ? KEY_FORM_SHADOW : KEY_FORM_PLAIN,
		.query = spec->bytes + spec->tags_len,
		.query_len = spec->text_len,
		.tree = tree,
		.serial = spec->serial,
		.tags = spec->bytes,
		.tags_len = spec->tags_len,
		.automatic = spec->automatic,
		.ttl = spec->ttl,
		.params = params
	};

	lookup_begin(lookup, &request);
	return lookup_orient(lookup);
}

/*
 * May the statement go unplanned for now?
 */
static bool
plan_may_promise(Lookup *lookup, StatsCounter bypass, int cursor_options)
{
	StoreResult found;

	return bypass == LOOKUP_NO_BYPASS &&
		cache_mode != CACHE_MODE_SHADOW &&
		(cursor_options & ~CURSOR_OPT_PARALLEL_OK) == 0 &&
		!lookup->stmt->inherits &&
		lookup_l1(lookup, &found) == STORE_HIT;
}

/*
 * Plan a statement that is not known to be cheap.  planned: its plan, if it
 * has one already.
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
		lookup_count_bypass(lookup, STATS_BYPASS_REFUSED);
		return planned != NULL ? planned :
			plan_call_next(tree, query_string, cursor_options, params);
	}
	if (planned == NULL && plan_may_promise(lookup, bypass, cursor_options))
		return scan_promise(tree, spec, stmt->rtable, stmt->plan_cost,
							stmt->plan_rows);

	(void) statement_pin(stmt);
	if (planned == NULL)
	{
		spec->catalog_generation = stmt->catalog_generation;
		spec->roles_generation = stmt->roles_generation;
		original = copyObject(tree);
		planned = plan_call_next(tree, query_string, cursor_options, params);
	}
	stmt->plan_cost = planned->planTree->total_cost;
	stmt->plan_rows = planned->planTree->plan_rows;
	return scan_wrap(planned, original, spec);
}

static PlannedStmt *
plan_planner(Query *tree, const char *query_string, int cursor_options,
			 ParamListInfo params)
{
	PlanChoice	choice;
	Query	   *original = NULL;
	PlannedStmt *planned = NULL;

	if (!plan_considers(tree, query_string) ||
		!plan_choose(tree, query_string, &choice))
		return plan_call_next(tree, query_string, cursor_options, params);

	if (choice.spec.min_cost_us < 0)
	{
		switch (admit_verdict(choice.spec.shape))
		{
			case ADMIT_CHEAP:
				return plan_call_next(tree, query_string, cursor_options,
									  params);
			case ADMIT_UNKNOWN:
				lookup_read_definitions(&choice.spec.catalog_generation,
										&choice.spec.roles_generation);
				original = copyObject(tree);
				planned = plan_call_next(tree, query_string, cursor_options,
										 params);
				if (admit_is_cheap_plan(planned->planTree->total_cost))
				{
					admit_set_verdict(choice.spec.shape, ADMIT_CHEAP);
					return planned;
				}
				break;
			case ADMIT_DEAR:
				break;
		}
	}

	choice.text = pstrdup(query_string);
	choice.text_len = strlen(choice.text);
	return plan_with_node(tree, query_string, cursor_options, params, &choice,
						  original, planned);
}

void
plan_init(void)
{
	plan_next_planner = planner_hook;
	planner_hook = plan_planner;
}
