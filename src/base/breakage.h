/*-------------------------------------------------------------------------
 *
 * breakage.h
 *	  Protections that a test build can remove.
 *
 * A test that finds nothing may be blind.  "make torture-proof" therefore builds
 * the library without one protection at a time, and a test must find that.
 * test/consistency/proof.sh lists which test that is for each protection.
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

/*
 * What a transaction touches beyond the slots that it can remember is lost.
 */
#ifdef CACHE_BREAK_OVERFLOW
#define BREAK_OVERFLOW true
#else
#define BREAK_OVERFLOW false
#endif

/*
 * Fills take plans that were made for another key, as under other settings.
 */
#ifdef CACHE_BREAK_PLAN_KEY
#define BREAK_PLAN_KEY true
#else
#define BREAK_PLAN_KEY false
#endif

/* The functions of users that built-in code reaches are not examined. */
#ifdef CACHE_BREAK_USER_CODE
#define BREAK_USER_CODE true
#else
#define BREAK_USER_CODE false
#endif

/*
 * Results of functions that are declared IMMUTABLE are shared between users
 * and settings, whatever those functions do.
 */
#ifdef CACHE_BREAK_IMMUTABLE
#define BREAK_IMMUTABLE true
#else
#define BREAK_IMMUTABLE false
#endif

/* Whatever an execution reaches, its result is stored. */
#ifdef CACHE_BREAK_WATCH
#define BREAK_WATCH true
#else
#define BREAK_WATCH false
#endif

/* Results that depend on the tags of rows do not depend on untold changes. */
#ifdef CACHE_BREAK_UNTOLD
#define BREAK_UNTOLD true
#else
#define BREAK_UNTOLD false
#endif

/* Plain statements are looked up without checking what the user may read. */
#ifdef CACHE_BREAK_PERMITTED
#define BREAK_PERMITTED true
#else
#define BREAK_PERMITTED false
#endif

/* Values in Redis are believed whoever has signed them. */
#ifdef CACHE_BREAK_SIGNATURE
#define BREAK_SIGNATURE true
#else
#define BREAK_SIGNATURE false
#endif

#endif							/* CACHE_BREAKAGE_H */
