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
 * Functions.  Of the built-in ones it is known what they read.  Any other
 * function of LANGUAGE sql is looked into (body.c), and what its queries read and call counts as if
 * the query did: relations, privileges, refusals, and what makes a result
 * shareable.  So it does not matter whether PostgreSQL inlines it or runs it.
 * An aggregate is what the functions are that it is made of.
 * The rest is opaque.  What an opaque function reads is its caller's business if
 * there are user tags and it claims to be STABLE, and refused otherwise.  The
 * same goes for a function inside of which there is a reason to refuse, unless
 * it is one that no claim of others can make up for (final): a look at what
 * only the session has, say.
 *
 * Built-in code calls functions of users because of the types and operators that
 * it is given.  These count as if the query called them; reach.c finds them.
 *
 * To be declared IMMUTABLE is no proof: a function that reads a setting, or who
 * asks, is often so declared by mistake.  Where that can be looked into, it is.
 * Such a function may be called as the query is planned, and its result be kept
 * with the plan for as long as the definitions stay the same, so there tables
 * and the time are reasons to refuse whatever the tags, which is that anything
 * inside of it is held to what the cache demands for itself (depend_is_strict).
 * One that cannot be looked into is believed as to tables and the time, but its
 * results are not shared between users and settings, unless the administrator
 * says that it is what it claims (trust.c).
 *
 * To be declared VOLATILE, as is the default, is no such reason by itself.  A
 * function so declared sees each of its queries under a new snapshot.  All of
 * these are taken between the reading of the clock and the check before storing,
 * so a result is stored only if no change of its dependencies became visible
 * meanwhile (clock.c), and then all of these snapshots see the same data.  At
 * REPEATABLE READ there is only one snapshot.  And who has changed something,
 * which only a function so declared would see in the middle of a query, stores
 * nothing.
 *
 * A hit calls no function.  So whether the user may call it, and may read what
 * it reads, is found out here for who serves the hit.  Neither is an error as
 * the privileges on what the query itself reads are: PostgreSQL raises one only if
 * the call is reached, so that must be left to an execution.
 *
 * Arguments left to their defaults are filled in by the planner, so the query
 * does not show them.  They are filled in here to be examined.
 *
 * A date literal such as 'today' is a constant by the time the query is
 * examined, and looks like any other.  So if there are constants of such types,
 * the text that they were just parsed from is searched for these words
 * (literal.c).  Views, defaults, conditions of domains and bodies that are stored
 * as trees hold what such a literal was when they were made.
 *
 * A result is shareable between users and custom settings if that can be proved
 * from the query: no row security, no foreign tables, values of built-in types
 * only, functions of which it is known that they look at no more than the
 * built-in settings in all keys (settings.c).  Definitions that change end the
 * proof with the statement.  What the text of a function means may change with a
 * setting as well; so its queries are part of what the query means (bodies).
 *
 * What this file must not do: remember anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/trust.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "key/settings.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "query/body.h"
#include "query/builtin.h"
#include "query/depend.h"
#include "query/literal.h"
#include "query/reach.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static const char *const depend_uncached_hint = "Run the query without the cache.";
static const char *const depend_tags_hint = "Name the tags that invalidate the result.";
static const char *const depend_unknown_hint = "Name the tags that invalidate the result, or have an administrator list the function in cache.trusted_functions.";

/* How deeply functions may call each other to be looked into. */
#define DEPEND_MAX_DEPTH 16

/* How many calls are looked into for one statement. */
#define DEPEND_MAX_BODIES 256

/*
 * Statements of more nodes are not examined, constants counting as one for so many
 * bytes: what is made of them (statement.c) would be larger than PostgreSQL can
 * allocate.
 */
#define DEPEND_MAX_SIZE 1000000
#define DEPEND_CONSTANT_BYTES 64

/* The examination of a query, or of the inside of a function. */
typedef struct DependWalk
{
	Dependencies *deps;
	Reach	   *reach;			/* of the whole examination */
	int			depth;			/* of functions around what is examined */
	bool		immutable;		/* one of them is declared IMMUTABLE */
	bool		folded;			/* they may be called in planning */
	List	   *known;			/* identities of calls that were looked into,
								 * or are being */
	const RangeTblFunction *item;	/* the function in FROM that was met last */
	ReachTimes	times;			/* of the constants met */

	/* whose functions are being checked */
	Node	   *call;			/* NULL if it is not a call as it stands */
	const RangeTblFunction *columns;	/* if it is in FROM */
} DependWalk;

/*
 * Note why the query may not be cached.
 */
