/*-------------------------------------------------------------------------
 *
 * codec.h
 *	  Encodes rows into a payload, and decodes them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_CODEC_H
#define CACHE_CODEC_H

#include "executor/tuptable.h"
#include "key/key.h"
#include "tcop/dest.h"
#include "utils/tuplestore.h"

/*
 * A DestReceiver that encodes the rows it receives.  Up to max_size bytes are
 * kept as one payload.  A larger result is never stored.  If the caller
 * returns rows from the receiver, they move to a tuplestore, from which it
 * then returns them.  Otherwise they are dropped, because the caller passes
 * them on itself.
 */
typedef struct CodecReceiver CodecReceiver;

/*
 * Create a receiver and its payload in the current memory context.  overflow
 * is the memory context for a tuplestore, or NULL for no tuplestore.  expected
 * is the expected row type, or NULL for any.
 */
extern CodecReceiver *codec_create_receiver(KeyForm form, Size max_size,
											MemoryContext overflow,
											TupleDesc expected);
extern DestReceiver *codec_dest(CodecReceiver *receiver);

/*
 * Attach additional bytes to the payload, after the last row.  They are left
 * out if there is no room for them.
 */
extern void codec_attach(CodecReceiver *receiver, const void *bytes, Size len);

/* The payload, or NULL if the result was too large for one. */
extern const char *codec_payload(CodecReceiver *receiver, Size *len);

/*
 * The tuplestore of a result that was too large for a payload; else NULL.
 * With KEY_FORM_JSON it has one column of type json.
 */
extern Tuplestorestate *codec_tuplestore(CodecReceiver *receiver);

/*
 * Raise ERRCODE_DATATYPE_MISMATCH unless rows of type actual match the
 * expected row type.
 */
extern void codec_check_rowtype(TupleDesc expected, TupleDesc actual);

/*
 * State of reading the rows of a payload.  The payload must stay in place
 * meanwhile.
 */
typedef struct CodecReader
{
	const char *next;
	const char *end;
	uint64		rows_left;
} CodecReader;

/*
 * Start to read.  Returns false if the bytes are not a payload of that form.
 */
extern bool codec_read(CodecReader *reader, KeyForm form,
					   const char *payload, Size len);

/* The attachment of a valid payload; *len is 0 if there is none. */
extern const void *codec_attachment(const char *payload, Size payload_len,
									Size *len);

/*
 * The next row as a json datum inside the payload.  Returns false after the
 * last row.
 */
extern bool codec_next_json(CodecReader *reader, Datum *value);

/*
 * The next row as a tuple inside the payload.  Returns NULL after the last
 * row.
 */
extern MinimalTuple codec_next_tuple(CodecReader *reader);

#endif							/* CACHE_CODEC_H */
