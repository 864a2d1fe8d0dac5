/*-------------------------------------------------------------------------
 *
 * admin.c
 *	  SQL functions that invalidate results: invalidate_tags, invalidate_query,
 *	  invalidate_table, cache_flush.
 *
 * Each of them touches slots.  invalidate.c invalidates the results when the
 * transaction commits.  cache_flush('l1') is an exception: it invalidates
 * nothing, but drops all entries in this server's shared memory at once.
 *
 * Protocol and locks: those of invalidate.c.
 *
 * What this file must not do: touch a slot except through invalidate.h and
 * relation.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "base/compat.h"
#include "capture/trigger.h"
#include "clock/invalidate.h"
#include "clock/relation.h"
#include "fmgr.h"
#include "lookup/lookup.h"
#include "miscadmin.h"
#include "sql/policy.h"
#include "store/store.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PGDLLEXPORT Datum cache_invalidate_tags(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_invalidate_query(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_invalidate_table(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_flush(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_invalidate_tags);
PG_FUNCTION_INFO_V1(cache_invalidate_query);
PG_FUNCTION_INFO_V1(cache_invalidate_table);
PG_FUNCTION_INFO_V1(cache_flush);

Datum
cache_invalidate_tags(PG_FUNCTION_ARGS)
{
	char	   *tags;
	uint32		len;

	PreventCommandDuringRecovery("invalidate_tags()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tags must not be null"),
				 errhint("Give an array of tags, or call cache_flush() to invalidate every result.")));

	tags = policy_tags(PG_GETARG_ARRAYTYPE_P(0), &len);
	for (const char *tag = tags; tag < tags + len; tag += strlen(tag) + 1)
		invalidate_tag(CLOCK_TAG_USER, tag, strlen(tag));
	PG_RETURN_VOID();
}

Datum
cache_invalidate_query(PG_FUNCTION_ARGS)
{
	LookupRequest request;
	const char *tag;
	size_t		len;

	PreventCommandDuringRecovery("invalidate_query()");
	policy_read_call(fcinfo, &request);
	if (PG_NARGS() == 1)
	{
		tag = request.name;
		len = strlen(request.name);
	}
	else
		tag = lookup_query_tag(&request, &len);
	invalidate_tag(CLOCK_TAG_QUERY, tag, len);
	PG_RETURN_VOID();
}

/*
 * Raise an error unless the user may change rows of the table.  Whoever may do
 * that may also invalidate the results that depend on it.
 */
static void
admin_check_table(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	if (relkind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (!compat_owns_relation(relid, GetUserId()) &&
		pg_class_aclmask(relid, GetUserId(),
						 ACL_INSERT | ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE,
						 ACLMASK_ANY) == 0)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(relkind),
					   get_rel_name(relid));
}

Datum
cache_invalidate_table(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Relation	rel;

	PreventCommandDuringRecovery("invalidate_table()");
	admin_check_table(relid);
	rel = relation_open(relid, AccessShareLock);
	(void) GetTopTransactionId();
	relation_touch(relid);
	relation_touch_untold(relid);
	trigger_touch_relation(relid);
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}

Datum
cache_flush(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
	{
		PreventCommandDuringRecovery("cache_flush()");
		invalidate_everything();
	}
	else if (strcmp(text_to_cstring(PG_GETARG_TEXT_PP(0)), "l1") == 0)
		store_sweep(true);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown tier \"%s\"",
						text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errhint("Give 'l1' for shared memory only, or nothing for every result in both tiers.")));
	PG_RETURN_VOID();
}
