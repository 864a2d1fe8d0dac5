/*-------------------------------------------------------------------------
 *
 * tabstat.h
 *	  What PostgreSQL counts per relation in this process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TABSTAT_H
#define CACHE_TABSTAT_H

#include "utils/rel.h"

/*
 * How many rows of an open relation has the transaction changed?
 * PG_UINT64_MAX if it has truncated it.
 */
extern uint64 tabstat_changes(Relation rel);

/*
 * Call a function for every relation of this database that the transaction
 * has changed, with the number of rows as tabstat_changes gives it.
 */
extern void tabstat_each_changed(void (*visit) (Oid relid, uint64 changes,
												void *arg),
								 void *arg);

/* How often a relation was read. */
typedef struct TabStatReads
{
	int64		scans;			/* scans started */
	int64		returned;		/* rows, or entries of an index, returned */
	int64		fetched;		/* rows fetched through an index */
} TabStatReads;

/* What was counted and not reported yet; zero if that is nothing. */
extern TabStatReads tabstat_reads(Oid relid);

/*
 * Count more of them.  Nothing is counted for a relation that has no
 * statistics, since one that was dropped must not get any again.
 */
extern void tabstat_add_reads(Oid relid, const TabStatReads *reads);

#endif							/* CACHE_TABSTAT_H */
