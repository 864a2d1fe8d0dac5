/*-------------------------------------------------------------------------
 *
 * relstats.h
 *	  What an execution counts in the statistics of relations, so that a hit
 *	  can count the same.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_RELSTATS_H
#define CACHE_RELSTATS_H

#include "nodes/execnodes.h"

/* The counts of one execution; palloc'd. */
typedef struct RelStats RelStats;

/*
 * Call before a plan returns its first row.  Records which relations it scans,
 * and the present values of their counters.
 */
extern RelStats *relstats_begin(PlanState *plan);

/*
 * Call after the last row.  Returns what the execution has counted, as bytes
 * that are part of stats.  *len is 0 if it has counted nothing.
 */
extern const void *relstats_end(RelStats *stats, Size *len);

/* Count what those bytes say, for a hit. */
extern void relstats_count(const void *counts, Size len);

#endif							/* CACHE_RELSTATS_H */
