/*-------------------------------------------------------------------------
 *
 * siphash.h
 *	  A keyed hash: who does not know the key cannot make collisions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SIPHASH_H
#define CACHE_SIPHASH_H

typedef struct SipHashKey
{
	uint64		words[2];
} SipHashKey;

/* The hash of prefix and then len bytes. */
extern uint64 siphash(const SipHashKey *key, uint64 prefix, const void *data,
					  Size len);

#endif							/* CACHE_SIPHASH_H */
