/*-------------------------------------------------------------------------
 *
 * watch.c
 *	  Compares what an execution reaches with what was proven of its query.
 *
 * Whether a result may be cached is proven before the query is executed
 * (depend.c).  The proof believes the declarations of functions.  But a
 * function that is declared IMMUTABLE may read a table or the time all the
 * same.  This file notices such a function while it does so, and the result is
 * then not stored.  It is a safety net below the proof, and no part of it.
 *
 * A Watch stands for one fill.  watch_current is the Watch whose statement is
 * running: it is set around each row of a plain statement (scan.c), and around
 * a whole execution by SPI (fetch.c).  One fill can run inside another, so the
 * Watches form a stack.  What is reached counts for each Watch on the stack.
 *
 * A Watch fails, and the result is not stored, in these cases.  They apply to
 * results without tags, whose freshness is the cache's responsibility:
 *
 *	- An execution starts that reads a relation which is neither a relation of
 *	  the watched statement nor a descendant of one (ExecutorStart_hook).  If
 *	  the result depends on tags of rows in place of a relation (narrow.c), any
 *	  relation fails it, as the function may read other rows.
 *	- A function is prepared for being called that is not known to depend only
 *	  on its arguments (object_access_hook): it is VOLATILE, or it is STABLE
 *	  and not known to builtin.c.  Some functions are exempt.  Those that the
 *	  proof has looked at: the functions of the statement, and those called in
 *	  functions that were looked into.  Functions of LANGUAGE sql and plpgsql,
 *	  because what they do is seen itself.  Functions that return nothing.
 *	  Advisory locks.  Support functions of aggregates, which have an argument
 *	  of type internal.
 *	- A request inside of the fill is served from the cache, and its result has
 *	  tags of its own, has nothing but a ttl, or is past its ttl.  It may be
 *	  older than the execution, and the outer result would outlive it.
 *	- A named query is called (cached()), which also has tags of its own.
 *
 * An inner hit without tags is as good as an execution.  The generations of
 * the inner result were current when it was served, and its relations must be
 * among those of the outer statement.  So these relations were then either in
 * the state that the outer lookup has counted, or in one that a later change
 * has made; and a later change prevents the outer result from being stored
 * (clock.c).
 *
 * If the outer result has tags, whoever named the tags is responsible for what
 * is reached.
 *
 * PL/pgSQL evaluates expressions by itself, so CURRENT_TIMESTAMP or an input
 * function in one is not seen as it runs.  So queries and expressions that are
 * planned during a fill are searched for them (watch_note_plan).  What was
 * planned before is planned again for a fill that may use it (kept.c).
 *
 * Planning.  The planner replaces a call of an IMMUTABLE function with
 * constant arguments by its value.  Executions of that plan do not call the
 * function any more.  So planning is watched as well.  For a text, planning is
 * a part of its first execution.  A failure during planning is remembered in
 * the Statement and, for a plain statement, in its plan, which may live
 * longer: no execution of that plan is stored in this session.  A text is
 * planned again for each execution from then on, as it would be if it were
 * sent as a plain statement.  If a plan is made before the statement is
 * examined (plan.c), everything it reaches counts, and a statement whose
 * planning has failed is planned once more afterwards.
 *
 * The first failure of each statement is logged.  An administrator who lists a
 * function in cache.trusted_functions vouches for it.  In a statement that
 * calls such a function, nothing that is reached is a failure.
 *
 * What is not noticed:
 *
 *	- functions that the executor does not look up for the call, such as
 *	  comparison, hash and input functions, which PostgreSQL keeps in caches;
 *	- what PL/pgSQL calls to assign a value to a variable of another type;
 *	- what C code reads by itself;
 *	- what parallel workers do.
 *
 * Errors.  When an error passes, the Watch of an execution by SPI is taken off
 * the stack.  That of a plain statement is taken off with the memory of its
 * execution.  This happens before anything of an outer fill runs on, or at
 * least before its result is stored.  Until then, the worst that can happen is
 * a miss.
 *
 * Cost.  While nothing is being filled, the hooks only test watch_current.
 *
 * What this file must not do: raise errors.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "base/breakage.h"
#include "catalog/dependency.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "clock/relation.h"
#include "commands/extension.h"
#include "commands/proclang.h"
#include "executor/executor.h"
#include "lookup/watch.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "query/builtin.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

Watch	   *watch_current;

static ExecutorStart_hook_type watch_next_start;
static object_access_hook_type watch_next_access;

void
watch_begin(Watch *watch, Statement *stmt, const char *query, bool automatic,
			const DestReceiver *own)
{
	watch->outer = NULL;
	watch->stmt = stmt;
	watch->query = query;
	watch->automatic = automatic;
	watch->failed = stmt != NULL && stmt->unproven;
	watch->own = own;
	watch->starting = false;
}

void
watch_forget(Watch *watch)
{
	for (Watch **link = &watch_current; *link != NULL; link = &(*link)->outer)
	{
		if (*link == watch)
		{
			*link = watch->outer;
			break;
		}
	}
}

/*
 * The result of a fill is not to be stored.
 */
