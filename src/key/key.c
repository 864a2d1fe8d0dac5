/*-------------------------------------------------------------------------
 *
 * key.c
 *	  Keys: which requests are the same, and which have the same result.
 *
 * A key is a string of bytes.  There are two kinds.  The key of a request says
 * who asks, for which text, and under which settings; the analysed statement
 * is found by it (statement.c).  The key of a result also says what the
 * statement means (a digest of the analysed query) and which parameters it
 * gets.  A key is made of
 *
 *	KeyHeader | query | tags | name | parameter types	the front
 *	digest of search path and settings					the session part
 *	digest of the meaning								results only, as
 *	digest of all settings, if opaque | parameters		is this
 *
 * For instance,
 *
 *	SELECT cached_query('SELECT count(*) FROM story WHERE author = $1',
 *						300, '{story}', 42);
 *
 * has the text, "story" and the type int4 in its front, and 42 at the end of
 * the key of its result.  The meaning tells apart two tables named story that
 * the text meets under two search paths, or before and after one is dropped
 * and created again.
 *
 * Results of plain statements have no text in their keys; the digest of the
 * meaning identifies the statement.  So
 *
 *	SELECT count(*) FROM story
 *	select count(*)  from story	-- the same
 *
 * have one result.  Of settings, keys contain only SHA-256 digests.  Values of
 * settings can be secrets, and cannot be read from a key.
 *
 * Comparison.  Two keys are equal if all their bytes are; the hash is used
 * only to find an entry.  The hash of a result's key is keyed by a secret of
 * this server run, so nobody can write queries whose results collide in the
 * hash table.  The hash of a request's key needs no secret, because only its
 * own backend uses it.  Every part of a key has a fixed length or a length in
 * the header, so different requests always have different bytes.
 *
 * Shared results.  The analysis may prove that neither the user nor a custom
 * setting can change the result (depend.c).  Then the result's key contains no
 * user, and only those settings that the meaning of texts, built-in functions
 * and types depends on (settings_append_shared).  Everybody shares such a
 * result.  Users who may not see it are turned away by the check of privileges
 * before the lookup.
 *
 * Users are in keys by oid.  settings.c decides what else of the session goes
 * into a key, and when two sessions are in the same state.
 *
 * What this file must not do: read catalogs, or know about the store or about
 * single settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/breakage.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "key/key.h"
#include "key/settings.h"
#include "key/siphash.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The digest of a part is remembered only if the part has no more bytes. */
#define KEY_MAX_SEEN (64 * 1024)

/* Bytes that are digested between looks for interrupts. */
#define KEY_DIGEST_STEP ((size_t) 1024 * 1024)

/*
 * The parts of keys that are digests of settings: the session part of a
 * request, of a text or a plain statement; that of a shared result, likewise;
 * all settings.
 */
typedef enum KeyPart
{
	KEY_PART_TEXT,
	KEY_PART_PLAIN,
	KEY_PART_SHARED_TEXT,
	KEY_PART_SHARED_PLAIN,
	KEY_PART_ALL
} KeyPart;

/*
 * The bytes that a part was last computed from, and their digest.  Most
 * requests of a session come under the same settings.
 */
typedef struct KeyPartSeen
{
	StringInfoData bytes;		/* empty at first */
	uint8		digest[KEY_DIGEST_LENGTH];
} KeyPartSeen;

static KeyPartSeen key_parts_seen[KEY_PART_ALL + 1];

/* The secret that hashes of results are keyed by; drawn at server start. */
static SipHashKey key_secret;

void
key_set_secret(const SipHashKey *secret)
{
	key_secret = *secret;
}

/* The most bytes that a key can have. */
#define KEY_MAX_LENGTH (MaxAllocSize / 2)

static void
key_reserve(CacheKey *key, Size more)
{
	Size		needed = (Size) key->len + more;

	if (needed <= key->size)
		return;
	if (needed > KEY_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("query and parameters are too large to be a cache key"),
				 errdetail("They have %zu bytes.", needed),
				 errhint("Run the query without the cache.")));
	key->size = Max(needed, (Size) key->size * 2);
	key->data = repalloc(key->data, key->size);
}

void
key_append_bytes(CacheKey *key, const void *data, Size len)
{
	key_reserve(key, len);
	memcpy(key->data + key->len, data, len);
	key->len += len;
}

/* Does a key belong to a plain statement? */
static inline bool
key_is_plain(uint32 form)
{
	return form == KEY_FORM_PLAIN || form == KEY_FORM_SHADOW;
}

