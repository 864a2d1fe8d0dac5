/*-------------------------------------------------------------------------
 *
 * flight.c
 *	  Single flight: one execution per key at a time, on this server.
 *
 * When several sessions miss the same key at the same time, one of them should
 * execute the query, and the others should wait for its result.  A flight is
 * an execution that others may wait for.  The backend that executes is its
 * leader, the others are followers.  A backend leads at most one flight at a
 * time, and a flight has one leader, so there are never more flights than
 * backends.  The flights are an array of places, and a hash table finds the
 * place for a key.
 *
 * No backend waits for the flight of another query.  The hash table is
 * searched by two keyed hashes of the whole key, 128 bits together.  Their
 * secret is known to no session, so nobody can construct a collision.
 *
 * A flight begins when its leader enters it into the table.  It lands, that
 * is, ends, when it is removed.  Landing raises the serial number of the
 * place.  A follower remembers the serial number it has found, so it notices
 * that its flight has landed even if the place is already used by another one.
 *
 * Outcomes.  Landing tells the followers how the flight has ended:
 *
 *	- FLIGHT_STORED: they find the result in the store.
 *	- FLIGHT_FAILED: one of them leads next.
 *	- FLIGHT_UNSTORABLE: each follower executes for itself, since the next
 *	  leader could not store the result either.  This applies only to followers
 *	  that store on the same terms as the leader (largest size, least cost).
 *	  For others, the flight has failed.  Otherwise a session that wants
 *	  nothing stored could keep all others from sharing an execution.
 *
 * Patience.  A leader may be slow for reasons that its followers should not
 * suffer from: a bad plan, a lock, a client that does not read, SIGSTOP.  So a
 * leader is only given the patience of a follower, a multiple of what this
 * query has taken recently (see below).  Then the flight is taken over.  The
 * first follower to notice becomes the leader, under the lock, and the other
 * followers see a leader that has just begun.  The old leader continues to
 * execute.  If it is the first to store the result, the flight lands.  If it
 * fails, nothing happens.
 *
 * Each leader that fails shortens the patience with the next one.  After n
 * failed leaders, the next one is given the patience divided by n + 1.  With a
 * patience of p, the waits are p, p/2, p/3, and so on.  Hence:
 *
 *	- One bad leader costs each follower a wait of p, and the server one
 *	  execution.
 *	- If all leaders are bad, the last of n followers waits for p * (1 + ln n):
 *	  5 p for 60 followers, 8 p for 1000.
 *	- Executions begin one by one.  One more has begun after p, 4 in all after
 *	  2 p, 11 after 3 p.  So if the query has become ten times as slow, the
 *	  followers do not all start to execute it at the same moment.
 *
 * A leader whose result was raced by a commit, and could not be stored for
 * that reason, counts as failed as well.  Otherwise the followers of a query
 * on a table that changes all the time would execute one after the other.  In
 * any case a follower executes alone once its deadline has passed
 * (cache.fill_wait).
 *
 * Durations.  A table in shared memory holds how long the executions for a key
 * have taken.  A slower execution raises the duration by at most half.  A
 * faster one halves the difference.  So if one session executes a query with a
 * bad plan over and over, while others execute it with a good one, the
 * duration rises to at most three times the true one.  If the data has grown,
 * the duration follows within a few executions.  A key that shares its place
 * in the table with another one may be forgotten.
 *
 * Errors, cancellation, exit.  A flight belongs to the resource owner that is
 * current when its leader begins to lead.  If the leader has not landed the
 * flight by the time this owner is released, the flight is landed as failed.
 * So that happens at the abort of the (sub)transaction, and does not have to
 * wait until memory is freed.  A leader that crashes takes shared memory with
 * it.
 *
 * Deadlocks.  A follower holds the locks of its transaction, and a leader may
 * come to wait for one of them, directly or behind a third process.  The
 * deadlock detector does not see waits on condition variables.  So a follower
 * looks at its leader every FLIGHT_SLICE ms, and takes over if the leader is
 * waiting
 *
 *	- for a heavyweight lock of any kind, including advisory locks,
 *	- for a buffer that others have pinned, or
 *	- for its client, which may never continue to read.
 *
 * If a parallel worker of the leader waits for a lock, only the patience
 * helps.  LWLocks are not a danger, since no follower holds one.  A backend
 * that leads never waits for a flight, even if its flight was taken over or
 * its query itself makes a request.  So waits for flights cannot form a cycle.
 *
 * Locks.  One lock protects the table and the places.  It is taken on misses
 * only, and nothing else is done while it is held.  Durations are atomic.
 *
 * Tolerated races.  A duration is read and written without a lock, so one of
 * two executions that end at the same time may be forgotten.  An old leader
 * that lands as stored ends whatever flight exists for its key.  If its result
 * is gone again by then, another flight begins.
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

/* Interval at which a follower looks at its leader, ms. */
#define FLIGHT_SLICE 100

