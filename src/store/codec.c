/*-------------------------------------------------------------------------
 *
 * codec.c
 *	  Encodes rows into a payload, and decodes them.
 *
 * A payload is a CodecHeader, followed by the rows and by the attachment, each
 * at a maximally aligned offset.  A row is a json value or a minimal tuple.
 * Both are data that can be used in place, and both begin with their length.
 * A payload contains no pointers and nothing that is stored elsewhere: TOASTed
 * values are fetched, and expanded objects are flattened.
 *
 * L1 and L2 store the same bytes.  A payload contains OIDs and has the memory
 * layout of this cluster's machines, so it has a meaning only for servers of
 * one physical cluster.
 *
 * Decoding checks that lengths stay within the payload.  It does not check the
 * contents.  The caller must have verified the signature of bytes that come
 * from elsewhere (l2.c).
 *
 * What this file must not do: know where payloads are stored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "store/codec.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define CODEC_MAGIC 0x43414332

typedef struct CodecHeader
{
	uint32		magic;
	uint32		form;			/* a KeyForm */
	uint64		nrows;
	uint64		attached;		/* length of the attachment */
} CodecHeader;

struct CodecReceiver
{
	DestReceiver dest;			/* must be first */
	KeyForm		form;
	Size		max_size;
	TupleDesc	expected;		/* or NULL */
	MemoryContext context;		/* of the payload */
	MemoryContext overflow;		/* for the tuplestore, or NULL */
	MemoryContext row_context;	/* of one row, while it is encoded */
	TupleDesc	tupdesc;		/* of the rows received */
	TupleDesc	json_desc;		/* of the tuplestore's rows, for the form json */

	char	   *data;			/* the payload; NULL once it is too large */
	Size		len;
	Size		size;			/* allocated */
	uint64		nrows;
	Tuplestorestate *tuplestore;	/* the rows, once the payload is too large */
};

/*
 * Enlarge the payload's memory.  Returns false if there is not enough memory.
 */
static bool
codec_grow(CodecReceiver *receiver, Size size)
{
	char	   *data = MemoryContextAllocExtended(receiver->context, size,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

	if (data == NULL)
		return false;
	memcpy(data, receiver->data, receiver->len);
	pfree(receiver->data);
	receiver->data = data;
	receiver->size = size;
	return true;
}

/*
 * Append bytes.  Returns false if the payload would become too large.
 */
static bool
codec_append(CodecReceiver *receiver, const void *bytes, Size len)
{
	Size		padded = MAXALIGN(len);

	if (padded > receiver->max_size - receiver->len)
		return false;
	if (receiver->len + padded > receiver->size &&
		!codec_grow(receiver, Min(Max(receiver->size * 2, receiver->len + padded),
								  receiver->max_size)))
		return false;
	memcpy(receiver->data + receiver->len, bytes, len);
	memset(receiver->data + receiver->len + len, 0, padded - len);
	receiver->len += padded;
	return true;
}

static bool
codec_append_row(CodecReceiver *receiver, const void *row, Size len)
{
	if (!codec_append(receiver, row, len))
		return false;
	receiver->nrows++;
	return true;
}

/*
 * Put a row, encoded as json or as a tuple, into the tuplestore.
 */
static void
codec_put_json(CodecReceiver *receiver, Datum value)
{
	bool		isnull = false;

	tuplestore_putvalues(receiver->tuplestore, receiver->json_desc,
						 &value, &isnull);
}

static void
codec_put_tuple(CodecReceiver *receiver, MinimalTuple tuple,
				TupleTableSlot *slot)
{
	ExecStoreMinimalTuple(tuple, slot, false);
	tuplestore_puttupleslot(receiver->tuplestore, slot);
	ExecClearTuple(slot);
}

/*
 * The payload has become too large.  Move its rows to a tuplestore if the
 * caller wants one, otherwise drop them.
 */
static void
codec_overflow(CodecReceiver *receiver)
{
	MemoryContext old;
	CodecReader reader = {0};

	if (receiver->overflow == NULL)
	{
		pfree(receiver->data);
		receiver->data = NULL;
		return;
	}

	old = MemoryContextSwitchTo(receiver->overflow);
	receiver->tuplestore = tuplestore_begin_heap(true, false, work_mem);
	MemoryContextSwitchTo(receiver->context);
	((CodecHeader *) receiver->data)->nrows = receiver->nrows;
	codec_read(&reader, receiver->form, receiver->data, receiver->len);
	if (receiver->form == KEY_FORM_JSON)
	{
		Datum		value;

		receiver->json_desc = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(receiver->json_desc, 1, "json", JSONOID, -1, 0);
		while (codec_next_json(&reader, &value))
			codec_put_json(receiver, value);
	}
	else
	{
		TupleTableSlot *slot = MakeSingleTupleTableSlot(receiver->tupdesc,
														&TTSOpsMinimalTuple);
		MinimalTuple tuple;

		while ((tuple = codec_next_tuple(&reader)) != NULL)
			codec_put_tuple(receiver, tuple, slot);
		ExecDropSingleTupleTableSlot(slot);
	}
	pfree(receiver->data);
	receiver->data = NULL;
	MemoryContextSwitchTo(old);
}

/*
 * Make a minimal tuple of the row in a tuple table slot, with TOASTed values
 * fetched, in the current memory context.  Returns NULL, before it fetches
 * anything, if the tuple would be larger than max_size.  Such a row may even
 * be larger than any tuple can be, and forming it would be an error.
 */
static MinimalTuple
codec_flat_tuple(TupleTableSlot *slot, Size max_size)
{
	TupleDesc	tupdesc = slot->tts_tupleDescriptor;
	Datum	   *values;
	Size		size = 0;

	slot_getallattrs(slot);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!slot->tts_isnull[i] && TupleDescAttr(tupdesc, i)->attlen == -1)
		{
			struct varlena *value = (struct varlena *) DatumGetPointer(slot->tts_values[i]);

			size += VARATT_IS_EXTERNAL(value) ?
				toast_datum_size(PointerGetDatum(value)) : VARSIZE_ANY(value);
		}
	}
	if (size > max_size)
		return NULL;
	values = palloc(tupdesc->natts * sizeof(Datum));
	for (int i = 0; i < tupdesc->natts; i++)
	{
		values[i] = slot->tts_values[i];
		if (!slot->tts_isnull[i] && TupleDescAttr(tupdesc, i)->attlen == -1 &&
			VARATT_IS_EXTERNAL(DatumGetPointer(values[i])))
			values[i] = PointerGetDatum(detoast_external_attr((struct varlena *)
															  DatumGetPointer(values[i])));
	}
	return compat_form_minimal_tuple(tupdesc, values, slot->tts_isnull);
}

