/*-------------------------------------------------------------------------
 *
 * redis.c
 *	  The connection to Redis or Valkey: the only user of hiredis.
 *
 * Every process has a connection of its own, opened at its first command.
 * Whether Redis can be used at all is shared state, so that a dead Redis costs
 * queries nothing.
 *
 * Words.  A call is one redis_command or redis_pipeline, including opening the
 * connection if necessary.  Greeting means finishing to connect and sending
 * AUTH and SELECT.  The budget is the number of bytes that a call may still
 * receive.
 *
 * Protocol.  hiredis is used in non-blocking mode, to format commands, to
 * parse replies and to buffer.  Only redis_wait waits.  It handles interrupts,
 * and enforces one deadline per call (cache.l2_timeout).  So a server that is
 * silent, sends byte by byte, sends garbage or sends too much costs a call at
 * most that time, and memory in proportion to the budget.
 *
 * All failures go through redis_fail.  It closes the connection, counts the
 * failure, keeps the reason for the worker's log, changes the shared state
 * from up to down, and wakes the worker.  Only the worker sets the state to up
 * again.
 *
 * An interrupt may end a call halfway.  The connection then stays marked as
 * busy, and the next call opens a new one.  So a late reply is never taken for
 * the reply to another command.  For the same reason, a connection is not used
 * again if anything, including the end of the stream, has arrived on it
 * between calls.
 *
 * Received bytes must have the form of replies to our commands (shape.c)
 * before hiredis parses them.
 *
 * Resolving a host name can take long, so only the worker does it (resolve.c).
 * It publishes the address that it connects to, and backends connect to that.
 *
 * The worker has to exit promptly when a shutdown is requested.  So a shutdown
 * request makes redis_wait fail.
 *
 * Locks.  A spinlock protects the strings in shared memory.  All else is
 * atomic.
 *
 * Tolerated races.
 *
 *	- The state may go down although Redis can be reached, after a failure on a
 *	  connection to a Redis used before, or a failure reported just after the
 *	  worker has connected.  It stays down until the worker tries again.
 *	- A wake-up just before the worker sets the state to up is lost.  The
 *	  worker sends the change with its next heartbeat.
 *	- A session that has not yet read a new value of cache.redis_url continues
 *	  to use the old Redis.  That is harmless, since it checks the entries
 *	  there as well (l2.c).
 *
 * What this file must not do: raise an error or write to the log.  A failure
 * is a miss, and the worker logs once what is worth logging.  (There is one
 * exception: waiting can raise an error in a process that has run out of file
 * descriptors.)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <hiredis/hiredis.h>

/* hiredis has a macro with the same name as an enumerator in redis.h */
enum
{
	HIREDIS_REPLY_NIL = REDIS_REPLY_NIL
};
#undef REDIS_REPLY_NIL

#include "miscadmin.h"
#include "port/atomics.h"
#include "portability/instr_time.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/wait_event.h"

#include "base/guc.h"
#include "redis/redis.h"
#include "redis/resolve.h"
#include "redis/shape.h"
#include "base/url.h"

#define REDIS_ERROR_LENGTH 160

/*
 * Bytes allowed for the framing of a reply, and for replies to the greeting.
 */
#define REDIS_OVERHEAD 1024
#define REDIS_MAX_PIPELINE_REPLY (64 * 1024)

#define REDIS_NO_WORKER PG_UINT32_MAX

typedef struct SharedRedis
{
	pg_atomic_uint32 state;		/* a RedisState */
	pg_atomic_uint32 worker;	/* index of its PGPROC, or REDIS_NO_WORKER */
	pg_atomic_uint64 errors;	/* calls that failed */

	slock_t		lock;			/* protects all below */
	char		error[REDIS_ERROR_LENGTH];	/* the last one */
	char		host[URL_HOST_LENGTH];	/* that the worker resolved last */
	char		address[RESOLVE_ADDRESS_LENGTH];	/* the address of that
													 * host */
} SharedRedis;

