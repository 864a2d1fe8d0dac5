/*-------------------------------------------------------------------------
 *
 * babble.h
 *	  Random text that a scanner of SQL may trip over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TEST_BABBLE_H
#define CACHE_TEST_BABBLE_H

#define BABBLE_MAX 512

/* A random number below n; the same state gives the same numbers. */
extern uint32 babble_random(uint64 *state, uint32 n);

/*
 * Fill text, which has room for BABBLE_MAX bytes, with up to pieces random
 * pieces.  Returns its length; it is terminated.
 */
extern int	babble(uint64 *state, uint32 pieces, char *text);

#endif							/* CACHE_TEST_BABBLE_H */
