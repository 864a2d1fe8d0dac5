/*-------------------------------------------------------------------------
 *
 * redis.h
 *	  The connection to Redis or Valkey: the only user of hiredis.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_REDIS_H
#define CACHE_REDIS_H

/* Can L2 be used now?  The same for all processes of this server. */
typedef enum RedisState
{
	REDIS_OFF,					/* cache.redis_url is empty, or this is a
								 * standby */
	REDIS_CONNECTING,			/* the worker has not yet connected */
	REDIS_UP,
	REDIS_DOWN					/* failed; the worker tries again */
} RedisState;

/* One argument of a command. */
typedef struct RedisArg
{
	const char *data;
	size_t		len;
} RedisArg;

/* Make an argument of a string. */
static inline RedisArg
redis_arg(const char *text)
{
	RedisArg	arg = {text, strlen(text)};

	return arg;
}

typedef enum RedisReplyKind
{
	REDIS_REPLY_NIL,
	REDIS_REPLY_BYTES,			/* string or status */
	REDIS_REPLY_NUMBER,
	REDIS_REPLY_LIST			/* its elements are discarded */
} RedisReplyKind;

typedef struct RedisReply
{
	RedisReplyKind kind;
	char	   *data;			/* palloc'd, followed by a zero byte;
								 * REDIS_REPLY_BYTES only */
	size_t		len;
	int64		number;			/* REDIS_REPLY_NUMBER only */
} RedisReply;

extern Size redis_shmem_size(void);
extern void redis_shmem_init(void);

/*
 * Check the shared state.  Raises ERRCODE_DATA_CORRUPTED if it is
 * inconsistent.
 */
extern void redis_verify(void);

extern RedisState redis_state(void);
extern void redis_set_state(RedisState state);	/* by the worker only */
extern int64 redis_errors(void);

/*
 * Run one command on this process's connection, opening it first if necessary.
 * All of it takes at most cache.l2_timeout.  A reply of more than max_reply
 * bytes is a failure.
 *
 * Returns false on any failure; an error is raised only if an interrupt is
 * handled.  A failure closes the connection, sets the state to REDIS_DOWN and
 * wakes the worker.  If Redis merely refuses the command, false is returned
 * and the refusal is counted, but connection and state stay as they are.
 */
extern bool redis_command(const RedisArg *args, int nargs, size_t max_reply,
						  RedisReply *reply);

/*
 * Run n commands in one round trip.  args holds the arguments of all commands
 * one after the other, and counts the number of arguments of each.  Replies
 * are discarded.  A reply that is an error, or a list that contains one (from
 * EXEC), is a failure like any other.
 */
extern bool redis_pipeline(const RedisArg *args, const int *counts, int n);

/*
 * The reason of the last failure in any process, in a static buffer; "" if
 * none.
 */
extern const char *redis_last_error(void);

/* Close the connection of this process, if it is open. */
extern void redis_close(void);

/*
 * The worker sleeps on its latch.  These functions declare that this process
 * is the worker, that it no longer is, and wake the worker if Redis is up.
 * Waking neither allocates nor fails.
 */
extern void redis_worker_attach(void);
extern void redis_worker_detach(void);
extern void redis_worker_wake(void);

#endif							/* CACHE_REDIS_H */
