/*-------------------------------------------------------------------------
 *
 * tabstat.c
 *	  The counters that PostgreSQL keeps per relation in this backend.
 *
 * For its cumulative statistics, PostgreSQL counts per relation what a backend
 * reads, and per (sub)transaction what it changes, and keeps these counters in
 * the backend until it reports them.  Two modules use them.  capture/track.c
 * finds out from them which relations a transaction has changed.
 * lookup/relstats.c reads and adds to them, so that hits are counted like
 * executions.
 *
 * When a savepoint is rolled back, PostgreSQL removes its changes from the
 * counters that are summed up here.  That is right for track.c, because nobody
 * will ever see those changes.
 *
 * This file alone depends on the internals of pgstat.
 *
 * What this file must not do: know what the counters are used for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "base/tabstat.h"
#include "catalog/catalog.h"
#include "utils/pgstat_internal.h"

static uint64
tabstat_sum_changes(const PgStat_TableStatus *status)
{
	uint64		changes = 0;

	if (status == NULL)
		return 0;
	for (PgStat_TableXactStatus *xact = status->trans; xact != NULL;
		 xact = xact->upper)
	{
		if (xact->truncdropped)
			return PG_UINT64_MAX;
		changes += xact->tuples_inserted + xact->tuples_updated +
			xact->tuples_deleted;
	}
	return changes;
}

uint64
tabstat_changes(Relation rel)
{
	return tabstat_sum_changes(rel->pgstat_info);
}

void
tabstat_each_changed(void (*visit) (Oid relid, uint64 changes, void *arg),
					 void *arg)
{
	PgStat_SubXactStatus *level;

	for (level = pgstat_get_xact_stack_level(GetCurrentTransactionNestLevel());
		 level != NULL; level = level->prev)
	{
		for (PgStat_TableXactStatus *xact = level->first; xact != NULL;
			 xact = xact->next)
		{
			uint64		changes = tabstat_sum_changes(xact->parent);

			if (changes > 0 && !compat_tabstat_shared(xact->parent))
				visit(compat_tabstat_id(xact->parent), changes, arg);
		}
	}
}

TabStatReads
tabstat_reads(Oid relid)
{
	PgStat_TableStatus *pending = find_tabstat_entry(relid);
	TabStatReads reads = {0};

	if (pending != NULL)
	{
		reads.scans = compat_tabstat_scans(pending);
		reads.returned = compat_tabstat_returned(pending);
		reads.fetched = compat_tabstat_fetched(pending);
	}
	return reads;
}

void
tabstat_add_reads(Oid relid, const TabStatReads *reads)
{
	bool		shared = IsSharedRelation(relid);
	Oid			database = shared ? InvalidOid : MyDatabaseId;
	PgStat_TableStatus *pending;

	if (!pgstat_track_counts ||
		pgstat_get_entry_ref(PGSTAT_KIND_RELATION, database, relid, false,
							 NULL) == NULL)
		return;
	pending = pgstat_prep_pending_entry(PGSTAT_KIND_RELATION, database, relid,
										NULL)->pending;
	compat_tabstat_id(pending) = relid;
	compat_tabstat_shared(pending) = shared;
	compat_tabstat_scans(pending) += reads->scans;
	compat_tabstat_returned(pending) += reads->returned;
	compat_tabstat_fetched(pending) += reads->fetched;
}
