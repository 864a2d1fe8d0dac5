/*-------------------------------------------------------------------------
 *
 * invalidate.h
 *	  What the transaction has touched, and what its end makes of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_INVALIDATE_H
#define CACHE_INVALIDATE_H

#include "clock/clock.h"

/* Register the transaction callbacks; called once, as the library is loaded. */
extern void invalidate_init(void);

/*
 * Have a function called after every commit that has ticked a slot.  It must
 * not throw.  There is one such function; called as the library is loaded.
 */
extern void invalidate_set_listener(void (*listener) (void));

/*
 * The transaction changes what a slot stands for: others see it at commit.
 * Errors: ERRCODE_FEATURE_NOT_SUPPORTED while the transaction is prepared,
 * ERRCODE_INVALID_TRANSACTION_STATE in a parallel worker.
 */
extern void invalidate_touch(ClockSlot slot);

/*
 * The same for a slot that concerns a whole database, or all of them.  It counts
 * as not touched if the current savepoint is rolled back.
 */
extern void invalidate_touch_wide(ClockSlot slot);

/*
 * The same for a tag of the current database, which also gives the
 * transaction an xid, as a change that writes no row needs.
 */
extern void invalidate_tag(ClockTagKind kind, const char *name, size_t len);

/* The same for everything in the current database, or in all of them. */
extern void invalidate_database(void);
extern void invalidate_everything(void);

/* Has the transaction touched this slot? */
extern bool invalidate_touched(ClockSlot slot);

/*
 * A statement that writes begins; it has ended, and touched what it changed.
 * They nest.  Until the end of a transaction in which one has failed, one is
 * taken to be under way.
 */
extern void invalidate_begin_write(void);
extern void invalidate_end_write(void);

/* Is one under way, so that it is not known yet what it touches? */
extern bool invalidate_writing(void);

#endif							/* CACHE_INVALIDATE_H */