typedef struct RedisConnection
{
	redisContext *context;		/* NULL if closed */
	char		url[URL_LENGTH];	/* for which it was opened */
	bool		greeted;
	bool		busy;			/* a call is under way, or was interrupted */
	instr_time	start;			/* of the call */
	size_t		budget;			/* bytes that it may still receive */
	Shape		shape;			/* of what was received */
} RedisConnection;

static SharedRedis *shared = NULL;

static RedisConnection connection;	/* of this process */

static bool is_worker = false;

/* Which of a host's addresses the worker tries next. */
static unsigned int candidate = 0;

Size
redis_shmem_size(void)
{
	return sizeof(SharedRedis);
}

void
redis_shmem_init(void)
{
	bool		found;

	shared = ShmemInitStruct("cache redis", redis_shmem_size(), &found);
	if (found)
		return;

	memset(shared, 0, sizeof(SharedRedis));
	pg_atomic_init_u32(&shared->state, REDIS_CONNECTING);
	pg_atomic_init_u32(&shared->worker, REDIS_NO_WORKER);
	pg_atomic_init_u64(&shared->errors, 0);
	SpinLockInit(&shared->lock);
}

void
redis_verify(void)
{
	uint32		state = pg_atomic_read_u32(&shared->state);
	uint32		worker = pg_atomic_read_u32(&shared->worker);
	bool		terminated;

	SpinLockAcquire(&shared->lock);
	terminated = shared->error[REDIS_ERROR_LENGTH - 1] == '\0' &&
		shared->host[URL_HOST_LENGTH - 1] == '\0' &&
		shared->address[RESOLVE_ADDRESS_LENGTH - 1] == '\0';
	SpinLockRelease(&shared->lock);

	if (state > REDIS_DOWN || !terminated ||
		(worker != REDIS_NO_WORKER && worker >= ProcGlobal->allProcCount))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("shared state of the connections to Redis is invalid")));
}

/*
 * Shared state.
 */

RedisState
redis_state(void)
{
	if (shared == NULL || cache_redis_url == NULL || cache_redis_url[0] == '\0')
		return REDIS_OFF;
	return (RedisState) pg_atomic_read_u32(&shared->state);
}

void
redis_set_state(RedisState state)
{
	pg_atomic_exchange_u32(&shared->state, state);
}

int64
redis_errors(void)
{
	return (int64) pg_atomic_read_u64(&shared->errors);
}

const char *
redis_last_error(void)
{
	static char text[REDIS_ERROR_LENGTH];

	SpinLockAcquire(&shared->lock);
	memcpy(text, shared->error, sizeof(text));
	SpinLockRelease(&shared->lock);
	return text;
}

void
redis_worker_attach(void)
{
	is_worker = true;
	pg_atomic_write_u32(&shared->worker, (uint32) (MyProc - ProcGlobal->allProcs));
}

void
redis_worker_detach(void)
{
	pg_atomic_write_u32(&shared->worker, REDIS_NO_WORKER);
}

/*
 * If the PGPROC meanwhile belongs to another process, that process is woken
 * for nothing, which is harmless.
 */
static void
redis_set_worker_latch(void)
{
	uint32		worker = pg_atomic_read_u32(&shared->worker);

	if (worker != REDIS_NO_WORKER)
		SetLatch(&ProcGlobal->allProcs[worker].procLatch);
}

void
redis_worker_wake(void)
{
	/*
	 * In any other state the worker sends the changes once it has connected.
	 */
	if (redis_state() == REDIS_UP)
		redis_set_worker_latch();
}

/*
 * Count a failure and keep the reason.  The reason may come from the server,
 * so anything but printable ASCII is replaced.
 */
static void
redis_note(const char *reason)
{
	char		text[REDIS_ERROR_LENGTH] = {0};

	strlcpy(text, reason, sizeof(text));
	for (char *c = text; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
			*c = '?';
	}

	SpinLockAcquire(&shared->lock);
	memcpy(shared->error, text, sizeof(text));
	SpinLockRelease(&shared->lock);
	pg_atomic_fetch_add_u64(&shared->errors, 1);
}

