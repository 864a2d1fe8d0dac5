/*-------------------------------------------------------------------------
 *
 * relstats.c
 *	  What an execution counts in the statistics of relations, so that a hit
 *	  can count the same.
 *
 * An administrator reads pg_stat_user_tables and pg_stat_user_indexes to learn
 * which tables are read and which indexes are used.  A plain statement that is
 * served from the cache reads no table or index.  But the application sends it
 * as before, and would read them if the result were not in the cache.  An
 * index whose idx_scan does not move might be dropped.  So a hit counts what
 * the execution that made its result has counted: scans started, rows returned
 * and rows fetched, for each table and index in the plan.  Blocks are not
 * counted, since a hit does not read any.
 *
 * Protocol.  PostgreSQL counts in each process, and reports the counters at
 * the end of a transaction.  relstats_begin reads them before the first row of
 * an execution, and relstats_end after the last one.  The difference becomes
 * the attachment of the payload (codec.c), and relstats_count adds it for each
 * hit.
 *
 * What is not exact:
 *
 *	- Parallel workers count for themselves.  A hit counts only what the leader
 *	  has counted.
 *	- Planning may look at the ends of an index, and counts that.  A hit may go
 *	  without planning.
 *	- Relations that are not in the plan are not counted for a hit: those read
 *	  by functions, and TOAST tables.
 *	- If other statements of the session run between two rows of an execution,
 *	  what they count for the same relations is charged to this execution.
 *	- An execution with track_counts off counts nothing, so hits on its result
 *	  do not either.
 *	- A hit counts everything when its first row is asked for.
 *
 * Dropped relations.  A table in the plan exists, since it is locked.  An
 * index can be dropped at any time without invalidating results (REINDEX
 * CONCURRENTLY).  PostgreSQL then drops its statistics.  A hit must not create
 * them again, because nobody would ever drop those.  So a hit counts only for
 * relations that still have statistics.
 *
 * What this file must not do: decide whether an execution is counted.  Its
 * callers in plain/ do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/tabstat.h"
#include "lib/qunique.h"
#include "lookup/relstats.h"
#include "nodes/nodeFuncs.h"
#include "utils/rel.h"

/* The counters of a relation, or the difference of two readings. */
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
 * Add the tables and indexes that a plan scans.
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