static void
watch_fail(Watch *watch, const char *reached)
{
	Statement  *stmt = watch->stmt;

	if (BREAK_WATCH)
		return;
	watch->failed = true;
	if (stmt == NULL || stmt->unproven)
		return;
	stmt->unproven = true;
	ereport(LOG,
			(errmsg("the result of a query is not cached, for its execution has reached %s",
					reached),
			 errdetail("Query: %s", watch->query),
			 errhint("A function that the query calls reads more than its declaration says. Declare it as it is, or list it in cache.trusted_functions.")));
}

/*
 * Is a relation one that a result depends on as a whole?
 */
static bool
watch_covers(const Statement *stmt, Oid relid)
{
	ListCell   *lc;

	if (stmt == NULL || stmt->narrowing != NULL)
		return false;
	if (list_member_oid(stmt->relations, relid))
		return true;
	foreach(lc, relation_with_ancestors(relid))
	{
		if (list_member_oid(stmt->relations, lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * An execution of a plan starts in a fill.
 */
static void
watch_check_plan(Watch *watch, const PlannedStmt *plan)
{
	ListCell   *lc;

	foreach(lc, plan->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION && rte->relkind != RELKIND_VIEW &&
			!watch_covers(watch->stmt, rte->relid))
		{
			char	   *name = get_rel_name(rte->relid);

			watch_fail(watch, psprintf("the relation \"%s\"", name ? name : "?"));
			return;
		}
	}
}

static void
watch_call_next_start(QueryDesc *queryDesc, int eflags)
{
	if (watch_next_start != NULL)
		watch_next_start(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
}

/*
 * Are executions and functions inside of a fill to be looked at?
 */
static bool
watch_looks(const Watch *watch)
{
	return watch->automatic && !watch->failed &&
		(watch->stmt == NULL || !watch->stmt->vouched);
}

/*
 * The execution of the statement itself reaches what was proven.
 */
static void
watch_executor_start(QueryDesc *queryDesc, int eflags)
{
	Watch	   *inner = watch_current;
	bool		starting;

	if (inner == NULL)
	{
		watch_call_next_start(queryDesc, eflags);
		return;
	}
	for (Watch *watch = inner; watch != NULL; watch = watch->outer)
	{
		if (watch_looks(watch) &&
			(watch->own == NULL || watch->own != queryDesc->dest))
			watch_check_plan(watch, queryDesc->plannedstmt);
	}
	starting = inner->starting;
	inner->starting = inner->own != NULL && inner->own == queryDesc->dest;
	watch_call_next_start(queryDesc, eflags);
	inner->starting = starting;
}

static bool
watch_is_advisory_lock(Oid funcid)
{
	char	   *name = get_func_name(funcid);

	return name != NULL && strstr(name, "_advisory_") != NULL;
}

/*
 * Is a function one of those that answer requests?  What they do is seen.
 */
static bool
watch_is_face(Oid funcid)
{
	static const char *const faces[] = {"cached_query", "cached_rows", "cached"};
	char	   *name = get_func_name(funcid);

	for (int i = 0; name != NULL && i < (int) lengthof(faces); i++)
	{
		if (strcmp(name, faces[i]) == 0)
			return getExtensionOfObject(ProcedureRelationId, funcid) ==
				get_extension_oid("cache", true);
	}
	return false;
}

/*
 * May what a function returns be something else the next time, and is nothing
 * else of it seen?  What it calls is, if its language runs it as queries or
 * expressions.
 */
static bool
watch_suspects(const Statement *stmt, Oid funcid)
{
	HeapTuple	tuple;
	Form_pg_proc proc;
	char	   *language;
	bool		suspect;

	if (funcid < FirstNormalObjectId &&
		get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return true;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	suspect = proc->provolatile != PROVOLATILE_IMMUTABLE &&
		proc->prorettype != VOIDOID &&
		proc->prolang != SQLlanguageId &&
		(proc->pronargs == 0 || proc->proargtypes.values[0] != INTERNALOID);
	if (suspect && proc->prolang >= FirstNormalObjectId)
	{
		language = get_language_name(proc->prolang, true);
		suspect = language == NULL || strcmp(language, "plpgsql") != 0;
	}
	ReleaseSysCache(tuple);
	if (!suspect || (stmt != NULL && list_member_oid(stmt->examined, funcid)))
		return false;
	if (stmt == NULL || funcid >= FirstNormalObjectId)
		return stmt == NULL || !watch_is_face(funcid);
	switch (builtin_kind(funcid))
	{
		case BUILTIN_KNOWN:
			return false;
		case BUILTIN_PERSONAL:
			return stmt->state != 0;
		default:
			return !watch_is_advisory_lock(funcid);
	}
}

static void
watch_access(ObjectAccessType access, Oid class, Oid object, int sub,
			 void *arg)
{
	if (watch_next_access != NULL)
		watch_next_access(access, class, object, sub, arg);
	if (watch_current == NULL || access != OAT_FUNCTION_EXECUTE)
		return;
	for (Watch *watch = watch_current; watch != NULL; watch = watch->outer)
	{
		if (watch_looks(watch) && !watch->starting &&
			watch_suspects(watch->stmt, object))
			watch_fail(watch, psprintf("the function %s", format_procedure(object)));
	}
}

/*
 * Does a part of a tree depend on the time, or call a function that is suspect?
 */
typedef struct WatchedTree
{
	Watch	   *watch;
	Oid			suspect;
} WatchedTree;

static bool
watch_check_function(Oid funcid, void *context)
{
	WatchedTree *tree = context;

	if (!watch_suspects(tree->watch->stmt, funcid))
		return false;
	tree->suspect = funcid;
	return true;
}

static bool
watch_walk_tree(Node *node, WatchedTree *tree)
{
	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, SQLValueFunction) &&
		((SQLValueFunction *) node)->op <= SVFOP_LOCALTIMESTAMP_N)
		return true;
	if (check_functions_in_node(node, watch_check_function, tree))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, watch_walk_tree, tree, 0);
	return expression_tree_walker(node, watch_walk_tree, tree);
}

void
watch_note_plan(Query *query, bool of_request)
{
	Watch	   *watch = of_request ? watch_current->outer : watch_current;

	for (; watch != NULL; watch = watch->outer)
	{
		WatchedTree tree = {watch, InvalidOid};

		if (!watch_looks(watch) || watch->starting ||
			!watch_walk_tree((Node *) query, &tree))
			continue;
		watch_fail(watch, OidIsValid(tree.suspect) ?
				   psprintf("the function %s", format_procedure(tree.suspect)) :
				   "the time");
	}
}

void
watch_note_hit(const Statement *stmt, const char *query, bool fresh)
{
	for (Watch *watch = watch_current; watch != NULL; watch = watch->outer)
	{
		bool		covered = fresh;
		ListCell   *lc;

		if (!watch->automatic || watch->failed)
			continue;
		if (watch_looks(watch))
		{
			foreach(lc, stmt->relations)
				covered = covered && watch_covers(watch->stmt, lfirst_oid(lc));
		}
		if (!covered)
			watch_fail(watch, psprintf("a cached result, of: %s", query));
	}
}

void
watch_note_name(const char *name)
{
	for (Watch *watch = watch_current; watch != NULL; watch = watch->outer)
	{
		if (watch->automatic && !watch->failed)
			watch_fail(watch, psprintf("the named query \"%s\"", name));
	}
}

void
watch_init(void)
{
	watch_next_start = ExecutorStart_hook;
	ExecutorStart_hook = watch_executor_start;
	watch_next_access = object_access_hook;
	object_access_hook = watch_access;
}
