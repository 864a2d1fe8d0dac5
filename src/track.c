/*-------------------------------------------------------------------------
 *
 * track.c
 *	  What statements change, seen as they run.
 *
 * Rows.  A statement's changes are touched as its executor ends, while the
 * relations it wrote to are still open, and before its transaction can commit:
 * a portal that is open at commit is closed first.  Triggers, cascades and
 * writes inside functions are statements of their own, with executors of their
 * own.  Which relations have changed, and not only been aimed at, is told by
 * the counters that PostgreSQL keeps per relation and transaction for its
 * statistics; a relation it does not count for is taken to have changed.  A
 * relation that an earlier statement of the transaction changed is touched
 * again, which costs nothing.
 *
 * While a statement that writes is under way it is not known what it will have
 * changed, so that what it calls may not be served anything (invalidate_writing,
 * fetch.c).
 *
 * COPY has no executor; its target, and the partitions of that, are looked at
 * when it is done, in the same way.  TRUNCATE tells of every relation it
 * reaches, cascades and partitions included, by the object access hook.
 * REFRESH MATERIALIZED VIEW names what it fills.  Apply and table
 * synchronisation workers of logical replication write by none of these ways,
 * so before each of their commits the relations of their subscription are
 * looked at.
 *
 * Definitions.  Utility commands that change some (ddl.c) touch the slot of
 * the catalog, or that of the roles, which are in the dependencies of every
 * result.  The touch comes before the command, so that nothing the command
 * does, or makes others do, comes first; and again after it, because some
 * commands commit in the middle (DETACH PARTITION CONCURRENTLY), and what was
 * touched before went with the first of their transactions.  A command that
 * fails takes its transaction along, or its savepoint, and that
 * over-invalidates.  A command that turns out to change nothing has no
 * transaction id, and touches nothing either (invalidate.c).  In any case this
 * session analyses its statements again: it sees what it has changed before
 * it commits, and no longer does once that is rolled back.
 *
 * Prepared transactions that this session, or this apply worker, has ended are
 * resolved (prepared.c) right after the command, or with the transaction of
 * the worker.
 *
 * What this file must not do: change what a command does, or fail it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_subscription_rel.h"
#include "ddl.h"
#include "executor/executor.h"
#include "invalidate.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "prepared.h"
#include "relation.h"
#include "replication/logicalworker.h"
#include "replication/worker_internal.h"
#include "statement.h"
#include "tcop/utility.h"
#include "track.h"
#include "trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static ExecutorStart_hook_type track_next_executor_start;
static ExecutorEnd_hook_type track_next_executor_end;
static ProcessUtility_hook_type track_next_utility;
static object_access_hook_type track_next_object_access;

/* Has the transaction changed definitions? */
static bool track_changed_definitions;

/*
 * Has the transaction changed rows, by these counters of a relation?  What a
 * rolled-back savepoint did is no longer in them, and need not be.
 */
static bool
track_counted_changes(const PgStat_TableStatus *status)
{
	if (status == NULL)
		return false;
	for (PgStat_TableXactStatus *xact = status->trans; xact != NULL;
		 xact = xact->upper)
	{
		if (xact->tuples_inserted + xact->tuples_updated +
			xact->tuples_deleted > 0 || xact->truncdropped)
			return true;
	}
	return false;
}

/*
 * Are changes of a relation counted?  Heaps are the only ones that are known
 * to be.
 */
static bool
track_is_counted(Relation rel)
{
	return rel->pgstat_enabled && rel->rd_tableam == GetHeapamTableAmRoutine();
}

static void
track_definitions(DdlChange change)
{
	switch (change)
	{
		case DDL_NOTHING:
			return;
		case DDL_SESSION:
			break;
		case DDL_CATALOG:
			invalidate_touch(clock_slot(MyDatabaseId, CLOCK_TAG_CATALOG, "", 0));
			break;
		case DDL_ROLES:
			invalidate_touch(CLOCK_SLOT_ROLES);
			break;
	}
	statement_outdate_all();
	track_changed_definitions = true;
}

/*
 * Touch an open relation if the transaction has changed it.  A system catalog
 * that someone writes to by hand stands for the definitions in it.
 */
static void
track_result_relation(Relation rel)
{
	if (IsCatalogRelation(rel))
	{
		track_definitions(DDL_CATALOG);
		return;
	}
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP ||
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return;
	if (!track_is_counted(rel) || track_counted_changes(rel->pgstat_info))
		relation_touch(RelationGetRelid(rel));
}

/* Can a statement change rows? */
static inline bool
track_writes(const QueryDesc *queryDesc)
{
	return queryDesc->operation != CMD_SELECT ||
		queryDesc->plannedstmt->hasModifyingCTE;
}

