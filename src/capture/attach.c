/*-------------------------------------------------------------------------
 *
 * attach.c
 *	  SQL functions cache_attach() and cache_detach().
 *
 * Attaching a table gives it two triggers that execute cache_invalidate() with
 * the tags as arguments.  One is for rows inserted, updated and deleted, the
 * other for TRUNCATE.  Both are ENABLE ALWAYS, so they also fire for
 * replicated changes.
 *
 * Words: the tree of a table is the table with everything that inherits from
 * it, partitions or not, at any depth.  Temporary tables are left out, because
 * no result that reads one is cached.
 *
 * PostgreSQL copies the row triggers of a partitioned table to its partitions,
 * also to those created later.  It does not copy statement triggers, and it
 * copies nothing to tables that merely inherit.  So attach creates triggers
 * for those.  A partition that is created later lacks the TRUNCATE trigger,
 * and trigger_touch_relation does its work.  A foreign table cannot have a
 * TRUNCATE trigger at all.
 *
 * Protocol and locks.  The whole tree is locked before anything is looked at,
 * parents before children, in the mode that CREATE TRIGGER or DROP TRIGGER
 * would take anyway.  Relations are closed before a command runs, because a
 * command refuses to change a relation that is open.  The commands run through
 * SPI with qualified names, so event triggers and other extensions see
 * ordinary DDL.
 *
 * Tolerated races.  Two sessions can attach a parent and one of its children
 * with different tags at the same time.  The child then has the triggers of
 * the session that came last.
 *
 * This file must not touch a trigger that does not execute cache_invalidate(),
 * whatever its name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "base/compat.h"
#include "base/extension.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "clock/relation.h"
#include "clock/told.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "text/template.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define ATTACH_ROW_TRIGGER "cache_invalidate_row"
#define ATTACH_TRUNCATE_TRIGGER "cache_invalidate_truncate"

/* One table of a tree. */
typedef struct AttachMember
{
	char	   *qualified;		/* its name, quoted */
	char		relkind;
	bool		temporary;
	bool		has_row;		/* it has the row trigger */
	bool		has_truncate;	/* it has the TRUNCATE trigger */
	bool		cloned;			/* PostgreSQL copied its row trigger from its
								 * parent */
	List	   *tags;			/* arguments of either trigger, String nodes */
} AttachMember;

extern PGDLLEXPORT Datum cache_attach(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum cache_detach(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_attach);
PG_FUNCTION_INFO_V1(cache_detach);

/* Raise an error unless the current user may attach the relation. */
static void
attach_check(Relation rel)
{
	char		relkind = rel->rd_rel->relkind;

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(rel)),
				 errhint("Attach the tables whose rows it shows, or call invalidate_tags() when it changes.")));
	if (IsSystemRelation(rel))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a system catalog",
						RelationGetRelationName(rel)),
				 errhint("System catalogs cannot have triggers.")));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a temporary table",
						RelationGetRelationName(rel)),
				 errhint("Results that read temporary tables are not cached.")));
	if (!compat_owns_relation(RelationGetRelid(rel), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(relkind),
					   RelationGetRelationName(rel));
}

/* Record a trigger of a member, if it has one of our names. */
static void
attach_note_trigger(AttachMember *member, const Trigger *trigger, Oid function)
{
	bool	   *present;
	List	   *tags = NIL;

	if (strcmp(trigger->tgname, ATTACH_ROW_TRIGGER) == 0)
		present = &member->has_row;
	else if (strcmp(trigger->tgname, ATTACH_TRUNCATE_TRIGGER) == 0)
		present = &member->has_truncate;
	else
		return;

	if (trigger->tgfoid != function)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("trigger \"%s\" on %s does not execute cache_invalidate()",
						trigger->tgname, member->qualified),
				 errhint("Rename that trigger.")));

	*present = true;
	member->cloned |= trigger->tgisclone;
	for (int i = 0; i < trigger->tgnargs; i++)
		tags = lappend(tags, makeString(pstrdup(trigger->tgargs[i])));
	member->tags = tags;
}

static AttachMember *
attach_member(Oid relid, Oid function)
{
	AttachMember *member = palloc0(sizeof(AttachMember));
	Relation	rel = table_open(relid, NoLock);

	member->qualified =
		quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
								   RelationGetRelationName(rel));
	member->relkind = rel->rd_rel->relkind;
	member->temporary = rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
		attach_note_trigger(member, &rel->trigdesc->triggers[i], function);
	table_close(rel, NoLock);

	return member;
}

/*
 * Raise an error if the relation is attached through an ancestor, that is, a
 * relation that it is a partition of or inherits from.
 */
static void
attach_check_parents(Oid relid, const AttachMember *root, Oid function)
{
	ListCell   *cell;

	foreach(cell, relation_with_ancestors(relid))
	{
		Oid			parent = lfirst_oid(cell);
		AttachMember *member;

		if (parent == relid)
			continue;
		LockRelationOid(parent, AccessShareLock);
		member = attach_member(parent, function);
		if (member->has_row)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("%s is attached through %s", root->qualified,
							member->qualified),
					 errhint("Attach or detach that table.")));
	}
}

/*
 * The members of the tree of a relation, itself first, locked until the end of
 * the transaction.  Errors: the relation cannot be attached; its parent is
 * attached instead; there is a trigger of the same name.
 */
