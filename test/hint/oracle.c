/*-------------------------------------------------------------------------
 *
 * oracle.c
 *	  Functions that compare what src/text/hint.c makes of random text with what
 *	  PostgreSQL's own scanner makes of it.
 *
 * This and hint.c become a library of their own, which a server loads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "babble.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "text/hint.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

/* Tokens with a value, numbered as parser/scanner.h says. */
typedef enum OracleToken
{
	ORACLE_FIRST_STRING = 258,	/* IDENT */
	ORACLE_LAST_STRING = 265,	/* Op */
	ORACLE_ICONST,
	ORACLE_PARAM
} OracleToken;

#define NOCACHE "/*+ nocache */"

PG_FUNCTION_INFO_V1(hint_compare);

/* Append the tokens of text to out, less semicolons at the end. */
static void
oracle_scan(const char *text, StringInfo out)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(text, &extra, &ScanKeywords,
										 ScanKeywordTokens);
	core_YYSTYPE value;
	int			location;
	int			token;
	int			kept = 0;

	extra.backslash_quote = BACKSLASH_QUOTE_ON;
	extra.escape_string_warning = false;
	while ((token = core_yylex(&value, &location, scanner)) != 0)
	{
		appendStringInfo(out, "%d", token);
		if (token >= ORACLE_FIRST_STRING && token <= ORACLE_LAST_STRING)
			appendStringInfo(out, "<%s>", value.str);
		else if (token == ORACLE_ICONST || token == ORACLE_PARAM)
			appendStringInfo(out, "<%d>", value.ival);
		appendStringInfoChar(out, ' ');
		if (token != ';')
			kept = out->len;
	}
	out->data[kept] = '\0';
	scanner_finish(scanner);
}

/* The tokens of text, or NULL if the scanner refuses it. */
static char *
oracle_tokens(const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	StringInfoData out;
	volatile bool refused = false;

	initStringInfo(&out);
	PG_TRY();
	{
		oracle_scan(text, &out);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		refused = true;
	}
	PG_END_TRY();
	return refused ? NULL : out.data;
}

/* Does text have those tokens? */
static bool
oracle_same(const char *text, const char *tokens)
{
	const char *found = oracle_tokens(text);

	return found != NULL && strcmp(found, tokens) == 0;
}

/*
 * Is there a comment NOCACHE in text, which has those tokens, and not within
 * another comment?  It is within some comment if it makes no difference what
 * it consists of, and not within another if a word before it is a token.
 */
static bool
oracle_nocache(const char *text, const char *tokens)
{
	const char *comment = text;

	while ((comment = strstr(comment, NOCACHE)) != NULL)
	{
		int			before = (int) (comment - text);
		char	   *changed = pstrdup(text);

		changed[before + 2] = ' ';
		if (oracle_same(changed, tokens) &&
			!oracle_same(psprintf("%.*s z %s", before, text, comment), tokens))
			return true;
		comment++;
	}
	return false;
}

/*
 * hint_compare(rounds int, seed int) returns text
 *
 * An error if there is a difference, else what was seen.
 */
Datum
hint_compare(PG_FUNCTION_ARGS)
{
	int			rounds = PG_GETARG_INT32(0);
	uint64		state = PG_GETARG_INT32(1);
	int			accepted = 0;
	int			hinted = 0;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hint_compare",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	for (int round = 0; round < rounds; round++)
	{
		char		text[BABBLE_MAX];
		const char *tokens;
		const char *stripped;
		uint32		len;
		Hint		hint;
		bool		nocache;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(context);
		babble(&state, 12, text);
		tokens = oracle_tokens(text);

		/* in a hint, this could be the end of one comment, and the word */
		if (tokens == NULL || strstr(text, "*" NOCACHE) != NULL)
			continue;
		accepted++;

		stripped = hint_strip(text, 0, 0, &len);
		if (!oracle_same(stripped, tokens))
			elog(ERROR, "stripping makes \"%s\" of \"%s\"", stripped, text);

		hint_find(text, 0, 0, &hint);
		nocache = oracle_nocache(text, tokens);
		if (nocache != (hint.verdict == HINT_NOCACHE))
			elog(ERROR, "the verdict on \"%s\" is %d", text, hint.verdict);
		hinted += nocache;
	}

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d of %d texts accepted, %d with a hint",
											  accepted, rounds, hinted)));
}
