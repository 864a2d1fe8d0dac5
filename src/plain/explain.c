/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  cache_explain: tells what the cache would do with a statement, and why.
 *
 * The statement is analysed as if the client had sent it, and looked up as its
 * execution would look it up.  It is neither planned nor executed, and nothing
 * is served, stored or counted.
 *
 * Protocol and locks: those of the functions it calls.
 *
 * What this file must not do: decide anything.  It calls the functions that
 * decide.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/access.h"
#include "base/guc.h"
#include "base/seal.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "plain/plan.h"
#include "rewrite/rewriteHandler.h"
#include "store/admit.h"
#include "tcop/tcopprot.h"
#include "text/hint.h"
#include "text/params.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

PGDLLEXPORT Datum cache_explain_query(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_explain_query);

/*
 * Write a member of the json object.  explain_put_raw takes a value that is
 * json already, explain_put a string.
 */
static void
explain_put_raw(StringInfo json, const char *name, const char *value)
{
	appendStringInfoString(json, json->len > 1 ? ", " : "");
	escape_json(json, name);
	appendStringInfo(json, ": %s", value);
}

static void
explain_put(StringInfo json, const char *name, const char *value)
{
	StringInfoData quoted;

	initStringInfo(&quoted);
	escape_json(&quoted, value);
	explain_put_raw(json, name, quoted.data);
	pfree(quoted.data);
}

static void
explain_put_ms(StringInfo json, const char *name, int64 us)
{
	explain_put_raw(json, name, psprintf("%.3f", us / 1000.0));
}

/*
 * Errors of the analysis point into the text that was given.
 */
static void
explain_error_callback(void *arg)
{
	int			position = geterrposition();

	if (position <= 0)
		return;
	errposition(0);
	internalerrposition(position);
	internalerrquery(arg);
}

/*
 * The tree of a statement as planning would get it; NULL, and why, if it is no
 * single SELECT.
 */
static Query *
explain_analyse(const char *text, const Oid *types, int ntypes,
				const char **reason)
{
	List	   *raw = pg_parse_query(text);
	List	   *trees;
	Query	   *tree;

	*reason = "it is not a plain SELECT";
	if (list_length(raw) != 1)
	{
		*reason = raw == NIL ? "it is empty" :
			"it consists of several statements";
		return NULL;
	}
	tree = parse_analyze_fixedparams(linitial_node(RawStmt, raw), text, types,
									 ntypes, NULL);
	if (tree->commandType != CMD_SELECT)
		return NULL;
	trees = QueryRewrite(tree);
	if (list_length(trees) != 1 ||
		linitial_node(Query, trees)->commandType != CMD_SELECT)
		return NULL;
	return linitial_node(Query, trees);
}

static void
explain_put_dependencies(StringInfo json, const Lookup *lookup)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	appendStringInfoChar(&names, '[');
	foreach(lc, lookup_dependency_names(lookup))
	{
		appendStringInfoString(&names, names.len > 1 ? ", " : "");
		escape_json(&names, lfirst(lc));
	}
	appendStringInfoChar(&names, ']');
	explain_put_raw(json, "dependencies", names.data);
}

/*
 * Is a statement left to the planner because it is not worth more?
 */
static bool
explain_is_cheap(const Query *tree, const char *text, ParamListInfo params,
				 const PlanChoice *choice)
{
	PlannedStmt *planned;

	if (choice->spec.terms.min_cost_us >= 0)
		return false;
	switch (admit_verdict(admit_shape(text, tree->stmt_location, tree->stmt_len)))
	{
		case ADMIT_CHEAP:
			return true;
		case ADMIT_EXPENSIVE:
			return false;
		case ADMIT_UNKNOWN:
			break;
	}
	planned = planner(copyObject(unconstify(Query *, tree)), text,
					  CURSOR_OPT_PARALLEL_OK, params);
	return admit_is_cheap_plan(planned->planTree->total_cost);
}

static void
explain_put_verdict(StringInfo json, const char *verdict, const char *reason)
{
	explain_put(json, "verdict", verdict);
	if (reason != NULL)
		explain_put(json, "reason", reason);
}