static void
track_executor_start(QueryDesc *queryDesc, int eflags)
{
	if (track_writes(queryDesc))
		invalidate_begin_write();
	if (track_next_executor_start != NULL)
		track_next_executor_start(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
}

static void
track_executor_end(QueryDesc *queryDesc)
{
	EState	   *estate = queryDesc->estate;
	ListCell   *lc;

	if (track_writes(queryDesc))
	{
		invalidate_end_write();
		foreach(lc, estate->es_opened_result_relations)
			track_result_relation(((ResultRelInfo *) lfirst(lc))->ri_RelationDesc);
		foreach(lc, estate->es_tuple_routing_result_relations)
			track_result_relation(((ResultRelInfo *) lfirst(lc))->ri_RelationDesc);
	}

	if (track_next_executor_end != NULL)
		track_next_executor_end(queryDesc);
	else
		standard_ExecutorEnd(queryDesc);
}

/*
 * Touch a relation, and all below it, that the transaction has changed by a
 * way that leaves only the counters to look at.
 */
static void
track_relation_tree(Oid relid)
{
	List	   *relids = find_all_inheritors(relid, NoLock, NULL);
	ListCell   *lc;

	foreach(lc, relids)
	{
		Relation	rel = try_relation_open(lfirst_oid(lc), AccessShareLock);

		if (rel == NULL)
			continue;
		if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
			rel->rd_rel->relpersistence != RELPERSISTENCE_TEMP &&
			(!track_is_counted(rel) ||
			 track_counted_changes(find_tabstat_entry(RelationGetRelid(rel)))))
			relation_touch(RelationGetRelid(rel));
		relation_close(rel, NoLock);
	}
	list_free(relids);
}

/*
 * Before the commit of a worker of logical replication.
 */
static void
track_apply(void)
{
	ListCell   *lc;

	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	foreach(lc, GetSubscriptionRelations(MyLogicalRepWorker->subid))
		track_relation_tree(((SubscriptionRelState *) lfirst(lc))->relid);
}

static void
track_xact_callback(XactEvent event, void *arg)
{
	if (track_changed_definitions &&
		(event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE ||
		 event == XACT_EVENT_COMMIT))
	{
		statement_outdate_all();
		track_changed_definitions = false;
	}
	if (IsLogicalWorker() &&
		(event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE))
	{
		track_apply();
		/* the commit of another transaction may be what this one is about */
		prepared_resolve();
	}
}

static void
track_subxact_callback(SubXactEvent event, SubTransactionId mySubid,
					   SubTransactionId parentSubid, void *arg)
{
	if (track_changed_definitions && event == SUBXACT_EVENT_ABORT_SUB)
		statement_outdate_all();
}

static void
track_object_access(ObjectAccessType access, Oid classId, Oid objectId,
					int subId, void *arg)
{
	if (track_next_object_access != NULL)
		track_next_object_access(access, classId, objectId, subId, arg);
	if (access == OAT_TRUNCATE && classId == RelationRelationId &&
		get_rel_persistence(objectId) != RELPERSISTENCE_TEMP)
		relation_touch(objectId);
}

/*
 * A partition made after cache_attach has no trigger of its own for TRUNCATE:
 * touch what the triggers above it stand for.
 */
static void
track_truncate(const TruncateStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->relations)
	{
		Oid			relid = RangeVarGetRelid(lfirst_node(RangeVar, lc), NoLock,
											 true);

		if (OidIsValid(relid) && get_rel_relispartition(relid))
			trigger_touch_relation(relid);
	}
}

/*
 * Touch what a utility command that is done has changed, but for definitions.
 */
static void
track_utility_rows(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CopyStmt:
			invalidate_end_write();
			{
				CopyStmt   *copy = (CopyStmt *) stmt;
				Oid			relid = InvalidOid;

				if (copy->is_from && copy->relation != NULL)
					relid = RangeVarGetRelid(copy->relation, NoLock, true);
				if (OidIsValid(relid))
					track_relation_tree(relid);
				break;
			}
		case T_TruncateStmt:
			track_truncate((TruncateStmt *) stmt);
			break;
		case T_RefreshMatViewStmt:
			{
				Oid			relid;

				relid = RangeVarGetRelid(((RefreshMatViewStmt *) stmt)->relation,
										 NoLock, true);
				if (OidIsValid(relid))
					relation_touch(relid);
				break;
			}
		case T_TransactionStmt:
			{
				TransactionStmtKind kind = ((TransactionStmt *) stmt)->kind;

				if (kind == TRANS_STMT_COMMIT_PREPARED ||
					kind == TRANS_STMT_ROLLBACK_PREPARED)
					prepared_resolve();
				break;
			}
		default:
			break;
	}
}

static void
track_utility(PlannedStmt *pstmt, const char *queryString,
			  bool readOnlyTree, ProcessUtilityContext context,
			  ParamListInfo params, QueryEnvironment *queryEnv,
			  DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *stmt = pstmt->utilityStmt;
	bool		tracked = IsTransactionState() && !RecoveryInProgress();
	DdlChange	change = tracked ? ddl_classify(stmt) : DDL_NOTHING;

	track_definitions(change);
	if (IsA(stmt, CopyStmt))
		invalidate_begin_write();
	if (track_next_utility != NULL)
		track_next_utility(pstmt, queryString, readOnlyTree, context, params,
						   queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);
	track_definitions(change);
	if (tracked && IsTransactionState())
		track_utility_rows(stmt);
}

void
track_init(void)
{
	track_next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = track_executor_start;
	track_next_executor_end = ExecutorEnd_hook;
	ExecutorEnd_hook = track_executor_end;
	track_next_utility = ProcessUtility_hook;
	ProcessUtility_hook = track_utility;
	track_next_object_access = object_access_hook;
	object_access_hook = track_object_access;
	/* runs before the callback of invalidate.c, which is registered earlier */
	RegisterXactCallback(track_xact_callback, NULL);
	RegisterSubXactCallback(track_subxact_callback, NULL);
}
