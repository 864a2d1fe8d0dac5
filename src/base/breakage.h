/*-------------------------------------------------------------------------
 *
 * breakage.h
 *	  Protections that a test build can remove.
 *
 * A consistency test that finds nothing may be blind.  test/consistency
 * therefore runs against libraries from which one protection has been removed,
 * and must find violations.  The protections removed for it are
 * CACHE_BREAK_FENCE, CACHE_BREAK_STORE_CHECK, CACHE_BREAK_ROLE,
 * CACHE_BREAK_OWN_WRITES and CACHE_BREAK_OLD_ROW.
 *
 * The other macros undo an ordering of steps that matters so rarely that
 * random load hardly ever shows the difference.  test/tap/stops.pl forces the
 * critical interleavings, and fails in such a build (make check
 * BREAK=TICK_LAST).
 *
 * No other build defines any of these macros.
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

/* Fills do not check whether their dependencies have changed meanwhile. */
#ifdef CACHE_BREAK_STORE_CHECK
#define BREAK_STORE_CHECK true
#else
#define BREAK_STORE_CHECK false
#endif

/* Keys do not contain the user. */
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

/*
 * For an updated row, triggers invalidate the tags of the new row only, not
 * those of the old one.
 */
#ifdef CACHE_BREAK_OLD_ROW
#define BREAK_OLD_ROW true
#else
#define BREAK_OLD_ROW false
#endif

#endif							/* CACHE_BREAKAGE_H */
