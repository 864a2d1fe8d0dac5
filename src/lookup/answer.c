/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  Answers a request from L1, from L2, or by one execution for all.
 *
 * The steps are those of lookup.c.  Steps 5, 6, 7 and 9 are here, for every
 * kind of request.  The caller executes the query (step 8: fetch.c,
 * plain/scan.c) and calls answer_fill with the result (step 9).
 *
 * After waiting for a leader, the request of an SQL function starts again at
 * step 1.  A request with a snapshot of its own, that is, a plain statement,
 * must be answered as that snapshot sees the data.  So it goes on at step 5
 * with its old reading of the clock, if that still holds; otherwise it
 * executes.
 *
 * Errors.  Only two things are held: the flight, which flight.c lands after an
 * error, and the pin on the result that was found, which goes with the memory
 * of the call.
 *
 * What this file must not do: know from which SQL function a request comes, or
 * what a statement means.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/breakage.h"
#include "base/guc.h"
#include "base/stop.h"
#include "common/pg_prng.h"
#include "lookup/answer.h"
#include "lookup/watch.h"
#include "redis/l2.h"
#include "store/admit.h"
#include "utils/timestamp.h"

/* What is stored in place of a result. */
#define ANSWER_SHADOW_MARK "shadow"

/*
 * A follower waits for a leader this many times as long as an execution is
 * expected to take, and at least as long as nobody notices.
 */
#define ANSWER_PATIENCE 8
#define ANSWER_MIN_PATIENCE_US 50000

/*
 * The minimum if only the planner's estimate is known.  That may be far too
 * low, since the planner does not know what functions do.  And what a unit of
 * the planner's costs is taken to last.
 */
#define ANSWER_MIN_GUESS_US 2000000
#define ANSWER_COST_US 10.0

static bool
answer_uses_l2(const Lookup *lookup)
{
	return lookup->request.form != KEY_FORM_SHADOW &&
		l2_usable(lookup->deps, lookup->ndeps);
}

/*
 * A hit in L1, whose request has a longer ttl than all requests before:
 * prolong the life of the entry in L1 and in L2.
 */
static void
answer_prolong(const Lookup *lookup, StoreResult *found)
{
	StoreTimes	times = found->times;

	store_keep(&lookup->key, times.created, &lookup->asker);
	store_prolong(&found->times, lookup->asker.ttl_us, lookup->asker.stale_us);
	/* the versions may be of later generations than the result */
	if (!answer_uses_l2(lookup) || lookup_outdated(lookup))
		return;
	times.latest = DT_NOEND;
	store_prolong(&times, lookup->asker.ttl_us, lookup->asker.stale_us);
	l2_put(&lookup->key, lookup->deps, lookup->ndeps, &times, found->payload,
		   found->len);
}

/*
 * An expired result is served only while another session refreshes it, which
 * the caller finds out.
 */
StoreStatus
answer_l1(Lookup *lookup, StoreResult *found)
{
	StoreAsker *asker = &lookup->asker;
	StoreStatus status;

	asker->now = lookup->now;
	status = store_lookup(&lookup->key, lookup->deps, lookup->ndeps, asker,
						  found);
	if (status == STORE_HIT && found != NULL &&
		unlikely(asker->ttl_us > found->times.ttl_us ||
				 asker->stale_us > found->times.stale_us))
		answer_prolong(lookup, found);
	return status;
}

void
answer_release(Answer *answer)
{
	if (answer->status != STORE_MISS)
		store_release(&answer->found);
	answer->status = STORE_MISS;
}

/*
 * Steps 1 to 5.  A transaction that has written may be served a result, but it
 * may not fill, so it does not join a flight either.
 */
void
answer_look_up(Lookup *lookup, Answer *answer)
{
	answer->tier = STATS_L1_HITS;
	answer->status = STORE_MISS;
	answer->bypass = lookup_orient(lookup);
	if (answer->bypass != LOOKUP_NO_BYPASS)
		return;
	answer->status = answer_l1(lookup, &answer->found);
	if (answer->status != STORE_HIT && lookup_has_written())
	{
		answer_release(answer);
		answer->bypass = STATS_BYPASS_OWN_WRITES;
	}
}

/*
 * Limit the life of an entry in L1 if its result is in L2 as well.
 */
static void
answer_cap_l1(StoreTimes *times, TimestampTz now)
{
	times->latest = now + (int64) cache_l1_ttl * USECS_PER_SEC;
	times->expires = Min(times->expires, times->latest);
}

/*
 * The second half of step 7: look into L2, and keep what is found in L1.
 */
