/*-------------------------------------------------------------------------
 *
 * fetch.c
 *	  The read path: L1, L2, execute, fill.
 *
 * A request is answered in this order:
 *
 *	1. read the clock for everything the result depends on (fences,
 *	   generations, newest xid), then accept pending catalog invalidations
 *	2. find out what the statement means, or remember it; if it reads other
 *	   relations than were looked at in step 1, go back to that
 *	3. check privileges on what is read; who may not call a function bypasses
 *	4. decide whether the cache may be used at all; if not, execute (bypass)
 *	5. look into L1 under the generations of step 1
 *	6. join the flight of this key: wait for its leader, and go back to 1, or
 *	   lead
 *	7. as the leader, look into L1 once more, then into L2
 *	8. lock what is read, take a snapshot, execute, and store iff the clock
 *	   stands still
 *
 * Why a result is never stale: clock.c argues it for any reader that keeps the
 * order 1, 5 and 1, 8.  A waiter comes back to step 1, so it never takes a
 * result by the reading of someone else, nor by one from before it waited.
 *
 * Snapshots.  At READ COMMITTED the query runs under a snapshot of its own,
 * taken at step 8, as any query of a volatile function does; so the reading is
 * always older than the snapshot.  At REPEATABLE READ the snapshot is older
 * than the reading, and then every change of a dependency must have been over
 * when the snapshot was taken (newest xid before its xmin), for a hit and for
 * a fill; else the request bypasses.  SERIALIZABLE bypasses, for what is
 * served leaves no trace of having been read.
 *
 * Own writes.  A transaction that has an xid sees what others must not see, so
 * it never stores anything; and it must see what is in no entry, so it is
 * served only results that it can be told to have changed nothing of: their
 * dependencies and the relations they read are untouched, functions do not hide
 * others, and no statement that writes is under way.  Whether the query itself
 * took an xid, against what its functions promised, is looked at once more
 * before storing.
 *
 * Errors.  Nothing is held between the steps but the flight, which flight.c
 * lands if there is an error, and the pin on the statement, which goes with
 * its memory.  A result that cannot be stored is returned all the same.
 *
 * A standby hears of no invalidation: there only what lives by its ttl alone
 * is served.
 *
 * What this file must not do: know what a face looks like, or where tags come
 * from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "breakage.h"
#include "codec.h"
#include "common/pg_prng.h"
#include "executor/executor.h"
#include "fetch.h"
#include "flight.h"
#include "guc.h"
#include "invalidate.h"
#include "l2.h"
#include "miscadmin.h"
#include "prepared.h"
#include "statement.h"
#include "stats.h"
#include "store.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* Dependencies that every result has, in this order. */
#define FETCH_DEP_ALL		0
#define FETCH_DEP_ROLES		1
#define FETCH_DEP_CATALOG	2
#define FETCH_FIXED_DEPS	3

/* Most tags that a result may carry, or relations that it may depend on. */
#define FETCH_MAX_TAGS 256

/* Those, the tags or relations, and the two tags of a named query. */
#define FETCH_MAX_DEPS (FETCH_FIXED_DEPS + FETCH_MAX_TAGS + 2)

/* How often the dependencies of a statement are found before giving up. */
#define FETCH_MAX_READINGS 5

/* How often a request waits for a leader that then has nothing to give. */
#define FETCH_MAX_WAITS 3

/* What is known of a request while it is answered. */
typedef struct FetchState
{
	const FetchRequest *request;
	MemoryContext overflow;		/* for a tuplestore */
	CacheKey	request_key;
	CacheKey	key;			/* of the result, once there is a statement */
	Statement  *stmt;
	int			nfixed_deps;	/* known before the statement is */
	int			ndeps;
	ClockStamp	deps[FETCH_MAX_DEPS];
	TimestampTz now;			/* when the clock was read */
	bool		settled;		/* no unknown prepared transactions */
} FetchState;

/* No reason to bypass. */
#define FETCH_NO_BYPASS STATS_NCOUNTERS

static void
fetch_add_dep(FetchState *state, ClockSlot slot)
{
	if (state->ndeps >= FETCH_MAX_DEPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a result cannot depend on more than %d tags or relations",
						FETCH_MAX_TAGS),
				 errhint("Use fewer, coarser tags.")));
	state->deps[state->ndeps++].slot = slot;
}

