/*-------------------------------------------------------------------------
 *
 * template.h
 *	  Tag templates: 'story:$id' and what becomes of it for a row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TEMPLATE_H
#define CACHE_TEMPLATE_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "lib/stringinfo.h"

/* A template, parsed and bound to the columns of one table. */
typedef struct Template Template;

/*
 * Parse text and bind it to tupdesc, in the current memory context.  relname
 * is for messages.  Errors: ERRCODE_INVALID_PARAMETER_VALUE for a malformed
 * template or an empty tag, ERRCODE_UNDEFINED_COLUMN for a missing column.
 * With NULL for relname the template is only tried: NULL in place of errors.
 */
extern Template *template_parse(const char *text, TupleDesc tupdesc,
								const char *relname);

/* Does the tag differ from row to row? */
extern bool template_has_columns(const Template *tmpl);

/*
 * How many columns it has, counting repetitions, and which the i-th is.
 */
extern int	template_columns(const Template *tmpl);
extern AttrNumber template_column(const Template *tmpl, int i);

/*
 * Append the tag for a row to out.  The same value gives the same tag in every
 * session, whatever its settings; NULL gives the word null.  tuple may be
 * NULL if the template has no columns.
 */
extern void template_expand(const Template *tmpl, HeapTuple tuple,
							TupleDesc tupdesc, StringInfo out);

/*
 * The same for the texts of the values of its columns, as template_value makes
 * them, or the word null.
 */
extern void template_fill(const Template *tmpl, const char *const *values,
						  StringInfo out);

/* What becomes of a value in a tag; palloc'd. */
extern char *template_value(Oid type, Datum value);

#endif							/* CACHE_TEMPLATE_H */
