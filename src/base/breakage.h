/*-------------------------------------------------------------------------
 *
 * breakage.h
 *	  Protections that a test build can take out.
 *
 * test/consistency proves that it would notice, by finding violations in a
 * library built with one of CACHE_BREAK_FENCE, CACHE_BREAK_STORE_CHECK,
 * CACHE_BREAK_ROLE, CACHE_BREAK_OWN_WRITES,
 * CACHE_BREAK_OLD_ROW.  The others are orders that chance
 * hardly ever puts to the test; test/tap/stops.pl, which forces them, fails
 * without (make check BREAK=TICK_LAST).  No other build defines any.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_BREAKAGE_H
#define CACHE_BREAKAGE_H

/* Readers do not see fences. */
#ifdef CACHE_BREAK_FENCE
#define BREAK_FENCE true
#else
#define BREAK_FENCE false
#endif

/* Results are stored whatever happened to their dependencies meanwhile. */
#ifdef CACHE_BREAK_STORE_CHECK
#define BREAK_STORE_CHECK true
#else
#define BREAK_STORE_CHECK false
#endif

/* Keys do not hold the user. */
#ifdef CACHE_BREAK_ROLE
#define BREAK_ROLE true
#else
#define BREAK_ROLE false
#endif

/* Transactions that have written use the cache. */
#ifdef CACHE_BREAK_OWN_WRITES
#define BREAK_OWN_WRITES true
#else
#define BREAK_OWN_WRITES false
#endif

/* Ticks come before catalog invalidations are sent. */
#ifdef CACHE_BREAK_TICK_LAST
#define BREAK_TICK_LAST true
#else
#define BREAK_TICK_LAST false
#endif

/* Readers do not accept catalog invalidations after reading the clock. */
#ifdef CACHE_BREAK_ACCEPT
#define BREAK_ACCEPT true
#else
#define BREAK_ACCEPT false
#endif

/* Readers read the clock only once they know what the statement means. */
#ifdef CACHE_BREAK_READ_FIRST
#define BREAK_READ_FIRST true
#else
#define BREAK_READ_FIRST false
#endif

/* Results are computed under the snapshot of the calling statement. */
#ifdef CACHE_BREAK_FRESH_SNAPSHOT
#define BREAK_FRESH_SNAPSHOT true
#else
#define BREAK_FRESH_SNAPSHOT false
#endif

/* Triggers tell of an updated row as it is now, and not as it was. */
#ifdef CACHE_BREAK_OLD_ROW
#define BREAK_OLD_ROW true
#else
#define BREAK_OLD_ROW false
#endif

#endif							/* CACHE_BREAKAGE_H */
