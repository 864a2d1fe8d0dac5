/*-------------------------------------------------------------------------
 *
 * flight.c
 *	  Single flight: one execution per key on a server at a time.
 *
 * A flight is an execution that others may wait for.  Its leader is the
 * backend that executes; the others are followers.  Each backend leads at most
 * one flight at a time, and each flight has one leader, so there are never more
 * flights than backends: they are an array of places, and a hash table finds
 * the one for a key.
 *
 * Nobody waits for another query's flight.  A flight is found by the keyed hash
 * of its key and by a second one of the whole key, 128 bits in all, under a secret
 * that no session knows.
 *
 * A flight begins when its leader enters the table and ends when it leaves it
 * (it lands).  Landing raises the serial of the place; a follower remembers the
 * serial it found, and knows by the difference that the flight it waited for
 * has ended, even if the place has another one by then.
 *
 * How a flight ends is told to its followers with it: stored, they find the
 * result in the store; failed, one of them leads next; unstorable, each
 * executes for itself, for the next leader would only come to the same end.
 * That holds for those who store on the same terms as the leader.  For others
 * it has failed: someone who wants nothing stored must not keep all others from
 * flying.
 *
 * Patience.  A leader may be slow because of a bad plan, a lock, a client that
 * does not read, or SIGSTOP, and none of that is the fault of its followers.  So
 * a leader is given no more than the patience of a follower, which is a
 * multiple of what this query has taken lately (below).  Then the flight is
 * taken over: the first follower to notice becomes its leader, under the lock,
 * and the others find a leader who has just begun.  The old leader executes on.
 * If it has stored the result first, that is a landing as well; if it
 * fails, that is nobody's business any more.
 *
 * Each leader that came to nothing makes the next one's time shorter: the one
 * after n others has the nth part of the patience, plus one.  With a patience p
 * the waits add up to p, p/2, p/3, and so on.  Hence
 *
 *	- one bad leader costs each follower p, and the server one execution;
 *	- of n followers the last one waits for p * (1 + ln n), if all leaders are
 *	  bad: for 60 that is 5 p, for 1000 it is 8 p;
 *	- executions begin one by one: after a wait of p there is one more, after
 *	  2 p there are 4, after 3 p there are 11.  So if the query has become ten
 *	  times as slow, not everyone finds out at the same moment.
 *
 * Leaders whose result was raced by a commit count as well, for otherwise
 * followers of a table that changes all the time would execute one after
 * the other.  Above all that is the deadline of each follower, at which it
 * executes alone, and this is for cache.fill_wait to say.
 *
 * What a query takes is remembered for its key in a table of durations.  An
 * execution that took longer raises the duration by half at most, and one
 * that was faster halves the difference.  So who executes the same query with a
 * bad plan over and over raises it threefold at most, for others come between;
 * and where data has grown the duration follows within a few executions.
 * A key whose place was taken by another one is not remembered.
 *
 * Who does not land its flight, because of an error, a cancel, or an exit, has
 * it landed as failed when the resource owner it began under is released:
 * that is at the abort of the (sub)transaction, and not only when its memory
 * goes.  A leader that crashes takes shared memory with it.
 *
 * Deadlocks.  A follower holds locks of its transaction, and a leader can come
 * to wait for one of them, if only behind a third process; the deadlock
 * detector does not see condition variables.  So a follower looks every
 * FLIGHT_SLICE ms, and takes over from a leader that waits for a lock of any
 * kind that the lock manager knows, advisory locks included, for a buffer that
 * others have pinned, or for its client, which may never go on reading.  What a
 * parallel worker of the leader waits for is left to the patience.  LWLocks
 * need no look: no follower holds one.  Who leads never waits for a flight, even
 * if it was taken over, or its query asks for itself; so waits make no circle.
 *
 * Locks.  One lock for table and places.  It is taken on misses only, and
 * nothing else is done under it.  Durations are atomic.
 *
 * Tolerated races.  A duration is read and written without a lock; one of two
 * executions that end at once is forgotten.  An old leader that lands as stored
 * ends whatever flight there is for its key; should the result be gone again,
 * there is another one.
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

/* How often a follower looks at its leader, in ms. */
#define FLIGHT_SLICE 100

/* Durations that are remembered; a power of two. */
#define FLIGHT_DURATIONS 16384

/* No place. */
#define FLIGHT_NONE (-1)

/* All under the lock, but for the condition variable. */
typedef struct SharedFlight
{
	uint32		serial;			/* of the flights here; raised as each lands */
	FlightOutcome outcome;		/* of the flight before this serial */
	int			pgprocno;		/* of the leader */
	TimestampTz since;			/* when that began to lead */
	int			vain;			/* leaders before it that came to nothing */
	Size		max_entry_size; /* of its terms */
	int64		min_cost_us;
	int			next;			/* in the list of free places */
	ConditionVariable landed;
} SharedFlight;

typedef struct SharedFlights
{
	LWLock		lock;
	int			tranche;		/* immutable */
	int			nplaces;		/* immutable */
	int			free_head;		/* under the lock; places without a flight */

	/* atomic; half of a key's hash, and microseconds */
	pg_atomic_uint64 durations[FLIGHT_DURATIONS];

	SharedFlight places[FLEXIBLE_ARRAY_MEMBER];
} SharedFlights;

/* What the table holds of a flight; under the lock. */
typedef struct FlightEntry
{
	FlightId	id;				/* hash key */
	int			place;
} FlightEntry;

static struct
{
	SharedFlights *shared;
	HTAB	   *table;
	bool		leading;		/* if only a flight taken over since */
	FlightId	id;				/* of that flight */
	ResourceOwner owner;		/* that it began under */
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

/* The keyed hash is there already. */
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
 * End a flight.  The caller holds the lock, and tells the followers.
 */
static SharedFlight *
flight_end_locked(FlightEntry *entry, FlightOutcome outcome)
{
	SharedFlight *place = &flight.shared->places[entry->place];

	place->outcome = outcome;
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
 * This backend leads the flight in a place from now on.
 */
static void
flight_lead_locked(SharedFlight *place, const FlightPass *pass, int vain,
				   TimestampTz now)
{
	place->pgprocno = compat_proc_number();
	place->since = now;
	place->vain = vain;
	place->max_entry_size = pass->terms->max_entry_size;
	place->min_cost_us = pass->terms->min_cost_us;
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
		/* with fewer leaders than backends, there is a free place */
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
 * Lead in place of the one who was seen to; false if that is too late.
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
 * What is in the place of a flight now; the condition variable is no part.
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
 * Can the leader not go on by itself?  A glance without lock is enough: a leader
 * that is really stuck is so at the next glance as well.
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
 * A flight was waited for, and has ended.
 */
static FlightRole
flight_arrive(FlightPass *pass, const SharedFlight *seen)
{
	FlightOutcome outcome = FLIGHT_FAILED;

	/* of a flight before the last the outcome is no longer known */
	if (seen->serial == pass->serial + 1)
		outcome = seen->outcome;
	if (outcome == FLIGHT_UNSTORABLE &&
		seen->max_entry_size == pass->terms->max_entry_size &&
		seen->min_cost_us == pass->terms->min_cost_us)
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
 * Every place must be that of one flight, or be free, and no backend lead two
 * flights.
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
