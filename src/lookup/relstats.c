/*-------------------------------------------------------------------------
 *
 * relstats.c
 *	  What an execution counts in the statistics of relations, for hits to
 *	  count the same.
 *
 * Who looks at pg_stat_user_tables wants to know which tables are read and
 * which indexes are of use.  A plain statement that is served from the cache
 * reads neither; but the application asks as ever, would read them without the
 * cache, and may do so tomorrow.  An index whose idx_scan stands still would
 * be dropped.  So a hit counts what its execution has counted: scans started,
 * rows returned and fetched, of each table and index in the plan.  Blocks are
 * not counted, for a hit does not read any.
 *
 * The counters are those that PostgreSQL collects in each process until it
 * reports them, at the end of a transaction.  They are read before and after an
 * execution, and the difference goes into the payload (codec.c).
 *
 * What is not exact.
 *
 *	- Parallel workers count for themselves.  A hit counts the leader's part.
 *	- Planning looks at the ends of indexes.  A hit may go without planning.
 *	- Relations that are read without being in the plan (by functions, or those
 *	  of values stored out of line) are not counted for a hit.
 *	- If other statements of the session run between two rows of an execution,
 *	  what they count for the same relations is taken to be its.
 *	- Who executes with track_counts off has counted nothing.
 *	- A hit counts all as its first row is asked for.
 *
 * Dropped relations.  A table in the plan is there, for it is locked.  An index
 * may be dropped at any time without ending a result (REINDEX CONCURRENTLY).
 * PostgreSQL drops its statistics with it, and they must not be made again,
 * for nobody would drop those.  So a hit counts only where there is something
 * to add to.
 *
 * What this file must not do: know of the cache.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/tabstat.h"
#include "lib/qunique.h"
#include "lookup/relstats.h"
#include "nodes/nodeFuncs.h"
#include "utils/rel.h"

/* Counters of a relation, or what was added to them. */
typedef struct RelStatsCount
{
	Oid			relation;
	uint32		unused;			/* zero */
	TabStatReads reads;
} RelStatsCount;

struct RelStats
{
	int			n;
	int			size;			/* allocated */
	RelStatsCount *counts;
};

static void
relstats_add_relation(RelStats *stats, Relation relation)
{
	if (relation == NULL)
		return;
	if (stats->n == stats->size)
	{
		stats->size *= 2;
		stats->counts = repalloc(stats->counts,
								 stats->size * sizeof(RelStatsCount));
	}
	memset(&stats->counts[stats->n], 0, sizeof(RelStatsCount));
	stats->counts[stats->n++].relation = RelationGetRelid(relation);
}

/*
 * Find the relations that a plan scans.
 */
static bool
relstats_find(PlanState *plan, RelStats *stats)
{
	switch (nodeTag(plan))
	{
		case T_IndexScanState:
			relstats_add_relation(stats, ((IndexScanState *) plan)->iss_RelationDesc);
			break;
		case T_IndexOnlyScanState:
			relstats_add_relation(stats, ((IndexOnlyScanState *) plan)->ioss_RelationDesc);
			break;
		case T_BitmapIndexScanState:
			relstats_add_relation(stats, ((BitmapIndexScanState *) plan)->biss_RelationDesc);
			break;
		default:
			break;
	}
	switch (nodeTag(plan))
	{
		case T_SeqScanState:
		case T_SampleScanState:
		case T_IndexScanState:
		case T_IndexOnlyScanState:
		case T_BitmapHeapScanState:
		case T_TidScanState:
		case T_TidRangeScanState:
		case T_CustomScanState:
			relstats_add_relation(stats, ((ScanState *) plan)->ss_currentRelation);
			break;
		default:
			break;
	}
	return planstate_tree_walker(plan, relstats_find, stats);
}

static int
relstats_compare(const void *a, const void *b)
{
	Oid			first = ((const RelStatsCount *) a)->relation;
	Oid			second = ((const RelStatsCount *) b)->relation;

	return (first > second) - (first < second);
}

RelStats *
relstats_begin(PlanState *plan)
{
	RelStats   *stats = palloc(sizeof(RelStats));

	stats->n = 0;
	stats->size = 8;
	stats->counts = palloc(stats->size * sizeof(RelStatsCount));
	(void) relstats_find(plan, stats);
	qsort(stats->counts, stats->n, sizeof(RelStatsCount), relstats_compare);
	stats->n = qunique(stats->counts, stats->n, sizeof(RelStatsCount),
					   relstats_compare);
	for (int i = 0; i < stats->n; i++)
		stats->counts[i].reads = tabstat_reads(stats->counts[i].relation);
	return stats;
}

const void *
relstats_end(RelStats *stats, Size *len)
{
	int			n = 0;

	for (int i = 0; i < stats->n; i++)
	{
		RelStatsCount count = stats->counts[i];
		TabStatReads now = tabstat_reads(count.relation);

		count.reads.scans = now.scans - count.reads.scans;
		count.reads.returned = now.returned - count.reads.returned;
		count.reads.fetched = now.fetched - count.reads.fetched;
		if (count.reads.scans != 0 || count.reads.returned != 0 ||
			count.reads.fetched != 0)
			stats->counts[n++] = count;
	}
	*len = n * sizeof(RelStatsCount);
	return stats->counts;
}

void
relstats_count(const void *counts, Size len)
{
	const RelStatsCount *count = counts;
	const RelStatsCount *end = count + len / sizeof(RelStatsCount);

	for (; count < end; count++)
		tabstat_add_reads(count->relation, &count->reads);
}
