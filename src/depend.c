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
 * read anything (stable.c).  What a function with user tags reads inside is
 * its caller's business, as long as it claims to be STABLE.  Functions that
 * claim to be IMMUTABLE are believed, and so are aggregates if the functions
 * they are made of are.
 *
 * A date literal such as 'today' is a constant by the time the query is
 * examined, and looks like any other.  That there are constants of such types
 * is noted, for who knows the text.
 *
 * A result is shareable between users and custom settings if that can be proved
 * from the query: no row security, values of built-in types only, functions
 * that are IMMUTABLE or of which it is known that they look at no more than
 * key_shared_settings (key.c).  Definitions that change end the proof with the
 * statement.
 *
 * What this file must not do: remember anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "depend.h"
#include "key.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "stable.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static const char *const depend_uncached_hint = "Run the query without the cache.";
static const char *const depend_tags_hint = "Name the tags that invalidate the result.";

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
 * A function keeps a result shareable if it can look at nothing but its
 * arguments and the settings of shared results.  Whether the user may call it is
 * noted because a hit does not call it.
 */
static void
depend_note_function(Oid funcid, Dependencies *deps)
{
	if (func_volatile(funcid) != PROVOLATILE_IMMUTABLE &&
		!stable_is_impersonal(funcid))
		deps->shareable = false;
	if (pg_proc_aclcheck(funcid, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		deps->executable = false;
}

static bool depend_check_function(Oid funcid, void *context);

/*
 * Check the functions that an aggregate is made of.
 */
static bool
depend_check_aggregate(Oid aggfnoid, Dependencies *deps)
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
		refused = OidIsValid(parts[i]) && depend_check_function(parts[i], deps);
	ReleaseSysCache(tuple);
	return refused;
}

static bool
depend_check_function(Oid funcid, void *context)
{
	Dependencies *deps = context;

	depend_note_function(funcid, deps);

	/* what the built-in ones are made of was known when they were listed */
	if (funcid >= FirstNormalObjectId &&
		get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return depend_check_aggregate(funcid, deps);

	switch (func_volatile(funcid))
	{
		case PROVOLATILE_IMMUTABLE:
			return false;
		case PROVOLATILE_STABLE:
			if (stable_is_known(funcid) ||
				funcid == F_CURRENT_SETTING_TEXT ||
				funcid == F_CURRENT_SETTING_TEXT_BOOL ||
				(funcid < FirstNormalObjectId &&
				 get_func_prokind(funcid) == PROKIND_AGGREGATE))
				return false;
			if (stable_is_about_session(funcid))
				return depend_refuse(deps,
									 psprintf("%s tells one session from another",
											  format_procedure(funcid)),
									 depend_uncached_hint);
			if (!deps->automatic)
			{
				deps->complete &= stable_is_impersonal(funcid);
				return false;
			}
			return depend_refuse(deps,
								 psprintf("what the function %s reads is not known",
										  format_procedure(funcid)),
								 "Name the tags that invalidate the result, or have an administrator list the function in cache.trusted_functions.");
		default:
			return depend_refuse(deps,
								 psprintf("it calls the volatile function %s",
										  get_func_name(funcid)),
								 "If the function gives the same result for the same arguments and data, declare it STABLE.");
	}
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
		!key_ignores_setting(TextDatumGetCString(((Const *) name)->constvalue)))
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
	if (type_is_range(type))
		type = get_range_subtype(type);
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
depend_check_relation(RangeTblEntry *rte, Dependencies *deps)
{
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
	if (rte->requiredPerms != 0)
		deps->rtable = lappend(deps->rtable, copyObject(rte));
	return false;
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

static bool depend_walker(Node *node, Dependencies *deps);

static bool
depend_walk_query(Query *query, Dependencies *deps)
{
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

		if (rte->rtekind == RTE_RELATION && depend_check_relation(rte, deps))
			return true;
		if (rte->rtekind == RTE_NAMEDTUPLESTORE)
			return depend_refuse(deps, "it reads the rows that a statement has changed",
								 depend_uncached_hint);
	}
	return query_tree_walker(query, depend_walker, deps, 0);
}

/*
 * Walks until there is a reason to refuse.
 */
static bool
depend_walker(Node *node, Dependencies *deps)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, depend_check_function, deps))
		return true;
	switch (nodeTag(node))
	{
		case T_Query:
			return depend_walk_query((Query *) node, deps);
		case T_NextValueExpr:
			return depend_refuse(deps, "it advances a sequence",
								 depend_uncached_hint);
		case T_FuncExpr:
			if (depend_check_setting((FuncExpr *) node, deps))
				return true;
			if (!depend_type_is_shareable(exprType(node)))
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
			deps->datetime_constants |= depend_is_datetime(((Const *) node)->consttype);
			/* FALLTHROUGH */
		case T_Var:
		case T_Param:
		case T_OpExpr:
		case T_Aggref:
			if (!depend_type_is_shareable(exprType(node)))
				deps->shareable = false;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, depend_walker, deps);
}

void
depend_examine(Query *query, bool automatic, Dependencies *deps)
{
	memset(deps, 0, sizeof(*deps));
	deps->automatic = automatic;
	deps->shareable = true;
	deps->complete = true;
	deps->executable = true;
	depend_walk_query(query, deps);
}