/* Number of durations that are remembered; a power of two. */
#define FLIGHT_DURATIONS 16384

/* No place. */
#define FLIGHT_NONE (-1)

/* The terms of a leader that decide whether it stores its result. */
typedef struct FlightLimits
{
	Size		max_entry_size;
	int64		min_cost_us;
} FlightLimits;

/* All fields are under the lock, except the condition variable. */
typedef struct SharedFlight
{
	uint32		serial;			/* raised when a flight lands here */
	FlightOutcome outcome;		/* of the last flight that landed here */
	FlightLimits landed_limits; /* from the terms of its leader */
	int			pgprocno;		/* of the leader */
	TimestampTz since;			/* when the leader began to lead */
	int			vain;			/* number of failed leaders before it */
	FlightLimits limits;		/* from the leader's terms */
	int			next;			/* in the list of free places */
	ConditionVariable landed;
} SharedFlight;

typedef struct SharedFlights
{
	LWLock		lock;
	int			tranche;		/* immutable */
	int			nplaces;		/* immutable */
	int			free_head;		/* under the lock; list of free places */

	/* atomic; upper half of a key's hash, and microseconds */
	pg_atomic_uint64 durations[FLIGHT_DURATIONS];

	SharedFlight places[FLEXIBLE_ARRAY_MEMBER];
} SharedFlights;

/* An entry of the hash table; under the lock. */
typedef struct FlightEntry
{
	FlightId	id;				/* hash key */
	int			place;
} FlightEntry;

static struct
{
	SharedFlights *shared;
	HTAB	   *table;
	bool		leading;		/* true even if the flight was taken over */
	FlightId	id;				/* of that flight */
	ResourceOwner owner;		/* current when this backend began to lead */
} flight;

static Size
flight_places_size(void)
{
	return add_size(offsetof(SharedFlights, places),
					mul_size(MaxBackends, sizeof(SharedFlight)));
}

Size
flight_shmem_size(void)
{
	return add_size(MAXALIGN(flight_places_size()),
					hash_estimate_size(MaxBackends, sizeof(FlightEntry)));
}

/* The key of the hash table is already a keyed hash. */
static uint32
flight_hash(const void *key, Size keysize)
{
	return (uint32) ((const FlightId *) key)->hash;
}

static void
flight_make(void)
{
	SharedFlights *shared = flight.shared;

	shared->tranche = LWLockNewTrancheId();
	LWLockInitialize(&shared->lock, shared->tranche);
	shared->nplaces = MaxBackends;
	shared->free_head = 0;
	for (int i = 0; i < FLIGHT_DURATIONS; i++)
		pg_atomic_init_u64(&shared->durations[i], 0);
	for (int i = 0; i < MaxBackends; i++)
	{
		SharedFlight *place = &shared->places[i];

		memset(place, 0, sizeof(*place));
		place->next = i + 1 < MaxBackends ? i + 1 : FLIGHT_NONE;
		ConditionVariableInit(&place->landed);
	}
}

void
flight_shmem_init(void)
{
	HASHCTL		info = {0};
	bool		found;

	info.keysize = sizeof(FlightId);
	info.entrysize = sizeof(FlightEntry);
	info.hash = flight_hash;
	flight.table = ShmemInitHash("cache flights by key", MaxBackends,
								 MaxBackends, &info, HASH_ELEM | HASH_FUNCTION);
	flight.shared = ShmemInitStruct("cache flights", flight_places_size(),
									&found);
	if (!found)
		flight_make();
	LWLockRegisterTranche(flight.shared->tranche, "cache_flight");
}

/*
 * End a flight.  The caller holds the lock, and wakes the followers after
 * releasing it.
 */
static SharedFlight *
flight_end_locked(FlightEntry *entry, FlightOutcome outcome)
{
	SharedFlight *place = &flight.shared->places[entry->place];

	place->outcome = outcome;
	place->landed_limits = place->limits;
	place->serial++;
	place->next = flight.shared->free_head;
	flight.shared->free_head = entry->place;
	hash_search(flight.table, &entry->id, HASH_REMOVE, NULL);
	return place;
}

