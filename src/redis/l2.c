/*-------------------------------------------------------------------------
 *
 * l2.c
 *	  Results in Redis: how they are named, signed, versioned and checked.
 *
 * A result is one string in Redis.  Its name is a keyed digest (seal.c) of the
 * result's key, under a prefix.  The prefix contains the cluster's system
 * identifier, the timeline, a random number drawn at server start, and the
 * number of slots.  Its value is
 *
 *	L2Header | dependencies | payload
 *
 * A dependency is a slot together with the version that it had when the result
 * was made.  A version is a WAL position that the worker gives a slot when it
 * tells Redis about the slot's changes (clock.c).
 *
 * When a value is used.  Redis may lose anything, and whoever can write to it
 * may forge anything.  l2_get uses a value only if all of the following holds:
 *
 *	- Its signature is right.  The signature is a keyed digest of the digest in
 *	  its name and of the whole rest of the value.
 *	- Its lengths add up.
 *	- Its dependencies are those of the reader, with the versions in this
 *	  server's shared memory.
 *	- It has not expired.
 *
 * This server never reads versions from Redis.  So a value that is lost, old,
 * stored under another name or forged is a miss.
 *
 * What Redis can learn: the rows of results, and when they were made.  All it
 * gets of a key is a digest that cannot be compared with guesses without the
 * secret: no text, tag, setting or parameter.
 *
 * Why no stale result is served.  While clock_read returns a version for a
 * slot, that version stands for the slot's present generation.  When the slot
 * ticks, it has no version until the worker has recorded a new one, and
 * versions only increase.  A result is put under a version only if it was
 * computed after the version was read, and if afterwards the slot's generation
 * was still the same.  So two results with the same version of a slot contain
 * the same changes of what the slot stands for.
 *
 * After a restart, prefix and secret are new.  Nobody finds what an earlier
 * run of the server has left in Redis; it expires there.
 *
 * A failure to get a result is a miss.  A failure to put one is ignored.
 * redis.c keeps both short, and makes them rare while Redis is down.
 *
 * What this file must not do: talk to Redis except through redis.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/guc.h"
#include "base/breakage.h"
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
	uint8		signature[SEAL_LENGTH]; /* of the key's digest and all that
										 * follows */
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

	pg_atomic_uint64 base;		/* written by the worker only */
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
 * Check that the base is a WAL position that has been reached.
 */
void
l2_verify(void)
{
	XLogRecPtr	base = l2_base();

	if (base != InvalidXLogRecPtr && !RecoveryInProgress() &&
		base > GetXLogInsertRecPtr())
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("base version in Redis is ahead of the WAL")));
}

/*
 * Write the prefix of all names of this server run.  Returns its length.
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
 * Compute the digest of a key.  If that fails, Redis is not used.
 */
static bool
l2_key_digest(const CacheKey *key, uint8 *digest)
{
	return seal_make(SEAL_KEY, "", 0, key->data, key->len, digest);
}

/*
 * Compute the signature of a value, given the digest of its key.  The
 * signature field itself is left out.
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
 * Does a value have the right signature, for the key with that digest, and the
 * right lengths?
 */
static bool
l2_genuine(const uint8 *digest, const char *value, Size len)
{
	const L2Header *header = (const L2Header *) value;
	uint8		signature[SEAL_LENGTH];

	if (len < sizeof(L2Header) || !l2_sign(digest, value, len, signature) ||
		(!BREAK_SIGNATURE && !seal_equals(signature, header->signature)) ||
		header->magic != L2_MAGIC)
		return false;
	len -= sizeof(L2Header);
	return header->ndeps <= len / sizeof(L2Dep) &&
		header->payload_len == len - header->ndeps * sizeof(L2Dep);
}

/*
 * Are the dependencies and versions in a genuine value those of the reader?
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