char *
fetch_query_tag(const char *name, int nparams, const Oid *types,
				ParamListInfo params, size_t *len)
{
	CacheKey	tag;

	/* keys know how to tell one parameter set from another */
	tag.size = 256;
	tag.data = palloc(tag.size);
	tag.len = 0;
	key_append_bytes(&tag, name, strlen(name) + 1);
	key_append_bytes(&tag, types, nparams * sizeof(Oid));
	if (params != NULL)
		key_append_params(&tag, params);
	*len = tag.len;
	return tag.data;
}

/*
 * Find the slots that a request depends on whatever its statement reads.
 */
static void
fetch_find_deps(FetchState *state)
{
	const FetchRequest *request = state->request;
	const char *tag = request->tags;
	const char *end = request->tags + request->tags_len;

	state->ndeps = 0;
	fetch_add_dep(state, CLOCK_SLOT_ALL);
	fetch_add_dep(state, CLOCK_SLOT_ROLES);
	fetch_add_dep(state, clock_slot(MyDatabaseId, CLOCK_TAG_CATALOG, "", 0));
	while (tag < end)
	{
		size_t		len = strlen(tag);

		fetch_add_dep(state, clock_slot(MyDatabaseId, CLOCK_TAG_USER, tag, len));
		tag += len + 1;
	}
	if (request->name != NULL)
	{
		size_t		len;
		char	   *params = fetch_query_tag(request->name, request->nparams,
											 request->types, request->params,
											 &len);

		fetch_add_dep(state, clock_slot(MyDatabaseId, CLOCK_TAG_QUERY,
										request->name, strlen(request->name)));
		fetch_add_dep(state, clock_slot(MyDatabaseId, CLOCK_TAG_QUERY,
										params, len));
	}
	state->nfixed_deps = state->ndeps;
}

/*
 * Make the dependencies those of the statement.  False if they were so
 * already, that is, when the clock was read.
 */
static bool
fetch_add_statement_deps(FetchState *state)
{
	const Statement *stmt = state->stmt;
	int			n = state->nfixed_deps;
	bool		same = state->ndeps == n + stmt->nslots;

	if (!state->request->automatic)
		return false;
	for (int i = 0; same && i < stmt->nslots; i++)
		same = state->deps[n + i].slot == stmt->slots[i];
	if (same)
		return false;
	state->ndeps = n;
	for (int i = 0; i < stmt->nslots; i++)
		fetch_add_dep(state, stmt->slots[i]);
	return true;
}

/*
 * Would a snapshot of this transaction miss a change that xid has made?
 */
static bool
fetch_snapshot_misses(uint64 xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	TransactionId xmin = GetTransactionSnapshot()->xmin;
	uint32		epoch = EpochFromFullTransactionId(next);

	if (xmin > XidFromFullTransactionId(next))
		epoch--;
	return xid >= U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, xmin));
}

/* Has the transaction an id, and so may have changed something? */
static bool
fetch_has_written(void)
{
	return TransactionIdIsValid(GetTopTransactionIdIfAny()) && !BREAK_OWN_WRITES;
}

/*
 * Could the result be another one for this transaction than for others, because
 * of what it has changed?
 */
static bool
fetch_sees_own_writes(const FetchState *state)
{
	const Statement *stmt = state->stmt;

	if (!fetch_has_written())
		return false;
	if (invalidate_writing() || !stmt->complete)
		return true;
	for (int i = 0; i < state->ndeps; i++)
	{
		if (invalidate_touched(state->deps[i].slot))
			return true;
	}
	for (int i = 0; i < stmt->nslots; i++)
	{
		if (invalidate_touched(stmt->slots[i]))
			return true;
	}
	return false;
}

/*
 * Why the cache must be left alone for this request, if it must.
 */
