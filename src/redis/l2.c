/*-------------------------------------------------------------------------
 *
 * l2.c
 *	  Results in Redis: how they are named, signed, versioned and believed.
 *
 * A result is one Redis string.  Its name is the keyed digest of its key (seal.c),
 * under a prefix that holds the cluster's system identifier, the timeline, and a
 * random number of this server start; its value is
 *
 *	L2Header | dependencies | payload
 *
 * with a dependency a slot and the version the slot had when the result was
 * made.  A version is a WAL position, given to a slot by the worker as it
 * tells Redis of the slot's changes (clock.c).
 *
 * What is believed.  Redis is a place that may lose anything and invent
 * anything.  A value is used iff its signature, a keyed digest of the digest in its
 * name and of all of the value, is right; its lengths add up; its dependencies are
 * those of the reader, with the versions in this server's shared memory; and its
 * time is not up.  What Redis says about versions is never asked.  So a lost, old,
 * misplaced or forged value is a miss.
 *
 * What Redis learns.  The rows of results, and when they were made.  Of a key there
 * is nothing but digests that cannot be tried out without the secret: no text, tag,
 * setting or parameter.
 *
 * Why it is right.  A slot's version in shared memory stands for its present
 * generation as long as clock_read gives one at all; when the slot ticks, there
 * is none until the worker has recorded a new one, and versions only rise.
 * What was put under a version was computed between a reading of that version
 * and a check that the generation had not moved.  So of two results with one
 * version of a slot neither misses a change that the other has.
 *
 * After a start everything is out of date: prefix and secret are new ones.
 * What earlier starts left in Redis is found by nobody and goes with its time
 * to live.
 *
 * Any failure to get is a miss, any failure to put is forgotten; redis.c keeps
 * both short, and rare while Redis is down.
 *
 * What this file must not do: talk to Redis other than through redis.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/guc.h"
#include "base/seal.h"
#include "base/stats.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "redis/l2.h"
#include "redis/redis.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define L2_MAGIC UINT64CONST(0x3243414348454c32)

#define L2_NAME_LENGTH 160

typedef struct L2Header
{
	uint8		signature[SEAL_LENGTH]; /* of the key and all that follows */
	uint64		magic;
	StoreTimes	times;
	uint64		ndeps;
	uint64		payload_len;
} L2Header;

typedef struct L2Dep
{
	uint64		slot;
	uint64		version;
} L2Dep;

typedef struct SharedL2
{
	/* immutable */
	uint64		nonce;

	pg_atomic_uint64 base;		/* the worker only */
} SharedL2;

static SharedL2 *l2_shared;

Size
l2_shmem_size(void)
{
	return sizeof(SharedL2);
}

void
l2_shmem_init(void)
{
	bool		found;

	l2_shared = ShmemInitStruct("cache l2", l2_shmem_size(), &found);
	if (found)
		return;
	if (!pg_strong_random(&l2_shared->nonce, sizeof(l2_shared->nonce)))
		ereport(FATAL,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random numbers"),
				 errhint("Check the random number generator of OpenSSL or of the operating system.")));
	pg_atomic_init_u64(&l2_shared->base, 0);
}

XLogRecPtr
l2_base(void)
{
	return pg_atomic_read_u64(&l2_shared->base);
}

void
l2_set_base(XLogRecPtr base)
{
	pg_atomic_write_u64(&l2_shared->base, base);
}

/*
 * The base is a position of the WAL that was reached before.
 */
void
l2_verify(void)
{
	XLogRecPtr	base = l2_base();

	if (base != InvalidXLogRecPtr && !RecoveryInProgress() &&
		base > GetXLogInsertRecPtr())
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the clock in Redis begins in the future")));
}

/*
 * Write what all names of this server start begin with; returns its length.
 */
static int
l2_prefix(char *name)
{
	return snprintf(name, L2_NAME_LENGTH, "cache:%016llx:%u:%016llx:%u:",
					(unsigned long long) GetSystemIdentifier(),
					GetWALInsertionTimeLine(),
					(unsigned long long) l2_shared->nonce,
					(unsigned) cache_tag_slots);
}

const char *
l2_clock_name(void)
{
	static char name[L2_NAME_LENGTH];

	strlcpy(name + l2_prefix(name), "clock", 6);
	return name;
}

/*
 * Write the name of a result, given the digest of its key.
 */
static RedisArg
l2_entry_name(const uint8 *digest, char *name)
{
	int			len = l2_prefix(name);

	for (int i = 0; i < SEAL_LENGTH; i++)
		len += snprintf(name + len, L2_NAME_LENGTH - len, "%02x", digest[i]);
	return (RedisArg)
	{
		name, len
	};
}

bool
l2_usable(const ClockStamp *deps, int ndeps)
{
	if (redis_state() != REDIS_UP || RecoveryInProgress())
		return false;
	for (int i = 0; i < ndeps; i++)
	{
		if (deps[i].version == 0)
			return false;
	}
	return true;
}

/*
 * The digest of a key.  Redis is not asked if there is none.
 */
