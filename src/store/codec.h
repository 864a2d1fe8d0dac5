/*-------------------------------------------------------------------------
 *
 * codec.h
 *	  Rows to bytes and back.
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
 * A receiver that encodes what it receives.  Up to max_size bytes are kept as
 * one payload; a result that grows larger is never stored: it moves to a
 * tuplestore, which is what the caller then returns rows from, or is dropped
 * if the rows go elsewhere as well.
 */
typedef struct CodecReceiver CodecReceiver;

/*
 * Create a receiver, and its payload, in the current memory context.
 * overflow: where to put the tuplestore, NULL for none; expected: row type that was promised,
 * NULL for any.
 */
extern CodecReceiver *codec_create_receiver(KeyForm form, Size max_size,
											MemoryContext overflow,
											TupleDesc expected);
extern DestReceiver *codec_dest(CodecReceiver *receiver);

/*
 * Attach bytes about the result to the payload, once all rows have come; if
 * there is no room they are left out.
 */
extern void codec_attach(CodecReceiver *receiver, const void *bytes, Size len);

/* The payload, or NULL if the result became too large for one. */
extern const char *codec_payload(CodecReceiver *receiver, Size *len);

/*
 * The tuplestore of a result that became too large, else NULL.  Of form
 * KEY_FORM_JSON, it has one column of type json.
 */
extern Tuplestorestate *codec_tuplestore(CodecReceiver *receiver);

/* Error ERRCODE_DATATYPE_MISMATCH unless rows of actual are what was promised. */
extern void codec_check_rowtype(TupleDesc expected, TupleDesc actual);

/* Reads the rows of a payload, which must stay where it is meanwhile. */
typedef struct CodecReader
{
	const char *next;
	const char *end;
	uint64		rows_left;
} CodecReader;

/* False if the bytes are not a payload of that form. */
extern bool codec_read(CodecReader *reader, KeyForm form,
					   const char *payload, Size len);

/* What was attached to bytes that are a payload; *len is 0 for nothing. */
extern const void *codec_attachment(const char *payload, Size payload_len,
									Size *len);

/* The next row as a json datum inside the payload; false after the last. */
extern bool codec_next_json(CodecReader *reader, Datum *value);

/* The next row as a tuple inside the payload; NULL after the last. */
extern MinimalTuple codec_next_tuple(CodecReader *reader);

#endif							/* CACHE_CODEC_H */
