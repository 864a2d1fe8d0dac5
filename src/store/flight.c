/*-------------------------------------------------------------------------
 *
 * flight.c
 *	  Single flight: one execution per key on a server at a time.
 *
 * A flight is an execution that others may wait for.  Its leader is the
 * backend that executes; each backend leads at most one flight at a time, so
 * the flights are an array with one place per backend, and a hash table finds
 * the one for a key.
 *
 * A flight begins when its leader enters the table and ends when it leaves it
 * (it lands).  Landing raises the serial of the leader's place; a waiter
 * remembers the serial it found, and knows by the difference that the flight
 * it waited for has ended, even if the leader leads another one by then.
 *
 * How a flight ends is told to its waiters with it: stored, they find the
 * result in the store; failed, one of them leads next; unstorable, each
 * executes for itself, for the next leader would only come to the same end.
 *
 * Who does not land its flight, because of an error, a cancel, or an exit, has
 * it landed as failed when the resource owner it began under is released:
 * that is at the abort of the (sub)transaction, and not only when its memory
 * goes.  A leader that crashes takes shared memory with it.
 *
 * Deadlocks.  A waiter holds locks of its transaction, and a leader can come
 * to wait for one of them, if only behind a third process; the deadlock
 * detector does not see condition variables.  So a waiter looks every
 * FLIGHT_SLICE ms, and stops waiting for a leader that waits for a lock; and
 * for one that waits for its client, which may never go on reading.  It
 * also never waits while it leads itself, and never longer than its deadline.
 * (Locks that a leader's parallel workers wait for are left to the deadline.)
 *
 * Locks.  One lock for table and places.  It is taken on misses only, and
 * nothing else is done under it.
 *
 * What this file must not do: know what is executed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/stop.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "store/flight.h"
#include "utils/hsearch.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

/* How often a waiter looks at its leader, in ms. */
#define FLIGHT_SLICE 100

/* A backend's place; all under the lock, but for the condition variable. */
typedef struct SharedFlightPlace
{
	uint32		serial;			/* of its flights; raised as each lands */
	FlightOutcome outcome;		/* of the flight before this serial */
	int			pgprocno;		/* of the leader */
	ConditionVariable landed;
} SharedFlightPlace;

typedef struct SharedFlights
{
	LWLock		lock;
	int			tranche;		/* immutable */
	int			nplaces;		/* immutable */
	SharedFlightPlace places[FLEXIBLE_ARRAY_MEMBER];
} SharedFlights;

/* What the table holds of a flight; under the lock. */
typedef struct FlightEntry
{
	uint64		hash;			/* hash key */
	int			leader;			/* a place */
} FlightEntry;

static struct
{
	SharedFlights *shared;
	HTAB	   *table;
	bool		leading;
	uint64		hash;			/* of the flight this backend leads */
	ResourceOwner owner;		/* that it began under */
} flight;

static Size
flight_places_size(void)
{
	return add_size(offsetof(SharedFlights, places),
					mul_size(MaxBackends, sizeof(SharedFlightPlace)));
}

Size
flight_shmem_size(void)
{
	return add_size(MAXALIGN(flight_places_size()),
					hash_estimate_size(MaxBackends, sizeof(FlightEntry)));
}

void
flight_shmem_init(void)
{
	HASHCTL		info = {0};
	bool		found;

	info.keysize = sizeof(uint64);
	info.entrysize = sizeof(FlightEntry);
	flight.table = ShmemInitHash("cache flights by key", MaxBackends,
								 MaxBackends, &info, HASH_ELEM | HASH_BLOBS);
	flight.shared = ShmemInitStruct("cache flights", flight_places_size(),
									&found);
	if (!found)
	{
		flight.shared->tranche = LWLockNewTrancheId();
		LWLockInitialize(&flight.shared->lock, flight.shared->tranche);
		flight.shared->nplaces = MaxBackends;
		for (int i = 0; i < MaxBackends; i++)
		{
			flight.shared->places[i].serial = 0;
			ConditionVariableInit(&flight.shared->places[i].landed);
		}
	}
	LWLockRegisterTranche(flight.shared->tranche, "cache_flight");
}

void
flight_land(FlightOutcome outcome)
{
	SharedFlightPlace *place;

	if (!flight.leading)
		return;

	place = &flight.shared->places[compat_backend_slot()];
	LWLockAcquire(&flight.shared->lock, LW_EXCLUSIVE);
	hash_search(flight.table, &flight.hash, HASH_REMOVE, NULL);
	place->outcome = outcome;
	place->serial++;
	LWLockRelease(&flight.shared->lock);

	flight.leading = false;
	ConditionVariableBroadcast(&place->landed);
}

