/*-------------------------------------------------------------------------
 *
 * admit.h
 *	  Which statements are worth caching.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_ADMIT_H
#define CACHE_ADMIT_H

extern Size admit_shmem_size(void);
extern void admit_shmem_init(void);

/*
 * The shape of a statement: a hash of its text without its literals, white
 * space and comments.  location, len: where it is in the text, as in a Query.
 */
extern uint64 admit_shape(const char *text, int location, int len);

/* What is known of the statements of a shape. */
typedef enum AdmitVerdict
{
	ADMIT_UNKNOWN,
	ADMIT_CHEAP,				/* executing is about as fast as serving */
	ADMIT_DEAR
} AdmitVerdict;

extern AdmitVerdict admit_verdict(uint64 shape);

/* The first verdict, by the cost of a plan; returns it. */
extern AdmitVerdict admit_estimate(uint64 shape, double cost);

/*
 * An execution took so many microseconds.  Returns whether that makes a
 * statement dear which was taken to be cheap.
 */
extern bool admit_note_execution(uint64 shape, int64 us);

/* Is a cost in the planner's units too low to bother? */
extern bool admit_is_cheap_plan(double cost);

/*
 * Is a result worth storing?  hash: of its key; us: what its execution took.
 */
extern bool admit_result(uint64 hash, int64 us);

/* A result that someone executes is wanted by another one as well. */
extern void admit_want(uint64 hash);

/* A result was served in so many microseconds. */
extern void admit_note_hit(double us);

/* Recount; ERRCODE_DATA_CORRUPTED if something does not add up. */
extern void admit_verify(void);

#endif							/* CACHE_ADMIT_H */
