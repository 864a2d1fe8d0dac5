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
 * Functions.  Those that claim to be IMMUTABLE are believed, and so are
 * aggregates if the functions they are made of are.  Of some built-in STABLE
 * ones it is known what they read (stable.c).  Any other function of LANGUAGE
 * sql is looked into (body.c), and what its queries read and call counts as if
 * the query did: relations, privileges, refusals, and what makes a result
 * shareable.  So it does not matter whether PostgreSQL inlines it or runs it.
 * The rest is opaque.  What an opaque function reads is its caller's business if
 * there are user tags and it claims to be STABLE, and refused otherwise.  The
 * same goes for a function inside of which there is a reason to refuse.
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
 * the text that they were just parsed from is searched for these words.
 *
 * A result is shareable between users and custom settings if that can be proved
 * from the query: no row security, values of built-in types only, functions
 * that are IMMUTABLE or of which it is known that they look at no more than the
 * built-in settings in all keys (settings.c).  Definitions that change end the
 * proof with the statement.  What the text of a function means may change with a
 * setting as well; so its queries are part of what the query means (bodies).
 *
 * What this file must not do: remember anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "base/compat.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "key/settings.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "query/body.h"
#include "query/depend.h"
#include "query/stable.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static const char *const depend_uncached_hint = "Run the query without the cache.";
static const char *const depend_tags_hint = "Name the tags that invalidate the result.";
static const char *const depend_unknown_hint = "Name the tags that invalidate the result, or have an administrator list the function in cache.trusted_functions.";

/* How deeply functions may call each other to be looked into. */
#define DEPEND_MAX_DEPTH 16

/* The examination of a query, or of the inside of a function. */
typedef struct DependWalk
{
	Dependencies *deps;
	int			depth;			/* of functions around what is examined */
	List	   *known;			/* identities of calls that were looked into,
								 * or are being */
	const RangeTblFunction *item;	/* the function in FROM that was met last */
	bool		datetime_constants; /* some were met */

	/* whose functions are being checked */
	Node	   *call;			/* NULL unless it can be looked into */
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
 * Can a text have literals that are not spelled as they read: with escapes, or
 * in pieces on several lines?
 */
static bool
depend_has_odd_literals(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '\\' || (*c == '&' && c > text &&
						   pg_tolower((unsigned char) c[-1]) == 'u'))
			return true;
		if (*c == '\'')
		{
			size_t		blanks = strspn(c + 1, " \t\n\r\f");

			if (c[1 + blanks] == '\'' && strcspn(c + 1, "\n\r") < blanks)
				return true;
		}
	}
	return false;
}

/*
 * Is one of the words in the text that date and time types read as a time
 * relative to the present, or could it be?  A call of now() is none, but
 * 'now()' is.
 */
static bool
depend_mentions_today(const char *text)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

	bool		dollars = false;	/* anything may be quoted */
	bool		quoted = false;

	if (depend_has_odd_literals(text))
		return true;
	for (const char *c = text; *c != '\0'; c++)
		dollars |= *c == '$' && !isdigit((unsigned char) c[1]);

	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '\'')
			quoted = !quoted;
		if (c > text && isalpha((unsigned char) c[-1]))
			continue;
		for (int i = 0; i < (int) lengthof(words); i++)
		{
			size_t		len = strlen(words[i]);

			if (pg_strncasecmp(c, words[i], len) == 0 &&
				!isalpha((unsigned char) c[len]) &&
				(c[len] != '(' || quoted || dollars))
				return true;
		}
	}
	return false;
}

/*
 * Is there a date or time that was relative to the present when this text was
 * parsed?  text: NULL if there is none.
 */
static bool
depend_check_dates(const DependWalk *walk, const char *text)
{
	if (!walk->datetime_constants || text == NULL || !depend_mentions_today(text))
		return false;
	return depend_refuse(walk->deps,
						 "a date or time in it is relative to the present",
						 "Write CURRENT_DATE, now() or the like instead of a literal such as 'today'.");
}

static bool depend_check_function(Oid funcid, void *context);
static bool depend_walk_query(Query *query, DependWalk *walk);

/*
 * Check the functions that an aggregate is made of.
 */
static bool
depend_check_aggregate(Oid aggfnoid, DependWalk *walk)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggfnoid));
	Form_pg_aggregate agg;
	Oid			parts[6];
	bool		refused = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", aggfnoid);
	agg = (Form_pg_aggregate) GETSTRUCT(tuple);
	parts[0] = agg->aggtransfn;
	parts[1] = agg->aggfinalfn;
	parts[2] = agg->aggcombinefn;
	parts[3] = agg->aggmtransfn;
	parts[4] = agg->aggminvtransfn;
	parts[5] = agg->aggmfinalfn;
	for (int i = 0; i < (int) lengthof(parts) && !refused; i++)
		refused = OidIsValid(parts[i]) && depend_check_function(parts[i], walk);
	ReleaseSysCache(tuple);
	return refused;
}

/*
 * What identifies a call, as far as it matters inside the function: no two
 * calls that are the same by this run different queries.
 */
