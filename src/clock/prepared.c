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
 * and its catalog invalidations were sent.  Both come before the lock on its
 * transaction id is released (FinishPreparedTransaction), so that nobody holding
 * that lock is the proof.  It is asked of LockWaiterCount, which counts holders as
 * well, allocates nothing and cannot fail.  Somebody who has waited for the
 * transaction holds the lock for a moment after it: then the record stays, and is
 * looked at again.  Those who look are the session that ran COMMIT or ROLLBACK
 * PREPARED, apply workers at the end of each transaction, whoever meets a fence
 * (lookup.c), and the background worker every few seconds.  Until then the
 * fence keeps everyone away, so that being late costs misses.
 *
 * Nothing may fail after COMMIT PREPARED, for the client would not know that the
 * commit has happened.  So who comes from there does not look into the commit log,
 * and ticks: at worst, what was rolled back by somebody else at that moment.
 *
 * A crash or restart loses the records while PostgreSQL restores the prepared
 * transactions.  What those have touched is unknown, so the cache stays unused
 * until every prepared transaction is one on record (settled).  That is why
 * those that touched nothing are recorded as well.  A server that was shut
 * down has written all of them to files, so that without a file there is none;
 * after a crash, or a promotion, one has to look for them.  A promotion also
 * ends all that was stored before it.
 *
 * Memory.  There is a record for each transaction that can be prepared, and for
 * each backend, since it is made before PostgreSQL has found room for the
 * transaction.  Room for its slots (an area) is only there max_prepared_transactions
 * times.  Records that have ended are resolved before giving up.
 *
 * Locks.  One lock for all records and the fences they own, which change
 * together under it.  Looking whether a transaction has ended takes other locks,
 * so it is done on a copy of its id.  Two processes may look at once; whoever
 * finds the record still there acts.
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

/* No area. */
#define PREPARED_NONE (-1)

typedef struct SharedPreparedRecord
{
	/* all under the lock */
	FullTransactionId xid;		/* invalid if the record is free */
	int			nslots;
	int			area;			/* where they are, or PREPARED_NONE */
} SharedPreparedRecord;

typedef struct SharedPreparedArea
{
	/* all under the lock */
	int			next_free;		/* or PREPARED_NONE */
	ClockSlot	slots[PREPARED_MAX_SLOTS];
} SharedPreparedArea;

typedef struct SharedPrepared
{
	LWLock		lock;
	int			tranche;		/* immutable */
	int			nrecords;		/* immutable */
	int			free_area;		/* under the lock; or PREPARED_NONE */
	pg_atomic_uint32 used;		/* atomic; records in use */
	pg_atomic_uint32 settled;	/* atomic; 0, then 1 */
	TimestampTz last_look;		/* under the lock; of prepared_settled */
	int			empty_looks;	/* under the lock; in a row */
	SharedPreparedRecord records[FLEXIBLE_ARRAY_MEMBER];
	/* followed by the areas */
} SharedPrepared;

static SharedPrepared *prepared_shared;
static SharedPreparedArea *prepared_areas;

/* Records: those prepared, and those that every backend may be preparing. */
static int
prepared_records(void)
{
	return max_prepared_xacts > 0 ? max_prepared_xacts + MaxBackends : 0;
}

static Size
prepared_records_size(void)
{
	return MAXALIGN(add_size(offsetof(SharedPrepared, records),
							 mul_size(prepared_records(),
									  sizeof(SharedPreparedRecord))));
}

Size
prepared_shmem_size(void)
{
	return add_size(prepared_records_size(),
					mul_size(max_prepared_xacts, sizeof(SharedPreparedArea)));
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
	prepared_areas = (SharedPreparedArea *)
		((char *) prepared_shared + prepared_records_size());
	if (!found)
	{
		memset(prepared_shared, 0, prepared_shmem_size());
		prepared_shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&prepared_shared->lock, prepared_shared->tranche);
		prepared_shared->nrecords = prepared_records();
		prepared_shared->free_area = PREPARED_NONE;
		for (int i = 0; i < max_prepared_xacts; i++)
		{
			prepared_areas[i].next_free = prepared_shared->free_area;
			prepared_shared->free_area = i;
		}
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

/*
 * Record a transaction, if there is room.
 */
static bool
prepared_try_record(FullTransactionId xid, const ClockSlot *slots, int nslots)
{
	SharedPreparedRecord *record;
	int			area;
	bool		room;

	LWLockAcquire(&prepared_shared->lock, LW_EXCLUSIVE);
	record = prepared_find_locked(InvalidFullTransactionId);
	area = nslots > 0 ? prepared_shared->free_area : PREPARED_NONE;
	room = record != NULL && (nslots == 0 || area != PREPARED_NONE);
	if (room)
	{
		record->xid = xid;
		record->nslots = nslots;
		record->area = area;
		if (area != PREPARED_NONE)
		{
			prepared_shared->free_area = prepared_areas[area].next_free;
			memcpy(prepared_areas[area].slots, slots,
				   nslots * sizeof(ClockSlot));
		}
		clock_fence(slots, nslots, false);
		pg_atomic_fetch_add_u32(&prepared_shared->used, 1);
	}
	LWLockRelease(&prepared_shared->lock);
	return room;
}

void
prepared_record(FullTransactionId xid, const ClockSlot *slots, int nslots)
{
	Assert(nslots <= PREPARED_MAX_SLOTS && max_prepared_xacts > 0);

	if (prepared_try_record(xid, slots, nslots))
		return;
	prepared_resolve(PREPARED_ASK);
	if (!prepared_try_record(xid, slots, nslots))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("no room to record what a prepared transaction has changed"),
				 errhint("Increase max_prepared_transactions (currently %d).",
						 max_prepared_xacts)));
}