static StatsCounter
fetch_bypass_reason(const FetchState *state, bool fenced, uint64 newest_xid)
{
	const FetchRequest *request = state->request;

	if (!cache_enabled)
		return STATS_BYPASS_DISABLED;
	if (IsInParallelMode())
		return STATS_BYPASS_PARALLEL;
	if (IsolationIsSerializable())
		return STATS_BYPASS_ISOLATION;
	if (!state->stmt->executable)
		return STATS_BYPASS_PRIVILEGE;
	if (fetch_sees_own_writes(state))
		return STATS_BYPASS_OWN_WRITES;
	if (RecoveryInProgress())
	{
		if (request->tags_len > 0 || request->automatic ||
			request->name != NULL)
			return STATS_BYPASS_STANDBY;
	}
	else if (!state->settled)
		return STATS_BYPASS_PREPARED;
	if (fenced)
		return STATS_BYPASS_FENCED;
	if (IsolationUsesXactSnapshot() && fetch_snapshot_misses(newest_xid))
		return STATS_BYPASS_SNAPSHOT;
	return FETCH_NO_BYPASS;
}

/*
 * A relation can have been dropped since the clock was read.
 */
static bool
fetch_relations_exist(const Statement *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->rtable)
	{
		if (!SearchSysCacheExists1(RELOID,
								   ObjectIdGetDatum(lfirst_node(RangeTblEntry, lc)->relid)))
			return false;
	}
	return true;
}

/*
 * Steps 1 and 2.  Returns whether a dependency is fenced.
 */
static bool
fetch_read_clock(FetchState *state, uint64 *newest_xid)
{
	const FetchRequest *request = state->request;
	uint64		catalog = STATEMENT_NO_GENERATION;
	uint64		roles = STATEMENT_NO_GENERATION;
	bool		fenced;

	*newest_xid = 0;
	fenced = !clock_read(state->deps, FETCH_FIXED_DEPS, newest_xid);
	if (!fenced)
	{
		catalog = state->deps[FETCH_DEP_CATALOG].generation;
		roles = state->deps[FETCH_DEP_ROLES].generation;
		fenced = !clock_read(state->deps + FETCH_FIXED_DEPS,
							 state->ndeps - FETCH_FIXED_DEPS, newest_xid);
	}
	AcceptInvalidationMessages();

	state->stmt = statement_find(&state->request_key, catalog, roles);
	if (state->stmt == NULL || !fetch_relations_exist(state->stmt))
		state->stmt = statement_analyse(&state->request_key, request->form,
										request->automatic, request->query,
										request->types, request->nparams,
										catalog, roles);
	return fenced;
}

/*
 * Steps 1 to 4.  What an automatic statement depends on is known only once it
 * was found, so then the clock is read again, for all of it; definitions that
 * keep changing under us count as fenced.
 */
static StatsCounter
fetch_orient(FetchState *state)
{
	const FetchRequest *request = state->request;
	uint64		newest_xid;
	bool		fenced;
	int			readings = 0;

	do
	{
		fenced = fetch_read_clock(state, &newest_xid) ||
			++readings > FETCH_MAX_READINGS;
	} while (fetch_add_statement_deps(state) && !fenced);
	if (request->expected != NULL)
		codec_check_rowtype(request->expected, state->stmt->result_desc);
	ExecCheckRTPerms(state->stmt->rtable, true);

	key_complete(&state->key, &state->stmt->key_head, request->params);
	state->now = GetCurrentTimestamp();
	return fetch_bypass_reason(state, fenced, newest_xid);
}

static int64
fetch_max_age(const FetchRequest *request)
{
	return (int64) request->ttl * USECS_PER_SEC;
}

/*
 * Hand out what was found, and count it.
 */
static void
fetch_serve(FetchState *state, StatsCounter tier, const StoreResult *found,
			FetchResult *result)
{
	result->payload = found->payload;
	result->len = found->len;
	result->tuplestore = NULL;
	stats_add(tier, 1);
	stats_add(STATS_TIME_SAVED_US, found->times.fill_us);
	qstats_hit(state->stmt->qstats);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: hit in %s: %s",
							 tier == STATS_L1_HITS ? "L1" : "L2",
							 state->request->query)));
}

/*
 * Step 5.  An expired result is served only if someone else refreshes it, so
 * that is left to the caller.
 */
static StoreStatus
fetch_l1(FetchState *state, StoreResult *found)
{
	return store_lookup(&state->key, state->deps, state->ndeps, state->now,
						fetch_max_age(state->request), found);
}