static bool
depend_refuse(Dependencies *deps, char *refusal, const char *hint)
{
	deps->refusal = refusal;
	deps->refusal_hint = hint;
	return true;
}

/*
 * The same, and that a function around it claims to be STABLE does not help.
 */
static bool
depend_refuse_finally(Dependencies *deps, char *refusal)
{
	deps->final = true;
	return depend_refuse(deps, refusal, depend_uncached_hint);
}

/*
 * Something may read anything.
 */
static void
depend_note_unknown(Dependencies *deps)
{
	deps->shareable = false;
	deps->opaque = true;
	deps->complete = false;
}

/*
 * Does everything that the result depends on have to be known?  The caller's tags may
 * stand for what is not, but not where PostgreSQL may have computed something
 * beforehand, and kept it with the plan.
 */
static bool
depend_is_strict(const DependWalk *walk)
{
	return walk->deps->automatic || walk->folded;
}

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
 * Is there a date or time that was relative to the present when this text was
 * parsed?  text: NULL if there is none.
 */
static bool
depend_check_dates(const DependWalk *walk, const char *text)
{
	if (text == NULL || !walk->times.any)
		return false;
	if (!literal_is_relative(text, false))
	{
		if (!walk->times.zoned || !literal_is_relative(text, true))
			return false;
		return depend_refuse(walk->deps,
							 "a time in it is in a time zone as that is today",
							 "Write the time zone as an offset, as in '12:00+01'.");
	}
	return depend_refuse(walk->deps,
						 "a date or time in it is relative to the present",
						 "Write CURRENT_DATE, now() or the like instead of a literal such as 'today'.");
}

static bool depend_check_reached(Oid funcid, bool folded, void *context);
static bool depend_walk_query(Query *query, DependWalk *walk);

/*
 * The state of an aggregate is read from a text each time it starts.
 */
static bool
depend_check_start(Oid type, DependWalk *walk)
{
	ReachTimes	times = {0};

	if (!OidIsValid(type))
		return false;
	if (reach_type(walk->reach, type, true))
		return true;
	reach_times(type, &times);
	if (!times.any || !depend_is_strict(walk))
		return false;
	return depend_refuse(walk->deps,
						 "an aggregate in it starts with a date or time that may be relative to the present",
						 depend_tags_hint);
}

/*
 * Check what an aggregate is made of.
 */
static bool
depend_check_aggregate(Oid aggfnoid, DependWalk *walk)
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
		if (OidIsValid(parts[i]) && depend_check_reached(parts[i], false, walk))
			return true;
	}
	if (reach_operator(walk->reach, agg.aggsortop, true))
		return true;
	return !starts_empty &&
		(depend_check_start(agg.aggtranstype, walk) ||
		 depend_check_start(agg.aggmtranstype, walk));
}

/*
 * What identifies a call, as far as it matters inside the function: no two
 * calls that are the same by this run different queries.
 */
static List *
depend_call_identity(Oid funcid, Node *call, const RangeTblFunction *columns,
					 const DependWalk *walk)
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
 * A call of a function that built-in code makes, with arguments of the declared
 * types; NULL if it has others.
 */
static Node *
depend_make_call(Oid funcid)
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
 * Check what a function runs.
 */
static bool
depend_check_body(Oid funcid, const Body *body, DependWalk *walk)
{
	DependWalk	inside = {0};
	Reach		fresh = {0};
	bool		immutable = func_volatile(funcid) == PROVOLATILE_IMMUTABLE;
	bool		refused = false;
	ListCell   *lc;

	inside.deps = walk->deps;
	inside.reach = walk->reach;
	inside.known = walk->known;
	inside.depth = walk->depth + 1;
	inside.immutable = walk->immutable || immutable;
	inside.folded = walk->folded || immutable;
	/* what was met under less demands is met again */
	if (inside.folded && !walk->folded)
	{
		fresh.function = walk->reach->function;
		fresh.condition = walk->reach->condition;
		inside.reach = &fresh;
	}
	inside.reach->context = &inside;
	foreach(lc, body->queries)
		refused = refused || depend_walk_query(lfirst_node(Query, lc), &inside);
	walk->reach->context = walk;
	walk->known = inside.known;
	return refused || depend_check_dates(&inside, body->text);
}

static Oid
depend_language(Oid funcid)
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
 * Take the word of a function for what it reads.  It may read settings, or who
 * asks, by mistake; so its results are not shared, and are told apart by all
 * settings.  One that is not written in C may read tables.
 */
static bool
depend_believe(Oid funcid, Dependencies *deps)
{
	Oid			language = depend_language(funcid);

	deps->shareable = false;
	deps->opaque = true;
	deps->complete &= language == INTERNALlanguageId || language == ClanguageId;
	return false;
}

