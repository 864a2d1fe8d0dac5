/*-------------------------------------------------------------------------
 *
 * seal.h
 *	  Digests that only this server can make.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SEAL_H
#define CACHE_SEAL_H

#define SEAL_LENGTH 32

/* Room for a short name and a zero byte. */
#define SEAL_NAME_LENGTH 17

/* What a digest is for.  One for a purpose says nothing of those for others. */
typedef enum SealPurpose
{
	SEAL_NAME = 'n',			/* of something that people are shown */
	SEAL_KEY = 'k',				/* of what Redis keeps */
	SEAL_VALUE = 'v'			/* that Redis keeps */
} SealPurpose;

extern Size seal_shmem_size(void);
extern void seal_shmem_init(void);

/* ERRCODE_DATA_CORRUPTED if the secret is none. */
extern void seal_verify(void);

/*
 * The digest of two pieces of bytes, the first of which always has the same length
 * for the same purpose; SEAL_LENGTH bytes.  False if it cannot be made.
 */
extern bool seal_make(SealPurpose purpose, const void *first, size_t first_len,
					  const void *second, size_t second_len, uint8 *digest);

/* Are two digests equal?  That takes as long wherever they differ. */
extern bool seal_equals(const uint8 *a, const uint8 *b);

/* A short name for bytes, in hexadecimal.  False if it cannot be made. */
extern bool seal_name(const void *data, size_t len, char *name);

#endif							/* CACHE_SEAL_H */
