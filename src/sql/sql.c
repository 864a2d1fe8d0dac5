/*-------------------------------------------------------------------------
 *
 * sql.c
 *	  SQL functions that read through the cache: cached_query, cached_rows,
 *	  cached.
 *
 * Each function turns its arguments into a request, has fetch.c answer it, and
 * returns the rows of the answer:
 *
 *	- json values are returned one by one, each where it lies in the payload.
 *	  The payload stays in place as long as the memory of the calls.
 *	- Typed rows, and results that are too large for a payload, are returned as
 *	  a tuplestore.
 *
 * The result is complete before the first row is returned.  So a caller that
 * stops early or reads slowly does not make other sessions wait.
 *
 * Protocol and locks: none of its own.
 *
 * What this file must not do: know where results come from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lookup/fetch.h"
#include "miscadmin.h"
#include "sql/policy.h"
#include "store/codec.h"
#include "text/params.h"
#include "utils/builtins.h"

PGDLLEXPORT Datum cache_cached_query(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_cached_rows(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_cached(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_cached_query);
PG_FUNCTION_INFO_V1(cache_cached_rows);
PG_FUNCTION_INFO_V1(cache_cached);

/*
 * Turn the arguments of cached_query and cached_rows into a request.
 */
static void
sql_read_query(FunctionCallInfo fcinfo, KeyForm form, LookupRequest *request)
{
	Terms		terms;
	char	   *query;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("query must not be null"),
				 errhint("Give the text of one SELECT.")));

	lookup_default_terms(&terms);
	if (!PG_ARGISNULL(1))
		terms.ttl = PG_GETARG_INT32(1);
	if (terms.ttl <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ttl must be greater than zero"),
				 errhint("Give a number of seconds, or null for cache.default_ttl.")));
	terms.automatic = PG_ARGISNULL(2);
	if (!terms.automatic)
		terms.tags = policy_tags(PG_GETARG_ARRAYTYPE_P(2), &terms.tags_len);
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	lookup_make_request(request, form, query, strlen(query), &terms);
	request->nparams = params_read(fcinfo, 3, &request->types,
								   &request->params);
}

/*
 * Return a tuplestore, which must be in the per-query memory context.
 */
static Datum
sql_return_tuplestore(FunctionCallInfo fcinfo, Tuplestorestate *tuplestore)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = tuplestore;
	/* the executor frees it */
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	rsinfo->setDesc = CreateTupleDescCopy(rsinfo->expectedDesc);
	MemoryContextSwitchTo(old);
	return (Datum) 0;
}

/*
 * The first call of a function that returns json values: answer its request.
 * Returns true if the values are in a tuplestore, which has been handed to the
 * executor.  Otherwise there is a reader for them in user_fctx.
 */
static bool
sql_open_json(FunctionCallInfo fcinfo, bool by_name)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FuncCallContext *funcctx = SRF_FIRSTCALL_INIT();
	MemoryContext per_call = funcctx->multi_call_memory_ctx;
	MemoryContext old = MemoryContextSwitchTo(per_call);
	LookupRequest request;
	FetchResult result;
	CodecReader *reader;

	if (by_name)
		policy_read_call(fcinfo, &request);
	else
		sql_read_query(fcinfo, KEY_FORM_JSON, &request);
	fetch(&request, NULL, rsinfo->econtext->ecxt_per_query_memory, &result);

	if (result.tuplestore != NULL)
	{
		MemoryContextSwitchTo(old);
		end_MultiFuncCall(fcinfo, funcctx);
		sql_return_tuplestore(fcinfo, result.tuplestore);
		return true;
	}

	reader = palloc(sizeof(CodecReader));
	if (!codec_read(reader, KEY_FORM_JSON, result.payload, result.len))
		elog(ERROR, "cached result is not of the form that was asked for");
	funcctx->user_fctx = reader;
	MemoryContextSwitchTo(old);
	return false;
}

static Datum
sql_return_json(FunctionCallInfo fcinfo, bool by_name)
{
	FuncCallContext *funcctx;
	Datum		value;

	if (SRF_IS_FIRSTCALL() && sql_open_json(fcinfo, by_name))
		return (Datum) 0;

	funcctx = SRF_PERCALL_SETUP();
	if (codec_next_json(funcctx->user_fctx, &value))
		SRF_RETURN_NEXT(funcctx, value);
	SRF_RETURN_DONE(funcctx);
}

Datum
cache_cached_query(PG_FUNCTION_ARGS)
{
	return sql_return_json(fcinfo, false);
}

Datum
cache_cached(PG_FUNCTION_ARGS)
{
	return sql_return_json(fcinfo, true);
}

/*
 * Decode the rows of a payload into a tuplestore of the current memory
 * context.
 */
static Tuplestorestate *
sql_decode_rows(const FetchResult *result, TupleDesc tupdesc)
{
	Tuplestorestate *tuplestore = tuplestore_begin_heap(true, false, work_mem);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(tupdesc,
													&TTSOpsMinimalTuple);
	CodecReader reader;
	MinimalTuple tuple;

	if (!codec_read(&reader, KEY_FORM_ROWS, result->payload, result->len))
		elog(ERROR, "cached result is not of the form that was asked for");
	while ((tuple = codec_next_tuple(&reader)) != NULL)
	{
		ExecStoreMinimalTuple(tuple, slot, false);
		tuplestore_puttupleslot(tuplestore, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	return tuplestore;
}

Datum
cache_cached_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	LookupRequest request;
	FetchResult result;
	MemoryContext old;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) ||
		rsinfo->expectedDesc == NULL ||
		(rsinfo->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cached_rows is called where no typed rows are accepted"),
				 errhint("Call it in FROM, with a column definition list: cached_rows(...) AS t(id int, title text).")));

	sql_read_query(fcinfo, KEY_FORM_ROWS, &request);
	fetch(&request, rsinfo->expectedDesc,
		  rsinfo->econtext->ecxt_per_query_memory, &result);

	if (result.tuplestore == NULL)
	{
		old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
		result.tuplestore = sql_decode_rows(&result, rsinfo->expectedDesc);
		MemoryContextSwitchTo(old);
		fetch_release(&result);
	}
	return sql_return_tuplestore(fcinfo, result.tuplestore);
}
