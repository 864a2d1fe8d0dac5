/*-------------------------------------------------------------------------
 *
 * call.c
 *	  Judges the functions that a query calls: what they read, and whether the
 *	  results of the query may be cached, and shared.
 *
 * How a function is judged:
 *	- Built-in functions are classified in builtin.c.
 *	- Any other function of LANGUAGE sql is examined (body.c).  Its queries
 *	  count as if they were part of the query: the relations and privileges
 *	  they need, the reasons to refuse, and what makes a result shareable.  So
 *	  it does not matter whether PostgreSQL inlines the function or runs it.
 *	- An aggregate is judged by the functions that it is made of.
 *	- All other functions are opaque: nobody knows what they read.
 *
 * For example, let score() be LANGUAGE sql, and weight() PL/pgSQL and STABLE:
 *
 *	SELECT score(id) FROM story	-- depends on story, and on what score() reads
 *	SELECT weight(id) FROM story	-- refused, unless the caller names tags
 *
 * Opaque functions.  If the caller names tags, the caller is responsible for
 * what a function reads that is declared STABLE.  Without tags, the query is
 * refused.  A function with a reason to refuse inside counts as opaque, too,
 * with one exception: some reasons, such as reading what only the session has,
 * cannot be outweighed by declaring the function around them STABLE
 * (Dependencies.final).
 *
 * Functions that built-in code calls because of types and operators (reach.c)
 * are judged as if the query called them.
 *
 * IMMUTABLE.  To be declared IMMUTABLE proves nothing.  Functions that read a
 * setting or the current user are often declared so by mistake.  If such a
 * function can be examined, it is.  PostgreSQL may call it while it plans, and
 * keep the result in the plan as long as the catalog does not change:
 *
 *	SELECT * FROM story WHERE score > threshold()	-- IMMUTABLE, reads a table
 *
 * So inside such functions, reading tables or the time is a reason to refuse
 * even if the caller names tags (finding_is_strict).  If the function cannot
 * be examined, it is believed that it does not read tables or the time.  But
 * the results are not shared between users and settings, unless
 * cache.trusted_functions lists the function (trust.c).
 *
 * Trusted functions.  A function listed in cache.trusted_functions that is not
 * VOLATILE is not examined; the administrator vouches for it.  If it is
 * STABLE, it may still read any setting, so the keys of results contain all
 * settings.
 *
 * VOLATILE.  That is the default, so it is not by itself a reason to refuse a
 * function that can be examined.  Each query inside such a function gets a new
 * snapshot.  All of these snapshots are taken between the reading of the clock
 * and the check before storing.  A result is stored only if no change of its
 * dependencies became visible in that time (clock.c), so all snapshots see the
 * same data.  At REPEATABLE READ there is one snapshot only.  A VOLATILE
 * function also sees what its own transaction changes while the query runs.
 * But a transaction that has changed something stores nothing.  A VOLATILE
 * function that cannot be examined is refused, whatever the tags, and even if
 * cache.trusted_functions lists it.
 *
 * Privileges.  A hit calls no function.  So whether the user may call the
 * functions, and may read what they read, has to be found out here.  A missing
 * privilege on what the query itself reads is an error at once.  A missing
 * privilege for a function, or inside one, is not, because PostgreSQL raises
 * that error only if the call is reached.  So the request bypasses the cache,
 * and the execution raises the error or not (Dependencies.executable,
 * inner_access).
 *
 * The planner fills in the defaults of arguments that a call leaves out, so
 * the query does not show these expressions.  call_complete fills them in, to
 * be examined.
 *
 * The meaning of a function's text can change with a setting.  So the analysed
 * queries inside functions are part of the meaning of the query
 * (Dependencies.bodies).
 *
 * What this file must not do: walk a query.  That is done by depend.c, also
 * for the queries inside functions (Examination.query).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "base/breakage.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/trust.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "key/settings.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "query/body.h"
#include "query/builtin.h"
#include "query/call.h"
#include "query/reach.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* The hint for an opaque function. */
static const char *const call_unknown_hint = "Name the tags that invalidate the result, or have an administrator list the function in cache.trusted_functions.";

/* Functions that call each other more deeply are opaque. */
#define CALL_MAX_DEPTH 16

/* At most this many calls are examined for one statement. */
#define CALL_MAX_BODIES 256

/*
 * Check the type of an aggregate's initial state, which is read from a text
 * each time the aggregate starts.
 */
