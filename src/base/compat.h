/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between the supported PostgreSQL versions.
 *
 * This is the only file that may test PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_COMPAT_H
#define CACHE_COMPAT_H

#include "executor/executor.h"
#include "executor/functions.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/parse_relation.h"
#include "pgstat.h"
#include "postmaster/autovacuum.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/rel.h"

#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#endif

#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#endif

#if PG_VERSION_NUM >= 170000
#include "storage/procnumber.h"
#else
#include "storage/backendid.h"
#include "storage/proc.h"
#endif

/* ExplainProperty functions */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#else
#include "commands/explain.h"
#endif

/* Does PostgreSQL's scanner treat a vertical tab as white space? */
#define COMPAT_VERTICAL_TAB_IS_SPACE (PG_VERSION_NUM >= 160000)

/*
 * Does the location of a statement point at its first token?  Before 18 it is
 * the end of the preceding statement, so the location includes comments before
 * the first token.
 */
#define COMPAT_STATEMENT_STARTS_AT_TOKEN (PG_VERSION_NUM >= 180000)

/*
 * Do functions of LANGUAGE sql that are executed, and not inlined, keep their
 * plans for the session?  Before 18 for a query only.
 */
#define COMPAT_SQL_FUNCTIONS_KEEP_PLANS (PG_VERSION_NUM >= 180000)

/* All settings, in an array; stores its length in *n. */
#if PG_VERSION_NUM >= 160000
#define compat_guc_variables(n)	get_guc_variables(n)
#else
#define compat_guc_variables(n) \
	(*(n) = GetNumConfigOptions(), get_guc_variables())
#endif

/*
 * The number of this backend, from 0 to MaxBackends - 1.  In a process that is
 * not a backend it is outside of that range.
 */
#if PG_VERSION_NUM >= 170000
#define compat_backend_index() MyProcNumber
#else
#define compat_backend_index() (MyBackendId - 1)
#endif

/* Index of this process in ProcGlobal->allProcs. */
#if PG_VERSION_NUM >= 170000
#define compat_proc_number() MyProcNumber
#else
#define compat_proc_number() (MyProc->pgprocno)
#endif

/* The wait event class of waits for a buffer pin. */
#if PG_VERSION_NUM >= 170000
#define COMPAT_WAIT_BUFFER_PIN PG_WAIT_BUFFERPIN
#else
#define COMPAT_WAIT_BUFFER_PIN PG_WAIT_BUFFER_PIN
#endif

/* Parameters and arguments of ExecutorRun and its hook. */
#if PG_VERSION_NUM >= 180000
#define COMPAT_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define COMPAT_EXECUTOR_RUN_ARGS queryDesc, direction, count
#else
#define COMPAT_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define COMPAT_EXECUTOR_RUN_ARGS queryDesc, direction, count, execute_once
#endif

#if PG_VERSION_NUM >= 180000
#define compat_form_minimal_tuple(tupdesc, values, isnull) \
	heap_form_minimal_tuple(tupdesc, values, isnull, 0)
#else
#define compat_form_minimal_tuple(tupdesc, values, isnull) \
	heap_form_minimal_tuple(tupdesc, values, isnull)
#endif

#if PG_VERSION_NUM >= 170000
#define compat_is_autovacuum_worker() AmAutoVacuumWorkerProcess()
#else
#define compat_is_autovacuum_worker() IsAutoVacuumWorkerProcess()
#endif

#if PG_VERSION_NUM >= 160000
#define compat_owns_relation(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#define compat_may_execute(funcid, role) \
	(object_aclcheck(ProcedureRelationId, funcid, role, ACL_EXECUTE) == ACLCHECK_OK)
#else
#define compat_owns_relation(relid, role) pg_class_ownercheck(relid, role)
#define compat_may_execute(funcid, role) \
	(pg_proc_aclcheck(funcid, role, ACL_EXECUTE) == ACLCHECK_OK)
#endif

/*
 * check_sql_fn_retval for a function, without columns in place of dropped
 * ones, and without returning the target list.
 */
#if PG_VERSION_NUM >= 180000
#define compat_check_sql_fn_retval(queries, rettype, desc) \
	check_sql_fn_retval(queries, rettype, desc, PROKIND_FUNCTION, false)
