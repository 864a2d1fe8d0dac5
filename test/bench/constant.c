/*-------------------------------------------------------------------------
 *
 * constant.c
 *	  A function that returns rows of json from a constant: the limit for any
 *	  function that answers from memory.
 *
 * bench.sh makes rows.h from the result that the cache is measured with: one
 * C string per row, with a comma after each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

static const char *const rows[] = {
#include "rows.h"
};

PG_FUNCTION_INFO_V1(constant_rows);

/* constant_rows() returns setof json */
Datum
constant_rows(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;

	if (SRF_IS_FIRSTCALL())
	{
		context = SRF_FIRSTCALL_INIT();
		context->max_calls = lengthof(rows);
	}
	context = SRF_PERCALL_SETUP();
	if (context->call_cntr < context->max_calls)
	{
		text	   *row = cstring_to_text(rows[context->call_cntr]);

		SRF_RETURN_NEXT(context, PointerGetDatum(row));
	}
	SRF_RETURN_DONE(context);
}
