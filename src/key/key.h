/*-------------------------------------------------------------------------
 *
 * key.h
 *	  What makes two requests the same request.
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
	KEY_FORM_PLAIN = 'p',		/* the same, of a query as it was sent */
	KEY_FORM_SHADOW = 's'		/* a mark instead of such a result */
} KeyForm;

#define KEY_DIGEST_LENGTH 32

/*
 * A key: of a request, which says who asks for which statement under which
 * settings, or of a result, which says what that means and with which
 * parameters.  Two keys are the same iff all of their bytes are equal.
 */
typedef struct CacheKey
{
	char	   *data;			/* palloc'd, starts with a KeyHeader */
	uint32		len;
	uint32		size;			/* allocated */
	uint32		front_len;		/* of a request: without its session part */
	uint64		hash;			/* of all bytes, keyed; of a request, of its
								 * front, and not keyed */
	const char *label;			/* text that people are shown, if the key has
								 * none; no part of it */
	uint32		label_len;
} CacheKey;

/* What the keys of a statement's results have in common, as analysed. */
typedef struct KeyHead
{
	char	   *data;			/* palloc'd */
	uint32		len;
	uint64		hash;
	uint8		digest[KEY_DIGEST_LENGTH];	/* of these bytes */
	bool		opaque;			/* all settings are in it */
} KeyHead;

/*
 * What is found at the start of a key's bytes.  No padding, no pointers.
 */
typedef struct KeyHeader
{
	uint32		query_len;
	uint32		tags_len;
	uint32		name_len;
	uint32		types_len;
	Oid			database;
	Oid			user;			/* both zero in the key of a shared result */
	Oid			session_user;
	uint32		form;			/* a KeyForm */
	uint32		automatic;		/* 1 if the cache owns freshness (tags NULL) */
} KeyHeader;

/*
 * Text, tags or parameters of a plain statement that are larger are in no key:
 * together they could be larger than a key can be, which is an error.
 */
#define KEY_MAX_PART ((Size) MaxAllocSize / 8)

/* The parts of a complete key that people are shown. */
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

/* What the hashes of results are keyed by; once in each process. */
extern void key_set_secret(const SipHashKey *secret);

/*
 * Make the key of a request in the current memory context, as far as its
 * front: who asks for what.
 *
 * query, query_len: text of the query; tags: its tags, each followed by a zero
 * byte, sorted and unique; name: of a named query, or NULL; automatic:
 * freshness is owned by the cache; types, ntypes: parameter types.
 */
extern void key_begin(CacheKey *key, KeyForm form, const char *query,
					  uint32 query_len, const char *tags, uint32 tags_len,
					  const char *name, bool automatic, const Oid *types,
					  int ntypes);

/* Append the session part, unless that is done. */
extern void key_finish(CacheKey *key);

/* Are who asks, and the settings, still what a finished key of a request says? */
extern bool key_is_present(const CacheKey *key);

/*
 * Make the head of result keys for the finished key of a request, in the current memory
 * context.  That of a plain query is without its text.  digest: KEY_DIGEST_LENGTH bytes that stand for what the statement
 * means; shared: neither who asks nor custom settings can change the result;
 * opaque: any setting might.
 */
extern void key_make_head(const CacheKey *request, const uint8 *digest,
						  bool shared, bool opaque, KeyHead *head);

/* If a head is opaque, are all settings still those that it was made under? */
extern bool key_head_is_present(const KeyHead *head);

/*
 * Make the key of a result in the current memory context; params may be NULL.  False
 * if they are too large for one.
 */
extern bool key_complete(CacheKey *key, const KeyHead *head,
						 ParamListInfo params);

/* Append bytes to a key, growing it. */
extern void key_append_bytes(CacheKey *key, const void *data, Size len);

/*
 * Append the values of parameters, as result keys have them.  They must be flat:
 * no value may be compressed or stored elsewhere.  False, with part of them appended,
 * if they are too large.
 */
extern bool key_append_params(CacheKey *key, ParamListInfo params);

/*
 * SHA-256 of len bytes, KEY_DIGEST_LENGTH of them, into digest; or, if it cannot be
 * computed, bytes that stand for nothing else, and are others the next time.
 */
extern void key_digest(const void *data, size_t len, uint8 *digest);

/*
 * A second hash of a complete key, which depends on the secret in another way
 * than the first.  Together they are 128 bits that nobody can make collide who
 * does not know the secret.
 */
extern uint64 key_check(const CacheKey *key);

/* Take apart a complete key; false if the bytes cannot be one. */
extern bool key_parts(const char *data, uint32 len, KeyParts *parts);

#endif							/* CACHE_KEY_H */
