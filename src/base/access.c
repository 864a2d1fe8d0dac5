/*-------------------------------------------------------------------------
 *
 * access.c
 *	  The privileges that a query needs on the relations it reads.
 *
 * The executor checks privileges when an execution starts.  A hit executes
 * nothing, so lookup.c has to make the check itself.  An Access therefore
 * keeps copies of the range table entries that the check looks at.  It is
 * stored with the analysed statement, and access_check runs PostgreSQL's own
 * check on it at every hit.
 *
 * access_add leaves out the subquery of a view's entry.  The relations that
 * the view reads have entries of their own in the rewritten query.
 *
 * What this file must not do: decide whose privileges are needed.  The
 * rewriter has already written that into the entries (checkAsUser).
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