/*
 * Act on the end of a transaction, unless someone else did, and take its record
 * out.
 */
static void
prepared_finish(FullTransactionId xid, bool committed)
{
	SharedPreparedRecord *record;

	LWLockAcquire(&prepared_shared->lock, LW_EXCLUSIVE);
	record = prepared_find_locked(xid);
	if (record != NULL)
	{
		if (record->area != PREPARED_NONE)
		{
			SharedPreparedArea *area = &prepared_areas[record->area];

			if (committed)
				clock_tick(area->slots, record->nslots, false, xid);
			else
				clock_unfence(area->slots, record->nslots, false);
			area->next_free = prepared_shared->free_area;
			prepared_shared->free_area = record->area;
		}
		record->xid = InvalidFullTransactionId;
		pg_atomic_fetch_sub_u32(&prepared_shared->used, 1);
	}
	LWLockRelease(&prepared_shared->lock);
}

void
prepared_cancel(FullTransactionId xid)
{
	prepared_finish(xid, false);
}

/*
 * Has a transaction ended, its catalog invalidations included?
 */
static bool
prepared_ended(TransactionId xid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_TRANSACTION(tag, xid);
	return LockWaiterCount(&tag) == 0;
}

void
prepared_resolve(PreparedOutcome outcome)
{
	if (pg_atomic_read_u32(&prepared_shared->used) == 0)
		return;
	for (int i = 0; i < prepared_shared->nrecords; i++)
	{
		FullTransactionId full;
		TransactionId xid;

		LWLockAcquire(&prepared_shared->lock, LW_SHARED);
		full = prepared_shared->records[i].xid;
		LWLockRelease(&prepared_shared->lock);

		xid = XidFromFullTransactionId(full);
		if (FullTransactionIdIsValid(full) && prepared_ended(xid))
		{
			STOP_POINT("resolve");
			prepared_finish(full, outcome == PREPARED_ASSUME_COMMITTED ||
							TransactionIdDidCommit(xid));
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
		ClockSlot	cluster = CLOCK_SLOT_CLUSTER;

		/* what was stored while this was a standby knew of no change */
		FullTransactionIdRetreat(&xid);
		clock_fence(&cluster, 1, false);
		clock_tick(&cluster, 1, false, xid);
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

/*
 * Do records and areas add up, and the fences of everybody?  Returns what does not,
 * or NULL.
 */
static const char *
prepared_problem_locked(void)
{
	const char *problem = NULL;
	uint32		used = 0;
	int			areas = 0;
	int64		fences = 0;

	for (int i = 0; i < prepared_shared->nrecords; i++)
	{
		const SharedPreparedRecord *record = &prepared_shared->records[i];

		if (!FullTransactionIdIsValid(record->xid))
			continue;
		used++;
		areas += record->area != PREPARED_NONE;
		fences += record->nslots;
		if (record->nslots < 0 || record->nslots > PREPARED_MAX_SLOTS ||
			(record->nslots > 0) != (record->area != PREPARED_NONE))
			problem = "a record has no slots";
	}
	for (int area = prepared_shared->free_area;
		 area != PREPARED_NONE && areas <= max_prepared_xacts;
		 area = prepared_areas[area].next_free)
		areas++;
	if (areas != max_prepared_xacts)
		problem = "room for slots is lost";
	if (used != pg_atomic_read_u32(&prepared_shared->used))
		problem = "records are counted wrongly";
	if (!clock_fences_add_up(fences))
		problem = "fences are lost or left behind";
	return problem;
}

void
prepared_verify(void)
{
	const char *problem;

	LWLockAcquire(&prepared_shared->lock, LW_SHARED);
	problem = prepared_problem_locked();
	LWLockRelease(&prepared_shared->lock);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("what prepared transactions have changed does not add up: %s",
						problem)));
}
