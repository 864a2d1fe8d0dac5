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

/* Slots recorded of one transaction; one that touched more touches everything. */
#define PREPARED_MAX_SLOTS 64

extern Size prepared_shmem_size(void);
extern void prepared_shmem_init(void);

/*
 * Record the slots of the transaction being prepared.  The caller fences them
 * next, and the record owns the fences then.  Errors: no room.
 */
extern void prepared_record(FullTransactionId xid, const ClockSlot *slots,
							int nslots);

/* The preparation failed: take the fences down again. */
extern void prepared_cancel(FullTransactionId xid);

/*
 * Tick or unfence what transactions that have ended since have touched.
 * Neither waits nor fails.
 */
extern void prepared_resolve(void);

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
