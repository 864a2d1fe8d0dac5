/*-------------------------------------------------------------------------
 *
 * relstats.h
 *	  What an execution counts in the statistics of relations, for hits to
 *	  count the same.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_RELSTATS_H
#define CACHE_RELSTATS_H

#include "nodes/execnodes.h"

/* One execution; palloc'd. */
typedef struct RelStats RelStats;

/*
 * Before a plan returns its first row: note what it scans, and where the
 * counters of that are.
 */
extern RelStats *relstats_begin(PlanState *plan);

/*
 * After its last row: what it has counted, as bytes that are good as long as
 * it is; *len is 0 if that is nothing.
 */
extern const void *relstats_end(RelStats *stats, Size *len);

/* Count what those bytes say. */
extern void relstats_count(const void *counts, Size len);

#endif							/* CACHE_RELSTATS_H */