/*
 * What a lookup has come to.  off: why the statement is left alone all the
 * same, or NULL.
 */
static void
explain_put_lookup(StringInfo json, Lookup *lookup, StatsCounter bypass,
				   const char *off)
{
	char		key[SEAL_NAME_LENGTH];
	StoreResult found;
	StoreStatus status = STORE_MISS;

	if (bypass == LOOKUP_NO_BYPASS)
		status = answer_l1(lookup, &found);
	if (off != NULL)
		explain_put_verdict(json, "off", off);
	else if (bypass != LOOKUP_NO_BYPASS)
		explain_put_verdict(json, "bypass",
							stats_bypass_name(bypass - STATS_BYPASS_FIRST));
	else
		explain_put_verdict(json, status == STORE_HIT ? "hit" : "miss", NULL);
	if (bypass == LOOKUP_NO_BYPASS &&
		seal_name(lookup->key.data, lookup->key.len, key))
		explain_put(json, "key", key);
	explain_put_raw(json, "shared", lookup->stmt->state != 0 ? "true" : "false");
	explain_put_dependencies(json, lookup);
	explain_put_raw(json, "ttl", psprintf("%d", lookup->request.terms.ttl));
	if (status == STORE_HIT)
	{
		explain_put(json, "tier", "L1");
		explain_put_ms(json, "age", lookup->now - found.times.created);
		explain_put_ms(json, "ttl_left",
					   store_end(&found.times, lookup->asker.ttl_us) - lookup->now);
		explain_put_ms(json, "fill_time", found.times.fill_us);
		explain_put_raw(json, "bytes", psprintf("%zu", found.len));
	}
}

/*
 * The verdict on a SELECT.
 */
static void
explain_put_select(StringInfo json, const Query *tree, const char *text,
				   ParamListInfo params)
{
	PlanChoice	choice;
	const char *off;
	Lookup	   *lookup = palloc(sizeof(Lookup));
	StatsCounter bypass;
	LookupRequest request;

	(void) plan_choose(text, tree->stmt_location, tree->stmt_len, &choice);
	off = choice.reason;
	if (cache_mode == CACHE_MODE_OFF)
		off = "cache.mode is off";
	else if (off == NULL && explain_is_cheap(tree, text, params, &choice))
		off = "executing it is expected to be about as fast as serving its result";
	choice.text = hint_strip(text, tree->stmt_location, tree->stmt_len,
							 &choice.text_len);
	lookup_make_request(&request, KEY_FORM_PLAIN, choice.text, choice.text_len,
						&choice.spec.terms);
	request.tree = tree;
	request.serial = STATEMENT_NO_SERIAL;
	request.params = params;
	lookup_begin(lookup, &request);
	bypass = lookup_orient(lookup);
	if (lookup->stmt->refusal != NULL)
	{
		explain_put_verdict(json, "refused", lookup->stmt->refusal);
		return;
	}
	(void) access_check(&lookup->stmt->access, true);
	if (tree->rtable == NIL && !tree->hasSubLinks)
		off = "it reads no table";
	explain_put_lookup(json, lookup, bypass, off);
}

/*
 * cache_explain(query text, VARIADIC "any") returns json
 */
Datum
cache_explain_query(PG_FUNCTION_ARGS)
{
	StringInfoData json;
	char	   *query;
	const char *reason;
	Oid		   *types;
	ParamListInfo params;
	int			nparams;
	Query	   *tree;
	ErrorContextCallback callback;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("query must not be null"),
				 errhint("Give the text of one SELECT.")));
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	nparams = params_read(fcinfo, 1, &types, &params);

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	explain_put(&json, "mode", GetConfigOption("cache.mode", false, false));
	callback.callback = explain_error_callback;
	callback.arg = query;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	tree = explain_analyse(query, types, nparams, &reason);
	error_context_stack = callback.previous;
	if (tree != NULL)
		explain_put_select(&json, tree, query, params);
	else
		explain_put_verdict(&json, "refused", reason);
	appendStringInfoChar(&json, '}');
	PG_RETURN_TEXT_P(cstring_to_text(json.data));
}
