/*-------------------------------------------------------------------------
 *
 * fetch.h
 *	  Answer a request as a whole: look up, or execute and fill.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_FETCH_H
#define CACHE_FETCH_H

#include "lookup.h"
#include "utils/tuplestore.h"

/* Exactly one of the two is set. */
typedef struct FetchResult
{
	const char *payload;		/* in the memory context of the call */
	Size		len;
	Tuplestorestate *tuplestore;	/* of a result too large to keep */
} FetchResult;

/*
 * Answer a request for a text, from the cache or by executing the query.
 * expected: the rows that the caller was promised, NULL for any; overflow: the
 * memory context for a tuplestore.  Errors: those of the query, of
 * lookup_orient, and ERRCODE_DATATYPE_MISMATCH if the rows are not as
 * expected.
 */
extern void fetch(const LookupRequest *request, TupleDesc expected,
				  MemoryContext overflow, FetchResult *result);

#endif							/* CACHE_FETCH_H */
