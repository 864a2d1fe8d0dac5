/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker: tells Redis what has changed, and sweeps L1.
 *
 * There is one worker per server.  No other process writes this server run's
 * clock in Redis, or decides that Redis can be used.  Every few seconds the
 * worker also removes dead and expired entries from L1 (store_sweep) and
 * settles the records of prepared transactions that have ended
 * (prepared_resolve).
 *
 * Words.  The clock in Redis is one hash.  Its field "base" is the version of
 * all slots that have not changed since the server started.  A field named by
 * a slot's number is the version of that slot.  The field "sent" is a WAL
 * position: all changes before it are in the hash.  The outbox is the set of
 * slots whose changes have not been sent yet (clock.c).  A heartbeat is a
 * transaction that carries only "sent".
 *
 * Protocol.  When the worker first reaches Redis it writes the base.  From
 * then on slots that have never changed have a version (clock_mark_base_sent).
 * It takes slots that have changed from the outbox in batches.  Their version
 * is the WAL insert position read after they were taken, so it is later than
 * the commits that have changed them.  One transaction in Redis writes the
 * versions and "sent", and publishes a message to subscribers, under the
 * clock's name: the position, followed by the slots that have it as their
 * version.  If the transaction succeeds, the slots are marked as sent
 * (clock_mark_sent), otherwise they return to the outbox
 * (clock_return_unsent).
 *
 * The worker is in one of four phases:
 *
 *	OFF			there is no URL, or this is a standby
 *	WAITING		for the time of the next attempt to connect
 *	CATCHING_UP	connected; sends what the outbox contains
 *	SERVING		has emptied the outbox once: state REDIS_UP, heartbeats
 *
 * From the last two, any failure of the worker or of a backend leads to
 * WAITING.  The worker tries to connect at most once a second.  It sends
 * changes even while no backend uses Redis, and a heartbeat fails if Redis
 * does not answer.  So a dead or stopped Redis is noticed within the interval
 * of heartbeats plus cache.l2_timeout, even if nobody uses it.
 *
 * Each step does one thing.  The main loop does the sleeping and handles
 * signals.  If the latch is set while a step waits for Redis, that wake-up is
 * lost.  So the loop sleeps only after a step that did not wait for Redis,
 * which is one that found the outbox empty or had nothing to connect to yet.
 *
 * Locks.  None of its own.
 *
 * Tolerated races.  A change that is counted just before the state becomes up
 * does not wake the worker.  It is sent with the next heartbeat.  Until then,
 * results that depend on it are not served from Redis.
 *
 * What this file must not do: read catalogs, since the worker has no database;
 * exit while it holds slots taken from the outbox (worker_exit returns them).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "base/guc.h"
#include "base/stop.h"
#include "clock/clock.h"
#include "clock/invalidate.h"
#include "clock/prepared.h"
#include "redis/l2.h"
#include "redis/redis.h"
#include "redis/worker.h"
#include "store/store.h"

/* All in milliseconds. */
#define WORKER_RETRY 1000
#define WORKER_HEARTBEAT 1000
#define WORKER_SWEEP 5000

#define WORKER_BATCH 512

/* Longest decimal uint64 or uint32, and a zero byte. */
#define WORKER_NUMBER_LENGTH 21

typedef enum WorkerPhase
{
	WORKER_OFF,
	WORKER_WAITING,
	WORKER_CATCHING_UP,
	WORKER_SERVING
} WorkerPhase;

static WorkerPhase phase = WORKER_OFF;
static int64 next_try = 0;		/* to connect */
static int64 next_heartbeat = 0;
static int64 next_sweep = 0;

/* The slots taken from the outbox and not yet sent. */
static ClockSend sends[WORKER_BATCH];
static int	nsends = 0;

PGDLLEXPORT void cache_worker_main(Datum arg);

void
worker_register(void)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = 1;
	strlcpy(worker.bgw_library_name, "cache", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "cache_worker_main",
			sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "cache worker", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "cache worker", sizeof(worker.bgw_type));
	RegisterBackgroundWorker(&worker);
	invalidate_set_listener(redis_worker_wake);
}

/* The time in milliseconds on a monotonic clock. */
static int64
worker_time(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MILLISEC(now);
}

/* Log when Redis becomes reachable or unreachable, whoever has noticed it. */
static void
worker_log_state(void)
{
	static RedisState logged = REDIS_CONNECTING;
	RedisState	state = redis_state();

	if (state == logged)
		return;
	logged = state;
	if (state == REDIS_UP)
		ereport(LOG, (errmsg("connected to Redis")));
	else if (state == REDIS_DOWN)
		ereport(LOG, (errmsg("Redis is unreachable: %s", redis_last_error())));
}

/* Close the connection, and try again after delay. */
static void
worker_back_off(RedisState state, int64 delay)
{
	redis_close();
	redis_set_state(state);
	phase = WORKER_WAITING;
	next_try = worker_time() + delay;
}

static void
worker_turn_off(void)
{
	redis_close();
	redis_set_state(REDIS_OFF);
	phase = WORKER_OFF;
}

/* Connect.  The first time, publish the base. */
static bool
worker_connect(void)
{
	XLogRecPtr	base = l2_base();
	bool		first = (base == InvalidXLogRecPtr);
	char		text[WORKER_NUMBER_LENGTH];
	RedisArg	args[4];
	RedisReply	reply;

	if (first)
		base = GetXLogInsertRecPtr();
	snprintf(text, sizeof(text), UINT64_FORMAT, base);
	args[0] = redis_arg("HSETNX");
	args[1] = redis_arg(l2_clock_name());
	args[2] = redis_arg("base");
	args[3] = redis_arg(text);
	if (!redis_command(args, lengthof(args), 64, &reply))
		return false;

	if (first)
	{
		l2_set_base(base);
		clock_mark_base_sent(base);
	}
	return true;
}

