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
 * The terms may be complete, or be those that a hint or policy states.  In the
 * latter, zero and NULL mean that nothing is stated.
 */
typedef struct Terms
{
	int			ttl;			/* s */
	int			stale;			/* s; for how long an expired result is served */
	Size		max_entry_size; /* bytes */
	int64		min_cost_us;	/* minimum execution time to be stored;
								 * negative: admit.h decides */
	bool		automatic;		/* no tags were given */
	bool		policy_tags;	/* the tags are those of a policy */
	uint32		tags_len;
	const char *tags;			/* as from tags_pack; never NULL in complete
								 * terms */
} Terms;

/*
 * Override complete terms with those that are stated.  The maximum size can
 * only become smaller.
 */
extern void terms_refine(Terms *terms, const Terms *stated);

#endif							/* CACHE_TERMS_H */
