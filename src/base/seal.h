/*-------------------------------------------------------------------------
 *
 * seal.h
 *	  Digests that only this server can compute.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SEAL_H
#define CACHE_SEAL_H

#define SEAL_LENGTH 32

/* Length of a short name with its terminating zero byte. */
#define SEAL_NAME_LENGTH 17

/*
 * The purpose of a digest.  A digest made for one purpose reveals nothing
 * about digests made for others.
 */
typedef enum SealPurpose
{
	SEAL_NAME = 'n',			/* a name that is shown to users */
	SEAL_KEY = 'k',				/* the name of a key in Redis */
	SEAL_VALUE = 'v'			/* the signature of a value in Redis */
} SealPurpose;

extern Size seal_shmem_size(void);
extern void seal_shmem_init(void);

/* Raises ERRCODE_DATA_CORRUPTED if the secret is all zeros. */
extern void seal_verify(void);

/*
 * Compute the digest, of SEAL_LENGTH bytes, of two pieces of data.  For any
 * given purpose the first piece always has the same length.  Returns false if
 * the digest could not be computed.
 */
extern bool seal_make(SealPurpose purpose, const void *first, size_t first_len,
					  const void *second, size_t second_len, uint8 *digest);

/* Are two digests equal?  Takes the same time wherever they differ. */
extern bool seal_equals(const uint8 *a, const uint8 *b);

/*
 * A short name for data, in hexadecimal.  Returns false if it could not be
 * computed.
 */
extern bool seal_name(const void *data, size_t len, char *name);

#endif							/* CACHE_SEAL_H */
