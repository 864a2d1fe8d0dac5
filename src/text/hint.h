/*-------------------------------------------------------------------------
 *
 * hint.h
 *	  Hints: what the comments of a statement say about caching it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_HINT_H
#define CACHE_HINT_H

#include "text/terms.h"

typedef enum HintVerdict
{
	HINT_NONE,					/* there is no hint */
	HINT_CACHE,
	HINT_NOCACHE,
	HINT_MALFORMED				/* there is a hint, but it is malformed */
} HintVerdict;

typedef struct Hint
{
	HintVerdict verdict;

	/* HINT_CACHE: its options, in the memory context of the call */
	Terms		terms;			/* ttl and tags, if given */
	char	   *policy;			/* name of a policy, or NULL if not given */

	/* HINT_MALFORMED: the first problem */
	const char *problem;		/* lower-case clause, a constant */
	int			position;		/* of the problem, in bytes from the start of
								 * text */
} Hint;

/*
 * In the functions below, text is a whole query string in the server's
 * encoding.  The statement is a part of it, given as in Query.stmt_location
 * and stmt_len: a location of -1 means the whole string, and a length of 0
 * means that the statement extends to the end of the string.  A location or
 * length beyond the end of the string is cut.
 */

/*
 * Can the statement have hints?  This check is fast, and rules out nearly all
 * statements without hints.
 */
extern bool hint_possible(const char *text, int location, int len);

/*
 * Move the start of a statement back to the end of the preceding statement, or
 * to the start of the string.  So the hints before its first token belong to
 * it, as users expect.  Does nothing if there can be no hint before it.
 */
extern void hint_reach_back(const char *text, int *location, int *len);

/* Find the hints of a statement. */
extern void hint_find(const char *text, int location, int len, Hint *hint);

/*
 * The statement without comments, with single blanks in place of white space,
 * and without semicolons at its end; terminated, in the current memory
 * context.  Two statements with the same stripped text consist of the same
 * tokens, provided that standard_conforming_strings is the same.
 */
extern char *hint_strip(const char *text, int location, int len,
						uint32 *stripped_len);

#endif							/* CACHE_HINT_H */
