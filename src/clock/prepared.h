/*-------------------------------------------------------------------------
 *
 * prepared.h
 *	  What prepared transactions have touched.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_PREPARED_H
#define CACHE_PREPARED_H

#include "clock/clock.h"

/* Slots recorded of one transaction: as many as any can touch (invalidate.c). */
#define PREPARED_MAX_SLOTS (4096 + 8)

extern Size prepared_shmem_size(void);
extern void prepared_shmem_init(void);

/*
 * Record the slots of the transaction being prepared, and fence them; the record
 * owns the fences.  Errors: ERRCODE_OUT_OF_MEMORY if there is no room.
 */
extern void prepared_record(FullTransactionId xid, const ClockSlot *slots,
							int nslots);

/* The preparation failed: take the fences down again. */
extern void prepared_cancel(FullTransactionId xid);

/*
 * Tick or unfence what transactions that have ended since have touched.  Does not
 * wait.  PREPARED_ASSUME_COMMITTED ticks what was rolled back, too, and cannot
 * fail; PREPARED_ASK looks into the commit log, of which reading can fail.
 */
typedef enum PreparedOutcome
{
	PREPARED_ASSUME_COMMITTED,
	PREPARED_ASK
} PreparedOutcome;

extern void prepared_resolve(PreparedOutcome outcome);

/*
 * Are all prepared transactions on record?  Not so after a start that found
 * some, until they have ended.  May read catalogs, while the answer is no.
 */
extern bool prepared_settled(void);

/* How many transactions are on record. */
extern int64 prepared_count(void);

/* Recount; ERRCODE_DATA_CORRUPTED if something does not add up. */
extern void prepared_verify(void);

#endif							/* CACHE_PREPARED_H */
