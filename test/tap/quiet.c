/*-------------------------------------------------------------------------
 *
 * quiet.c
 *	  Functions that change rows of a table and fire no trigger, for narrow.pl.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "fmgr.h"
#include "storage/itemptr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(quiet_insert);
PG_FUNCTION_INFO_V1(quiet_delete);

/* quiet_insert(regclass, record): the record is a row of the table */
Datum
quiet_insert(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);
	Relation	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	simple_heap_insert(rel, heap_copytuple(&tuple));
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* quiet_delete(regclass, tid) */
Datum
quiet_delete(PG_FUNCTION_ARGS)
{
	Relation	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);

	simple_heap_delete(rel, (ItemPointer) PG_GETARG_POINTER(1));
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}