static List *
attach_tree(Oid relid, LOCKMODE lockmode)
{
	Oid			function = told_function();
	List	   *members = NIL;
	Relation	rel;
	ListCell   *cell;

	if (!OidIsValid(function))
		elog(ERROR, "function cache_invalidate() is missing");

	/*
	 * Check before taking the strong lock, so that a user who may not attach
	 * the relation cannot lock others out.  If the privilege is lost while we
	 * wait for the lock, the commands that run later will notice.
	 */
	rel = relation_open(relid, AccessShareLock);	/* need not be a table */
	attach_check(rel);
	relation_close(rel, AccessShareLock);

	LockRelationOid(relid, lockmode);
	foreach(cell, find_all_inheritors(relid, lockmode, NULL))
	{
		AttachMember *member = attach_member(lfirst_oid(cell), function);

		if (!member->temporary)
			members = lappend(members, member);
	}

	attach_check_parents(relid, linitial(members), function);
	return members;
}

/* The tags to attach a relation with, checked, as String nodes. */
static List *
attach_tags(Oid relid, ArrayType *array)
{
	Relation	rel = table_open(relid, NoLock);
	List	   *tags = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;

	if (!array)
	{
		StringInfoData tag;

		/* a tag is a template, in which a dollar is written twice */
		initStringInfo(&tag);
		for (const char *c = RelationGetRelationName(rel); *c; c++)
		{
			if (*c == '$')
				appendStringInfoChar(&tag, '$');
			appendStringInfoChar(&tag, *c);
		}
		table_close(rel, NoLock);
		return list_make1(makeString(tag.data));
	}

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &nelements);
	if (nelements == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no tags given"),
				 errhint("Pass NULL to use the name of the table.")));

	for (int i = 0; i < nelements; i++)
	{
		char	   *tag;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("tag is null"),
					 errhint("Give a name, or NULL in place of the whole array to use the name of the table.")));
		tag = TextDatumGetCString(elements[i]);
		(void) template_parse(tag, RelationGetDescr(rel),
							  RelationGetRelationName(rel));
		tags = lappend(tags, makeString(tag));
	}

	table_close(rel, NoLock);
	return tags;
}

/* Run a utility command and free its text. */
static void
attach_run(char *command)
{
	int			result = SPI_execute(command, false, 0);

	if (result != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	pfree(command);
}

/* Create one trigger of a member, or replace it to have these tags. */
static void
attach_create(const AttachMember *member, const char *name, const char *event,
			  const char *level, List *tags)
{
	StringInfoData arguments;
	ListCell   *cell;

	initStringInfo(&arguments);
	foreach(cell, tags)
	{
		if (arguments.len > 0)
			appendStringInfoString(&arguments, ", ");
		appendStringInfoString(&arguments,
							   quote_literal_cstr(strVal(lfirst(cell))));
	}

	attach_run(psprintf("CREATE OR REPLACE TRIGGER %s AFTER %s ON %s FOR EACH %s EXECUTE FUNCTION %s(%s)",
						name, event, member->qualified, level,
						quote_qualified_identifier(get_namespace_name(extension_schema()),
												   "cache_invalidate"),
						arguments.data));
	attach_run(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s",
						member->qualified, name));
	pfree(arguments.data);
}

static void
attach_drop(const AttachMember *member, const char *name)
{
	attach_run(psprintf("DROP TRIGGER %s ON %s", name, member->qualified));
}

/*
 * Was a member attached along with the root of its tree?  It looks like it if
 * its trigger is a copy, or if it has the same tags.
 */
static bool
attach_shares_tags(const AttachMember *member, const AttachMember *root)
{
	return member->cloned || equal(member->tags, root->tags);
}

/*
 * SQL function cache_attach(rel regclass, tags text[]).  Errors, besides those
 * of attach_tree and template_parse: a table further down the tree is attached
 * with other tags, which would be lost.
 */
Datum
cache_attach(PG_FUNCTION_ARGS)
{
	Oid			relid;
	List	   *members;
	List	   *tags;
	AttachMember *root;
	ListCell   *cell;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("relation is null"),
				 errhint("Name the table to attach.")));
	relid = PG_GETARG_OID(0);

	members = attach_tree(relid, ShareRowExclusiveLock);
	tags = attach_tags(relid, PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1));

	root = linitial(members);
	foreach(cell, members)
	{
		AttachMember *member = lfirst(cell);

		if ((member->has_row || member->has_truncate) &&
			!attach_shares_tags(member, root))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s is attached with tags of its own",
							member->qualified),
					 errhint("Detach it first.")));
	}

	SPI_connect();
	foreach(cell, members)
	{
		AttachMember *member = lfirst(cell);

		/* PostgreSQL copies the row trigger of a partitioned table itself */
		if (member == root || root->relkind != RELKIND_PARTITIONED_TABLE)
			attach_create(member, ATTACH_ROW_TRIGGER,
						  "INSERT OR UPDATE OR DELETE", "ROW", tags);
		if (member->relkind != RELKIND_FOREIGN_TABLE)
			attach_create(member, ATTACH_TRUNCATE_TRIGGER,
						  "TRUNCATE", "STATEMENT", tags);
	}
	SPI_finish();

	PG_RETURN_VOID();
}

/*
 * SQL function cache_detach(rel regclass).  Errors: those of attach_tree.
 */
Datum
cache_detach(PG_FUNCTION_ARGS)
{
	List	   *members = attach_tree(PG_GETARG_OID(0), AccessExclusiveLock);
	AttachMember *root = linitial(members);
	ListCell   *cell;

	if (!root->has_row && !root->has_truncate)
		PG_RETURN_BOOL(false);

	SPI_connect();
	foreach(cell, members)
	{
		AttachMember *member = lfirst(cell);

		if (!attach_shares_tags(member, root))
			continue;
		/* dropping the trigger of a partitioned table drops its copies */
		if (member->has_row && !member->cloned)
			attach_drop(member, ATTACH_ROW_TRIGGER);
		if (member->has_truncate)
			attach_drop(member, ATTACH_TRUNCATE_TRIGGER);
	}
	SPI_finish();

	PG_RETURN_BOOL(true);
}
