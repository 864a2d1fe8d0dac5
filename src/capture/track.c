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
 * COPY has no executor; when it is done, all relations that the counters tell of
 * are touched.  The same is done before every commit, for whoever writes without
 * a hook: the workers of logical replication, and C code of other extensions.
 * If the counters are off (track_counts), COPY and those workers touch
 * everything.  TRUNCATE tells of every relation it reaches, cascades and
 * partitions included, by the object access hook.  REFRESH MATERIALIZED VIEW
 * names what it fills.
 *
 * Before every commit it is also compared how many changes of a relation were
 * counted, and how many its triggers have told of (told.c).
 *
 * Definitions.  Utility commands that change some (ddl.c) touch the slot of
 * the catalog, or, for roles, that of what all databases share.  Both are in the
 * dependencies of every result.  The touch comes before the command, so that nothing the command
 * does, or makes others do, comes first; and again after it, because some
 * commands commit in the middle (DETACH PARTITION CONCURRENTLY), and what was
 * touched before went with the first of their transactions.  A command that
 * fails takes its transaction along, or its savepoint, and what was touched for it
 * with that.  A command that turns out to change nothing has no
 * transaction id, and touches nothing either (invalidate.c).  In any case this
 * session analyses its statements again: it sees what it has changed before
 * it commits, and no longer does once that is rolled back.
 *
 * A database that changes is seen by the object access hook, whatever the command
 * and wherever it is run, and touches the slot of its own catalog.  Whoever writes
 * to a catalog by hand, by a statement or COPY, changes definitions: those of all
 * databases if the catalog is shared.
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

#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/tabstat.h"
#include "capture/ddl.h"
#include "capture/track.h"
#include "capture/trigger.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_database.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "clock/invalidate.h"
#include "clock/prepared.h"
#include "clock/relation.h"
#include "clock/told.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "query/statement.h"
#include "replication/logicalworker.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static ExecutorStart_hook_type track_next_executor_start;
static ExecutorEnd_hook_type track_next_executor_end;
static ProcessUtility_hook_type track_next_utility;
static object_access_hook_type track_next_object_access;

/* Has the transaction changed definitions? */
static bool track_changed_definitions;

/* Was there a time in the transaction when changes were not counted? */
static bool track_missed_changes;

/*
 * Are changes of a relation counted?  Heaps are the only ones that are known
 * to be.
 */
static bool
track_is_counted(Relation rel)
{
	return !track_missed_changes && rel->pgstat_enabled &&
		rel->rd_tableam == GetHeapamTableAmRoutine();
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
			invalidate_touch_wide(clock_database_slot(MyDatabaseId,
													  CLOCK_TAG_CATALOG));
			break;
		case DDL_ROLES:
			invalidate_touch_wide(CLOCK_SLOT_CLUSTER);
			break;
	}
	statement_outdate_all();
	track_changed_definitions = true;
}

/*
 * Someone writes to a system catalog by hand, which stands for the definitions in
 * it: those of this database, or of all.
 */
static void
track_catalog(bool shared)
{
	track_definitions(shared ? DDL_ROLES : DDL_CATALOG);
}

/*
 * A database is made, changed or dropped: its owner is a member of
 * pg_database_owner there, its name is what current_database() says, and another
 * one may come under its oid.
 */
static void
track_database(Oid database)
{
	invalidate_touch_wide(clock_database_slot(database, CLOCK_TAG_CATALOG));
	statement_outdate_all();
	track_changed_definitions = true;
}

/*
 * Touch an open relation if the transaction has changed it.
 */
static void
track_result_relation(Relation rel)
{
	if (IsCatalogRelation(rel))
	{
		track_catalog(rel->rd_rel->relisshared);
		return;
	}
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP ||
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return;
	if (!track_is_counted(rel))
	{
		relation_touch(RelationGetRelid(rel));
		told_check(RelationGetRelid(rel), PG_UINT64_MAX);
	}
	else if (tabstat_changes(rel) > 0)
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
	track_missed_changes |= !pgstat_track_counts;
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

static void
track_changed_relation(Oid relid, uint64 changes, void *all_fired)
{
	relation_touch(relid);
	if (*(bool *) all_fired)
		told_check(relid, changes);
}

/*
 * Touch every relation that the transaction has changed so far, by whatever
 * way; if changes are not counted, everything.  all_fired: all triggers have
 * fired that are going to.
 */
static void
track_counted_relations(bool all_fired)
{
	if (pgstat_track_counts && !track_missed_changes)
		tabstat_each_changed(track_changed_relation, &all_fired);
	else
		invalidate_touch_wide(clock_database_slot(MyDatabaseId,
												  CLOCK_TAG_DATABASE));
}

static void
track_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			/* what was counted, if only for whoever does it without a hook */
			if (TransactionIdIsValid(GetTopTransactionIdIfAny()) &&
				(pgstat_track_counts || IsLogicalWorker()))
				track_counted_relations(true);
			/* an apply worker may have ended a prepared transaction */
			if (IsLogicalWorker())
				prepared_resolve(PREPARED_ASSUME_COMMITTED);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
			if (track_changed_definitions)
				statement_outdate_all();
			track_changed_definitions = false;
			track_missed_changes = false;
			told_forget();
			break;
		default:
			break;
	}
}

