/*-------------------------------------------------------------------------
 *
 * key.h
 *	  Keys: which requests are the same, and which have the same result.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_KEY_H
#define CACHE_KEY_H

#include "key/siphash.h"
#include "nodes/params.h"
#include "utils/array.h"

/* How the rows of a result are represented. */
typedef enum KeyForm
{
	KEY_FORM_JSON = 'j',		/* one json value per row */
	KEY_FORM_ROWS = 'r',		/* one tuple per row */
	KEY_FORM_PLAIN = 'p',		/* the same, for a plain statement */
	KEY_FORM_SHADOW = 's'		/* a mark in place of such a result */
} KeyForm;

#define KEY_DIGEST_LENGTH 32

/*
 * The key of a request, which says who asks for which statement under which
 * settings; or the key of a result, which also says what the statement means
 * and which parameters it gets.  Two keys are equal iff all their bytes are.
 */
typedef struct CacheKey
{
	char	   *data;			/* palloc'd, starts with a KeyHeader */
	uint32		len;
	uint32		size;			/* allocated */
	uint32		front_len;		/* request: length without the session part */
	uint64		hash;			/* result: of all bytes, keyed; request: of
								 * the front, not keyed */
	const char *label;			/* text to show, if the key contains none; not
								 * part of the key */
	uint32		label_len;
} CacheKey;

/* The key of a statement's results, without parameters. */
typedef struct KeyHead
{
	char	   *data;			/* palloc'd */
	uint32		len;
	uint64		hash;
	uint8		digest[KEY_DIGEST_LENGTH];	/* of these bytes */
	bool		opaque;			/* a digest of all settings is in it */
} KeyHead;

/*
 * The first bytes of every key.  Has no padding and no pointers.
 */
typedef struct KeyHeader
{
	uint32		query_len;
	uint32		tags_len;
	uint32		name_len;
	uint32		types_len;
	Oid			database;
	Oid			user;			/* zero in the key of a shared result */
	Oid			session_user;	/* zero in the key of a shared result */
	uint32		form;			/* a KeyForm */
	uint32		automatic;		/* 1 if the cache owns freshness (tags NULL) */
} KeyHeader;

/*
 * A plain statement whose text, tags or parameters are larger than this is not
 * cached.  Together they could exceed the size of a key, which is an error.
 */
#define KEY_MAX_PART ((Size) MaxAllocSize / 8)

/* The parts of a result's key that are shown in views. */
typedef struct KeyParts
{
	Oid			database;
	Oid			user;
	KeyForm		form;
	bool		automatic;
	bool		named;			/* of a named query */
	const char *query;			/* not terminated */
	uint32		query_len;
	const char *tags;			/* tags, each terminated by a zero byte */
	uint32		tags_len;
} KeyParts;

/*
 * Set the secret that hashes of results are keyed by.  Once in each process.
 */
extern void key_set_secret(const SipHashKey *secret);

/*
 * Make the front of a request's key in the current memory context.
 *
 * query, query_len: text of the query; tags, tags_len: its tags, sorted and
 * unique, each followed by a zero byte; name: of the named query, or NULL;
 * automatic: the cache is responsible for freshness; types, ntypes: parameter
 * types.
 */
extern void key_begin(CacheKey *key, KeyForm form, const char *query,
					  uint32 query_len, const char *tags, uint32 tags_len,
					  const char *name, bool automatic, const Oid *types,
					  int ntypes);

/* Append the session part, unless it is there. */
extern void key_finish(CacheKey *key);

/*
 * Are the users and settings in a finished key of a request the present ones?
 */
extern bool key_is_present(const CacheKey *key);

/*
 * Make the head of result keys from the finished key of a request, in the
 * current memory context.  For a plain statement, the head does not contain
 * the text.  digest: of the meaning of the statement, KEY_DIGEST_LENGTH bytes;
 * shared: neither the user nor a custom setting can change the result; opaque:
 * any setting may.
 */
extern void key_make_head(const CacheKey *request, const uint8 *digest,
						  bool shared, bool opaque, KeyHead *head);

/* If a head is opaque, are all settings in it the present ones? */
extern bool key_head_is_present(const KeyHead *head);

/*
 * Make the key of a result in the current memory context.  params may be NULL.
 * Returns false if the parameters are too large.
 */
extern bool key_complete(CacheKey *key, const KeyHead *head,
						 ParamListInfo params);

/*
 * The state of a session: its users, and digests of all settings.  Two states
 * are the same if their bytes are equal.
 */
typedef struct KeySession
{
	Oid			user;
	Oid			session_user;
	uint8		plain[KEY_DIGEST_LENGTH];
	uint8		all[KEY_DIGEST_LENGTH];
} KeySession;

/* Read the present state of this session. */
extern void key_read_session(KeySession *session);

/* Append bytes to a key, which is enlarged as needed. */
extern void key_append_bytes(CacheKey *key, const void *data, Size len);

/*
 * Append the values of parameters as in the key of a result.  They must be
 * flat: neither compressed nor stored out of line.  Returns false if they are
 * too large; some may have been appended then.
 */
extern bool key_append_params(CacheKey *key, ParamListInfo params);

/*
 * Compute the SHA-256 of len bytes, KEY_DIGEST_LENGTH bytes.  If that fails,
 * digest gets bytes that are unique to this call, so that nothing equals them.
 */
extern void key_digest(const void *data, size_t len, uint8 *digest);

/*
 * A second hash of a result's key, which depends on the secret in a different
 * way than the first.  Without the secret, nobody can find two keys of which
 * both hashes, 128 bits together, are equal.
 */
extern uint64 key_check(const CacheKey *key);

/*
 * The hash of prefix and then len bytes that are no key, under the same
 * secret.
 */
extern uint64 key_hash_bytes(uint64 prefix, const void *data, Size len);

/* Take a result's key apart.  Returns false if the bytes cannot be one. */
extern bool key_parts(const char *data, uint32 len, KeyParts *parts);

#endif							/* CACHE_KEY_H */
