/*-------------------------------------------------------------------------
 *
 * admit.h
 *	  Decides which statements are worth caching.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_ADMIT_H
#define CACHE_ADMIT_H

extern Size admit_shmem_size(void);
extern void admit_shmem_init(void);

/*
 * Compute the shape of a statement: a hash of its text without its literals,
 * white space and comments.  location and len say where it is in the text, as
 * in a Query.
 */
extern uint64 admit_shape(const char *text, int location, int len);

/* The verdict on the statements of a shape. */
typedef enum AdmitVerdict
{
	ADMIT_UNKNOWN,
	ADMIT_CHEAP,				/* executing is about as fast as serving */
	ADMIT_EXPENSIVE
} AdmitVerdict;

extern AdmitVerdict admit_verdict(uint64 shape);

/* Set the first verdict, by the cost of a plan.  Returns it. */
extern AdmitVerdict admit_estimate(uint64 shape, double cost);

/*
 * Report that an execution took us microseconds.  Returns true if that has
 * changed the verdict from cheap to expensive.
 */
extern bool admit_note_execution(uint64 shape, int64 us);

/* Is a plan cost too low for caching to pay off? */
extern bool admit_is_cheap_plan(double cost);

/*
 * Is a result worth storing?  hash is that of its key, us what its execution
 * took.  Notes that the result was requested.
 */
extern bool admit_result(uint64 hash, int64 us);

/* Note that a result was requested.  hash is that of its key. */
extern void admit_want(uint64 hash);

/* Report that serving a result took us microseconds. */
extern void admit_note_hit(double us);

/* Check the marks.  Raises ERRCODE_DATA_CORRUPTED if one is invalid. */
extern void admit_verify(void);

#endif							/* CACHE_ADMIT_H */
