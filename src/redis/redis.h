/*-------------------------------------------------------------------------
 *
 * redis.h
 *	  The connection to Redis or Valkey: the only user of hiredis.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_REDIS_H
#define CACHE_REDIS_H

/* Whether L2 can be used now, for all processes of this server. */
typedef enum RedisState
{
	REDIS_OFF,					/* cache.redis_url is empty, or a standby */
	REDIS_CONNECTING,			/* the worker has not reached it yet */
	REDIS_UP,
	REDIS_DOWN					/* failed; the worker keeps trying */
} RedisState;

/* One argument of a command. */
typedef struct RedisArg
{
	const char *data;
	size_t		len;
} RedisArg;

/* An argument that is text. */
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
	REDIS_REPLY_LIST			/* elements were read, and are not kept */
} RedisReplyKind;

typedef struct RedisReply
{
	RedisReplyKind kind;
	char	   *data;			/* palloc'd, with a zero byte after it;
								 * REDIS_REPLY_BYTES only */
	size_t		len;
	int64		number;			/* REDIS_REPLY_NUMBER only */
} RedisReply;

extern Size redis_shmem_size(void);
extern void redis_shmem_init(void);

/* Recount; ERRCODE_DATA_CORRUPTED if something does not add up. */
extern void redis_verify(void);

extern RedisState redis_state(void);
extern void redis_set_state(RedisState state);	/* the worker only */
extern int64 redis_errors(void);

/*
 * Run one command on this process's connection, opening it if need be, within
 * cache.l2_timeout in all.  Replies larger than max_reply bytes are an error.
 * False on any failure, never an ereport (but an interrupt is served): the
 * connection is closed, the state set to REDIS_DOWN and the worker woken; but
 * if Redis only refused the command, that is counted, and all else stays.
 */
extern bool redis_command(const RedisArg *args, int nargs, size_t max_reply,
						  RedisReply *reply);

/*
 * Run n commands in one round trip.  args holds the arguments of all commands,
 * counts how many belong to each.  Replies are dropped; one that is an error,
 * or a list with an error in it (as of EXEC), is a failure like any other.
 */
extern bool redis_pipeline(const RedisArg *args, const int *counts, int n);

/* Text of the last failure on this server, in a static buffer; "" if none. */
extern const char *redis_last_error(void);

/* Close this process's connection, if any. */
extern void redis_close(void);

/*
 * The worker sleeps on its latch: this process is the worker; it no longer is;
 * wake it if it has a Redis to send to.  Waking neither allocates nor fails.
 */
extern void redis_worker_attach(void);
extern void redis_worker_detach(void);
extern void redis_worker_wake(void);

#endif							/* CACHE_REDIS_H */