static bool
answer_l2(Lookup *lookup, StoreResult *found)
{
	StoreAsker *asker = &lookup->asker;

	asker->now = lookup->now;
	if (!answer_uses_l2(lookup) ||
		!l2_get(&lookup->key, lookup->deps, lookup->ndeps, asker, found))
		return false;
	if (asker->ttl_us > found->times.ttl_us)
	{
		store_prolong(&found->times, asker->ttl_us, asker->stale_us);
		l2_put(&lookup->key, lookup->deps, lookup->ndeps, &found->times,
			   found->payload, found->len);
	}
	if (!lookup_outdated(lookup))
	{
		StoreTimes	times = found->times;

		answer_cap_l1(&times, lookup->now);
		(void) store_insert(&lookup->key, lookup->deps, lookup->ndeps, &times,
							found->payload, found->len);
	}
	return true;
}

/*
 * How long to wait for one leader, in us.  If it is not known how long such an
 * execution takes, the planner's estimate is used, for the statement as this
 * session would execute it.  The limit is half of cache.fill_wait: then one
 * follower takes over, before all of them give up at their deadlines.
 */
static int64
answer_patience(Lookup *lookup)
{
	int64		limit = (int64) cache_fill_wait * 1000 / 2;
	int64		us = flight_expected_us(lookup->key.hash);
	double		cost;

	if (us >= 0)
		return Min(Max(us * ANSWER_PATIENCE, ANSWER_MIN_PATIENCE_US), limit);
	cost = lookup->request.tree != NULL ? lookup->stmt->plan_cost :
		statement_estimate(lookup->stmt, lookup->request.params);
	us = (int64) Min(cost * ANSWER_COST_US * ANSWER_PATIENCE, (double) limit);
	return Min(Max(us, ANSWER_MIN_GUESS_US), limit);
}

/*
 * Wait for the leader of the flight.
 */
static FlightRole
answer_wait(Lookup *lookup)
{
	int64		patience_us;
	FlightRole	role;

	if (lookup->deadline <= GetCurrentTimestamp())
		return FLIGHT_ALONE;
	/* a result that two sessions want at the same time is worth storing */
	if (lookup->request.terms.min_cost_us < 0)
		admit_want(lookup->key.hash);
	patience_us = answer_patience(lookup);
	role = flight_wait(&lookup->pass, lookup->deadline, patience_us);
	stats_add(STATS_WAITS, 1);
	stats_add(STATS_WAIT_TIMEOUTS, lookup->pass.gave_up);
	lookup->now = GetCurrentTimestamp();
	/* our reading of the clock is outdated: we could not store a result */
	if (role != FLIGHT_LEADER || !lookup_outdated(lookup))
		return role;
	flight_land(FLIGHT_FAILED);
	return FLIGHT_LANDED;
}

/*
 * Step 7, for the leader: look into L1 once more, and then into L2.
 */
static AnswerTurn
answer_lead(Lookup *lookup, Answer *answer)
{
	if (answer->status == STORE_MISS)
		answer->status = answer_l1(lookup, &answer->found);
	if (answer->status == STORE_HIT)
	{
		flight_land(FLIGHT_STORED);
		return ANSWER_SERVE;
	}
	answer_release(answer);
	if (!answer_l2(lookup, &answer->found))
		return ANSWER_LEAD;
	answer->status = STORE_HIT;
	answer->tier = STATS_L2_HITS;
	flight_land(FLIGHT_STORED);
	return ANSWER_SERVE;
}

/*
 * Steps 6 and 7.  Join the flight.  A follower waits, unless there is an
 * expired result to be served while the leader refreshes it.
 */
static AnswerTurn
answer_join(Lookup *lookup, Answer *answer)
{
	FlightRole	role;

	if (lookup->deadline == 0)
		lookup->deadline = GetCurrentTimestamp() +
			(int64) cache_fill_wait * 1000;
	role = flight_join(&lookup->key, &lookup->request.terms, &lookup->pass);
	/* nobody waits who can be served an expired result */
	if (role == FLIGHT_FOLLOWER && answer->status != STORE_EXPIRED)
		role = answer_wait(lookup);
	switch (role)
	{
		case FLIGHT_LEADER:
			return answer_lead(lookup, answer);
		case FLIGHT_LANDED:
			return ANSWER_AGAIN;
		case FLIGHT_FOLLOWER:
		case FLIGHT_ALONE:
			if (answer->status != STORE_EXPIRED)
				return ANSWER_ALONE;
			stats_add(STATS_STALE_HITS, 1);
			return ANSWER_SERVE;
	}
	pg_unreachable();
}

AnswerTurn
answer_turn(Lookup *lookup, Answer *answer)
{
	AnswerTurn	turn;

	if (answer->bypass != LOOKUP_NO_BYPASS)
		return ANSWER_BYPASS;
	if (answer->status == STORE_HIT)
		return ANSWER_SERVE;
	turn = answer_join(lookup, answer);
	if (turn != ANSWER_AGAIN)
		return turn;
	if (lookup->request.snapshot == NULL)
	{
		answer_look_up(lookup, answer);
		return ANSWER_AGAIN;
	}
	lookup->now = GetCurrentTimestamp();
	if (lookup_outdated(lookup))
		return ANSWER_ALONE;
	answer->status = answer_l1(lookup, &answer->found);
	return ANSWER_AGAIN;
}