/* Write sends[] with this version to the clock, and publish it. */
static bool
worker_transmit(XLogRecPtr version)
{
	static char slots[WORKER_BATCH][WORKER_NUMBER_LENGTH];
	static RedisArg args[1 + 4 + 2 * WORKER_BATCH + 3 + 1];
	RedisArg	clock_arg = redis_arg(l2_clock_name());
	RedisArg	version_arg;
	char		text[WORKER_NUMBER_LENGTH];
	int			counts[4] = {1, 4 + 2 * nsends, 3, 1};
	StringInfoData message;
	int			n = 0;

	snprintf(text, sizeof(text), UINT64_FORMAT, version);
	version_arg = redis_arg(text);
	initStringInfo(&message);
	appendStringInfoString(&message, text);

	args[n++] = redis_arg("MULTI");
	args[n++] = redis_arg("HSET");
	args[n++] = clock_arg;
	args[n++] = redis_arg("sent");
	args[n++] = version_arg;
	for (int i = 0; i < nsends; i++)
	{
		snprintf(slots[i], sizeof(slots[i]), "%u", sends[i].slot);
		args[n++] = redis_arg(slots[i]);
		args[n++] = version_arg;
		appendStringInfo(&message, " %s", slots[i]);
	}
	args[n++] = redis_arg("PUBLISH");
	args[n++] = clock_arg;
	args[n++] = redis_arg(message.data);
	args[n++] = redis_arg("EXEC");

	return redis_pipeline(args, counts, lengthof(counts));
}

/*
 * Send what was taken from the outbox.  If that is nothing, this is a
 * heartbeat.
 */
static bool
worker_send(void)
{
	XLogRecPtr	version = GetXLogInsertRecPtr();
	bool		ok = worker_transmit(version);

	if (ok)
		clock_mark_sent(sends, nsends, version);
	else
		clock_return_unsent(sends, nsends);
	nsends = 0;
	next_heartbeat = worker_time() + WORKER_HEARTBEAT;
	return ok;
}

/*
 * The worker is connected: send a batch, or a heartbeat if one is due.
 * Returns how long there is nothing to do.
 */
static int64
worker_serve(void)
{
	int64		left = next_heartbeat - worker_time();
	bool		caught_up;

	nsends = clock_take_unsent(sends, WORKER_BATCH);
	if (nsends == 0 && left > 0)
		return left;

	caught_up = (nsends < WORKER_BATCH);
	if (!worker_send())
		worker_back_off(REDIS_DOWN, WORKER_RETRY);
	else if (phase == WORKER_CATCHING_UP && caught_up)
	{
		phase = WORKER_SERVING;
		redis_set_state(REDIS_UP);
	}
	return 0;
}

/*
 * Do the next thing for Redis.  Returns for how many milliseconds there is
 * nothing to do; zero if this has waited for Redis.
 */
static int64
worker_step(void)
{
	bool		standby = RecoveryInProgress();

	if (standby || cache_redis_url[0] == '\0')
	{
		worker_turn_off();
		return standby ? WORKER_RETRY : WORKER_SWEEP;
	}

	if (phase == WORKER_OFF)
		worker_back_off(REDIS_CONNECTING, 0);
	else if (phase == WORKER_SERVING && redis_state() != REDIS_UP)
		worker_back_off(REDIS_DOWN, WORKER_RETRY);

	if (phase == WORKER_WAITING)
	{
		int64		left = next_try - worker_time();

		if (left > 0)
			return left;
		if (!worker_connect())
		{
			worker_back_off(REDIS_DOWN, WORKER_RETRY);
			return 0;
		}
		phase = WORKER_CATCHING_UP;
		next_heartbeat = 0;
	}
	return worker_serve();
}

/* Reload the settings.  If the URL has changed, connect to the new Redis. */
static void
worker_reload(void)
{
	char	   *url = pstrdup(cache_redis_url);

	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	if (strcmp(url, cache_redis_url) != 0)
	{
		worker_back_off(REDIS_CONNECTING, 0);
		worker_log_state();
	}
}

/*
 * Return what was taken to the outbox, and stop the use of Redis, since nobody
 * will send changes any more.
 */
static void
worker_exit(int code, Datum arg)
{
	if (nsends > 0)
		clock_return_unsent(sends, nsends);
	redis_worker_detach();
	if (redis_state() != REDIS_OFF)
		redis_set_state(REDIS_DOWN);
	redis_close();
}

/* One turn of the main loop.  Returns how many milliseconds to sleep. */
static int64
worker_turn(void)
{
	int64		nap;

	if (ConfigReloadPending)
		worker_reload();

	nap = worker_step();
	worker_log_state();

	if (worker_time() >= next_sweep)
	{
		STOP_POINT("sweep");
		store_sweep(false);
		prepared_resolve(PREPARED_ASK);
		next_sweep = worker_time() + WORKER_SWEEP;
	}
	return Min(nap, Max(next_sweep - worker_time(), 0));
}

/*
 * The main function.  An error ends the process, and the postmaster restarts
 * it.  So does SIGTERM: the exit code is 1, because nothing but a shutdown of
 * the server should stop the worker for good.
 */
void
cache_worker_main(Datum arg)
{
	MemoryContext context;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();

	before_shmem_exit(worker_exit, (Datum) 0);
	redis_worker_attach();
	context = AllocSetContextCreate(TopMemoryContext, "cache worker",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);

	while (!ShutdownRequestPending)
	{
		int64		nap = worker_turn();

		MemoryContextReset(context);
		if (nap > 0)
			(void) WaitLatch(MyLatch,
							 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 (long) nap, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	proc_exit(1);
}
