/*-------------------------------------------------------------------------
 *
 * siphash.c
 *	  A keyed hash: without the key, nobody can make collisions.
 *
 * This is SipHash-1-3 (Aumasson and Bernstein, 2012), with one round for each
 * word of the message and three final rounds, as the hash tables of several
 * programming languages use it.  The hash function of PostgreSQL's own hash
 * tables is as fast, but collisions of it can be computed, whatever the seed.
 *
 * The prefix is hashed as the first word of the message.  So if the prefix is
 * the hash of some bytes, the result is a hash of those bytes and the
 * following ones (key_complete).  Words are read in the byte order of the
 * machine, because hashes never leave it.
 *
 * What this file must not do: choose a key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "key/siphash.h"

#define SIPHASH_FINAL_ROUNDS 3

typedef struct SipHashState
{
	uint64		a;
	uint64		b;
	uint64		c;
	uint64		d;
} SipHashState;

static inline uint64
siphash_rotate(uint64 word, int bits)
{
	return (word << bits) | (word >> (64 - bits));
}

static inline void
siphash_round(SipHashState *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = siphash_rotate(s->b, 13) ^ s->a;
	s->d = siphash_rotate(s->d, 16) ^ s->c;
	s->a = siphash_rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = siphash_rotate(s->b, 17) ^ s->c;
	s->d = siphash_rotate(s->d, 21) ^ s->a;
	s->c = siphash_rotate(s->c, 32);
}

static inline void
siphash_word(SipHashState *s, uint64 word)
{
	s->d ^= word;
	siphash_round(s);
	s->a ^= word;
}

uint64
siphash(const SipHashKey *key, uint64 prefix, const void *data, Size len)
{
	SipHashState s = {
		key->words[0] ^ UINT64CONST(0x736f6d6570736575),
		key->words[1] ^ UINT64CONST(0x646f72616e646f6d),
		key->words[0] ^ UINT64CONST(0x6c7967656e657261),
		key->words[1] ^ UINT64CONST(0x7465646279746573)
	};
	const char *bytes = data;
	uint64		last = (uint64) (len + sizeof(prefix)) << 56;
	uint64		word;

	siphash_word(&s, prefix);
	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word))
	{
		memcpy(&word, bytes, sizeof(word));
		siphash_word(&s, word);
	}
	for (Size i = 0; i < len; i++)
		last |= (uint64) (unsigned char) bytes[i] << (8 * i);
	siphash_word(&s, last);

	s.c ^= 0xff;
	for (int i = 0; i < SIPHASH_FINAL_ROUNDS; i++)
		siphash_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}
