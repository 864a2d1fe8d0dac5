/*-------------------------------------------------------------------------
 *
 * prepared.c
 *	  What prepared transactions have touched.
 *
 * The end of a prepared transaction may happen in any session, after any time,
 * and, on a subscriber, without passing through a utility command.  So what it
 * has touched is recorded in shared memory as it is prepared, and stays
 * fenced; once the transaction has ended, whoever notices ticks the slots, if
 * it committed, and takes the fences down.
 *
 * It has ended, in the sense of invalidate.c, when it is no longer in progress
 * and its catalog invalidations were sent.  The latter comes before the lock on
 * its transaction id is released, so that being able to take that lock is the
 * proof.  Those who look are the session that ran COMMIT or ROLLBACK PREPARED,
 * apply workers at the end of each transaction, and, for whatever those two
 * did not get to, the background worker every few seconds.  Until then the
 * fence keeps everyone away, so that being late costs misses.
 *
 * A crash or restart loses the records while PostgreSQL restores the prepared
 * transactions.  What those have touched is unknown, so the cache stays unused
 * until every prepared transaction is one on record (settled).  That is why
 * those that touched nothing are recorded as well.  A server that was shut
 * down has written all of them to files, so that without a file there is none;
 * after a crash, or a promotion, one has to look for them.  A promotion also
 * ends all that was stored before it.
 *
 * Locks.  One lock for all records.  Looking whether a transaction has ended
 * can throw and takes other locks, so it is done on a copy of the ids.  Two
 * processes may look at once; whoever finds the record still there acts.
 *
 * What this file must not do: decide what a transaction touches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "access/xlog.h"
#include "base/stop.h"
#include "catalog/pg_control.h"
#include "clock/prepared.h"
#include "common/controldata_utils.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Time between two looks at the prepared transactions found at a start. */
#define PREPARED_LOOK_INTERVAL USECS_PER_SEC

typedef struct SharedPreparedRecord
{
	/* all under the lock */
	FullTransactionId xid;		/* invalid if the record is free */
	int			nslots;
	ClockSlot	slots[PREPARED_MAX_SLOTS];
} SharedPreparedRecord;

typedef struct SharedPrepared
{
	LWLock		lock;
	int			tranche;		/* immutable */
	int			nrecords;		/* immutable */
	pg_atomic_uint32 used;		/* atomic; records in use */
	pg_atomic_uint32 settled;	/* atomic; 0, then 1 */
	TimestampTz last_look;		/* under the lock; of prepared_settled */
	int			empty_looks;	/* under the lock; in a row */
	SharedPreparedRecord records[FLEXIBLE_ARRAY_MEMBER];
} SharedPrepared;

static SharedPrepared *prepared_shared;

/* Records: those prepared, and those that every backend may be preparing. */
static int
prepared_records(void)
{
	return max_prepared_xacts > 0 ? max_prepared_xacts + MaxBackends : 0;
}

Size
prepared_shmem_size(void)
{
	return add_size(offsetof(SharedPrepared, records),
					mul_size(prepared_records(), sizeof(SharedPreparedRecord)));
}

/*
 * Does the server start as a primary that was shut down, without any prepared
 * transaction?
 */
static bool
prepared_none_at_start(void)
{
	ControlFileData *control;
	DIR		   *dir;
	struct dirent *entry;
	bool		crc_ok;
	bool		none;

	control = get_controlfile(DataDir, &crc_ok);
	none = crc_ok && control->state == DB_SHUTDOWNED;
	pfree(control);

	dir = AllocateDir("pg_twophase");
	while (none && (entry = ReadDir(dir, "pg_twophase")) != NULL)
		none = entry->d_name[0] == '.';
	FreeDir(dir);
	return none;
}

