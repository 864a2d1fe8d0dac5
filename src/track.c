/*-------------------------------------------------------------------------
 *
 * track.c
 *	  What statements change, seen as they run.
 *
 * Utility commands that change definitions touch the slot of the catalog, and
 * those about roles that of the roles, which are in the dependencies of every
 * result.  PostgreSQL knows which commands are DDL (GetCommandLogLevel); of
 * those, the ones that change no answer are left out, and the ones about
 * temporary objects, which concern this session alone: they make it analyse
 * its statements again, and so does any other DDL, which the session sees
 * before it commits.
 *
 * The touch comes before the command, so that nothing the command does, or
 * makes others do, comes first; and again after it, because some commands
 * commit in the middle (DETACH PARTITION CONCURRENTLY), and what was touched
 * before went with the first of their transactions.  A command that fails takes
 * its transaction along, or its savepoint, and that over-invalidates.  A
 * command that turns out to change nothing has no transaction id, and touches
 * nothing either (invalidate.c).
 *
 * TRUNCATE fires the triggers of the tables it names and of those it cascades
 * to.  A partition made after cache_attach has no trigger of its own for it,
 * so what the triggers of its ancestors invalidate is touched here.
 *
 * What this file must not do: change what a command does, or fail it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "invalidate.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "statement.h"
#include "tcop/utility.h"
#include "track.h"
#include "trigger.h"
#include "utils/lsyscache.h"

static ProcessUtility_hook_type track_next_utility;

/* What a utility command changes. */
typedef enum TrackChange
{
	TRACK_NOTHING,
	TRACK_SESSION,				/* definitions of this session alone */
	TRACK_CATALOG,				/* definitions in the database */
	TRACK_ROLES					/* roles, memberships, their settings */
} TrackChange;

/* Is a relation to be made temporary? */
static bool
track_is_temporary(const RangeVar *relation)
{
	return relation != NULL &&
		(relation->relpersistence == RELPERSISTENCE_TEMP ||
		 (relation->schemaname != NULL &&
		  strcmp(relation->schemaname, "pg_temp") == 0));
}

/* Is an existing relation, if there is one of that name, temporary? */
static bool
track_names_temporary(const RangeVar *relation)
{
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);

	return OidIsValid(relid) &&
		get_rel_persistence(relid) == RELPERSISTENCE_TEMP;
}

/* Are all relations that a DROP names temporary? */
static bool
track_drops_temporary(const DropStmt *stmt)
{
	ListCell   *lc;

	switch (stmt->removeType)
	{
		case OBJECT_TABLE:
		case OBJECT_SEQUENCE:
		case OBJECT_VIEW:
		case OBJECT_INDEX:
			break;
		default:
			return false;
	}
	foreach(lc, stmt->objects)
	{
		if (!track_names_temporary(makeRangeVarFromNameList(lfirst(lc))))
			return false;
	}
	return true;
}

/*
 * Is the command about temporary relations only?
 */
static bool
track_concerns_temporary(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CreateStmt:
			return track_is_temporary(((CreateStmt *) stmt)->relation);
		case T_CreateTableAsStmt:
			return track_is_temporary(((CreateTableAsStmt *) stmt)->into->rel);
		case T_ViewStmt:
			return track_is_temporary(((ViewStmt *) stmt)->view);
		case T_CreateSeqStmt:
			return track_is_temporary(((CreateSeqStmt *) stmt)->sequence);
		case T_AlterTableStmt:
			return track_names_temporary(((AlterTableStmt *) stmt)->relation);
		case T_RenameStmt:
			return ((RenameStmt *) stmt)->relation != NULL &&
				track_names_temporary(((RenameStmt *) stmt)->relation);
		case T_DropStmt:
			return track_drops_temporary((DropStmt *) stmt);
		default:
			return false;
	}
}

/*
 * What does a utility command change, by its kind?
 */
static TrackChange
track_classify(Node *stmt)
{
	switch (nodeTag(stmt))
	{
			/* change no answer, only what it costs or says of itself */
		case T_IndexStmt:
		case T_ReindexStmt:
		case T_CommentStmt:
		case T_SecLabelStmt:
		case T_CreateStatsStmt:
		case T_AlterStatsStmt:
		case T_RefreshMatViewStmt:
		case T_CreateTableSpaceStmt:
		case T_DropTableSpaceStmt:
		case T_AlterTableSpaceOptionsStmt:
		case T_CreatedbStmt:
		case T_DropdbStmt:
		case T_CreatePublicationStmt:
		case T_AlterPublicationStmt:
		case T_CreateSubscriptionStmt:
		case T_AlterSubscriptionStmt:
		case T_DropSubscriptionStmt:
			return TRACK_NOTHING;

		case T_CreateRoleStmt:
		case T_AlterRoleStmt:
		case T_AlterRoleSetStmt:
		case T_DropRoleStmt:
		case T_GrantRoleStmt:
			return TRACK_ROLES;

		case T_ReassignOwnedStmt:
		case T_DropOwnedStmt:
			return TRACK_CATALOG;

		case T_RenameStmt:
			if (((RenameStmt *) stmt)->renameType == OBJECT_ROLE)
				return TRACK_ROLES;
			break;
		default:
			break;
	}
	if (GetCommandLogLevel(stmt) != LOGSTMT_DDL)
		return TRACK_NOTHING;
	return track_concerns_temporary(stmt) ? TRACK_SESSION : TRACK_CATALOG;
}

static void
track_touch(TrackChange change)
{
	switch (change)
	{
		case TRACK_NOTHING:
			return;
		case TRACK_SESSION:
			break;
		case TRACK_CATALOG:
			invalidate_touch(clock_slot(MyDatabaseId, CLOCK_TAG_CATALOG, "", 0));
			break;
		case TRACK_ROLES:
			invalidate_touch(CLOCK_SLOT_ROLES);
			break;
	}
	statement_outdate_all();
}

/*
 * Touch what the triggers of the relations of a TRUNCATE stand for.
 */
static void
track_truncate(const TruncateStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->relations)
	{
		Oid			relid = RangeVarGetRelid(lfirst_node(RangeVar, lc),
											 AccessShareLock, true);

		if (OidIsValid(relid) && get_rel_relispartition(relid))
			trigger_touch_relation(relid);
	}
}

static void
track_utility(PlannedStmt *pstmt, const char *queryString,
			  bool readOnlyTree, ProcessUtilityContext context,
			  ParamListInfo params, QueryEnvironment *queryEnv,
			  DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *stmt = pstmt->utilityStmt;
	TrackChange change = TRACK_NOTHING;

	if (IsTransactionState() && !RecoveryInProgress())
		change = track_classify(stmt);
	track_touch(change);

	if (track_next_utility != NULL)
		track_next_utility(pstmt, queryString, readOnlyTree, context, params,
						   queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);

	track_touch(change);
	if (IsA(stmt, TruncateStmt) && !RecoveryInProgress())
		track_truncate((TruncateStmt *) stmt);
}

void
track_init(void)
{
	track_next_utility = ProcessUtility_hook;
	ProcessUtility_hook = track_utility;
}