static void
track_subxact_callback(SubXactEvent event, SubTransactionId mySubid,
					   SubTransactionId parentSubid, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	if (track_changed_definitions)
		statement_outdate_all();
	told_restart();
}

/*
 * Is the drop of this part of a relation one of definitions?  Commands that
 * rewrite a relation drop what they rewrote, as a whole and internally.
 */
static bool
track_drops_definition(Oid relid, int subId, const ObjectAccessDrop *drop)
{
	return subId != 0 ||
		((drop->dropflags & PERFORM_DELETION_INTERNAL) == 0 &&
		 get_rel_relkind(relid) != RELKIND_INDEX);
}

/*
 * TRUNCATE reaches an object; or one is dropped, maybe along with a temporary
 * one that the command is about; or something becomes of a database, by whatever
 * command and wherever it is run (REASSIGN OWNED).
 */
static void
track_object_access(ObjectAccessType access, Oid classId, Oid objectId,
					int subId, void *arg)
{
	if (track_next_object_access != NULL)
		track_next_object_access(access, classId, objectId, subId, arg);
	if (classId == DatabaseRelationId &&
		(access == OAT_POST_CREATE || access == OAT_POST_ALTER ||
		 access == OAT_DROP))
	{
		track_database(objectId);
		return;
	}
	if (access != OAT_TRUNCATE && access != OAT_DROP)
		return;

	switch (classId)
	{
		case RelationRelationId:
			if (get_rel_persistence(objectId) == RELPERSISTENCE_TEMP)
				break;
			if (access == OAT_TRUNCATE)
			{
				relation_touch(objectId);
				told_check(objectId, PG_UINT64_MAX);
			}
			else if (track_drops_definition(objectId, subId, arg))
				track_definitions(DDL_CATALOG);
			break;
			/* parts of a relation, maybe of a temporary one */
		case AttrDefaultRelationId:
		case ConstraintRelationId:
		case RewriteRelationId:
		case TriggerRelationId:
		case TypeRelationId:
			break;
		default:
			track_definitions(DDL_CATALOG);
			break;
	}
}

/*
 * The relations that a utility command names, of which more is to be done when
 * it is through; by oid, since it may change what their names mean.
 */
static List *
track_named_relations(Node *stmt)
{
	List	   *names = NIL;
	List	   *relids = NIL;
	ListCell   *lc;

	if (IsA(stmt, TruncateStmt))
		names = ((TruncateStmt *) stmt)->relations;
	else if (IsA(stmt, RefreshMatViewStmt))
		names = list_make1(((RefreshMatViewStmt *) stmt)->relation);
	else if (IsA(stmt, CopyStmt) && ((CopyStmt *) stmt)->is_from)
		names = list_make1(((CopyStmt *) stmt)->relation);
	foreach(lc, names)
	{
		Oid			relid = RangeVarGetRelid(lfirst_node(RangeVar, lc), NoLock,
											 true);

		if (OidIsValid(relid))
			relids = lappend_oid(relids, relid);
	}
	return relids;
}

/*
 * Touch what a utility command that is done has changed, but for definitions.
 */
static void
track_utility_rows(Node *stmt, const List *relids)
{
	ListCell   *lc;

	switch (nodeTag(stmt))
	{
		case T_CopyStmt:
			invalidate_end_write();
			if (((CopyStmt *) stmt)->is_from)
				track_counted_relations(false);
			foreach(lc, relids)
			{
				if (IsCatalogRelationOid(lfirst_oid(lc)))
					track_catalog(IsSharedRelation(lfirst_oid(lc)));
			}
			break;
		case T_TruncateStmt:

			/*
			 * A partition made after cache_attach has no trigger of its own
			 * for TRUNCATE: touch what the triggers above it stand for.
			 */
			foreach(lc, relids)
			{
				if (get_rel_relispartition(lfirst_oid(lc)))
					trigger_touch_relation(lfirst_oid(lc));
			}
			break;
		case T_RefreshMatViewStmt:
			foreach(lc, relids)
				relation_touch(lfirst_oid(lc));
			break;
		case T_TransactionStmt:
			{
				TransactionStmtKind kind = ((TransactionStmt *) stmt)->kind;

				if (kind == TRANS_STMT_COMMIT_PREPARED)
					prepared_resolve(PREPARED_ASSUME_COMMITTED);
				else if (kind == TRANS_STMT_ROLLBACK_PREPARED)
					prepared_resolve(PREPARED_ASK);
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
	List	   *relids = tracked ? track_named_relations(stmt) : NIL;

	track_missed_changes |= !pgstat_track_counts;
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
		track_utility_rows(stmt, relids);
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