/*
 * Check a function of which nothing more is known, but maybe why.
 */
static bool
depend_check_opaque(Oid funcid, const char *obstacle, DependWalk *walk)
{
	Dependencies *deps = walk->deps;
	const char *why = obstacle != NULL ? psprintf(": %s", obstacle) : "";
	char		volatility = func_volatile(funcid);
	bool		builtin = funcid < FirstNormalObjectId;

	if (volatility == PROVOLATILE_VOLATILE)
		return depend_refuse(deps,
							 psprintf("it calls the volatile function %s%s",
									  get_func_name(funcid), why),
							 "If the function gives the same result for the same arguments and data, declare it STABLE.");
	if (!builtin && (volatility == PROVOLATILE_IMMUTABLE || walk->immutable))
		return depend_believe(funcid, deps);
	if (!depend_is_strict(walk))
	{
		depend_note_unknown(deps);
		return false;
	}
	return depend_refuse(deps,
						 psprintf("what the function %s reads is not known%s",
								  format_procedure(funcid), why),
						 builtin ? depend_tags_hint : depend_unknown_hint);
}

/*
 * A reason to refuse was found inside a function.  With user tags the function may
 * still claim to be STABLE.
 */
static bool
depend_refuse_inside(Oid funcid, DependWalk *walk)
{
	Dependencies *deps = walk->deps;
	bool		stable = func_volatile(funcid) == PROVOLATILE_STABLE &&
	!deps->final;

	if (stable && !depend_is_strict(walk))
	{
		deps->refusal = NULL;
		deps->refusal_hint = NULL;
		depend_note_unknown(deps);
		return false;
	}
	return depend_refuse(deps,
						 psprintf("in the function %s: %s",
								  format_procedure(funcid), deps->refusal),
						 stable && deps->refusal_hint != depend_unknown_hint ?
						 depend_tags_hint : deps->refusal_hint);
}

/*
 * Check a function that is not known by itself, by looking into it.  A call that
 * was met before, maybe around this one, adds nothing.
 */
static bool
depend_check_call(Oid funcid, DependWalk *walk)
{
	Dependencies *deps = walk->deps;
	int			nknown = list_length(walk->known);
	Node	   *call = walk->call;
	const RangeTblFunction *columns = walk->columns;
	int			nreached[REACH_LISTS];
	List	   *identity;
	Body		body = {0};

	if (call == NULL && depend_language(funcid) == SQLlanguageId)
		call = depend_make_call(funcid);
	if (call == NULL)
		return depend_check_opaque(funcid, NULL, walk);
	identity = depend_call_identity(funcid, call, columns, walk);
	if (list_member(walk->known, identity))
		return false;
	if (walk->depth >= DEPEND_MAX_DEPTH)
		return depend_check_opaque(funcid, "functions call each other too deeply",
								   walk);
	if (deps->nbodies++ >= DEPEND_MAX_BODIES)
		return depend_check_opaque(funcid, "too many functions are called", walk);
	if (!body_find(funcid, call, columns, &body))
		return depend_check_opaque(funcid, body.obstacle, walk);

	walk->known = lappend(walk->known, identity);
	reach_lengths(walk->reach, nreached);
	if (!depend_check_body(funcid, &body, walk))
	{
		deps->bodies = list_concat(deps->bodies, body.queries);
		return false;
	}
	/* what was met since was not examined to the end */
	walk->known = list_truncate(walk->known, nknown + 1);
	reach_truncate(walk->reach, nreached);
	return depend_refuse_inside(funcid, walk);
}

/*
 * Check a call of current_setting().  What it reads is known if its setting is in
 * the key.  An operator may stand for it; as part of an aggregate, say, it gets any
 * name.
 */
static bool
depend_check_setting(DependWalk *walk)
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
	return depend_refuse(walk->deps,
						 "it reads a setting that results are not told apart by",
						 depend_uncached_hint);
}

/*
 * Check a function that the server comes with.
 */
static bool
depend_check_builtin(Oid funcid, DependWalk *walk)
{
	Dependencies *deps = walk->deps;

	if (funcid == F_CURRENT_SETTING_TEXT || funcid == F_CURRENT_SETTING_TEXT_BOOL)
		return depend_check_setting(walk);
	switch (builtin_kind(funcid))
	{
		case BUILTIN_KNOWN:
			return false;
		case BUILTIN_PERSONAL:
			deps->shareable = false;
			return false;
		case BUILTIN_TIME:
			if (!depend_is_strict(walk))
				return false;
			return depend_refuse(deps,
								 psprintf("the function %s depends on the time",
										  format_procedure(funcid)),
								 depend_tags_hint);
		case BUILTIN_SESSION:
			return depend_refuse_finally(deps,
										 psprintf("%s tells one session from another",
												  format_procedure(funcid)));
		case BUILTIN_OPAQUE:
			break;
	}
	return depend_check_call(funcid, walk);
}

