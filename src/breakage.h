/*-------------------------------------------------------------------------
 *
 * breakage.h
 *	  Protections that a test build can take out.
 *
 * test/consistency proves that it would notice, by finding violations in a
 * library built with one of CACHE_BREAK_FENCE, CACHE_BREAK_STORE_CHECK,
 * CACHE_BREAK_ROLE, CACHE_BREAK_OWN_WRITES.  No other build defines them.
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

#endif							/* CACHE_BREAKAGE_H */