static List *
depend_call_identity(Oid funcid, const DependWalk *walk)
{
	const RangeTblFunction *columns = walk->columns;
	List	   *oids = list_make3_oid(funcid, exprType(walk->call),
									  exprInputCollation(walk->call));
	Oid			type;

	for (int i = 0; OidIsValid(type = get_call_expr_argtype(walk->call, i)); i++)
		oids = lappend_oid(oids, type);
	return list_make3(oids, columns != NULL ? columns->funccoltypes : NIL,
					  columns != NULL ? columns->funccoltypmods : NIL);
}

/*
 * Check what a function runs.
 */
static bool
depend_check_body(const Body *body, DependWalk *walk)
{
	DependWalk	inside = {0};
	bool		refused = false;
	ListCell   *lc;

	inside.deps = walk->deps;
	inside.known = walk->known;
	inside.depth = walk->depth + 1;
	foreach(lc, body->queries)
		refused = refused || depend_walk_query(lfirst_node(Query, lc), &inside);
	walk->known = inside.known;
	return refused || depend_check_dates(&inside, body->text);
}

/*
 * Check a function of which nothing more is known, but maybe why.
 */
static bool
depend_check_opaque(Oid funcid, const char *obstacle, Dependencies *deps)
{
	const char *why = obstacle != NULL ? psprintf(": %s", obstacle) : "";

	deps->shareable &= stable_is_impersonal(funcid);
	if (func_volatile(funcid) == PROVOLATILE_VOLATILE)
		return depend_refuse(deps,
							 psprintf("it calls the volatile function %s%s",
									  get_func_name(funcid), why),
							 "If the function gives the same result for the same arguments and data, declare it STABLE.");
	if (!deps->automatic)
	{
		deps->complete &= stable_is_impersonal(funcid);
		return false;
	}
	return depend_refuse(deps,
						 psprintf("what the function %s reads is not known%s",
								  format_procedure(funcid), why),
						 depend_unknown_hint);
}

/*
 * A reason to refuse was found inside a function.  With user tags the function may
 * still claim to be STABLE.
 */
static bool
depend_refuse_inside(Oid funcid, Dependencies *deps)
{
	bool		stable = func_volatile(funcid) == PROVOLATILE_STABLE;

	if (stable && !deps->automatic)
	{
		deps->refusal = NULL;
		deps->refusal_hint = NULL;
		deps->shareable = false;
		deps->complete = false;
		return false;
	}
	return depend_refuse(deps,
						 psprintf("in the function %s: %s",
								  format_procedure(funcid), deps->refusal),
						 stable ? depend_unknown_hint : deps->refusal_hint);
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
	List	   *identity;
	Body		body = {0};

	if (walk->call == NULL)
		return depend_check_opaque(funcid, NULL, deps);
	identity = depend_call_identity(funcid, walk);
	if (list_member(walk->known, identity))
		return false;
	if (walk->depth >= DEPEND_MAX_DEPTH)
		return depend_check_opaque(funcid, "functions call each other too deeply",
								   deps);
	if (!body_find(funcid, walk->call, walk->columns, &body))
		return depend_check_opaque(funcid, body.obstacle, deps);

	walk->known = lappend(walk->known, identity);
	if (!depend_check_body(&body, walk))
	{
		deps->bodies = list_concat(deps->bodies, body.queries);
		return false;
	}
	/* what was met since was not examined to the end */
	walk->known = list_truncate(walk->known, nknown + 1);
	return depend_refuse_inside(funcid, deps);
}

/*
 * Of a STABLE function, is it known by itself what it reads?
 */
static bool
depend_is_known(Oid funcid)
{
	return stable_is_known(funcid) ||
		funcid == F_CURRENT_SETTING_TEXT ||
		funcid == F_CURRENT_SETTING_TEXT_BOOL ||
		(funcid < FirstNormalObjectId &&
		 get_func_prokind(funcid) == PROKIND_AGGREGATE);
}