/*
 * Make a json object of the row in a tuple table slot, in the current memory
 * context.
 */
static Datum
codec_json(CodecReceiver *receiver, TupleTableSlot *slot)
{
	HeapTuple	tuple;
	Datum		row;

	slot_getallattrs(slot);
	tuple = heap_form_tuple(receiver->tupdesc, slot->tts_values,
							slot->tts_isnull);
	row = heap_copy_tuple_as_datum(tuple, receiver->tupdesc);
	return DirectFunctionCall1(row_to_json, row);
}

static bool
codec_receive(TupleTableSlot *slot, DestReceiver *self)
{
	CodecReceiver *receiver = (CodecReceiver *) self;
	MemoryContext old;

	if (receiver->data == NULL && receiver->overflow == NULL)
		return true;

	MemoryContextReset(receiver->row_context);
	old = MemoryContextSwitchTo(receiver->row_context);
	if (receiver->form == KEY_FORM_JSON)
	{
		Datum		value = codec_json(receiver, slot);

		if (receiver->data != NULL &&
			!codec_append_row(receiver, DatumGetPointer(value),
							  VARSIZE(DatumGetPointer(value))))
			codec_overflow(receiver);
		if (receiver->tuplestore != NULL)
			codec_put_json(receiver, value);
	}
	else
	{
		MinimalTuple tuple = NULL;

		if (receiver->data != NULL)
		{
			tuple = codec_flat_tuple(slot, receiver->max_size - receiver->len);
			if (tuple == NULL || !codec_append_row(receiver, tuple, tuple->t_len))
				codec_overflow(receiver);
		}
		if (receiver->tuplestore != NULL)
			tuplestore_puttupleslot(receiver->tuplestore, slot);
	}
	MemoryContextSwitchTo(old);
	return true;
}

static void
codec_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	CodecReceiver *receiver = (CodecReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->context);

	if (receiver->expected != NULL)
		codec_check_rowtype(receiver->expected, typeinfo);
	receiver->tupdesc = CreateTupleDescCopy(typeinfo);
	if (receiver->form == KEY_FORM_JSON)
		BlessTupleDesc(receiver->tupdesc);
	receiver->row_context = AllocSetContextCreate(receiver->context,
												  "cache row",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
}

static void
codec_shutdown(DestReceiver *self)
{
	CodecReceiver *receiver = (CodecReceiver *) self;

	MemoryContextDelete(receiver->row_context);
	if (receiver->data != NULL)
		((CodecHeader *) receiver->data)->nrows = receiver->nrows;
}

