/*-------------------------------------------------------------------------
 *
 * template.c
 *	  Tag templates, such as 'story:$id', and their expansion for a row.
 *
 * In a template, $name and ${name} stand for the value of a column.  $name is
 * read like an unquoted identifier of SQL: letters, digits, underscores and
 * bytes above 127, not starting with a digit, folded to lower case.  ${name}
 * is taken literally, like a quoted identifier, and ends at the first closing
 * brace.  $$ stands for a dollar.  For a row whose id is 7, the template
 * 'story:$id' gives the tag 'story:7'.
 *
 * A parsed template is a sequence of pieces.  A piece is literal text followed
 * by the value of a column; the last piece has only text.
 *
 * A tag is compared byte by byte with the tags of cached results, so a value
 * must have the same text in every session: its canonical text.  That is the
 * output of the type's output function, run under fixed values of the settings
 * that output functions depend on (canonical_settings).  Changing settings
 * costs more than the rest of an expansion, so it is omitted for types known
 * not to depend on them.
 *
 * Protocol and locks: none.  The fixed settings are in force only while output
 * functions run.  If one raises an error, the abort of the (sub)transaction
 * restores the settings, as it does for functions with a SET clause.
 *
 * Tolerated races: none.
 *
 * What this file must not do: know what tags are for, or keep state between
 * calls.  A Template belongs to its caller.  It is valid as long as the
 * columns of the table it was bound to do not change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "parser/scansup.h"
#include "text/template.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

typedef struct TemplatePiece
{
	const char *text;			/* literal text before the value, if any */
	int			len;
	AttrNumber	attnum;			/* 0: no value */
	FmgrInfo	output;
	int			nsettings;		/* how many of canonical_settings it needs */
} TemplatePiece;

struct Template
{
	bool		has_columns;
	int			nsettings;		/* the most that any piece needs */
	int			npieces;
	TemplatePiece pieces[FLEXIBLE_ARRAY_MEMBER];
};

typedef struct TemplateSetting
{
	const char *name;
	const char *value;
} TemplateSetting;

/*
 * The settings that output functions may depend on, those that matter most
 * often first.  A type needs the first nsettings of them, or all if it is not
 * known.
 */
static const TemplateSetting canonical_settings[] =
{
	{"DateStyle", "ISO, YMD"},
	{"TimeZone", "UTC"},
	{"IntervalStyle", "postgres"},
	{"extra_float_digits", "1"},
	{"bytea_output", "hex"},
	{"lc_monetary", "C"},
	{"quote_all_identifiers", "off"},
	{"search_path", "pg_catalog, pg_temp"},
};

/* How many of canonical_settings the output function of a type depends on. */
static int
template_settings(Oid type)
{
	Oid			base = getBaseType(type);

	switch (base)
	{
		case BOOLOID:
		case BPCHAROID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NAMEOID:
		case NUMERICOID:
		case OIDOID:
		case TEXTOID:
		case UUIDOID:
		case VARCHAROID:
			return 0;
		case DATEOID:
		case TIMESTAMPOID:
			return 1;
		case TIMESTAMPTZOID:
			return 2;
		default:
			return type_is_enum(base) ? 0 : lengthof(canonical_settings);
	}
}

/*
 * Raise an error: the template is malformed.  If it is only tried, return NULL
 * instead.
 */
static void *
template_malformed(const char *template, bool try, const char *hint)
{
	if (!try)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tag template \"%s\" is malformed", template),
				 errhint("%s", hint)));
	return NULL;
}

/*
 * Read the column name after the dollar at *next, and move *next behind it.
 * Returns a palloc'd name, or NULL if there is no name and the template is
 * only tried.
 */
static char *
template_column_name(const char *template, bool try, const char **next)
{
	const char *start = *next + 1;
	const char *end = start;

	if (*start == '{')
	{
		end = strchr(++start, '}');
		if (!end || end == start)
			return template_malformed(template, try,
									  "Write a column name and a closing brace after \"${\".");
		*next = end + 1;
		return pnstrdup(start, end - start);
	}

	while (isalpha((unsigned char) *end) || *end == '_' || IS_HIGHBIT_SET(*end) ||
		   (end > start && isdigit((unsigned char) *end)))
		end++;
	if (end == start)
		return template_malformed(template, try,
								  "Write $name or ${name} for the value of a column, and $$ for a dollar.");
	*next = end;
	return downcase_truncate_identifier(start, end - start, false);
}

/*
 * Bind a piece to the column of that name.  If there is no such column, raise
 * an error, or return false if relname is NULL.
 */
