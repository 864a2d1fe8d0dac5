/*-------------------------------------------------------------------------
 *
 * template.h
 *	  Tag templates, such as 'story:$id', and their expansion for a row.
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
 * Parse text and bind it to the columns of tupdesc, in the current memory
 * context.  relname is used in messages.  Errors:
 * ERRCODE_INVALID_PARAMETER_VALUE for a malformed template or an empty tag,
 * ERRCODE_UNDEFINED_COLUMN for a missing column, ERRCODE_FEATURE_NOT_SUPPORTED
 * for a virtual generated one.
 *
 * If relname is NULL the template is only tried: NULL is returned in place of
 * these errors.
 */
extern Template *template_parse(const char *text, TupleDesc tupdesc,
								const char *relname);

/* Does the template contain columns, so that tags differ from row to row? */
extern bool template_has_columns(const Template *tmpl);

/*
 * The number of columns in the template, including repetitions, and the i-th
 * of them.
 */
extern int	template_columns(const Template *tmpl);
extern AttrNumber template_column(const Template *tmpl, int i);

/*
 * Append the tag of a row to out.  The same value gives the same tag in every
 * session, whatever its settings.  NULL gives the word null.  tuple may be
 * NULL if the template has no columns.
 */
extern void template_expand(const Template *tmpl, HeapTuple tuple,
							TupleDesc tupdesc, StringInfo out);

/*
 * Append the tag for given values of the template's columns.  values[i] is the
 * text of the i-th value as returned by template_value, or the word null.
 */
extern void template_fill(const Template *tmpl, const char *const *values,
						  StringInfo out);

/* The text of a value in a tag; palloc'd. */
extern char *template_value(Oid type, Datum value);

#endif							/* CACHE_TEMPLATE_H */