void
prepared_shmem_init(void)
{
	bool		found;

	prepared_shared = ShmemInitStruct("cache prepared", prepared_shmem_size(),
									  &found);
	if (!found)
	{
		memset(prepared_shared, 0, prepared_shmem_size());
		prepared_shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&prepared_shared->lock, prepared_shared->tranche);
		prepared_shared->nrecords = prepared_records();
		pg_atomic_init_u32(&prepared_shared->used, 0);
		pg_atomic_init_u32(&prepared_shared->settled,
						   prepared_none_at_start());
	}
	LWLockRegisterTranche(prepared_shared->tranche, "cache_prepared");
}

/*
 * The record of a transaction, or of none: a free one.  NULL if there is none.
 */
static SharedPreparedRecord *
prepared_find_locked(FullTransactionId xid)
{
	for (int i = 0; i < prepared_shared->nrecords; i++)
	{
		if (FullTransactionIdEquals(prepared_shared->records[i].xid, xid))
			return &prepared_shared->records[i];
	}
	return NULL;
}

void
prepared_record(FullTransactionId xid, const ClockSlot *slots, int nslots)
{
	SharedPreparedRecord *record;

	Assert(nslots <= PREPARED_MAX_SLOTS && max_prepared_xacts > 0);

	LWLockAcquire(&prepared_shared->lock, LW_EXCLUSIVE);
	record = prepared_find_locked(InvalidFullTransactionId);
	if (record != NULL)
	{
		record->xid = xid;
		record->nslots = nslots;
		memcpy(record->slots, slots, nslots * sizeof(ClockSlot));
		pg_atomic_fetch_add_u32(&prepared_shared->used, 1);
	}
	LWLockRelease(&prepared_shared->lock);

	if (record == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("no room to record what a prepared transaction has changed"),
				 errhint("Increase max_prepared_transactions (currently %d).",
						 max_prepared_xacts)));
}

/*
 * Take a record out; returns how many slots it had, -1 if it is gone.
 */
static int
prepared_take(FullTransactionId xid, ClockSlot *slots)
{
	SharedPreparedRecord *record;
	int			nslots = -1;

	LWLockAcquire(&prepared_shared->lock, LW_EXCLUSIVE);
	record = prepared_find_locked(xid);
	if (record != NULL)
	{
		nslots = record->nslots;
		memcpy(slots, record->slots, nslots * sizeof(ClockSlot));
		record->xid = InvalidFullTransactionId;
		pg_atomic_fetch_sub_u32(&prepared_shared->used, 1);
	}
	LWLockRelease(&prepared_shared->lock);
	return nslots;
}

/*
 * Act on the end of a transaction, unless someone else does.
 */
static void
prepared_finish(FullTransactionId xid, bool committed)
{
	ClockSlot	slots[PREPARED_MAX_SLOTS];
	int			nslots;

	/* if this process dies between here and there, so does shared memory */
	HOLD_INTERRUPTS();
	nslots = prepared_take(xid, slots);
	for (int i = 0; i < nslots; i++)
	{
		if (committed)
			clock_tick(slots[i], xid);
		else
			clock_unfence(slots[i]);
	}
	RESUME_INTERRUPTS();
}

void
prepared_cancel(FullTransactionId xid)
{
	prepared_finish(xid, false);
}

/*
 * Has a transaction ended, its catalog invalidations included?  The lock is
 * taken for the session, since there may be no transaction to take it for.
 */
