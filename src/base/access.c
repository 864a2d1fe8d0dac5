/*-------------------------------------------------------------------------
 *
 * access.c
 *	  The privileges that a query needs on the relations it reads.
 *
 * A hit executes nothing, so nobody would check what an execution checks as it
 * starts.  The range table entries that the check looks at are kept with the
 * analysed statement, and the server's own check is run on them at every hit.
 *
 * The entries are copied without the queries of views below them: what those
 * read has entries of its own.
 *
 * What this file must not do: decide whose privileges are needed.  The rewriter
 * has written that into the entries.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/access.h"
#include "base/compat.h"
#include "executor/executor.h"
#include "utils/syscache.h"

void
access_add(Access *access, const Query *query, const RangeTblEntry *rte)
{
	RangeTblEntry copied;
	RangeTblEntry *entry;

	if (!compat_entry_is_checked(rte))
		return;
	copied = *rte;
	copied.subquery = NULL;
	entry = copyObject(&copied);
	access->perminfos = compat_add_perminfo(access->perminfos, query, entry);
	access->rtable = lappend(access->rtable, entry);
}

void
access_copy(Access *to, const Access *from)
{
	to->rtable = copyObject(from->rtable);
	to->perminfos = copyObject(from->perminfos);
}

bool
access_check(const Access *access, bool throw)
{
	return compat_check_permissions(access->rtable, access->perminfos, throw);
}

bool
access_exists(const Access *access)
{
	ListCell   *lc;

	foreach(lc, access->rtable)
	{
		if (!SearchSysCacheExists1(RELOID,
								   ObjectIdGetDatum(lfirst_node(RangeTblEntry, lc)->relid)))
			return false;
	}
	return true;
}