/*
 * Close the connection, and publish the failure and its reason.  Returns
 * false.  reason may point into memory of the connection.
 */
static bool
redis_fail(const char *reason)
{
	uint32		up = REDIS_UP;

	redis_note(reason);
	if (!connection.greeted)
		candidate++;
	redis_close();
	if (pg_atomic_compare_exchange_u32(&shared->state, &up, REDIS_DOWN))
		redis_set_worker_latch();
	return false;
}

/*
 * Opening and closing.
 */

void
redis_close(void)
{
	if (connection.context != NULL)
	{
		redisFree(connection.context);
		ReleaseExternalFD();
	}
	connection.context = NULL;
	connection.greeted = false;
	connection.busy = false;
}

/*
 * Resolve a host and publish one of its addresses.  Called by the worker only,
 * since this may take longer than any deadline.
 */
static bool
redis_resolve(const char *host)
{
	char		address[RESOLVE_ADDRESS_LENGTH];
	const char *problem = resolve_host(host, candidate, address);

	if (problem != NULL)
		return redis_fail(problem);
	SpinLockAcquire(&shared->lock);
	strlcpy(shared->host, host, sizeof(shared->host));
	strlcpy(shared->address, address, sizeof(shared->address));
	SpinLockRelease(&shared->lock);
	return true;
}

/*
 * Copy the published address of host to address, a buffer of
 * RESOLVE_ADDRESS_LENGTH bytes.  Returns false if none is published.
 */
static bool
redis_published_address(const char *host, char *address)
{
	bool		known;

	SpinLockAcquire(&shared->lock);
	known = strcmp(shared->host, host) == 0;
	if (known)
		memcpy(address, shared->address, RESOLVE_ADDRESS_LENGTH);
	SpinLockRelease(&shared->lock);
	return known;
}

/* Start to connect, without waiting. */
static bool
redis_open(const Url *url)
{
	char		address[RESOLVE_ADDRESS_LENGTH];
	redisContext *context;

	if (url->host != NULL)
	{
		if (is_worker && !redis_resolve(url->host))
			return false;
		if (!redis_published_address(url->host, address))
			return redis_fail("host has not been resolved yet");
	}

	if (!AcquireExternalFD())
		return redis_fail("too many open files");
	if (url->host != NULL)
		context = redisConnectNonBlock(address, url->port);
	else
		context = redisConnectUnixNonBlock(url->path);
	if (context == NULL)
	{
		ReleaseExternalFD();
		return redis_fail("out of memory");
	}

	connection.context = context;
	strlcpy(connection.url, cache_redis_url, sizeof(connection.url));
	if (context->err != 0)
		return redis_fail(context->errstr);

	memset(&connection.shape, 0, sizeof(connection.shape));
	(void) fcntl(context->fd, F_SETFD, FD_CLOEXEC);
	return true;
}

/*
 * Sending and receiving.
 */

