/*-------------------------------------------------------------------------
 *
 * tabstat.c
 *	  What PostgreSQL counts per relation in this process.
 *
 * PostgreSQL keeps counters per relation and transaction for its statistics
 * until it reports them.  Two parts of the cache read them: capture/track.c, to
 * know which relations a transaction has changed, and lookup/relstats.c, so that
 * hits count as executions do.
 *
 * A rolled-back savepoint takes its changes out of the counters.  They need not
 * be in them, since nobody can see those changes.
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