static bool
depend_check_function(Oid funcid, void *context)
{
	DependWalk *walk = context;
	char		volatility;

	if (!compat_may_execute(funcid, GetUserId()))
		walk->deps->executable = false;

	if (funcid < FirstNormalObjectId)
		return depend_check_builtin(funcid, walk);
	volatility = func_volatile(funcid);
	if (volatility != PROVOLATILE_VOLATILE && trust_names(cache_trusted_functions, funcid))
	{
		walk->deps->shareable &= volatility == PROVOLATILE_IMMUTABLE;
		return false;
	}
	if (get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return depend_check_aggregate(funcid, walk);
	return depend_check_call(funcid, walk);
}

/*
 * Check a function that built-in code calls.
 */
static bool
depend_check_reached(Oid funcid, bool folded, void *context)
{
	DependWalk *walk = context;
	DependWalk	saved = *walk;
	bool		refused;

	walk->call = NULL;
	walk->columns = NULL;
	walk->folded |= folded;
	refused = depend_check_function(funcid, walk);
	walk->call = saved.call;
	walk->columns = saved.columns;
	walk->folded = saved.folded;
	return refused;
}

static List *
depend_complete_args(Oid funcid, List *args, Oid result)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	args = expand_function_arguments(args, false, result, tuple);
	ReleaseSysCache(tuple);
	return args;
}

/*
 * A call with its arguments in order and the default ones filled in; other nodes
 * as they are.
 */
static Node *
depend_complete_call(Node *node)
{
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = makeNode(FuncExpr);

		*call = *(FuncExpr *) node;
		call->args = depend_complete_args(call->funcid, call->args,
										  call->funcresulttype);
		return (Node *) call;
	}
	if (IsA(node, WindowFunc))
	{
		WindowFunc *call = makeNode(WindowFunc);

		*call = *(WindowFunc *) node;
		call->args = depend_complete_args(call->winfnoid, call->args,
										  call->wintype);
		return (Node *) call;
	}
	return node;
}

/*
 * Check the functions that a node calls, if it is one that does.
 */
static bool
depend_check_functions(Node *node, const RangeTblFunction *columns,
					   DependWalk *walk)
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
			/* aggregates, and what compares and converts types */
		default:
			walk->call = NULL;
			break;
	}
	walk->columns = columns;
	return check_functions_in_node(node, depend_check_function, walk);
}

/*
 * The time and its relatives; the other ones are about users.
 */
static bool
depend_check_value(SQLValueFunction *value, DependWalk *walk)
{
	Dependencies *deps = walk->deps;

	if (value->op > SVFOP_LOCALTIMESTAMP_N)
	{
		if (value->op != SVFOP_CURRENT_CATALOG)
			deps->shareable = false;
		return false;
	}
	if (!depend_is_strict(walk))
		return false;
	return depend_refuse(deps, "it depends on the time", depend_tags_hint);
}

/*
 * Check one relation that is read.
 */
static bool
depend_check_kind(Oid relid, Dependencies *deps)
{
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		return depend_refuse(deps,
							 psprintf("it reads the temporary table \"%s\"",
									  get_rel_name(relid)),
							 depend_uncached_hint);
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
		return depend_refuse(deps,
							 psprintf("it reads the system catalog \"%s\"",
									  get_rel_name(relid)),
							 depend_tags_hint);
	switch (get_rel_relkind(relid))
	{
		case RELKIND_FOREIGN_TABLE:
			return depend_refuse(deps,
								 psprintf("it reads the foreign table \"%s\"",
										  get_rel_name(relid)),
								 depend_tags_hint);
		case RELKIND_SEQUENCE:
			return depend_refuse(deps,
								 psprintf("it reads the sequence \"%s\"",
										  get_rel_name(relid)),
								 depend_tags_hint);
		default:
			return false;
	}
}

static bool
depend_check_relation(RangeTblEntry *rte, DependWalk *walk)
{
	Dependencies *deps = walk->deps;
	ListCell   *lc;

	if (walk->folded)
		return depend_refuse(deps,
							 psprintf("it reads the table \"%s\" inside of what is IMMUTABLE",
									  get_rel_name(rte->relid)),
							 "Declare the function STABLE.");
	if (depend_check_kind(rte->relid, deps))
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
		return depend_refuse(deps, "it reads a random sample", depend_tags_hint);

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
	return depend_refuse(deps, "it reads a system column", depend_tags_hint);
}