static void
codec_destroy(DestReceiver *self)
{
}

CodecReceiver *
codec_create_receiver(KeyForm form, Size max_size, MemoryContext overflow,
					  TupleDesc expected)
{
	CodecReceiver *receiver = palloc0(sizeof(CodecReceiver));
	CodecHeader *header;

	receiver->dest.receiveSlot = codec_receive;
	receiver->dest.rStartup = codec_startup;
	receiver->dest.rShutdown = codec_shutdown;
	receiver->dest.rDestroy = codec_destroy;
	receiver->dest.mydest = DestNone;
	receiver->form = form;
	receiver->max_size = Max(max_size, sizeof(CodecHeader));
	receiver->expected = expected;
	receiver->context = CurrentMemoryContext;
	receiver->overflow = overflow;

	receiver->size = Min(receiver->max_size, 1024);
	receiver->data = palloc(receiver->size);
	receiver->len = sizeof(CodecHeader);
	header = (CodecHeader *) receiver->data;
	header->magic = CODEC_MAGIC;
	header->form = form;
	header->nrows = 0;
	header->attached = 0;
	return receiver;
}

DestReceiver *
codec_dest(CodecReceiver *receiver)
{
	return &receiver->dest;
}

void
codec_attach(CodecReceiver *receiver, const void *bytes, Size len)
{
	if (receiver->data != NULL && codec_append(receiver, bytes, len))
		((CodecHeader *) receiver->data)->attached = len;
}

const char *
codec_payload(CodecReceiver *receiver, Size *len)
{
	*len = receiver->len;
	return receiver->data;
}

Tuplestorestate *
codec_tuplestore(CodecReceiver *receiver)
{
	return receiver->tuplestore;
}

void
codec_check_rowtype(TupleDesc expected, TupleDesc actual)
{
	if (expected->natts != actual->natts)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg_plural("query returns %d column where %d are expected",
							   "query returns %d columns where %d are expected",
							   actual->natts,
							   actual->natts, expected->natts),
				 errhint("Make the column definition list match the query.")));
	for (int i = 0; i < actual->natts; i++)
	{
		Form_pg_attribute e = TupleDescAttr(expected, i);
		Form_pg_attribute a = TupleDescAttr(actual, i);

		if (e->atttypid != a->atttypid ||
			(e->atttypmod >= 0 && e->atttypmod != a->atttypmod))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("query returns type %s in column %d where %s is expected",
							format_type_with_typemod(a->atttypid, a->atttypmod),
							i + 1,
							format_type_with_typemod(e->atttypid, e->atttypmod)),
					 errhint("Make the column definition list match the query, or cast the column in the query.")));
	}
}

bool
codec_read(CodecReader *reader, KeyForm form, const char *payload, Size len)
{
	const CodecHeader *header = (const CodecHeader *) payload;

	Assert(payload == (const char *) MAXALIGN(payload));
	if (len < sizeof(CodecHeader) ||
		header->magic != CODEC_MAGIC || header->form != (uint32) form ||
		header->attached > len ||
		MAXALIGN(header->attached) > len - sizeof(CodecHeader))
		return false;
	reader->next = payload + sizeof(CodecHeader);
	reader->end = payload + len - MAXALIGN(header->attached);
	reader->rows_left = header->nrows;
	return true;
}

/*
 * Skip a row of len bytes.  Returns false if it does not fit.
 */
static bool
codec_advance(CodecReader *reader, Size len)
{
	if (MAXALIGN(len) > (Size) (reader->end - reader->next))
		return false;
	reader->next += MAXALIGN(len);
	reader->rows_left--;
	return true;
}

bool
codec_next_json(CodecReader *reader, Datum *value)
{
	const char *row = reader->next;

	if (reader->rows_left == 0 || reader->end - row < VARHDRSZ ||
		!codec_advance(reader, VARSIZE(row)))
		return false;
	*value = PointerGetDatum(row);
	return true;
}

MinimalTuple
codec_next_tuple(CodecReader *reader)
{
	MinimalTuple row = (MinimalTuple) reader->next;

	if (reader->rows_left == 0 ||
		(Size) (reader->end - reader->next) < SizeofMinimalTupleHeader ||
		!codec_advance(reader, row->t_len))
		return NULL;
	return row;
}

const void *
codec_attachment(const char *payload, Size payload_len, Size *len)
{
	*len = ((const CodecHeader *) payload)->attached;
	return payload + payload_len - MAXALIGN(*len);
}
