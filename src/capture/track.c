/*-------------------------------------------------------------------------
 *
 * track.c
 *	  Watches statements as they run, and touches what they change.
 *
 * Rows.  When the executor of a statement ends, track_executor_end touches the
 * relations that the statement has written to.  They are still open then, and
 * the transaction cannot commit before, because PostgreSQL closes an open
 * portal first.  Triggers, cascades of foreign keys and writes inside
 * functions are statements with executors of their own.
 *
 * A statement may name a relation without changing a row of it.  Whether it
 * has changed one is seen in the counters that PostgreSQL keeps for its
 * statistics, per relation and transaction (tabstat.c).  A relation that
 * PostgreSQL does not count for is taken to be changed.  The counters do not
 * tell which statement of the transaction has made a change, so a relation
 * that an earlier one has changed is touched again.  That costs nothing.
 *
 * While a statement that writes is running, nobody knows yet what it will have
 * changed.  So what it calls is served nothing from the cache:
 * invalidate_begin_write announces such a statement (invalidate_writing).
 *
 * COPY FROM has no executor.  When it is done, all relations that the counters
 * show as changed are touched.  The same is done before every commit, because
 * some write without passing any hook: the workers of logical replication, and
 * C code of other extensions.  If counting is off (track_counts), COPY and
 * those workers touch everything in the database.  TRUNCATE calls the object
 * access hook for every relation it reaches, cascades and partitions included.
 * REFRESH MATERIALIZED VIEW names the relation that it fills.
 *
 * Before every commit, told.c compares how many changes of a relation
 * PostgreSQL has counted with how many its triggers have told of.
 *
 * Catalog and roles.  A utility command that changes the catalog (ddl.c)
 * touches the slot of the catalog of this database.  One that changes roles
 * touches the slot that all databases share.  Every result depends on both
 * slots.
 *
 *	- The slot is touched before the command acts, so nothing that the command
 *	  does or causes can come first.
 *	- It is touched again after the command.  Some commands commit in the
 *	  middle (ALTER TABLE ... DETACH PARTITION CONCURRENTLY), and the first of
 *	  their transactions takes the first touch with it.
 *	- If the command fails, its transaction or savepoint is rolled back, and
 *	  the touch with it.
 *	- If the command turns out to change nothing, the transaction has no
 *	  transaction id, and nothing is invalidated (invalidate.c).
 *
 * In any case this session analyses its statements again, once now and once
 * when the transaction or savepoint is rolled back.  It sees its own changes
 * before it commits, and no longer sees them after a rollback.
 *
 * A change of a database is seen by the object access hook, whatever command
 * makes it and in whichever database that runs.  It touches the slot of the
 * catalog of the changed database.  A statement or COPY that writes to a
 * system catalog by hand counts as DDL: in all databases if the catalog is
 * shared.
 *
 * Two-phase commit.  After COMMIT PREPARED and ROLLBACK PREPARED, the slots of
 * prepared transactions that have ended are resolved (prepared.c).  A worker
 * of logical replication does that before each of its own commits, as it may
 * have ended a prepared transaction.
 *
 * What this file must not do: change what a command does, or make it fail.
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

/* Has the transaction changed the catalog or roles? */
static bool track_changed_catalog;

/* Was track_counts off at any time in the transaction? */
static bool track_missed_changes;

/*
 * Does PostgreSQL count the changes of a relation?  It is known to do so for
 * heaps only.
 */
static bool
track_is_counted(Relation rel)
{
	return !track_missed_changes && rel->pgstat_enabled &&
		rel->rd_tableam == GetHeapamTableAmRoutine();
}

/* Touch the slot of what a command changes, see above. */
static void
track_ddl(DdlChange change)
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
	track_changed_catalog = true;
}

/*
 * A system catalog is written to by hand.  That counts as DDL in this database
 * or, if the catalog is shared, in all of them.
 */
static void
track_catalog(bool shared)
{
	track_ddl(shared ? DDL_ROLES : DDL_CATALOG);
}

/*
 * A database is created, changed or dropped.  Results in it may depend on
 * that: its owner is a member of pg_database_owner there, and
 * current_database() returns its name.  After a drop, a new database may get
 * the same OID.
 */
static void
track_database(Oid database)
{
	invalidate_touch_wide(clock_database_slot(database, CLOCK_TAG_CATALOG));
	statement_outdate_all();
	track_changed_catalog = true;
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
 * Touch every relation that the transaction has changed so far, in whatever
 * way.  If changes are not counted, touch everything in the database.
 * all_fired: no more triggers will fire in this transaction.
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
			/* for changes that have passed no hook */
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
			if (track_changed_catalog)
				statement_outdate_all();
			track_changed_catalog = false;
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
	if (track_changed_catalog)
		statement_outdate_all();
	told_restart();
}

/*
 * Does dropping this relation, or this part of one, change the catalog as a
 * query sees it?  Dropping an index does not.  A command that rewrites a
 * relation drops a transient relation internally, which does not either.
 */
static bool
track_drops_catalog(Oid relid, int subId, const ObjectAccessDrop *drop)
{
	return subId != 0 ||
		((drop->dropflags & PERFORM_DELETION_INTERNAL) == 0 &&
		 get_rel_relkind(relid) != RELKIND_INDEX);
}

/*
 * Object access hook.  It is called when
 *	- TRUNCATE reaches a relation;
 *	- an object is dropped.  Dropping a temporary relation, which is
 *	  DDL_SESSION, can cascade to objects that are not temporary;
 *	- a database is created, changed or dropped.  The command may run in another
 *	  database (REASSIGN OWNED).
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
			else if (track_drops_catalog(objectId, subId, arg))
				track_ddl(DDL_CATALOG);
			break;
			/* parts of a relation: its command is classified by ddl.c */
		case AttrDefaultRelationId:
		case ConstraintRelationId:
		case RewriteRelationId:
		case TriggerRelationId:
		case TypeRelationId:
			break;
		default:
			track_ddl(DDL_CATALOG);
			break;
	}
}

/*
 * The relations named by a utility command that track_utility_rows needs when
 * the command is done.  They are looked up before it runs, because the command
 * may change what their names mean.
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
 * A utility command is done: touch the rows that it has changed, and resolve
 * prepared transactions.
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
			 * A partition that was created after cache_attach has no trigger
			 * for TRUNCATE.  Touch the tags of its ancestors' triggers.
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
	track_ddl(change);
	if (IsA(stmt, CopyStmt))
		invalidate_begin_write();
	if (track_next_utility != NULL)
		track_next_utility(pstmt, queryString, readOnlyTree, context, params,
						   queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);
	track_ddl(change);
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

	/*
	 * PostgreSQL calls transaction callbacks in reverse order of
	 * registration, so this one runs before that of invalidate.c.
	 */
	RegisterXactCallback(track_xact_callback, NULL);
	RegisterSubXactCallback(track_subxact_callback, NULL);
}