static bool
call_check_start(Oid type, Examination *walk)
{
	ReachTimes	times = {0};

	if (!OidIsValid(type))
		return false;
	if (reach_type(walk->reach, type, true))
		return true;
	reach_times(type, &times);
	if (!times.any || !finding_is_strict(walk))
		return false;
	return finding_refuse(walk->deps,
						  "an aggregate in it starts with a date or time that may be relative to the present",
						  FINDING_TAGS_HINT);
}

/*
 * Check the functions that an aggregate is made of.
 */
static bool
call_check_aggregate(Oid aggfnoid, Examination *walk)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggfnoid));
	FormData_pg_aggregate agg;
	Oid			parts[8];
	bool		starts_empty;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", aggfnoid);
	agg = *(Form_pg_aggregate) GETSTRUCT(tuple);
	starts_empty = heap_attisnull(tuple, Anum_pg_aggregate_agginitval, NULL) &&
		heap_attisnull(tuple, Anum_pg_aggregate_aggminitval, NULL);
	ReleaseSysCache(tuple);

	parts[0] = agg.aggtransfn;
	parts[1] = agg.aggfinalfn;
	parts[2] = agg.aggcombinefn;
	parts[3] = agg.aggserialfn;
	parts[4] = agg.aggdeserialfn;
	parts[5] = agg.aggmtransfn;
	parts[6] = agg.aggminvtransfn;
	parts[7] = agg.aggmfinalfn;
	for (int i = 0; i < (int) lengthof(parts); i++)
	{
		if (OidIsValid(parts[i]) && call_check_reached(parts[i], false, walk))
			return true;
	}
	if (reach_operator(walk->reach, agg.aggsortop, true))
		return true;
	return !starts_empty &&
		(call_check_start(agg.aggtranstype, walk) ||
		 call_check_start(agg.aggmtranstype, walk));
}

/*
 * What identifies a call: two calls with equal identities run the same
 * queries, and are judged by the same rules.
 */
static List *
call_identity(Oid funcid, Node *call, const RangeTblFunction *columns,
			  const Examination *walk)
{
	List	   *oids = list_make3_oid(funcid, exprType(call),
									  exprInputCollation(call));
	Oid			type;

	for (int i = 0; OidIsValid(type = get_call_expr_argtype(call, i)); i++)
		oids = lappend_oid(oids, type);
	return list_make4(oids, columns != NULL ? columns->funccoltypes : NIL,
					  columns != NULL ? columns->funccoltypmods : NIL,
					  makeInteger(walk->immutable + 2 * walk->folded));
}

/*
 * Make a call of a function that built-in code calls, with arguments of the
 * declared types.  NULL if one of its types is a pseudo-type, or it returns a
 * set.
 */
