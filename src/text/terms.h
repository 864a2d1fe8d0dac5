/*-------------------------------------------------------------------------
 *
 * terms.h
 *	  The terms on which a result is cached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TERMS_H
#define CACHE_TERMS_H

/*
 * Either complete, or as far as a hint or a policy states them: there, zero and
 * NULL mean that it does not say.
 */
typedef struct Terms
{
	int			ttl;			/* s */
	int			stale;			/* s, how long an expired result is served */
	Size		max_entry_size; /* bytes */
	int64		min_cost_us;	/* to be stored; negative: admit.h decides */
	bool		automatic;		/* no tags were given */
	bool		policy_tags;	/* the tags are those of a policy */
	uint32		tags_len;
	const char *tags;			/* as in a key: sorted, each with a zero byte;
								 * never NULL in complete terms */
} Terms;

/*
 * Put what is stated over complete terms.  The size can only become smaller.
 */
extern void terms_refine(Terms *terms, const Terms *stated);

#endif							/* CACHE_TERMS_H */