void
key_begin(CacheKey *key, KeyForm form, const char *query, uint32 query_len,
		  const char *tags, uint32 tags_len, const char *name, bool automatic,
		  const Oid *types, int ntypes)
{
	KeyHeader	header;

	memset(key, 0, sizeof(*key));
	key->size = 1024;
	key->data = palloc(key->size);

	header.query_len = query_len;
	header.tags_len = tags_len;
	header.name_len = name != NULL ? strlen(name) : 0;
	header.types_len = ntypes * sizeof(Oid);
	header.database = MyDatabaseId;
	header.user = BREAK_ROLE ? InvalidOid : GetUserId();
	header.session_user = BREAK_ROLE ? InvalidOid : GetSessionUserId();
	header.form = form;
	header.automatic = automatic;
	key_append_bytes(key, &header, sizeof(header));
	key_append_bytes(key, query, query_len);
	key_append_bytes(key, tags, tags_len);
	if (name != NULL)
		key_append_bytes(key, name, header.name_len);
	key_append_bytes(key, types, header.types_len);

	key->front_len = key->len;
	key->hash = hash_bytes_extended((unsigned char *) key->data, key->len, 0);
}

/*
 * Write the bytes that a part of a key is the digest of.
 */
static void
key_write_part(StringInfo buf, KeyPart part)
{
	switch (part)
	{
		case KEY_PART_TEXT:
		case KEY_PART_PLAIN:
			settings_append_session(buf, part == KEY_PART_PLAIN);
			break;
		case KEY_PART_SHARED_TEXT:
		case KEY_PART_SHARED_PLAIN:
			settings_append_shared(buf, part == KEY_PART_SHARED_PLAIN);
			break;
		case KEY_PART_ALL:
			settings_append_all(buf);
			break;
	}
}

static void
key_reset_buffer(StringInfo buf)
{
	MemoryContext old;

	if (buf->data != NULL)
	{
		resetStringInfo(buf);
		return;
	}
	old = MemoryContextSwitchTo(TopMemoryContext);
	initStringInfo(buf);
	MemoryContextSwitchTo(old);
}

/*
 * Compute the digest of a part for the present settings.
 */
static void
key_digest_part(KeyPart part, uint8 *digest)
{
	static StringInfoData now;
	KeyPartSeen *seen = &key_parts_seen[part];
	StringInfoData swapped;

	key_reset_buffer(&now);
	key_write_part(&now, part);
	if (now.len == seen->bytes.len &&
		memcmp(now.data, seen->bytes.data, now.len) == 0)
	{
		memcpy(digest, seen->digest, KEY_DIGEST_LENGTH);
		return;
	}
	key_digest(now.data, now.len, digest);
	if (now.len > KEY_MAX_SEEN)
	{
		pfree(now.data);
		now.data = NULL;
		return;
	}
	memcpy(seen->digest, digest, KEY_DIGEST_LENGTH);
	swapped = seen->bytes;
	seen->bytes = now;
	now = swapped;
}

static void
key_append_part(CacheKey *key, KeyPart part)
{
	uint8		digest[KEY_DIGEST_LENGTH];

	key_digest_part(part, digest);
	key_append_bytes(key, digest, KEY_DIGEST_LENGTH);
}

static KeyPart
key_session_part(const CacheKey *key)
{
	return key_is_plain(((KeyHeader *) key->data)->form) ?
		KEY_PART_PLAIN : KEY_PART_TEXT;
}

void
key_finish(CacheKey *key)
{
	if (key->len == key->front_len)
		key_append_part(key, key_session_part(key));
}

bool
key_is_present(const CacheKey *key)
{
	const KeyHeader *header = (KeyHeader *) key->data;
	uint8		digest[KEY_DIGEST_LENGTH];

	if (!BREAK_ROLE && (header->user != GetUserId() ||
						header->session_user != GetSessionUserId()))
		return false;
	key_digest_part(key_session_part(key), digest);
	return memcmp(key->data + key->front_len, digest, KEY_DIGEST_LENGTH) == 0;
}

void
key_read_session(KeySession *session)
{
	session->user = GetUserId();
	session->session_user = GetSessionUserId();
	key_digest_part(KEY_PART_PLAIN, session->plain);
	key_digest_part(KEY_PART_ALL, session->all);
}

bool
key_append_params(CacheKey *key, ParamListInfo params)
{
	for (int i = 0; i < params->numParams; i++)
	{
		ParamExternData *param = &params->params[i];
		int16		typlen;
		bool		typbyval;
		int32		len = -1;

		if (param->isnull)
		{
			key_append_bytes(key, &len, sizeof(len));
			continue;
		}
		get_typlenbyval(param->ptype, &typlen, &typbyval);
		if (typbyval)
		{
			len = sizeof(Datum);
			key_append_bytes(key, &len, sizeof(len));
			key_append_bytes(key, &param->value, sizeof(Datum));
		}
		else
		{
			len = (int32) datumGetSize(param->value, typbyval, typlen);
			if ((Size) key->len + len > KEY_MAX_LENGTH - 1024)
				return false;
			key_append_bytes(key, &len, sizeof(len));
			key_append_bytes(key, DatumGetPointer(param->value), len);
		}
	}
	return true;
}

/*
 * Append the front of a request's key to that of a result.
 */