static void
flight_release_callback(ResourceReleasePhase phase, bool isCommit,
						bool isTopLevel, void *arg)
{
	if (flight.leading && phase == RESOURCE_RELEASE_AFTER_LOCKS &&
		CurrentResourceOwner == flight.owner)
		flight_land(FLIGHT_FAILED);
}

void
flight_init(void)
{
	RegisterResourceReleaseCallback(flight_release_callback, NULL);
}

/*
 * Lead the flight for a hash, or find who does: returns the leader's place and
 * the serial of its flight, or -1 if this backend leads from now on, or could
 * not for lack of memory.
 */
static int
flight_begin(uint64 hash, uint32 *serial)
{
	FlightEntry *entry;
	bool		found;
	int			leader = -1;

	LWLockAcquire(&flight.shared->lock, LW_EXCLUSIVE);
	entry = hash_search(flight.table, &hash, HASH_ENTER_NULL, &found);
	if (entry != NULL && found)
	{
		leader = entry->leader;
		*serial = flight.shared->places[leader].serial;
	}
	else if (entry != NULL)
	{
		entry->leader = compat_backend_slot();
		flight.shared->places[entry->leader].pgprocno = compat_proc_number();
		flight.leading = true;
		flight.hash = hash;
		flight.owner = CurrentResourceOwner;
	}
	LWLockRelease(&flight.shared->lock);
	return leader;
}

/*
 * Has the flight of this serial ended, and how?
 */
static bool
flight_ended(SharedFlightPlace *place, uint32 serial, FlightOutcome *outcome)
{
	bool		ended;

	LWLockAcquire(&flight.shared->lock, LW_SHARED);
	ended = place->serial != serial;
	/* of a flight before the last the outcome is no longer known */
	*outcome = place->serial == serial + 1 ? place->outcome : FLIGHT_FAILED;
	LWLockRelease(&flight.shared->lock);
	return ended;
}

/*
 * Is the leader waiting for a lock, or for its client?  A glance without lock
 * is enough: a leader that is really stuck is so at the next glance as well.
 */
static bool
flight_stuck(const SharedFlightPlace *place)
{
	uint32		event = ProcGlobal->allProcs[place->pgprocno].wait_event_info;

	return (event & 0xFF000000) == PG_WAIT_LOCK ||
		(event & 0xFF000000) == PG_WAIT_CLIENT;
}

/*
 * Wait for a flight to end; false if that was given up.
 */
static bool
flight_wait(SharedFlightPlace *place, uint32 serial, TimestampTz deadline,
			FlightOutcome *outcome)
{
	bool		ended;

	ConditionVariablePrepareToSleep(&place->landed);
	while (!(ended = flight_ended(place, serial, outcome)))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
														   deadline);

		if (left <= 0)
			break;
		if (ConditionVariableTimedSleep(&place->landed,
										Min(left, FLIGHT_SLICE),
										PG_WAIT_EXTENSION) &&
			flight_stuck(place))
			break;
	}
	ConditionVariableCancelSleep();
	return ended;
}

FlightRole
flight_join(uint64 hash, TimestampTz deadline, bool *waited, bool *timed_out)
{
	FlightOutcome outcome;
	uint32		serial;
	int			leader;

	*waited = *timed_out = false;
	if (flight.leading)
		return FLIGHT_ALONE;
	leader = flight_begin(hash, &serial);
	STOP_POINT(leader < 0 ? "lead" : "wait");
	if (leader < 0)
		return flight.leading ? FLIGHT_LEADER : FLIGHT_ALONE;
	if (deadline <= GetCurrentTimestamp())
		return FLIGHT_ALONE;

	*waited = true;
	if (!flight_wait(&flight.shared->places[leader], serial, deadline,
					 &outcome))
	{
		*timed_out = true;
		return FLIGHT_ALONE;
	}
	return outcome == FLIGHT_UNSTORABLE ? FLIGHT_ALONE : FLIGHT_LANDED;
}

/*
 * Every flight in the table must be led by a place of its own.
 */
void
flight_verify(void)
{
	HASH_SEQ_STATUS status;
	FlightEntry *entry;
	bool	   *leads = palloc0(flight.shared->nplaces * sizeof(bool));
	bool		broken = false;

	LWLockAcquire(&flight.shared->lock, LW_SHARED);
	hash_seq_init(&status, flight.table);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		broken |= entry->leader < 0 || entry->leader >= flight.shared->nplaces ||
			leads[entry->leader];
		if (broken)
		{
			hash_seq_term(&status);
			break;
		}
		leads[entry->leader] = true;
	}
	LWLockRelease(&flight.shared->lock);
	pfree(leads);

	if (broken)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a backend leads two flights")));
}
