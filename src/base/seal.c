/*-------------------------------------------------------------------------
 *
 * seal.c
 *	  Digests that only this server can compute.
 *
 * A key contains data that a session may want to keep private: the text of a
 * query, its parameters, settings.  An unkeyed digest of a key does not
 * protect them, since anybody who sees it can compare it with the digests of
 * guesses.  So every digest that leaves the server or is shown to users is an
 * HMAC-SHA-256.  Its secret is drawn at random when the server starts, and
 * nobody is shown it.  Without the secret, nobody who can write to Redis can
 * forge a value that this server accepts.
 *
 * The input of the HMAC starts with a byte for the purpose of the digest, so
 * that a digest made for one purpose cannot be passed off as one for another.
 *
 * Locks: none.  The secret never changes.
 *
 * What this file must not do: give away the secret, or raise any error except
 * for lack of memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/seal.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "storage/shmem.h"

StaticAssertDecl(SEAL_LENGTH == PG_SHA256_DIGEST_LENGTH,
				 "a seal is made with SHA-256");

typedef struct SharedSeal
{
	uint8		secret[PG_SHA256_BLOCK_LENGTH]; /* immutable */
} SharedSeal;

static SharedSeal *seal_shared;

Size
seal_shmem_size(void)
{
	return sizeof(SharedSeal);
}

void
seal_shmem_init(void)
{
	bool		found;

	seal_shared = ShmemInitStruct("cache seal", seal_shmem_size(), &found);
	if (!found &&
		!pg_strong_random(seal_shared->secret, sizeof(seal_shared->secret)))
		ereport(FATAL,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random numbers"),
				 errhint("Check the random number generator of OpenSSL or of the operating system.")));
}

void
seal_verify(void)
{
	static const SharedSeal none;

	if (memcmp(seal_shared, &none, sizeof(none)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("secret of the cache is empty")));
}

bool
seal_make(SealPurpose purpose, const void *first, size_t first_len,
		  const void *second, size_t second_len, uint8 *digest)
{
	uint8		prefix = (uint8) purpose;
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);
	bool		done;

	if (ctx == NULL)
		return false;
	done = pg_hmac_init(ctx, seal_shared->secret, sizeof(seal_shared->secret)) >= 0 &&
		pg_hmac_update(ctx, &prefix, sizeof(prefix)) >= 0 &&
		pg_hmac_update(ctx, first, first_len) >= 0 &&
		pg_hmac_update(ctx, second, second_len) >= 0 &&
		pg_hmac_final(ctx, digest, SEAL_LENGTH) >= 0;
	pg_hmac_free(ctx);
	return done;
}

bool
seal_equals(const uint8 *a, const uint8 *b)
{
	uint8		difference = 0;

	for (int i = 0; i < SEAL_LENGTH; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

bool
seal_name(const void *data, size_t len, char *name)
{
	uint8		digest[SEAL_LENGTH];

	if (!seal_make(SEAL_NAME, "", 0, data, len, digest))
		return false;
	for (int i = 0; i < SEAL_NAME_LENGTH / 2; i++)
		snprintf(name + 2 * i, 3, "%02x", digest[i]);
	return true;
}