static void
key_append_front(CacheKey *key, const CacheKey *request)
{
	KeyHeader	header = *(KeyHeader *) request->data;
	const char *query = request->data + sizeof(header);
	uint32		query_len = header.query_len;

	if (key_is_plain(header.form))
		header.query_len = 0;
	key_append_bytes(key, &header, sizeof(header));
	key_append_bytes(key, query, header.query_len);
	key_append_bytes(key, query + query_len,
					 request->front_len - query_len - sizeof(header));
}

/*
 * The same for a shared result: without the user, and with the session part of
 * shared results.
 */
static void
key_share(const CacheKey *request, CacheKey *shared)
{
	KeyHeader  *header;

	key_append_front(shared, request);
	header = (KeyHeader *) shared->data;
	key_append_part(shared, key_is_plain(header->form) ?
					KEY_PART_SHARED_PLAIN : KEY_PART_SHARED_TEXT);
	header = (KeyHeader *) shared->data;
	header->user = InvalidOid;
	header->session_user = InvalidOid;
}

void
key_make_head(const CacheKey *request, const uint8 *digest, bool shared,
			  bool opaque, KeyHead *head)
{
	CacheKey	key;

	memset(&key, 0, sizeof(key));
	key.size = request->len + KEY_DIGEST_LENGTH;
	key.data = palloc(key.size);
	if (shared)
		key_share(request, &key);
	else
	{
		key_append_front(&key, request);
		key_append_bytes(&key, request->data + request->front_len,
						 request->len - request->front_len);
	}
	key_append_bytes(&key, digest, KEY_DIGEST_LENGTH);
	if (opaque)
		key_append_part(&key, KEY_PART_ALL);

	head->data = key.data;
	head->len = key.len;
	head->hash = siphash(&key_secret, 0, key.data, key.len);
	key_digest(key.data, key.len, head->digest);
	head->opaque = opaque;
}

bool
key_head_is_present(const KeyHead *head)
{
	uint8		digest[KEY_DIGEST_LENGTH];

	if (!head->opaque)
		return true;
	key_digest_part(KEY_PART_ALL, digest);
	return memcmp(head->data + head->len - KEY_DIGEST_LENGTH, digest,
				  KEY_DIGEST_LENGTH) == 0;
}

bool
key_complete(CacheKey *key, const KeyHead *head, ParamListInfo params)
{
	memset(key, 0, sizeof(*key));
	key->size = head->len + (params != NULL ? 64 * params->numParams : 0);
	key->data = palloc(key->size);
	key_append_bytes(key, head->data, head->len);
	key->hash = head->hash;
	if (params != NULL && !key_append_params(key, params))
		return false;
	if (key->len > head->len)
		key->hash = siphash(&key_secret, head->hash, key->data + head->len,
							key->len - head->len);
	return true;
}

uint64
key_check(const CacheKey *key)
{
	return siphash(&key_secret, ~key->hash, key->data, key->len);
}

uint64
key_hash_bytes(uint64 prefix, const void *data, Size len)
{
	return siphash(&key_secret, prefix, data, len);
}

/*
 * The update of a digest, in steps between which it can be cancelled.
 */
static bool
key_digest_update(pg_cryptohash_ctx *ctx, const char *data, size_t len)
{
	while (len > KEY_DIGEST_STEP)
	{
		CHECK_FOR_INTERRUPTS();
		if (pg_cryptohash_update(ctx, (const uint8 *) data, KEY_DIGEST_STEP) < 0)
			return false;
		data += KEY_DIGEST_STEP;
		len -= KEY_DIGEST_STEP;
	}
	return pg_cryptohash_update(ctx, (const uint8 *) data, len) >= 0;
}

void
key_digest(const void *data, size_t len, uint8 *digest)
{
	static uint64 serial;
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	if (ctx == NULL ||
		pg_cryptohash_init(ctx) < 0 ||
		!key_digest_update(ctx, data, len) ||
		pg_cryptohash_final(ctx, digest, KEY_DIGEST_LENGTH) < 0)
	{
		memset(digest, 0, KEY_DIGEST_LENGTH);
		serial++;
		memcpy(digest, &serial, sizeof(serial));
		memcpy(digest + sizeof(serial), &MyStartTimestamp, sizeof(MyStartTimestamp));
		memcpy(digest + 2 * sizeof(serial), &MyProcPid, sizeof(MyProcPid));
	}
	if (ctx != NULL)
		pg_cryptohash_free(ctx);
}

bool
key_parts(const char *data, uint32 len, KeyParts *parts)
{
	KeyHeader	header;

	if (len < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	if ((uint64) header.query_len + header.tags_len + header.name_len + header.types_len +
		2 * KEY_DIGEST_LENGTH > len - sizeof(header))
		return false;
	parts->database = header.database;
	parts->user = header.user;
	parts->form = header.form;
	parts->automatic = header.automatic;
	parts->named = header.name_len > 0;
	parts->query = data + sizeof(header);
	parts->query_len = header.query_len;
	parts->tags = parts->query + header.query_len;
	parts->tags_len = header.tags_len;
	return true;
}
