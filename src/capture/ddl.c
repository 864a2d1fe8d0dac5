/*-------------------------------------------------------------------------
 *
 * ddl.c
 *	  Classifies utility commands by what they change.
 *
 * PostgreSQL knows which commands are DDL (GetCommandLogLevel).  Most of them
 * change the catalog, and so can change the result of any query.  ddl_classify
 * makes these exceptions:
 *
 *	- Commands that change no result, but only what a query costs or what is
 *	  said about an object: CREATE INDEX, CREATE STATISTICS, COMMENT.
 *	- Commands about temporary relations.  They concern only their session.
 *	- Commands whose effect begins later, with the next session or the next
 *	  object.  A session reads the settings of its role and database when it
 *	  starts (process_settings).  A password is read at login, and default
 *	  privileges when an object is created.
 *	- Commands about databases.  They concern another database than the one in
 *	  which they run.  track.c notices the change of the database itself.
 *
 * A command that is not known here is taken to change the catalog.
 *
 * Protocol and locks: none.  Names of relations are looked up without a lock.
 * They only serve to recognize commands about temporary relations.  Only this
 * session creates or drops relations in its temporary schema.
 *
 * What this file must not do: act on what it finds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "capture/ddl.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"

/* Will the relation that a command creates be temporary? */
static bool
ddl_is_temporary(const RangeVar *relation)
{
	return relation != NULL &&
		(relation->relpersistence == RELPERSISTENCE_TEMP ||
		 (relation->schemaname != NULL &&
		  strcmp(relation->schemaname, "pg_temp") == 0));
}

/* Does a relation of this name exist, and is it temporary? */
static bool
ddl_names_temporary(const RangeVar *relation)
{
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);

	return OidIsValid(relid) &&
		get_rel_persistence(relid) == RELPERSISTENCE_TEMP;
}

/* Are all relations that a DROP names temporary? */
static bool
ddl_drops_temporary(const DropStmt *stmt)
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
		if (!ddl_names_temporary(makeRangeVarFromNameList(lfirst(lc))))
			return false;
	}
	return true;
}

/* Does the command concern nothing but temporary relations? */
static bool
ddl_concerns_temporary(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CreateStmt:
			return ddl_is_temporary(((CreateStmt *) stmt)->relation);
		case T_CreateTableAsStmt:
			return ddl_is_temporary(((CreateTableAsStmt *) stmt)->into->rel);
		case T_ViewStmt:
			return ddl_is_temporary(((ViewStmt *) stmt)->view);
		case T_CreateSeqStmt:
			return ddl_is_temporary(((CreateSeqStmt *) stmt)->sequence);
		case T_AlterTableStmt:
			return ddl_names_temporary(((AlterTableStmt *) stmt)->relation);
		case T_RenameStmt:
			return ((RenameStmt *) stmt)->relation != NULL &&
				ddl_names_temporary(((RenameStmt *) stmt)->relation);
		case T_DropStmt:
			return ddl_drops_temporary((DropStmt *) stmt);
		default:
			return false;
	}
}

/*
 * Does ALTER ROLE change only what is read when a session starts?  This
 * matters because any user may change his own password.
 */
static bool
ddl_concerns_logins(const AlterRoleStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->options)
	{
		const char *option = lfirst_node(DefElem, lc)->defname;

		if (strcmp(option, "password") != 0 &&
			strcmp(option, "validUntil") != 0 &&
			strcmp(option, "connectionlimit") != 0)
			return false;
	}
	return true;
}

DdlChange
ddl_classify(Node *stmt)
{
	switch (nodeTag(stmt))
	{
			/* these change no result, see above */
		case T_IndexStmt:
		case T_ReindexStmt:
		case T_CommentStmt:
		case T_CreateStatsStmt:
		case T_AlterStatsStmt:
		case T_RefreshMatViewStmt:
		case T_CreateTableSpaceStmt:
		case T_DropTableSpaceStmt:
		case T_AlterTableSpaceOptionsStmt:
		case T_CreatedbStmt:
		case T_DropdbStmt:
		case T_AlterDatabaseStmt:
		case T_AlterDatabaseSetStmt:
		case T_AlterDatabaseRefreshCollStmt:
		case T_AlterRoleSetStmt:
		case T_AlterDefaultPrivilegesStmt:
		case T_CreatePublicationStmt:
		case T_AlterPublicationStmt:
		case T_CreateSubscriptionStmt:
		case T_AlterSubscriptionStmt:
		case T_DropSubscriptionStmt:
			return DDL_NOTHING;

		case T_AlterRoleStmt:
			return ddl_concerns_logins((AlterRoleStmt *) stmt) ?
				DDL_NOTHING : DDL_ROLES;
			/* the label's provider gives it its meaning, and may hide rows */
		case T_SecLabelStmt:
			return ((SecLabelStmt *) stmt)->objtype == OBJECT_ROLE ?
				DDL_ROLES : DDL_CATALOG;

		case T_CreateRoleStmt:
		case T_DropRoleStmt:
		case T_GrantRoleStmt:
			return DDL_ROLES;

			/* drops temporary objects */
		case T_DiscardStmt:
			return DDL_SESSION;

		case T_ReassignOwnedStmt:
		case T_DropOwnedStmt:
			return DDL_CATALOG;

		case T_RenameStmt:
			if (((RenameStmt *) stmt)->renameType == OBJECT_ROLE)
				return DDL_ROLES;
			if (((RenameStmt *) stmt)->renameType == OBJECT_DATABASE)
				return DDL_NOTHING;
			break;
		case T_AlterOwnerStmt:
			if (((AlterOwnerStmt *) stmt)->objectType == OBJECT_DATABASE)
				return DDL_NOTHING;
			break;
		default:
			break;
	}
	if (GetCommandLogLevel(stmt) != LOGSTMT_DDL)
		return DDL_NOTHING;
	return ddl_concerns_temporary(stmt) ? DDL_SESSION : DDL_CATALOG;
}
