/*-------------------------------------------------------------------------
 *
 * hint.h
 *	  What the comments of a statement say about caching it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_HINT_H
#define CACHE_HINT_H

#include "text/terms.h"

typedef enum HintVerdict
{
	HINT_NONE,					/* nothing is said */
	HINT_CACHE,
	HINT_NOCACHE,
	HINT_MALFORMED				/* something is said, but not how it must be */
} HintVerdict;

typedef struct Hint
{
	HintVerdict verdict;

	/* HINT_CACHE: its options, in the memory context of the call */
	Terms		terms;			/* ttl and tags, as far as they are given */
	char	   *policy;			/* name of a policy; NULL: not given */

	/* HINT_MALFORMED: the first thing that is wrong */
	const char *problem;		/* lower-case clause, a constant */
	int			position;		/* of it, in bytes from the start of text */
} Hint;

/*
 * In all that follows, text is a whole query string in the server's encoding,
 * and the statement is a slice of it, given as in Query.stmt_location and
 * stmt_len: a location of -1 means the whole string, a length of 0 that it
 * goes on to the end.  A slice that is not within the string is cut.
 */

/*
 * Is it worth calling hint_find?  Of statements without hints, this dismisses
 * nearly all, and fast.
 */
extern bool hint_possible(const char *text, int location, int len);

/* Find the hints of a statement. */
extern void hint_find(const char *text, int location, int len, Hint *hint);

/*
 * The statement without comments, with single blanks for white space, and
 * without semicolons at its end; terminated, in the current memory context.
 * Statements for which that is the same consist of the same tokens, as long as
 * standard_conforming_strings is the same.
 */
extern char *hint_strip(const char *text, int location, int len,
						uint32 *stripped_len);

#endif							/* CACHE_HINT_H */
