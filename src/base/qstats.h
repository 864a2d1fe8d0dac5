/*-------------------------------------------------------------------------
 *
 * qstats.h
 *	  Counters per query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_QSTATS_H
#define CACHE_QSTATS_H

/* Longest query text kept, in bytes. */
#define QSTATS_TEXT_LENGTH 1024

/*
 * The entry that a backend counts a query in.  It may be kept as long as the
 * backend lives.
 */
typedef struct QstatsHandle
{
	int			index;			/* -1: not counted */
	uint32		serial;			/* of the entry when the handle was made */
} QstatsHandle;

typedef struct QstatsListing
{
	Oid			database;
	Oid			user;
	char		query[QSTATS_TEXT_LENGTH];	/* terminated; cut at a character */
	int64		calls;
	int64		hits;
	int64		misses;
	int64		fill_us;
	int64		bytes;
	int64		shadow_hits;
	int64		shadow_saved_us;
} QstatsListing;

extern Size qstats_shmem_size(void);
extern void qstats_shmem_init(void);

/*
 * Find or create the entry of a query.  hash: of database, user and query, such
 * that no user can choose queries of equal hashes.  Never fails.
 */
extern QstatsHandle qstats_open(uint64 hash, Oid database, Oid user,
								const char *query, uint32 query_len);

/* Count one call.  These neither lock nor fail. */
extern void qstats_hit(QstatsHandle handle);
extern void qstats_shadow_hit(QstatsHandle handle, int64 saved_us);
extern void qstats_miss(QstatsHandle handle, int64 fill_us, int64 bytes);

/*
 * Copy entry i, 0 <= i < cache.max_query_stats.  Returns false if it is
 * unused.
 */
extern bool qstats_read(int i, QstatsListing *listing);
extern void qstats_reset(void);
extern void qstats_verify(void);

#endif							/* CACHE_QSTATS_H */