static bool
template_bind(TemplatePiece *piece, const char *name, TupleDesc tupdesc,
			  const char *relname)
{
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		Oid			output;
		bool		is_varlena;

		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0)
			continue;

		/* a trigger is not given the value of a virtual column */
		if (att->attgenerated && att->attgenerated != ATTRIBUTE_GENERATED_STORED)
		{
			if (relname == NULL)
				return false;
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" of relation \"%s\" is a virtual generated column",
							name, relname),
					 errhint("Use the columns it is computed from, or a stored generated column.")));
		}

		getTypeOutputInfo(att->atttypid, &output, &is_varlena);
		fmgr_info(output, &piece->output);
		piece->attnum = att->attnum;
		piece->nsettings = template_settings(att->atttypid);
		return true;
	}

	if (relname == NULL)
		return false;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist",
					name, relname),
			 errhint("In a tag, $name stands for a column in lower case and ${Name} for one of any name; write $$ for a dollar.")));
}

Template *
template_parse(const char *text, TupleDesc tupdesc, const char *relname)
{
	Template   *tmpl;
	TemplatePiece *piece;
	StringInfoData literal;
	const char *next = text;
	bool		try = relname == NULL;
	int			dollars = 0;

	if (*text == '\0' && try)
		return NULL;
	if (*text == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tag is empty"),
				 errhint("Give a name, or leave out all tags to use the name of the table.")));

	for (const char *c = text; *c; c++)
		dollars += *c == '$';

	tmpl = palloc0(offsetof(Template, pieces) +
				   (dollars + 1) * sizeof(TemplatePiece));
	piece = &tmpl->pieces[0];
	initStringInfo(&literal);
	for (;;)
	{
		bool		is_column = *next == '$' && next[1] != '$';
		char	   *name;

		if (*next != '\0' && !is_column)
		{
			appendStringInfoChar(&literal, *next);
			next += *next == '$' ? 2 : 1;
			continue;
		}

		piece->text = pnstrdup(literal.data, literal.len);
		piece->len = literal.len;
		resetStringInfo(&literal);
		tmpl->npieces++;
		if (!is_column)
			break;

		name = template_column_name(text, try, &next);
		if (name == NULL || !template_bind(piece, name, tupdesc, relname))
			return NULL;
		tmpl->has_columns = true;
		tmpl->nsettings = Max(tmpl->nsettings, piece->nsettings);
		piece++;
	}
	pfree(literal.data);

	return tmpl;
}

bool
template_has_columns(const Template *tmpl)
{
	return tmpl->has_columns;
}

/*
 * Set the first n canonical settings until template_restore_settings.
 */
static int
template_fix_settings(int n)
{
	int			level = 0;

	if (n > 0)
	{
		level = NewGUCNestLevel();
		for (int i = 0; i < n; i++)
			(void) set_config_option(canonical_settings[i].name,
									 canonical_settings[i].value,
									 PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
	}
	return level;
}

static void
template_restore_settings(int level)
{
	if (level > 0)
		AtEOXact_GUC(true, level);
}

/* Output functions may leave garbage in the current memory context. */
void
template_expand(const Template *tmpl, HeapTuple tuple, TupleDesc tupdesc,
				StringInfo out)
{
	int			level;

	Assert(tuple || !tmpl->has_columns);

	level = template_fix_settings(tmpl->nsettings);
	for (int i = 0; i < tmpl->npieces; i++)
	{
		const TemplatePiece *piece = &tmpl->pieces[i];
		Datum		value;
		bool		isnull;

		appendBinaryStringInfo(out, piece->text, piece->len);
		if (piece->attnum == 0)
			continue;

		value = heap_getattr(tuple, piece->attnum, tupdesc, &isnull);
		appendStringInfoString(out, isnull ? "null" :
							   OutputFunctionCall((FmgrInfo *) &piece->output,
												  value));
	}
	template_restore_settings(level);
}

/* All pieces but the last have a column. */
int
template_columns(const Template *tmpl)
{
	return tmpl->npieces - 1;
}

AttrNumber
template_column(const Template *tmpl, int i)
{
	Assert(i < template_columns(tmpl));
	return tmpl->pieces[i].attnum;
}

void
template_fill(const Template *tmpl, const char *const *values, StringInfo out)
{
	for (int i = 0; i < tmpl->npieces; i++)
	{
		const TemplatePiece *piece = &tmpl->pieces[i];

		appendBinaryStringInfo(out, piece->text, piece->len);
		if (piece->attnum != 0)
			appendStringInfoString(out, values[i]);
	}
}

char *
template_value(Oid type, Datum value)
{
	int			level = template_fix_settings(template_settings(type));
	Oid			output;
	bool		is_varlena;
	char	   *text;

	getTypeOutputInfo(type, &output, &is_varlena);
	text = OidOutputFunctionCall(output, value);
	template_restore_settings(level);
	return text;
}