static bool
prepared_ended(TransactionId xid)
{
	LOCKTAG		tag;

	if (TransactionIdIsInProgress(xid))
		return false;
	SET_LOCKTAG_TRANSACTION(tag, xid);
	if (LockAcquire(&tag, ShareLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	LockRelease(&tag, ShareLock, true);
	return true;
}

void
prepared_resolve(void)
{
	if (pg_atomic_read_u32(&prepared_shared->used) == 0)
		return;
	for (int i = 0; i < prepared_shared->nrecords; i++)
	{
		FullTransactionId xid;

		LWLockAcquire(&prepared_shared->lock, LW_SHARED);
		xid = prepared_shared->records[i].xid;
		LWLockRelease(&prepared_shared->lock);

		if (FullTransactionIdIsValid(xid) &&
			prepared_ended(XidFromFullTransactionId(xid)))
		{
			STOP_POINT("resolve");
			prepared_finish(xid,
							TransactionIdDidCommit(XidFromFullTransactionId(xid)));
		}
	}
}

/*
 * Is a transaction on record?
 */
static bool
prepared_recorded(TransactionId xid)
{
	bool		found = false;

	LWLockAcquire(&prepared_shared->lock, LW_SHARED);
	for (int i = 0; i < prepared_shared->nrecords && !found; i++)
		found = XidFromFullTransactionId(prepared_shared->records[i].xid) == xid;
	LWLockRelease(&prepared_shared->lock);
	return found;
}

/*
 * Is there a prepared transaction that is not on record?
 */
static bool
prepared_unrecorded_exist(void)
{
	bool		exist = false;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	PushActiveSnapshot(GetTransactionSnapshot());
	if (SPI_execute("SELECT transaction FROM pg_catalog.pg_prepared_xact()",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the prepared transactions");
	for (uint64 i = 0; i < SPI_processed && !exist; i++)
	{
		bool		isnull;
		Datum		xid = SPI_getbinval(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1, &isnull);

		exist = !prepared_recorded(DatumGetTransactionId(xid));
	}
	PopActiveSnapshot();
	SPI_finish();
	return exist;
}

/*
 * Is it time to look again?  One process at a time.
 */
static bool
prepared_look_due(void)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		due;

	LWLockAcquire(&prepared_shared->lock, LW_EXCLUSIVE);
	due = now - prepared_shared->last_look >= PREPARED_LOOK_INTERVAL ||
		now < prepared_shared->last_look;
	if (due)
		prepared_shared->last_look = now;
	LWLockRelease(&prepared_shared->lock);
	return due;
}

bool
prepared_settled(void)
{
	bool		exist;

	if (likely(pg_atomic_read_u32(&prepared_shared->settled) != 0))
		return true;
	if (RecoveryInProgress() || !prepared_look_due())
		return false;

	/*
	 * A transaction leaves the list a moment before it has ended; the next
	 * look is a second later.
	 */
	exist = max_prepared_xacts > 0 && prepared_unrecorded_exist();
	LWLockAcquire(&prepared_shared->lock, LW_EXCLUSIVE);
	prepared_shared->empty_looks = exist ? 0 : prepared_shared->empty_looks + 1;
	if (pg_atomic_read_u32(&prepared_shared->settled) == 0 &&
		(prepared_shared->empty_looks >= 2 || max_prepared_xacts == 0))
	{
		FullTransactionId xid = ReadNextFullTransactionId();

		/* what was stored while this was a standby knew of no change */
		FullTransactionIdRetreat(&xid);
		clock_fence(CLOCK_SLOT_ALL);
		clock_tick(CLOCK_SLOT_ALL, xid);
		pg_atomic_write_u32(&prepared_shared->settled, 1);
	}
	LWLockRelease(&prepared_shared->lock);
	return pg_atomic_read_u32(&prepared_shared->settled) != 0;
}

int64
prepared_count(void)
{
	return pg_atomic_read_u32(&prepared_shared->used);
}

void
prepared_verify(void)
{
	uint32		used = 0;
	bool		broken = false;

	LWLockAcquire(&prepared_shared->lock, LW_SHARED);
	for (int i = 0; i < prepared_shared->nrecords; i++)
	{
		SharedPreparedRecord *record = &prepared_shared->records[i];

		if (!FullTransactionIdIsValid(record->xid))
			continue;
		used++;
		broken |= record->nslots < 0 || record->nslots > PREPARED_MAX_SLOTS;
	}
	broken |= used != pg_atomic_read_u32(&prepared_shared->used);
	LWLockRelease(&prepared_shared->lock);

	if (broken)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the records of prepared transactions do not add up")));
}