/*
 * XMLTABLE reads text as dates and times as it runs, 'today' among them.
 */
static bool
depend_check_table_function(const TableFunc *table, DependWalk *walk)
{
	ReachTimes	times = {0};
	ListCell   *lc;

	foreach(lc, table->coltypes)
	{
		if (reach_type(walk->reach, lfirst_oid(lc), true))
			return true;
		reach_times(lfirst_oid(lc), &times);
	}
	if (!times.any || !depend_is_strict(walk))
		return false;
	return depend_refuse(walk->deps, "it reads dates or times from XML",
						 depend_tags_hint);
}

/*
 * A function in FROM whose columns the query names.
 */
static bool
depend_check_item(const RangeTblFunction *item, DependWalk *walk)
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
depend_check_sorting(const SortGroupClause *clause, DependWalk *walk)
{
	return reach_operator(walk->reach, clause->eqop, true) ||
		reach_operator(walk->reach, clause->sortop, true);
}

static bool
depend_check_sortings(const List *clauses, DependWalk *walk)
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
depend_check_window(const WindowClause *window, DependWalk *walk)
{
	return (OidIsValid(window->startInRangeFunc) &&
			depend_check_reached(window->startInRangeFunc, false, walk)) ||
		(OidIsValid(window->endInRangeFunc) &&
		 depend_check_reached(window->endInRangeFunc, false, walk));
}

/*
 * Check what may be put in place of the operators of an expression; those
 * themselves are checked with their arguments.
 */
static bool
depend_check_operators(Node *node, DependWalk *walk)
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
				 depend_language(funcid) == INTERNALlanguageId);
	}
}

/*
 * Check the type of an expression.  columns: the function in FROM that it is, or
 * NULL; of that, what counts are the columns that are used.
 */
static bool
depend_check_type(Node *node, const RangeTblFunction *columns, DependWalk *walk)
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

static bool depend_walker(Node *node, DependWalk *walk);

/*
 * Check a range table entry, apart from the expressions in it.
 */
static bool
depend_check_entry(RangeTblEntry *rte, DependWalk *walk)
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
			return depend_refuse(walk->deps,
								 "it reads the rows that a statement has changed",
								 depend_uncached_hint);
		default:
			if (compat_is_grouping(rte))
				return false;
			return depend_refuse(walk->deps,
								 "it reads from something that is not known",
								 depend_uncached_hint);
	}
}

static bool
depend_walk_query(Query *query, DependWalk *walk)
{
	Dependencies *deps = walk->deps;
	ListCell   *lc;

	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL ||
		query->hasModifyingCTE)
		return depend_refuse(deps, "it is not a plain SELECT",
							 "Only SELECT and VALUES can be cached.");
	if (query->rowMarks != NIL)
		return depend_refuse(deps, "it locks rows",
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
depend_check_part(Node *node, DependWalk *walk)
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
				depend_note_unknown(walk->deps);
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
			return depend_refuse(walk->deps, "a part of it is of a kind that is not known",
								 depend_uncached_hint);
	}
}

/*
 * Check a node that has a value, and others by the way.
 */
static bool
depend_check_node(Node *node, const RangeTblFunction *columns, DependWalk *walk)
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
			return depend_refuse(deps, "it advances a sequence",
								 depend_uncached_hint);
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
	return depend_refuse(deps, "it is too large", depend_uncached_hint);
}

/*
 * Walks until there is a reason to refuse.
 */
static bool
depend_walker(Node *node, DependWalk *walk)
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
	node = depend_complete_call(node);
	return depend_check_functions(node, columns, walk) ||
		depend_check_node(node, columns, walk) ||
		expression_tree_walker(node, depend_walker, walk);
}

/*
 * Check a condition of a domain.
 */
static bool
depend_check_condition(Node *condition, void *context)
{
	DependWalk *walk = context;
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
	DependWalk	walk = {0};
	Reach		reach = {0};

	memset(deps, 0, sizeof(*deps));
	deps->automatic = automatic;
	deps->shareable = true;
	deps->complete = true;
	deps->executable = true;
	reach.function = depend_check_reached;
	reach.condition = depend_check_condition;
	reach.context = &walk;
	walk.deps = deps;
	walk.reach = &reach;
	if (!depend_walk_query(query, &walk))
		(void) depend_check_dates(&walk, text);
}