#elif PG_VERSION_NUM >= 160000
#define compat_check_sql_fn_retval(queries, rettype, desc) \
	check_sql_fn_retval(queries, rettype, desc, PROKIND_FUNCTION, false, NULL)
#else
#define compat_check_sql_fn_retval(queries, rettype, desc) \
	check_sql_fn_retval(queries, rettype, desc, false, NULL)
#endif

/*
 * The expressions that the columns of a range table entry stand for, if it is
 * a join, or, from 18 on, the entry of GROUP BY.  NIL for any other entry.
 */
static inline List *
compat_renamed_columns(const RangeTblEntry *rte)
{
#if PG_VERSION_NUM >= 180000
	if (rte->rtekind == RTE_GROUP)
		return rte->groupexprs;
#endif
	return rte->rtekind == RTE_JOIN ? rte->joinaliasvars : NIL;
}

/* Is a range table entry that of GROUP BY? */
static inline bool
compat_is_grouping(const RangeTblEntry *rte)
{
#if PG_VERSION_NUM >= 180000
	return rte->rtekind == RTE_GROUP;
#else
	return false;
#endif
}

/*
 * The expressions of a relation's virtual generated columns.  Reading such a
 * column computes its expression.  The planner replaces the column by it, so
 * the query that the rewriter returns does not show it.
 */
static inline List *
compat_virtual_columns(Relation rel)
{
	List	   *expressions = NIL;

#if PG_VERSION_NUM >= 180000
	TupleDesc	desc = RelationGetDescr(rel);

	if (desc->constr == NULL || !desc->constr->has_generated_virtual)
		return NIL;
	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
			expressions = lappend(expressions,
								  build_generation_expression(rel, i + 1));
	}
#endif
	return expressions;
}

/*
 * Is a node a JSON constructor or IS JSON?  These only do what built-in
 * functions such as json_build_object and to_json do.
 */
static inline bool
compat_makes_json(const Node *node)
{
#if PG_VERSION_NUM >= 160000
	return IsA(node, JsonConstructorExpr) || IsA(node, JsonValueExpr) ||
		IsA(node, JsonIsPredicate);
#else
	return false;
#endif
}

/*
 * Required privileges.  Before 16 they are fields of a range table entry.
 * Since 16 they are in a separate list, and the entry holds an index into it.
 */

/* Does a range table entry require any privileges? */
static inline bool
compat_entry_is_checked(const RangeTblEntry *rte)
{
#if PG_VERSION_NUM >= 160000
	return rte->perminfoindex != 0;
#else
	return rte->requiredPerms != 0;
#endif
}

/*
 * Append the privileges that a copied entry of a query requires to perminfos,
 * and make the copy refer to them.
 */
static inline List *
compat_add_perminfo(List *perminfos, const Query *query, RangeTblEntry *copy)
{
#if PG_VERSION_NUM >= 160000
	perminfos = lappend(perminfos,
						copyObject(getRTEPermissionInfo(query->rteperminfos,
														copy)));
	copy->perminfoindex = list_length(perminfos);
#endif
	return perminfos;
}

static inline bool
compat_check_permissions(List *rtable, List *perminfos, bool throw)
{
#if PG_VERSION_NUM >= 160000
	return ExecCheckPermissions(rtable, perminfos, throw);
#else
	return ExecCheckRTPerms(rtable, throw);
#endif
}

static inline void
compat_set_perminfos(PlannedStmt *stmt, List *perminfos)
{
#if PG_VERSION_NUM >= 160000
	stmt->permInfos = perminfos;
#endif
}

/* Fields of PgStat_TableStatus. */
#if PG_VERSION_NUM >= 160000
#define compat_tabstat_id(status) ((status)->id)
#define compat_tabstat_shared(status) ((status)->shared)
#define compat_tabstat_scans(status) ((status)->counts.numscans)
#define compat_tabstat_returned(status) ((status)->counts.tuples_returned)
#define compat_tabstat_fetched(status) ((status)->counts.tuples_fetched)
#else
#define compat_tabstat_id(status) ((status)->t_id)
#define compat_tabstat_shared(status) ((status)->t_shared)
#define compat_tabstat_scans(status) ((status)->t_counts.t_numscans)
#define compat_tabstat_returned(status) ((status)->t_counts.t_tuples_returned)
#define compat_tabstat_fetched(status) ((status)->t_counts.t_tuples_fetched)
#endif

#endif							/* CACHE_COMPAT_H */
