/*-------------------------------------------------------------------------
 *
 * tabstat.h
 *	  The counters that PostgreSQL keeps per relation in this backend.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TABSTAT_H
#define CACHE_TABSTAT_H

#include "utils/rel.h"

/*
 * How many rows of an open relation has the transaction changed?  Returns
 * PG_UINT64_MAX if it has truncated the relation.
 */
extern uint64 tabstat_changes(Relation rel);

/*
 * Call a function for every relation of this database that the transaction has
 * changed.  It is passed the number that tabstat_changes returns.
 */
extern void tabstat_each_changed(void (*visit) (Oid relid, uint64 changes,
												void *arg),
								 void *arg);

/* The read counters of a relation. */
typedef struct TabStatReads
{
	int64		scans;			/* scans started */
	int64		returned;		/* rows returned, or index entries */
	int64		fetched;		/* rows fetched through an index */
} TabStatReads;

/* The counts that have not been reported yet; zero if there are none. */
extern TabStatReads tabstat_reads(Oid relid);

/*
 * Add to the counts.  Nothing is counted for a relation that has no
 * statistics: creating them again for a relation that was dropped would leave
 * them behind for ever.
 */
extern void tabstat_add_reads(Oid relid, const TabStatReads *reads);

#endif							/* CACHE_TABSTAT_H */
