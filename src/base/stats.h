/*-------------------------------------------------------------------------
 *
 * stats.h
 *	  Counters of the whole cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_STATS_H
#define CACHE_STATS_H

#include "datatype/timestamp.h"

typedef enum StatsCounter
{
	STATS_L1_HITS,
	STATS_L2_HITS,
	STATS_STALE_HITS,
	STATS_MISSES,
	STATS_FILLS,
	STATS_FILLS_RACED,
	STATS_FILLS_TOO_LARGE,
	STATS_FILLS_UNPROVEN,
	STATS_EVICTIONS,
	STATS_EXPIRATIONS,
	STATS_INVALIDATIONS,
	STATS_WAITS,
	STATS_WAIT_TIMEOUTS,
	STATS_L2_REJECTED,
	STATS_TIME_SAVED_US,
	/* bypasses, by reason; see stats_bypass_name */
	STATS_BYPASS_FIRST,
	STATS_BYPASS_DISABLED = STATS_BYPASS_FIRST, /* cache.enabled is off */
	STATS_BYPASS_FENCED,		/* another transaction is committing a change */
	STATS_BYPASS_ISOLATION,		/* SERIALIZABLE */
	STATS_BYPASS_OWN_WRITES,	/* the transaction's own changes may affect it */
	STATS_BYPASS_SNAPSHOT,		/* the snapshot does not see a change */
	STATS_BYPASS_STANDBY,		/* a standby receives no invalidations */
	STATS_BYPASS_PRIVILEGE,		/* the user may not execute a function in it */
	STATS_BYPASS_PREPARED,		/* prepared transactions without a record
								 * exist */
	STATS_BYPASS_PARALLEL,		/* inside a parallel worker */
	STATS_BYPASS_REFUSED,		/* a plain statement that may not be cached */
	STATS_NCOUNTERS
} StatsCounter;

#define STATS_NBYPASSES (STATS_NCOUNTERS - STATS_BYPASS_FIRST)

extern Size stats_shmem_size(void);
extern void stats_shmem_init(void);

/* Add to a counter; neither allocates nor fails. */
extern void stats_add(StatsCounter counter, int64 n);

/* Read the totals since the last reset. */
extern void stats_read(int64 *totals, TimestampTz *reset);
extern void stats_reset(void);

extern const char *stats_bypass_name(int i);

/* Check the counters.  Raises ERRCODE_DATA_CORRUPTED if one has decreased. */
extern void stats_verify(void);

#endif							/* CACHE_STATS_H */