static Node *
call_make(Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Form_pg_proc proc;
	List	   *args = NIL;
	FuncExpr   *call = NULL;
	bool		generic = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	for (int i = 0; i < proc->pronargs && !generic; i++)
	{
		Oid			type = proc->proargtypes.values[i];

		generic = get_typtype(type) == TYPTYPE_PSEUDO;
		if (!generic)
			args = lappend(args, makeNullConst(type, -1, get_typcollation(type)));
	}
	if (!generic && !proc->proretset &&
		get_typtype(proc->prorettype) != TYPTYPE_PSEUDO)
		call = makeFuncExpr(funcid, proc->prorettype, args,
							get_typcollation(proc->prorettype),
							DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
	ReleaseSysCache(tuple);
	return (Node *) call;
}

/*
 * Check the queries inside a function.
 */
static bool
call_check_body(Oid funcid, const Body *body, Examination *walk)
{
	Examination inside = {0};
	Reach		fresh = {0};
	bool		immutable = func_volatile(funcid) == PROVOLATILE_IMMUTABLE;
	bool		refused = false;
	ListCell   *lc;

	inside.deps = walk->deps;
	inside.reach = walk->reach;
	inside.known = walk->known;
	inside.query = walk->query;
	inside.depth = walk->depth + 1;
	inside.immutable = walk->immutable || immutable;
	inside.folded = walk->folded || immutable;
	/* what was examined by less strict rules is examined again */
	if (inside.folded && !walk->folded)
	{
		fresh.function = walk->reach->function;
		fresh.condition = walk->reach->condition;
		inside.reach = &fresh;
	}
	inside.reach->context = &inside;
	foreach(lc, body->queries)
		refused = refused || walk->query(lfirst_node(Query, lc), &inside);
	walk->reach->context = walk;
	walk->known = inside.known;
	return refused || finding_check_dates(&inside, body->text);
}

Oid
call_language(Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Oid			language;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	language = ((Form_pg_proc) GETSTRUCT(tuple))->prolang;
	ReleaseSysCache(tuple);
	return language;
}

/*
 * Believe a function declared IMMUTABLE.  It may read settings or the user by
 * mistake.  So results are not shared, and their keys contain all settings.
 * It may read tables as well, unless it is written in C.
 */
static bool
call_believe(Oid funcid, Dependencies *deps)
{
	Oid			language = call_language(funcid);

	if (BREAK_IMMUTABLE)
		return false;
	deps->shareable = false;
	deps->opaque = true;
	deps->complete &= language == INTERNALlanguageId || language == ClanguageId;
	return false;
}

/*
 * Check an opaque function.  obstacle: why it is opaque, or NULL.
 */
static bool
call_check_opaque(Oid funcid, const char *obstacle, Examination *walk)
{
	Dependencies *deps = walk->deps;
	const char *why = obstacle != NULL ? psprintf(": %s", obstacle) : "";
	char		volatility = func_volatile(funcid);
	bool		builtin = funcid < FirstNormalObjectId;

	if (volatility == PROVOLATILE_VOLATILE)
		return finding_refuse(deps,
							  psprintf("it calls the volatile function %s%s",
									   get_func_name(funcid), why),
							  "If the function gives the same result for the same arguments and data, declare it STABLE.");
	if (!builtin && (volatility == PROVOLATILE_IMMUTABLE || walk->immutable))
		return call_believe(funcid, deps);
	if (!finding_is_strict(walk))
	{
		finding_note_unknown(deps);
		return false;
	}
	return finding_refuse(deps,
						  psprintf("what the function %s reads is not known%s",
								   format_procedure(funcid), why),
						  builtin ? FINDING_TAGS_HINT : call_unknown_hint);
}

/*
 * Handle a reason to refuse that was found inside a function.  The function
 * counts as opaque if it is declared STABLE and the caller has named tags.
 */
static bool
call_refuse_inside(Oid funcid, Examination *walk)
{
	Dependencies *deps = walk->deps;
	bool		stable = func_volatile(funcid) == PROVOLATILE_STABLE &&
	!deps->final;

	if (stable && !finding_is_strict(walk))
	{
		deps->refusal = NULL;
		deps->refusal_hint = NULL;
		finding_note_unknown(deps);
		return false;
	}
	return finding_refuse(deps,
						  psprintf("in the function %s: %s",
								   format_procedure(funcid), deps->refusal),
						  stable && deps->refusal_hint != call_unknown_hint ?
						  FINDING_TAGS_HINT : deps->refusal_hint);
}

/*
 * Examine a function.  If an equal call was examined before, or this call is
 * inside of one, there is nothing to add.
 */
static bool
call_look_into(Oid funcid, Examination *walk)
{
	Dependencies *deps = walk->deps;
	int			nknown = list_length(walk->known);
	Node	   *call = walk->call;
	const RangeTblFunction *columns = walk->columns;
	int			nreached[REACH_LISTS];
	List	   *identity;
	Body		body = {0};

	if (call == NULL && call_language(funcid) == SQLlanguageId)
		call = call_make(funcid);
	if (call == NULL)
		return call_check_opaque(funcid, NULL, walk);
	identity = call_identity(funcid, call, columns, walk);
	if (list_member(walk->known, identity))
		return false;
	if (walk->depth >= CALL_MAX_DEPTH)
		return call_check_opaque(funcid, "functions call each other too deeply",
								 walk);
	if (deps->nbodies++ >= CALL_MAX_BODIES)
		return call_check_opaque(funcid, "too many functions are called", walk);
	if (!body_find(funcid, call, columns, &body))
		return call_check_opaque(funcid, body.obstacle, walk);

	walk->known = lappend(walk->known, identity);
	reach_lengths(walk->reach, nreached);
	if (!call_check_body(funcid, &body, walk))
	{
		deps->bodies = list_concat(deps->bodies, body.queries);
		return false;
	}
	/* the examination was not completed, so forget what it has covered */
	walk->known = list_truncate(walk->known, nknown + 1);
	reach_truncate(walk->reach, nreached);
	return call_refuse_inside(funcid, walk);
}

/*
 * Check a call of current_setting().  It is known if the setting is in the
 * key.  The call may also be that of an operator made from the function.  In
 * other places, in an aggregate for instance, the name of the setting is not
 * known.
 */
static bool
call_check_setting(Examination *walk)
{
	List	   *args = NIL;
	const char *name = NULL;

	walk->deps->shareable = false;
	if (walk->call != NULL && IsA(walk->call, FuncExpr))
		args = ((FuncExpr *) walk->call)->args;
	else if (walk->call != NULL && IsA(walk->call, OpExpr))
		args = ((OpExpr *) walk->call)->args;
	if (args != NIL && IsA(linitial(args), Const) &&
		!linitial_node(Const, args)->constisnull)
		name = TextDatumGetCString(linitial_node(Const, args)->constvalue);
	if (name != NULL && settings_in_keys(name))
		return false;
	walk->deps->final = name == NULL || !settings_in_opaque_keys(name);
	return finding_refuse(walk->deps,
						  "it reads a setting that is not in the key of results",
						  FINDING_UNCACHED_HINT);
}

/*
 * Check a built-in function.
 */
static bool
call_check_builtin(Oid funcid, Examination *walk)
{
	Dependencies *deps = walk->deps;

	if (funcid == F_CURRENT_SETTING_TEXT || funcid == F_CURRENT_SETTING_TEXT_BOOL)
		return call_check_setting(walk);
	switch (builtin_kind(funcid))
	{
		case BUILTIN_KNOWN:
			return false;
		case BUILTIN_PERSONAL:
			deps->shareable = false;
			return false;
		case BUILTIN_TIME:
			if (!finding_is_strict(walk))
				return false;
			return finding_refuse(deps,
								  psprintf("the function %s depends on the time",
										   format_procedure(funcid)),
								  FINDING_TAGS_HINT);
		case BUILTIN_SESSION:
			return finding_refuse_finally(deps,
										  psprintf("%s tells one session from another",
												   format_procedure(funcid)));
		case BUILTIN_OPAQUE:
			break;
	}
	return call_look_into(funcid, walk);
}

static bool
call_check_function(Oid funcid, void *context)
{
	Examination *walk = context;
	char		volatility;

	if (!compat_may_execute(funcid, GetUserId()))
		walk->deps->executable = false;

	if (funcid < FirstNormalObjectId)
		return call_check_builtin(funcid, walk);
	volatility = func_volatile(funcid);
	if (volatility != PROVOLATILE_VOLATILE && trust_names(cache_trusted_functions, funcid))
	{
		walk->deps->vouched = true;
		if (volatility != PROVOLATILE_IMMUTABLE)
		{
			/* it may read any setting */
			walk->deps->shareable = false;
			walk->deps->opaque = true;
		}
		return false;
	}
	if (get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return call_check_aggregate(funcid, walk);
	return call_look_into(funcid, walk);
}

bool
call_check_reached(Oid funcid, bool folded, void *context)
{
	Examination *walk = context;
	Examination saved = *walk;
	bool		refused;

	walk->call = NULL;
	walk->columns = NULL;
	walk->folded |= folded;
	refused = call_check_function(funcid, walk);
	walk->call = saved.call;
	walk->columns = saved.columns;
	walk->folded = saved.folded;
	return refused;
}

static List *
call_complete_args(Oid funcid, List *args, Oid result)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	args = expand_function_arguments(args, false, result, tuple);
	ReleaseSysCache(tuple);
	return args;
}

Node *
call_complete(Node *node)
{
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = makeNode(FuncExpr);

		*call = *(FuncExpr *) node;
		call->args = call_complete_args(call->funcid, call->args,
										call->funcresulttype);
		return (Node *) call;
	}
	if (IsA(node, WindowFunc))
	{
		WindowFunc *call = makeNode(WindowFunc);

		*call = *(WindowFunc *) node;
		call->args = call_complete_args(call->winfnoid, call->args,
										call->wintype);
		return (Node *) call;
	}
	return node;
}

bool
call_check(Node *node, const RangeTblFunction *columns,
		   Examination *walk)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
			walk->call = node;
			break;
			/* aggregates; functions that compare and convert */
		default:
			walk->call = NULL;
			break;
	}
	walk->columns = columns;
	return check_functions_in_node(node, call_check_function, walk);
}