/*
 * When a result that is made now expires.  If it replaces another one, it
 * inherits that one's ttl.  So a request with a short ttl does not shorten the
 * life of a result that others want for longer.
 */
static void
answer_set_times(const StoreAsker *asker, int64 fill_us, StoreTimes *times)
{
	memset(times, 0, sizeof(*times));
	times->created = GetCurrentTimestamp();
	times->latest = DT_NOEND;
	times->share = 1.0 -
		cache_ttl_jitter * pg_prng_double(&pg_global_prng_state);
	times->fill_us = fill_us;
	store_prolong(times, Max(asker->ttl_us, asker->others_ttl_us),
				  Max(asker->stale_us, asker->others_stale_us));
}

/*
 * Is a result worth keeping?
 */
static bool
answer_admits(const Lookup *lookup, int64 fill_us)
{
	if (lookup->request.terms.min_cost_us < 0)
		return admit_result(lookup->key.hash, fill_us);
	return fill_us >= lookup->request.terms.min_cost_us;
}

/*
 * The name of a request's query in log messages.
 */
static const char *
answer_label(const Lookup *lookup)
{
	const LookupRequest *request = &lookup->request;

	return request->name != NULL ? request->name : request->query;
}

FlightOutcome
answer_fill(Lookup *lookup, const char *payload, Size len, int64 fill_us)
{
	const LookupRequest *request = &lookup->request;
	StoreTimes	times;

	STOP_POINT("check");
	flight_note_execution(lookup->key.hash, fill_us);
	if (payload == NULL ||
		(Size) lookup->key.len + lookup->key.label_len > request->terms.max_entry_size)
	{
		stats_add(STATS_FILLS_TOO_LARGE, 1);
		return FLIGHT_UNSTORABLE;
	}
	if (lookup->unproven)
	{
		stats_add(STATS_FILLS_UNPROVEN, 1);
		return FLIGHT_UNSTORABLE;
	}
	if (!answer_admits(lookup, fill_us))
		return FLIGHT_UNSTORABLE;
	/* the execution has written, or has changed its own settings */
	if (lookup_has_written() || !lookup_same_session(lookup))
		return FLIGHT_FAILED;
	if (lookup_outdated(lookup) && !BREAK_STORE_CHECK)
	{
		stats_add(STATS_FILLS_RACED, 1);
		return FLIGHT_FAILED;
	}

	STOP_POINT("store");
	answer_set_times(&lookup->asker, fill_us, &times);
	if (request->form == KEY_FORM_SHADOW)
	{
		(void) store_insert(&lookup->key, lookup->deps, lookup->ndeps, &times,
							ANSWER_SHADOW_MARK, sizeof(ANSWER_SHADOW_MARK));
		return FLIGHT_STORED;
	}
	if (answer_uses_l2(lookup))
	{
		l2_put(&lookup->key, lookup->deps, lookup->ndeps, &times, payload, len);
		answer_cap_l1(&times, times.created);
	}
	if (!store_insert(&lookup->key, lookup->deps, lookup->ndeps, &times, payload,
					  len))
	{
		stats_add(STATS_FILLS_TOO_LARGE, 1);
		return FLIGHT_UNSTORABLE;
	}
	stats_add(STATS_FILLS, 1);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: fill of %zu bytes in %.3f ms: %s",
							 len, fill_us / 1000.0, answer_label(lookup))));
	return FLIGHT_STORED;
}

void
answer_count_hit(const Lookup *lookup, const Answer *answer)
{
	const LookupRequest *request = &lookup->request;

	if (watch_current != NULL)
		watch_note_hit(lookup->stmt, request->query,
					   request->terms.automatic && request->name == NULL &&
					   answer->found.times.expires > lookup->now);
	stats_add(answer->tier, 1);
	stats_add(STATS_TIME_SAVED_US, answer->found.times.fill_us);
	qstats_hit(lookup->stmt->qstats);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: hit in %s: %s",
							 answer->tier == STATS_L1_HITS ? "L1" : "L2",
							 answer_label(lookup))));
}

void
answer_count_shadow_hit(const Lookup *lookup, const Answer *answer)
{
	qstats_shadow_hit(lookup->stmt->qstats, answer->found.times.fill_us);
}

void
answer_count_miss(const Lookup *lookup)
{
	if (lookup->request.form == KEY_FORM_SHADOW)
		return;
	stats_add(STATS_MISSES, 1);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: miss: %s", answer_label(lookup))));
}

void
answer_count_bypass(const Lookup *lookup, StatsCounter reason)
{
	stats_add(reason, 1);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: bypass (%s): %s",
							 stats_bypass_name(reason - STATS_BYPASS_FIRST),
							 answer_label(lookup))));
}
