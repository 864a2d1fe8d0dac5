/*-------------------------------------------------------------------------
 *
 * invalidate.h
 *	  The slots that a transaction has touched, and what happens to them when
 *	  it ends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_INVALIDATE_H
#define CACHE_INVALIDATE_H

#include "clock/clock.h"

/*
 * Register the transaction callbacks.  Called once, when the library is
 * loaded.
 */
extern void invalidate_init(void);

/*
 * Set the function that is called after every commit that has ticked a slot.
 * It must not throw.  Called once, when the library is loaded.
 */
extern void invalidate_set_listener(void (*listener) (void));

/*
 * Record that the transaction changes what a slot stands for.  The slot ticks
 * when the transaction commits.
 * Errors: ERRCODE_FEATURE_NOT_SUPPORTED while the transaction is prepared,
 * ERRCODE_INVALID_TRANSACTION_STATE in a parallel worker.
 */
extern void invalidate_touch(ClockSlot slot);

/*
 * The same for a slot that stands for something in a whole database, or in all
 * of them.  The touch is forgotten if the current savepoint is rolled back.
 */
extern void invalidate_touch_wide(ClockSlot slot);

/*
 * The same for a tag of the current database.  Also assigns the transaction an
 * xid, since one without an xid ticks nothing.
 */
extern void invalidate_tag(ClockTagKind kind, const char *name, size_t len);

/* The same for everything in the current database, or in all of them. */
extern void invalidate_database(void);
extern void invalidate_everything(void);

/* Has the transaction touched this slot? */
extern bool invalidate_touched(ClockSlot slot);

/*
 * A statement that writes begins; it has ended, after touching the slots of
 * what it changed.  Such statements nest.  After one has failed,
 * invalidate_writing returns true until the end of the transaction.
 */
extern void invalidate_begin_write(void);
extern void invalidate_end_write(void);

/* Is a statement running that writes, and may touch slots when it ends? */
extern bool invalidate_writing(void);

#endif							/* CACHE_INVALIDATE_H */
