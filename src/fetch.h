/*-------------------------------------------------------------------------
 *
 * fetch.h
 *	  The read path: L1, L2, execute, fill.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_FETCH_H
#define CACHE_FETCH_H

#include "key.h"
#include "utils/tuplestore.h"

typedef struct FetchRequest
{
	KeyForm		form;
	const char *query;			/* terminated */
	uint32		query_len;
	const char *tags;			/* as key_init takes them */
	uint32		tags_len;
	bool		automatic;		/* tags were NULL */
	const char *name;			/* of a named query, or NULL */
	int			ttl;			/* s, > 0 */
	int			stale;			/* s, >= 0 */
	Size		max_entry_size; /* bytes */
	int64		min_cost_us;
	int			nparams;
	Oid		   *types;
	ParamListInfo params;		/* NULL if nparams is 0 */
	TupleDesc	expected;		/* rows form: what the caller was promised */
} FetchRequest;

/* Exactly one of the two is set. */
typedef struct FetchResult
{
	const char *payload;		/* in the memory context of the call */
	Size		len;
	Tuplestorestate *tuplestore;	/* of a result too large to keep */
} FetchResult;

/*
 * Answer a request, from the cache or by executing the query.  overflow: the
 * memory context for a tuplestore.  Errors: those
 * of the query, of statement_analyse, and ERRCODE_DATATYPE_MISMATCH if the
 * rows are not as expected.
 */
extern void fetch(const FetchRequest *request, MemoryContext overflow,
				  FetchResult *result);

/* The tag that stands for one parameter set of a named query. */
extern char *fetch_query_tag(const char *name, int nparams, const Oid *types,
							 ParamListInfo params, size_t *len);

#endif							/* CACHE_FETCH_H */
