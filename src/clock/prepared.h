/*-------------------------------------------------------------------------
 *
 * prepared.h
 *	  The slots that prepared transactions have touched.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_PREPARED_H
#define CACHE_PREPARED_H

#include "clock/clock.h"

/*
 * A record has room for as many slots as a transaction can touch
 * (invalidate.c).
 */
#define PREPARED_MAX_SLOTS (4096 + 8)

extern Size prepared_shmem_size(void);
extern void prepared_shmem_init(void);

/*
 * Record the slots of the transaction that is being prepared, and fence them.
 * The fences belong to the record.  Error: ERRCODE_OUT_OF_MEMORY if there is
 * no room.
 */
extern void prepared_record(FullTransactionId xid, const ClockSlot *slots,
							int nslots);

/* The preparation has failed: take the fences down, and free the record. */
extern void prepared_cancel(FullTransactionId xid);

/*
 * Resolve the records of the transactions that have ended: tick or unfence
 * their slots.  Does not wait.  With PREPARED_ASSUME_COMMITTED, the slots of
 * those that were rolled back are ticked, too; this cannot fail.  With
 * PREPARED_ASK, the commit log is read, which can fail.
 */
typedef enum PreparedOutcome
{
	PREPARED_ASSUME_COMMITTED,
	PREPARED_ASK
} PreparedOutcome;

extern void prepared_resolve(PreparedOutcome outcome);

/*
 * Is there a record of every prepared transaction?  After a start that
 * restored some, false until those have ended.  While it is false, this may
 * query the server.
 */
extern bool prepared_settled(void);

/* The number of records in use. */
extern int64 prepared_count(void);

/* Recount.  Error: ERRCODE_DATA_CORRUPTED if something does not add up. */
extern void prepared_verify(void);

#endif							/* CACHE_PREPARED_H */
