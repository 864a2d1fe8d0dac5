/*-------------------------------------------------------------------------
 *
 * fetch.h
 *	  Answers a request as a whole: looks it up, or executes it and fills.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_FETCH_H
#define CACHE_FETCH_H

#include "lookup/lookup.h"
#include "utils/tuplestore.h"

/* Either payload or tuplestore is set. */
typedef struct FetchResult
{
	const char *payload;		/* until the memory context of the call is
								 * reset; only read */
	Size		len;
	Tuplestorestate *tuplestore;	/* of a result too large to keep */
	BlockPin   *pin;			/* keeps the payload; may be NULL */
} FetchResult;

/*
 * Answer a request for a text, from the cache or by executing the query.
 * expected: the row type that the caller expects, NULL for any.  overflow: the
 * memory context for a tuplestore.  Errors: those of the query, those of
 * lookup_orient, and ERRCODE_DATATYPE_MISMATCH if the rows are not as
 * expected.
 */
extern void fetch(const LookupRequest *request, TupleDesc expected,
				  MemoryContext overflow, FetchResult *result);

/* Release the payload. */
extern void fetch_release(FetchResult *result);

#endif							/* CACHE_FETCH_H */
