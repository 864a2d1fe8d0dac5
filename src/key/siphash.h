/*-------------------------------------------------------------------------
 *
 * siphash.h
 *	  A keyed hash: without the key, nobody can make collisions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SIPHASH_H
#define CACHE_SIPHASH_H

typedef struct SipHashKey
{
	uint64		words[2];
} SipHashKey;

/* Compute the hash of prefix, followed by len bytes. */
extern uint64 siphash(const SipHashKey *key, uint64 prefix, const void *data,
					  Size len);

#endif							/* CACHE_SIPHASH_H */