/* Wait for a socket event until the deadline. */
static bool
redis_wait(int event)
{
	for (;;)
	{
		instr_time	elapsed;
		long		left;
		int			events;

		INSTR_TIME_SET_CURRENT(elapsed);
		INSTR_TIME_SUBTRACT(elapsed, connection.start);
		left = cache_l2_timeout - (long) INSTR_TIME_GET_MILLISEC(elapsed);
		if (left <= 0)
			return redis_fail("timed out");
		if (ShutdownRequestPending)
			return redis_fail("shutting down");

		events = WaitLatchOrSocket(MyLatch,
								   WL_LATCH_SET | WL_TIMEOUT |
								   WL_EXIT_ON_PM_DEATH | event,
								   connection.context->fd, left,
								   PG_WAIT_EXTENSION);
		if (events & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
		if (events & event)
			return true;
	}
}

/* Append a command to the output buffer. */
static bool
redis_append(const RedisArg *args, int nargs)
{
	Size		size = nargs * (sizeof(char *) + sizeof(size_t));
	size_t	   *lens = palloc_extended(size, MCXT_ALLOC_NO_OOM);
	const char **data;
	int			rc;

	if (lens == NULL)
		return redis_fail("out of memory");
	data = (const char **) (lens + nargs);
	for (int i = 0; i < nargs; i++)
	{
		data[i] = args[i].data;
		lens[i] = args[i].len;
	}
	rc = redisAppendCommandArgv(connection.context, nargs, data, lens);
	pfree(lens);

	if (rc != REDIS_OK)
		return redis_fail("out of memory");
	return true;
}

/* Send the output buffer. */
static bool
redis_flush(void)
{
	redisContext *context = connection.context;
	int			done = 0;

	for (;;)
	{
		if (redisBufferWrite(context, &done) != REDIS_OK)
			return redis_fail(context->errstr);
		if (context->obuf == NULL)
			return redis_fail("out of memory");
		if (done)
			return true;
		if (!redis_wait(WL_SOCKET_WRITEABLE))
			return false;
	}
}

static bool
redis_send(const RedisArg *args, int nargs)
{
	return redis_append(args, nargs) && redis_flush();
}

/*
 * Receive the next reply, which the caller must free.  Returns NULL on
 * failure.  While this waits it holds no reply, so an interrupt leaks none.
 */
static redisReply *
redis_receive(void)
{
	redisContext *context = connection.context;
	void	   *reply = NULL;

	for (;;)
	{
		const redisReader *reader = context->reader;
		const char *problem;
		size_t		before;
		size_t		received;

		if (redisGetReplyFromReader(context, &reply) != REDIS_OK)
		{
			redis_fail(context->errstr);
			return NULL;
		}
		if (reply != NULL)
			break;

		if (!redis_wait(WL_SOCKET_READABLE))
			return NULL;
		before = reader->len;
		if (redisBufferRead(context) != REDIS_OK)
		{
			redis_fail(context->errstr);
			return NULL;
		}
		received = reader->len - before;
		problem = received > connection.budget ? "reply is too large" :
			shape_read(&connection.shape, reader->buf + before, received,
					   connection.budget);
		if (problem != NULL)
		{
			redis_fail(problem);
			return NULL;
		}
		connection.budget -= received;
	}

	return reply;
}

/*
 * Receive the next reply, and fail if it is an error.  The caller must free
 * it.  Returns NULL on failure.
 */
static redisReply *
redis_receive_success(void)
{
	redisReply *reply = redis_receive();

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
	{
		redis_fail(reply->str);
		freeReplyObject(reply);
		return NULL;
	}
	return reply;
}

/* Run a command of the greeting, and ignore its reply. */
static bool
redis_tell(const RedisArg *args, int nargs)
{
	redisReply *reply;

	if (!redis_send(args, nargs))
		return false;
	reply = redis_receive_success();
	if (reply == NULL)
		return false;
	freeReplyObject(reply);
	return true;
}

/* Finish connecting, authenticate, and select the database. */
static bool
redis_greet(const Url *url)
{
	RedisArg	args[3];
	char		db[16];
	int			n = 0;
	int			err = 0;
	socklen_t	err_len = sizeof(err);

	if (!redis_wait(WL_SOCKET_WRITEABLE))
		return false;
	if (getsockopt(connection.context->fd, SOL_SOCKET, SO_ERROR, &err, &err_len) != 0)
		err = errno;
	if (err != 0)
		return redis_fail(strerror(err));

	if (url->password != NULL)
	{
		args[n++] = redis_arg("AUTH");
		if (url->user != NULL)
			args[n++] = redis_arg(url->user);
		args[n++] = redis_arg(url->password);
		if (!redis_tell(args, n))
			return false;
	}
	if (url->db != 0)
	{
		snprintf(db, sizeof(db), "%d", url->db);
		args[0] = redis_arg("SELECT");
		args[1] = redis_arg(db);
		if (!redis_tell(args, 2))
			return false;
	}
	connection.greeted = true;
	return true;
}

/*
 * Has anything, or the end of the stream, arrived although nothing is
 * expected?
 */
static bool
redis_disturbed(void)
{
	char		byte;
	ssize_t		n = recv(connection.context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* Start a call: make sure that there is a connection, and mark it as busy. */
static bool
redis_begin(size_t max_reply)
{
	Url			url;

	if (connection.context != NULL &&
		(connection.busy || strcmp(connection.url, cache_redis_url) != 0 ||
		 redis_disturbed()))
		redis_close();

	if (connection.context == NULL)
	{
		const char *problem = url_parse(cache_redis_url, &url);

		if (problem != NULL)
			return redis_fail(problem);
		if (!redis_open(&url))
			return false;
	}

	connection.busy = true;
	connection.budget = max_reply + REDIS_OVERHEAD;
	INSTR_TIME_SET_CURRENT(connection.start);
	return connection.greeted || redis_greet(&url);
}

/* End a call.  All its replies must have been received. */
static bool
redis_end(void)
{
	redisReader *reader = connection.context->reader;

	if (reader->pos != reader->len)
		return redis_fail("more replies than commands");
	connection.busy = false;
	return true;
}

/* Convert a reply of hiredis to a RedisReply. */
static bool
redis_convert(const redisReply *raw, size_t max_reply, RedisReply *reply)
{
	memset(reply, 0, sizeof(RedisReply));
	switch (raw->type)
	{
		case REDIS_REPLY_STRING:
		case REDIS_REPLY_STATUS:
			if (raw->len > max_reply)
				return redis_fail("reply is too large");
			reply->kind = REDIS_REPLY_BYTES;
			reply->len = raw->len;
			reply->data = palloc_extended(raw->len + 1,
										  MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
			if (reply->data == NULL)
				return redis_fail("out of memory");
			memcpy(reply->data, raw->str, raw->len);
			reply->data[raw->len] = '\0';
			return true;
		case REDIS_REPLY_INTEGER:
			reply->kind = REDIS_REPLY_NUMBER;
			reply->number = raw->integer;
			return true;
		case HIREDIS_REPLY_NIL:
			reply->kind = REDIS_REPLY_NIL;
			return true;
		case REDIS_REPLY_ARRAY:
			reply->kind = REDIS_REPLY_LIST;
			return true;
		default:
			return redis_fail("reply of an unknown type");
	}
}

bool
redis_command(const RedisArg *args, int nargs, size_t max_reply,
			  RedisReply *reply)
{
	redisReply *raw;
	bool		ok;

	if (!redis_begin(max_reply) || !redis_send(args, nargs))
		return false;
	raw = redis_receive();
	if (raw == NULL)
		return false;
	if (raw->type == REDIS_REPLY_ERROR)
	{
		/* a refused command does not affect the next one */
		redis_note(raw->str);
		freeReplyObject(raw);
		(void) redis_end();
		return false;
	}
	ok = redis_convert(raw, max_reply, reply);
	freeReplyObject(raw);
	if (!ok)
		return false;
	if (redis_end())
		return true;
	if (reply->data != NULL)
		pfree(reply->data);
	return false;
}

/*
 * Receive a reply and discard it.  Fail if it is an error, or if it is a list
 * that contains one, as that of EXEC may.
 */
static bool
redis_check(void)
{
	redisReply *raw = redis_receive_success();
	bool		ok = true;

	if (raw == NULL)
		return false;
	for (size_t i = 0; ok && raw->type == REDIS_REPLY_ARRAY && i < raw->elements; i++)
	{
		if (raw->element[i]->type == REDIS_REPLY_ERROR)
			ok = redis_fail(raw->element[i]->str);
	}
	freeReplyObject(raw);
	return ok;
}

bool
redis_pipeline(const RedisArg *args, const int *counts, int n)
{
	if (!redis_begin(REDIS_MAX_PIPELINE_REPLY))
		return false;
	for (int i = 0; i < n; i++)
	{
		if (!redis_append(args, counts[i]))
			return false;
		args += counts[i];
	}
	if (!redis_flush())
		return false;
	for (int i = 0; i < n; i++)
	{
		if (!redis_check())
			return false;
	}
	return redis_end();
}
