/*-------------------------------------------------------------------------
 *
 * depend.c
 *	  What a query reads, and whether its result may be cached.
 *
 * The query is examined as the rewriter leaves it: views are expanded, row
 * security is in it, and every relation is in some range table.  What a
 * function reads inside is not seen here; freshness of a result with user tags
 * is its caller's, so that such a function is allowed as long as it claims to
 * be STABLE.
 *
 * Refused is what would do something (write, lock, or call what may), and what
 * reads the temporary tables of a session.
 *
 * What this file must not do: remember anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "depend.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

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

static bool
depend_check_function(Oid funcid, void *context)
{
	if (func_volatile(funcid) != PROVOLATILE_VOLATILE)
		return false;
	return depend_refuse(context,
						 psprintf("it calls the volatile function %s",
								  get_func_name(funcid)),
						 "If the function gives the same result for the same arguments and data, declare it STABLE.");
}

static bool
depend_check_relation(RangeTblEntry *rte, Dependencies *deps)
{
	if (get_rel_persistence(rte->relid) == RELPERSISTENCE_TEMP)
		return depend_refuse(deps,
							 psprintf("it reads the temporary table \"%s\"",
									  get_rel_name(rte->relid)),
							 "Run the query without the cache.");
	deps->relations = list_append_unique_oid(deps->relations, rte->relid);
	if (rte->requiredPerms != 0)
		deps->rtable = lappend(deps->rtable, copyObject(rte));
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
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION && depend_check_relation(rte, deps))
			return true;
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
	if (IsA(node, NextValueExpr))
		return depend_refuse(deps, "it advances a sequence",
							 "Run the query without the cache.");
	if (IsA(node, Query))
		return depend_walk_query((Query *) node, deps);
	return expression_tree_walker(node, depend_walker, deps);
}

void
depend_examine(Query *query, Dependencies *deps)
{
	memset(deps, 0, sizeof(*deps));
	depend_walk_query(query, deps);
}
