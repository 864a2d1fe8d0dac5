/*-------------------------------------------------------------------------
 *
 * prepared.c
 *	  The slots that prepared transactions have touched.
 *
 * A prepared transaction can be ended in any session, at any later time, and
 * on a subscriber without a utility command.  So when a transaction is
 * prepared, the slots it has touched are recorded in shared memory, and they
 * keep their fences.  After the transaction has ended, any process that
 * notices it resolves the record: if the transaction was committed, it ticks
 * the slots; if not, it only takes the fences down.
 *
 * When a transaction has ended.  invalidate.c ticks a slot only after the
 * transaction is visible and its catalog invalidations have been sent.  For a
 * prepared transaction, both happen before the lock on its transaction id is
 * released (FinishPreparedTransaction).  So it has ended if nobody holds that
 * lock.  LockWaiterCount tells: it counts holders as well as waiters,
 * allocates nothing and cannot fail.  Somebody who has waited for the
 * transaction holds the lock for a moment after its end.  Then the record
 * stays until the next look.
 *
 * These processes look: the session that ran COMMIT PREPARED or ROLLBACK
 * PREPARED, apply workers at the end of each transaction, any backend that
 * meets a fence (lookup.c), and the background worker every few seconds.
 * Until the record is resolved, the fences prevent hits and fills.  So a late
 * look costs only misses.
 *
 * Nothing may fail after COMMIT PREPARED, because the client would be told of
 * an error although the transaction is committed.  Reading the commit log may
 * fail.  So the session that ran the command does not read it, and ticks
 * (PREPARED_ASSUME_COMMITTED).  At worst it also ticks the slots of a
 * transaction that another session has just rolled back.
 *
 * Restart, crash and promotion.  The records are lost, while PostgreSQL
 * restores the prepared transactions.  Nobody knows what those have touched.
 * So the cache is not used until there is a record of every prepared
 * transaction (prepared_settled).  This is why transactions that have touched
 * nothing are recorded as well.  A clean shutdown writes every prepared
 * transaction to a file, so if the server was shut down cleanly and there is
 * no file, there are none.  After a crash or a promotion, prepared_settled
 * looks for them.  When it finds none left, it also ticks the slot of the
 * cluster, which invalidates whatever was stored before: a standby does not
 * learn of changes.
 *
 * Memory.  There are max_prepared_transactions + MaxBackends records, since a
 * backend makes its record before PostgreSQL has found room for the
 * transaction.  There are only max_prepared_transactions areas for slots.  If
 * there is no room, prepared_record resolves what has ended and tries again
 * before it raises an error, which makes the preparation fail.
 *
 * Locks.  One lock protects all records and the fences that belong to them; a
 * record and its fences change together under it.  To find out whether a
 * transaction has ended takes other locks, so prepared_resolve does that on a
 * copy of the transaction id, without our lock.  Two processes may do so at
 * once; the one that still finds the record acts on it.
 *
 * What this file must not do: decide which slots a transaction touches.
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

/* Least time between two looks at the transactions found after a start. */
#define PREPARED_LOOK_INTERVAL USECS_PER_SEC

/* No area. */
#define PREPARED_NONE (-1)

typedef struct SharedPreparedRecord
{
	/* all under the lock */
	FullTransactionId xid;		/* invalid if the record is free */
	int			nslots;
	int			area;			/* that holds them, or PREPARED_NONE */
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
	pg_atomic_uint32 settled;	/* atomic; 0, then 1 for ever */
	TimestampTz last_look;		/* under the lock; by prepared_settled */
	int			empty_looks;	/* under the lock; looks in a row that found
								 * nothing */
	SharedPreparedRecord records[FLEXIBLE_ARRAY_MEMBER];
	/* followed by the areas */
} SharedPrepared;

static SharedPrepared *prepared_shared;
static SharedPreparedArea *prepared_areas;

/* Number of records: one per prepared transaction, and one per backend. */
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
 * Is this the start of a primary that was shut down cleanly, and has no
 * prepared transaction?
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
 * Find the record of a transaction, or a free one if xid is invalid.  NULL if
 * there is none.
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
 * Record a transaction and fence its slots.  Returns false if there is no
 * room.
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
 * Tick or unfence the slots of a transaction that has ended, and free its
 * record, unless another process has done so.
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
 * Has a transaction ended, and have its catalog invalidations been sent?
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
 * Is there a record of a transaction?
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
 * Is there a prepared transaction without a record?
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
 * Is it time to look again?  True for one process per interval.
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
	 * A transaction leaves the list a moment before it has ended.  So two
	 * looks in a row must find nothing; the second is a second later.
	 */
	exist = max_prepared_xacts > 0 && prepared_unrecorded_exist();
	LWLockAcquire(&prepared_shared->lock, LW_EXCLUSIVE);
	prepared_shared->empty_looks = exist ? 0 : prepared_shared->empty_looks + 1;
	if (pg_atomic_read_u32(&prepared_shared->settled) == 0 &&
		(prepared_shared->empty_looks >= 2 || max_prepared_xacts == 0))
	{
		FullTransactionId xid = ReadNextFullTransactionId();
		ClockSlot	cluster = CLOCK_SLOT_CLUSTER;

		/* results stored while this was a standby may miss changes */
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
 * Recount records, areas, and all fences of the clock.  Returns what does not
 * add up, or NULL.
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
				 errmsg("the records of prepared transactions do not add up: %s",
						problem)));
}
