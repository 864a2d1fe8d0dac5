/*-------------------------------------------------------------------------
 *
 * extension.c
 *	  The schema and tables of the extension, and acting as their owner.
 *
 * Only the owner of the extension has privileges on its tables.  A function
 * that must read or change them on behalf of another user becomes the owner
 * for that time, as a SECURITY DEFINER function does.  If it raises an error,
 * the abort of the (sub)transaction restores the user.
 *
 * What this file must not do: know the contents of the tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/extension.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

Oid
extension_schema(void)
{
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	Oid			schema = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("cache"));
	rel = table_open(ExtensionRelationId, AccessShareLock);
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	if (!OidIsValid(schema))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"%s\" does not exist", "cache"),
				 errhint("Create it in this database with CREATE EXTENSION.")));
	return schema;
}

Oid
extension_relid(const char *table)
{
	if (!OidIsValid(get_extension_oid("cache", true)))
		return InvalidOid;
	return get_relname_relid(table, extension_schema());
}

bool
extension_readable(const char *table)
{
	Oid			relid = extension_relid(table);

	return OidIsValid(relid) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

char *
extension_table(const char *table)
{
	return quote_qualified_identifier(get_namespace_name(extension_schema()),
									  table);
}

void
extension_become_owner(ExtensionIdentity *saved)
{
	Oid			relid = get_relname_relid(EXTENSION_QUERIES, extension_schema());
	HeapTuple	tuple;
	Oid			owner;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" does not exist", EXTENSION_QUERIES),
				 errhint("The extension is incomplete: drop it and create it again.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	GetUserIdAndSecContext(&saved->user, &saved->sec_context);
	SetUserIdAndSecContext(owner, saved->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
}

void
extension_restore_user(const ExtensionIdentity *saved)
{
	SetUserIdAndSecContext(saved->user, saved->sec_context);
}