/*
 * Cap how long L1 keeps what L2 keeps as well.
 */
static void
fetch_cap_l1(StoreTimes *times, TimestampTz now)
{
	times->expires = Min(times->expires,
						 now + (int64) cache_l1_ttl * USECS_PER_SEC);
}

/*
 * The second half of step 7: look into L2, and keep what is found in L1.
 */
static bool
fetch_l2(FetchState *state, StoreResult *found)
{
	if (!l2_usable(state->deps, state->ndeps) ||
		!l2_get(&state->key, state->deps, state->ndeps, state->now,
				fetch_max_age(state->request), found))
		return false;
	if (clock_unchanged(state->deps, state->ndeps))
	{
		StoreTimes	times = found->times;

		fetch_cap_l1(&times, state->now);
		(void) store_insert(&state->key, state->deps, state->ndeps, &times,
							found->payload, found->len);
	}
	return true;
}

/*
 * Execute the statement of a request into a receiver.  Returns the
 * microseconds it took.  SPI takes the snapshot, after the locks on what is
 * read: one taken before would miss what a TRUNCATE did that was waited for.
 */
static int64
fetch_execute(FetchState *state, CodecReceiver *receiver)
{
	SPIExecuteOptions options = {0};
	StatementPin *pin;
	instr_time	start;
	instr_time	duration;
	int			rc;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	pin = statement_pin(state->stmt);
	options.params = state->request->params;
	options.dest = codec_dest(receiver);

	INSTR_TIME_SET_CURRENT(start);
	rc = SPI_execute_plan_extended(state->stmt->plan, &options);
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s",
			 SPI_result_code_string(rc));
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);

	statement_unpin(pin);
	SPI_finish();
	return (int64) INSTR_TIME_GET_MICROSEC(duration);
}

/*
 * When a result made now ends.
 */
static void
fetch_set_times(const FetchRequest *request, int64 fill_us, StoreTimes *times)
{
	double		jitter = cache_ttl_jitter * pg_prng_double(&pg_global_prng_state);

	times->created = GetCurrentTimestamp();
	times->expires = times->created +
		(int64) (fetch_max_age(request) * (1.0 - jitter));
	times->fill_us = fill_us;
	times->stale_us = (int64) request->stale * USECS_PER_SEC;
}

/*
 * Store what was executed, if it may be.
 */
static FlightOutcome
fetch_fill(FetchState *state, CodecReceiver *receiver, int64 fill_us)
{
	const FetchRequest *request = state->request;
	StoreTimes	times;
	const char *payload;
	Size		len;

	payload = codec_payload(receiver, &len);
	if (payload == NULL || state->key.len > request->max_entry_size)
	{
		stats_add(STATS_FILLS_TOO_LARGE, 1);
		return FLIGHT_UNSTORABLE;
	}
	if (fill_us < request->min_cost_us || fetch_has_written())
		return FLIGHT_UNSTORABLE;
	if (!clock_unchanged(state->deps, state->ndeps) && !BREAK_STORE_CHECK)
	{
		stats_add(STATS_FILLS_RACED, 1);
		return FLIGHT_FAILED;
	}

	fetch_set_times(request, fill_us, &times);
	if (l2_usable(state->deps, state->ndeps))
	{
		l2_put(&state->key, state->deps, state->ndeps, &times, payload, len);
		fetch_cap_l1(&times, times.created);
	}
	if (!store_insert(&state->key, state->deps, state->ndeps, &times, payload,
					  len))
	{
		stats_add(STATS_FILLS_TOO_LARGE, 1);
		return FLIGHT_UNSTORABLE;
	}
	stats_add(STATS_FILLS, 1);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: fill of %zu bytes in %.3f ms: %s",
							 len, fill_us / 1000.0, request->query)));
	return FLIGHT_STORED;
}

static void
fetch_take(CodecReceiver *receiver, FetchResult *result)
{
	result->payload = codec_payload(receiver, &result->len);
	result->tuplestore = codec_tuplestore(receiver);
}

static CodecReceiver *
fetch_create_receiver(const FetchState *state)
{
	const FetchRequest *request = state->request;

	return codec_create_receiver(request->form, request->max_entry_size,
								 state->overflow, request->expected);
}