static bool
l2_key_digest(const CacheKey *key, uint8 *digest)
{
	return seal_make(SEAL_KEY, "", 0, key->data, key->len, digest);
}

/*
 * Sign the value of a key, but for the signature in it.
 */
static bool
l2_sign(const uint8 *digest, const char *value, Size len, uint8 *signature)
{
	const Size	skip = offsetof(L2Header, magic);

	return seal_make(SEAL_VALUE, digest, SEAL_LENGTH, value + skip, len - skip,
					 signature);
}

static void
l2_pack_deps(const ClockStamp *deps, int ndeps, L2Dep *packed)
{
	for (int i = 0; i < ndeps; i++)
	{
		packed[i].slot = deps[i].slot;
		packed[i].version = deps[i].version;
	}
}

/*
 * Is this the value of the key with that digest, genuine and whole?
 */
static bool
l2_genuine(const uint8 *digest, const char *value, Size len)
{
	const L2Header *header = (const L2Header *) value;
	uint8		signature[SEAL_LENGTH];

	if (len < sizeof(L2Header) || !l2_sign(digest, value, len, signature) ||
		!seal_equals(signature, header->signature) || header->magic != L2_MAGIC)
		return false;
	len -= sizeof(L2Header);
	return header->ndeps <= len / sizeof(L2Dep) &&
		header->payload_len == len - header->ndeps * sizeof(L2Dep);
}

/*
 * Do the versions in a genuine value equal those of the reader?
 */
static bool
l2_current(const char *value, const ClockStamp *deps, int ndeps)
{
	const L2Header *header = (const L2Header *) value;
	const L2Dep *packed = (const L2Dep *) (value + sizeof(L2Header));

	if (header->ndeps != (uint64) ndeps)
		return false;
	for (int i = 0; i < ndeps; i++)
	{
		if (packed[i].slot != deps[i].slot ||
			packed[i].version != deps[i].version)
			return false;
	}
	return true;
}

bool
l2_get(const CacheKey *key, const ClockStamp *deps, int ndeps,
	   StoreAsker *asker, StoreResult *result)
{
	char		name[L2_NAME_LENGTH];
	uint8		digest[SEAL_LENGTH];
	RedisArg	args[2] = {{"GET", 3}};
	RedisReply	reply;
	L2Header   *header;
	Size		max_reply;

	if (!l2_key_digest(key, digest))
		return false;
	args[1] = l2_entry_name(digest, name);
	max_reply = sizeof(L2Header) + ndeps * sizeof(L2Dep) +
		(Size) cache_max_entry_size * 1024;
	if (!redis_command(args, 2, max_reply, &reply) ||
		reply.kind != REDIS_REPLY_BYTES)
		return false;

	if (!l2_genuine(digest, reply.data, reply.len))
	{
		stats_add(STATS_L2_REJECTED, 1);
		pfree(reply.data);
		return false;
	}
	header = (L2Header *) reply.data;
	if (!l2_current(reply.data, deps, ndeps))
	{
		pfree(reply.data);
		return false;
	}
	if (asker->now >= store_end(&header->times, asker->ttl_us))
	{
		if (asker->now < header->times.expires)
			asker->others_ttl_us = Max(asker->others_ttl_us,
									   header->times.ttl_us);
		pfree(reply.data);
		return false;
	}
	result->times = header->times;
	result->len = header->payload_len;
	result->pin = NULL;
	result->payload = reply.data + reply.len - header->payload_len;
	return true;
}

void
l2_put(const CacheKey *key, const ClockStamp *deps, int ndeps,
	   const StoreTimes *times, const char *payload, Size len)
{
	char		name[L2_NAME_LENGTH];
	char		px[32];
	Size		deps_len = ndeps * sizeof(L2Dep);
	Size		size = sizeof(L2Header) + deps_len + len;
	uint8		digest[SEAL_LENGTH];
	RedisArg	args[5] = {{"SET", 3}};
	RedisReply	reply;
	L2Header   *header;
	char	   *value;
	long		left;

	left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
										   times->expires);
	if (left <= 0 || !l2_key_digest(key, digest))
		return;
	value = MemoryContextAllocExtended(CurrentMemoryContext, size,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM |
									   MCXT_ALLOC_ZERO);
	if (value == NULL)
		return;
	header = (L2Header *) value;
	header->magic = L2_MAGIC;
	header->times = *times;
	header->ndeps = ndeps;
	header->payload_len = len;
	l2_pack_deps(deps, ndeps, (L2Dep *) (header + 1));
	memcpy(value + size - len, payload, len);

	if (l2_sign(digest, value, size, header->signature))
	{
		args[1] = l2_entry_name(digest, name);
		args[2] = (RedisArg)
		{
			value, size
		};
		args[3] = (RedisArg)
		{
			"PX", 2
		};
		args[4] = (RedisArg)
		{
			px, snprintf(px, sizeof(px), "%ld", left)
		};
		if (redis_command(args, 5, 1024, &reply) && reply.kind == REDIS_REPLY_BYTES)
			pfree(reply.data);
	}
	pfree(value);
}