static bool
depend_check_function(Oid funcid, void *context)
{
	DependWalk *walk = context;
	Dependencies *deps = walk->deps;
	char		volatility = func_volatile(funcid);

	if (!compat_may_execute(funcid, GetUserId()))
		deps->executable = false;

	/* what the built-in ones are made of was known when they were listed */
	if (funcid >= FirstNormalObjectId &&
		get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return depend_check_aggregate(funcid, walk);
	if (volatility == PROVOLATILE_IMMUTABLE)
		return false;
	if (volatility == PROVOLATILE_STABLE && depend_is_known(funcid))
	{
		deps->shareable &= stable_is_impersonal(funcid);
		return false;
	}
	if (volatility == PROVOLATILE_STABLE && stable_is_about_session(funcid))
		return depend_refuse(deps,
							 psprintf("%s tells one session from another",
									  format_procedure(funcid)),
							 depend_uncached_hint);
	return depend_check_call(funcid, walk);
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
 * A call of current_setting() is known if its setting is in the key.
 */
static bool
depend_check_setting(FuncExpr *call, Dependencies *deps)
{
	Node	   *name;

	if (call->funcid != F_CURRENT_SETTING_TEXT &&
		call->funcid != F_CURRENT_SETTING_TEXT_BOOL)
		return false;
	name = linitial(call->args);
	if (IsA(name, Const) && !((Const *) name)->constisnull &&
		settings_in_keys(TextDatumGetCString(((Const *) name)->constvalue)))
		return false;
	return depend_refuse(deps,
						 "it reads a setting that results are not told apart by",
						 depend_uncached_hint);
}

/*
 * The time and its relatives; the other ones are about users.
 */
static bool
depend_check_value(SQLValueFunction *value, Dependencies *deps)
{
	if (value->op > SVFOP_LOCALTIMESTAMP_N)
	{
		if (value->op != SVFOP_CURRENT_CATALOG)
			deps->shareable = false;
		return false;
	}
	if (!deps->automatic)
		return false;
	return depend_refuse(deps, "it depends on the time", depend_tags_hint);
}

static bool
depend_is_datetime(Oid type)
{
	Oid			element = get_base_element_type(type);

	if (OidIsValid(element))
		type = element;
	type = getBaseType(type);
	if (type_is_multirange(type))
		type = get_multirange_range(type);
	if (type_is_range(type))
		type = getBaseType(get_range_subtype(type));
	/* a row may have such a column */
	return type_is_rowtype(type) || type == DATEOID || type == TIMEOID || type == TIMETZOID ||
		type == TIMESTAMPOID || type == TIMESTAMPTZOID;
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
		return false;
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
	if (deps->automatic && rte->tablesample != NULL &&
		rte->tablesample->repeatable == NULL)
		return depend_refuse(deps, "it reads a random sample",
							 "Add REPEATABLE to TABLESAMPLE, or name the tags that invalidate the result.");

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
depend_check_table_function(TableFunc *table, Dependencies *deps)
{
	ListCell   *lc;

	if (!deps->automatic)
		return false;
	foreach(lc, table->coltypes)
	{
		if (depend_is_datetime(lfirst_oid(lc)))
			return depend_refuse(deps, "it reads dates or times from XML",
								 depend_tags_hint);
	}
	return false;
}

static bool depend_walker(Node *node, DependWalk *walk);

static bool
depend_walk_query(Query *query, DependWalk *walk)
{
	Dependencies *deps = walk->deps;
	ListCell   *lc;

	if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
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
		if (rte->rtekind == RTE_RELATION && depend_check_relation(rte, walk))
			return true;
		/* a view, where the rewriter leaves no other trace of it */
		if (rte->rtekind == RTE_SUBQUERY && OidIsValid(rte->relid) &&
			depend_check_kind(rte->relid, deps))
			return true;
		if (rte->rtekind == RTE_NAMEDTUPLESTORE)
			return depend_refuse(deps, "it reads the rows that a statement has changed",
								 depend_uncached_hint);
	}
	return query_tree_walker(query, depend_walker, walk, 0);
}

/*
 * Walks until there is a reason to refuse.
 */
static bool
depend_walker(Node *node, DependWalk *walk)
{
	Dependencies *deps = walk->deps;
	const RangeTblFunction *columns = NULL;

	if (node == NULL)
		return false;
	if (walk->item != NULL && walk->item->funcexpr == node)
		columns = walk->item;
	node = depend_complete_call(node);
	if (depend_check_functions(node, columns, walk))
		return true;
	if (IsA(node, Var) && depend_check_column((Var *) node, deps))
		return true;
	switch (nodeTag(node))
	{
		case T_Query:
			return depend_walk_query((Query *) node, walk);
		case T_RangeTblFunction:
			walk->item = (RangeTblFunction *) node;
			break;
		case T_NextValueExpr:
			return depend_refuse(deps, "it advances a sequence",
								 depend_uncached_hint);
		case T_FuncExpr:
			if (depend_check_setting((FuncExpr *) node, deps))
				return true;

			/*
			 * of a function in FROM, what counts are the columns that are
			 * used
			 */
			if (columns == NULL && !depend_type_is_shareable(exprType(node)))
				deps->shareable = false;
			break;
		case T_TableFunc:
			if (depend_check_table_function((TableFunc *) node, deps))
				return true;
			break;
		case T_SQLValueFunction:
			if (depend_check_value((SQLValueFunction *) node, deps))
				return true;
			break;
		case T_Const:
			walk->datetime_constants |= depend_is_datetime(((Const *) node)->consttype);
			/* FALLTHROUGH */
		case T_Var:
		case T_Param:
		case T_OpExpr:
		case T_Aggref:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
			if (!depend_type_is_shareable(exprType(node)))
				deps->shareable = false;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, depend_walker, walk);
}

void
depend_examine(Query *query, const char *text, bool automatic,
			   Dependencies *deps)
{
	DependWalk	walk = {0};

	memset(deps, 0, sizeof(*deps));
	deps->automatic = automatic;
	deps->shareable = true;
	deps->complete = true;
	deps->executable = true;
	walk.deps = deps;
	if (!depend_walk_query(query, &walk))
		(void) depend_check_dates(&walk, text);
}
