/*-------------------------------------------------------------------------
 *
 * key.c
 *	  What makes two requests the same request.
 *
 * A key is a string of bytes.  That of a request says who asks, for which
 * statement and under which settings; it finds the analysed statement.  That of
 * a result adds what the statement means there (a digest of the analysed query)
 * and which parameters it gets:
 *
 *	KeyHeader | query | tags | name | parameter types	the front
 *	length | search path, settings						the session part
 *	digest | texts otherwise ignored, if opaque | parameters
 *
 * The result of a plain statement has no text in its key, so that comments make
 * no difference; the digest says it all.
 *
 * Entries are compared by all of these bytes; the hash only finds them.  Every
 * part has its length before it or in the header, so that no two different
 * requests give the same bytes.
 *
 * Shared results.  If the analysis has proved that neither the user nor a
 * custom setting can change the result (depend.c), its key holds no user, and
 * of the settings just those that built-in functions and types look at
 * (settings_append_shared).  Such a result is the same for everyone, and who may
 * not see it is kept out by the check of privileges before the lookup.
 *
 * Users are in the key by oid.  What the key has of the session besides, and
 * when two sessions are in the same state, is the subject of settings.c.
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
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static void
key_reserve(CacheKey *key, Size more)
{
	Size		needed = (Size) key->len + more;

	if (needed <= key->size)
		return;
	if (needed > MaxAllocSize / 2)
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

/* Is a key one of a query as it was sent? */
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
 * Append the session part, with its length before it.
 */
static void
key_append_session(CacheKey *key, bool shared)
{
	bool		plain = key_is_plain(((KeyHeader *) key->data)->form);
	StringInfoData session;
	uint32		len;

	initStringInfo(&session);
	if (shared)
		settings_append_shared(&session, plain);
	else
		settings_append_session(&session, plain);
	len = session.len;
	key_append_bytes(key, &len, sizeof(len));
	key_append_bytes(key, session.data, len);
	pfree(session.data);
}

void
key_finish(CacheKey *key)
{
	if (key->len == key->front_len)
		key_append_session(key, false);
}

/*
 * Append the values of the parameters.
 */
void
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
			key_append_bytes(key, &len, sizeof(len));
			key_append_bytes(key, DatumGetPointer(param->value), len);
		}
	}
}

/*
 * Append the front of a request's key, for results.
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
 * The same, without who asks, and with the settings of shared results.
 */
static void
key_share(const CacheKey *request, CacheKey *shared)
{
	KeyHeader  *header;

	key_append_front(shared, request);
	key_append_session(shared, true);
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

	head->data = key.data;
	head->len = key.len;
	head->hash = hash_bytes_extended((unsigned char *) key.data, key.len, 0);
	key_digest(key.data, key.len, head->digest);
	head->opaque = opaque;
}

void
key_complete(CacheKey *key, const KeyHead *head, ParamListInfo params)
{
	memset(key, 0, sizeof(*key));
	key->size = head->len + (params != NULL ? 64 * params->numParams : 0);
	key->data = palloc(key->size);
	key_append_bytes(key, head->data, head->len);
	key->hash = head->hash;
	if (head->opaque)
	{
		StringInfoData texts;

		initStringInfo(&texts);
		settings_append_ignored_texts(&texts);
		key_append_bytes(key, texts.data, texts.len);
		pfree(texts.data);
	}
	if (params != NULL)
		key_append_params(key, params);
	if (key->len > head->len)
		key->hash = hash_bytes_extended((unsigned char *) key->data + head->len,
										key->len - head->len, head->hash);
}

void
key_digest(const void *data, size_t len, uint8 *digest)
{
	static uint64 serial;
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	if (ctx == NULL ||
		pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, data, len) < 0 ||
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
		sizeof(uint32) + KEY_DIGEST_LENGTH > len - sizeof(header))
		return false;
	parts->database = header.database;
	parts->user = header.user;
	parts->form = header.form;
	parts->automatic = header.automatic;
	parts->query = data + sizeof(header);
	parts->query_len = header.query_len;
	parts->tags = parts->query + header.query_len;
	parts->tags_len = header.tags_len;
	return true;
}