/*
 * Execute without looking up or storing.
 */
static void
fetch_bypass(FetchState *state, StatsCounter reason, FetchResult *result)
{
	CodecReceiver *receiver = fetch_create_receiver(state);

	stats_add(reason, 1);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: bypass (%s): %s",
							 stats_bypass_name(reason - STATS_BYPASS_FIRST),
							 state->request->query)));
	(void) fetch_execute(state, receiver);
	fetch_take(receiver, result);
}

/*
 * Step 8.  Whoever executes a query that asks for others leads at most its own
 * flight, so only a leader lands one.
 */
static void
fetch_miss(FetchState *state, bool leads, FetchResult *result)
{
	FlightOutcome outcome;
	CodecReceiver *receiver = fetch_create_receiver(state);
	QstatsHandle qstats = state->stmt->qstats;
	int64		fill_us;
	Size		len;

	stats_add(STATS_MISSES, 1);
	ereport(CACHE_LOG_LEVEL,
			(errmsg_internal("cache: miss: %s", state->request->query)));
	fill_us = fetch_execute(state, receiver);
	outcome = fetch_fill(state, receiver, fill_us);
	if (leads)
		flight_land(outcome);
	qstats_miss(qstats, fill_us, codec_payload(receiver, &len) ? len : 0);
	fetch_take(receiver, result);
}

/*
 * Steps 6 to 8.  False if a leader was waited for: then start again.
 */
static bool
fetch_resolve(FetchState *state, TimestampTz deadline, StoreStatus status,
			  StoreResult *found, FetchResult *result)
{
	bool		waited;
	bool		timed_out;
	StatsCounter tier = STATS_L1_HITS;

	/* with something to serve meanwhile, no one waits */
	switch (flight_join(state->key.hash,
						status == STORE_EXPIRED ? 0 : deadline,
						&waited, &timed_out))
	{
		case FLIGHT_LEADER:
			if (status == STORE_MISS)
				status = fetch_l1(state, found);
			if (status != STORE_HIT && fetch_l2(state, found))
			{
				status = STORE_HIT;
				tier = STATS_L2_HITS;
			}
			if (status == STORE_HIT)
			{
				flight_land(FLIGHT_STORED);
				fetch_serve(state, tier, found, result);
			}
			else
				fetch_miss(state, true, result);
			return true;
		case FLIGHT_LANDED:
			stats_add(STATS_WAITS, 1);
			return false;
		case FLIGHT_ALONE:
			stats_add(STATS_WAITS, waited);
			stats_add(STATS_WAIT_TIMEOUTS, timed_out);
			if (status == STORE_EXPIRED)
			{
				stats_add(STATS_STALE_HITS, 1);
				fetch_serve(state, tier, found, result);
			}
			else
				fetch_miss(state, false, result);
			return true;
	}
	pg_unreachable();
}

void
fetch(const FetchRequest *request, MemoryContext overflow, FetchResult *result)
{
	FetchState	state;
	StoreResult found;
	TimestampTz deadline = 0;

	state.request = request;
	state.overflow = overflow;
	key_init(&state.request_key, request->form, request->query, request->query_len,
			 request->tags, request->tags_len, request->name,
			 request->automatic, request->types, request->nparams);
	fetch_find_deps(&state);
	/* may tick, so it comes before the clock is read */
	state.settled = RecoveryInProgress() || prepared_settled();

	for (int waits = 0;; waits++)
	{
		StatsCounter reason = fetch_orient(&state);
		StoreStatus status;

		if (reason != FETCH_NO_BYPASS)
		{
			fetch_bypass(&state, reason, result);
			return;
		}

		status = fetch_l1(&state, &found);
		if (status == STORE_HIT)
		{
			fetch_serve(&state, STATS_L1_HITS, &found, result);
			return;
		}

		if (fetch_has_written())
		{
			/* what it would execute must not be stored for others */
			fetch_bypass(&state, STATS_BYPASS_OWN_WRITES, result);
			return;
		}

		if (deadline == 0)
			deadline = state.now + (int64) cache_fill_wait * 1000;
		if (waits >= FETCH_MAX_WAITS)
			deadline = state.now;
		if (fetch_resolve(&state, deadline, status, &found, result))
			return;
	}
}