void
flight_land(FlightOutcome outcome)
{
	SharedFlight *landed = NULL;
	FlightEntry *entry;

	if (!flight.leading)
		return;

	LWLockAcquire(&flight.shared->lock, LW_EXCLUSIVE);
	entry = hash_search(flight.table, &flight.id, HASH_FIND, NULL);
	if (entry != NULL &&
		(outcome == FLIGHT_STORED ||
		 flight.shared->places[entry->place].pgprocno == compat_proc_number()))
		landed = flight_end_locked(entry, outcome);
	LWLockRelease(&flight.shared->lock);

	flight.leading = false;
	if (landed != NULL)
		ConditionVariableBroadcast(&landed->landed);
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
 * Make this backend the leader of the flight in a place.
 */
static void
flight_lead_locked(SharedFlight *place, const FlightPass *pass, int vain,
				   TimestampTz now)
{
	place->pgprocno = compat_proc_number();
	place->since = now;
	place->vain = vain;
	place->limits.max_entry_size = pass->terms->max_entry_size;
	place->limits.min_cost_us = pass->terms->min_cost_us;
	flight.leading = true;
	flight.id = pass->id;
	flight.owner = CurrentResourceOwner;
}

FlightRole
flight_join(const CacheKey *key, const Terms *terms, FlightPass *pass)
{
	SharedFlights *shared = flight.shared;
	TimestampTz now = GetCurrentTimestamp();
	FlightRole	role = FLIGHT_ALONE;
	FlightEntry *entry;
	bool		found;

	pass->gave_up = false;
	pass->terms = terms;
	pass->id.hash = key->hash;
	if (flight.leading)
		return FLIGHT_ALONE;
	pass->id.check = key_check(key);

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	entry = hash_search(flight.table, &pass->id, HASH_ENTER_NULL, &found);
	if (entry != NULL && found)
	{
		pass->place = entry->place;
		pass->serial = shared->places[entry->place].serial;
		role = FLIGHT_FOLLOWER;
	}
	else if (entry != NULL)
	{
		/* there are fewer leaders than backends, so a place is free */
		Assert(shared->free_head != FLIGHT_NONE);
		entry->place = shared->free_head;
		shared->free_head = shared->places[entry->place].next;
		flight_lead_locked(&shared->places[entry->place], pass, pass->vain, now);
		role = FLIGHT_LEADER;
	}
	LWLockRelease(&shared->lock);
	STOP_POINT(role == FLIGHT_FOLLOWER ? "wait" : "lead");
	return role;
}

/*
 * Take over from the leader that was seen.  Returns false if it is too late.
 */
static bool
flight_take_over(FlightPass *pass, const SharedFlight *seen)
{
	SharedFlight *place = &flight.shared->places[pass->place];
	TimestampTz now = GetCurrentTimestamp();
	bool		taken = false;

	LWLockAcquire(&flight.shared->lock, LW_EXCLUSIVE);
	if (place->serial == pass->serial && place->pgprocno == seen->pgprocno &&
		place->since == seen->since)
	{
		pass->vain = place->vain + 1;
		flight_lead_locked(place, pass, pass->vain, now);
		taken = true;
	}
	LWLockRelease(&flight.shared->lock);
	return taken;
}

/*
 * Copy the place of a flight, without the condition variable.
 */
static void
flight_see(const FlightPass *pass, SharedFlight *seen)
{
	LWLockAcquire(&flight.shared->lock, LW_SHARED);
	memcpy(seen, &flight.shared->places[pass->place],
		   offsetof(SharedFlight, landed));
	LWLockRelease(&flight.shared->lock);
}

/*
 * Is the leader waiting for something that may depend on a follower?  The
 * leader's wait event is read without a lock: a leader that is really stuck is
 * still stuck at the next look.
 */
static bool
flight_stuck(const SharedFlight *seen)
{
	uint32		event = ProcGlobal->allProcs[seen->pgprocno].wait_event_info;

	switch (event & 0xFF000000)
	{
		case PG_WAIT_LOCK:
		case COMPAT_WAIT_BUFFER_PIN:
		case PG_WAIT_CLIENT:
			return true;
		default:
			return false;
	}
}

/*
 * The flight that was waited for has landed.  Another follower may lead the
 * next flight in its place by now, with other terms.
 */
static FlightRole
flight_arrive(FlightPass *pass, const SharedFlight *seen)
{
	FlightOutcome outcome = FLIGHT_FAILED;

	/*
	 * if another flight has landed here since, the outcome is not known any
	 * more
	 */
	if (seen->serial == pass->serial + 1)
		outcome = seen->outcome;
	if (outcome == FLIGHT_UNSTORABLE &&
		seen->landed_limits.max_entry_size == pass->terms->max_entry_size &&
		seen->landed_limits.min_cost_us == pass->terms->min_cost_us)
		return FLIGHT_ALONE;
	pass->vain++;
	return FLIGHT_LANDED;
}

FlightRole
flight_wait(FlightPass *pass, TimestampTz deadline, int64 patience_us)
{
	ConditionVariable *landed = &flight.shared->places[pass->place].landed;
	SharedFlight seen;
	bool		glance = false;
	FlightRole	role;

	ConditionVariablePrepareToSleep(landed);
	for (;;)
	{
		TimestampTz now = GetCurrentTimestamp();
		TimestampTz until;
		long		ms;

		flight_see(pass, &seen);
		if (seen.serial != pass->serial)
		{
			role = flight_arrive(pass, &seen);
			break;
		}
		pass->vain = Max(pass->vain, seen.vain);
		until = seen.since + patience_us / (pass->vain + 1);
		if (now >= deadline)
		{
			pass->gave_up = true;
			role = FLIGHT_ALONE;
			break;
		}
		if ((now >= until || (glance && flight_stuck(&seen))) &&
			flight_take_over(pass, &seen))
		{
			pass->gave_up = true;
			role = FLIGHT_LEADER;
			break;
		}
		ms = TimestampDifferenceMilliseconds(now, Min(until, deadline));
		glance = ConditionVariableTimedSleep(landed,
											 Max(Min(ms, FLIGHT_SLICE), 1),
											 PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	return role;
}

static inline pg_atomic_uint64 *
flight_duration(uint64 hash)
{
	return &flight.shared->durations[hash % FLIGHT_DURATIONS];
}

int64
flight_expected_us(uint64 hash)
{
	uint64		duration = pg_atomic_read_u64(flight_duration(hash));

	return duration >> 32 == hash >> 32 ? (int64) (uint32) duration : -1;
}

void
flight_note_execution(uint64 hash, int64 us)
{
	int64		expected = flight_expected_us(hash);

	us = Max(us, 1);
	if (expected > 0 && us > expected)
		us = Min(us, expected + expected / 2 + 1);
	else if (expected > 0)
		us = (us + expected) / 2;
	us = Min(us, (int64) PG_UINT32_MAX);
	if (us != expected)
		pg_atomic_write_u64(flight_duration(hash),
							(hash >> 32 << 32) | (uint64) us);
}

/*
 * Check that every place is either free or has one flight, and that no backend
 * leads two flights.
 */
void
flight_verify(void)
{
	SharedFlights *shared = flight.shared;
	HASH_SEQ_STATUS status;
	FlightEntry *entry;
	bool	   *taken = palloc0(shared->nplaces * sizeof(bool));
	bool	   *leads = palloc0(ProcGlobal->allProcCount * sizeof(bool));
	const char *problem = NULL;
	int			found = 0;

	LWLockAcquire(&shared->lock, LW_SHARED);
	hash_seq_init(&status, flight.table);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		int			pgprocno;

		if (entry->place < 0 || entry->place >= shared->nplaces ||
			taken[entry->place])
			problem = "two flights are in one place";
		else if ((pgprocno = shared->places[entry->place].pgprocno) < 0 ||
				 pgprocno >= (int) ProcGlobal->allProcCount || leads[pgprocno])
			problem = "a backend leads two flights";
		if (problem != NULL)
		{
			hash_seq_term(&status);
			break;
		}
		taken[entry->place] = leads[pgprocno] = true;
		found++;
	}
	for (int i = shared->free_head; problem == NULL && i != FLIGHT_NONE;
		 i = shared->places[i].next)
	{
		if (i < 0 || i >= shared->nplaces || taken[i])
			problem = "a place with a flight is free";
		else
		{
			taken[i] = true;
			found++;
		}
	}
	if (problem == NULL && found != shared->nplaces)
		problem = "a place is lost";
	LWLockRelease(&shared->lock);
	pfree(taken);
	pfree(leads);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("flights are inconsistent: %s", problem)));
}
