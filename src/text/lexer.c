/*-------------------------------------------------------------------------
 *
 * lexer.c
 *	  Splits a statement into comments, white space and other text.
 *
 * Finding a comment in a statement requires some of PostgreSQL's scanner,
 * since what looks like the start of a comment may be inside a string or an
 * operator, and a dollar may or may not start a string.  The rules here are
 * those of scan.l, except those that make no difference to where quotes and
 * comments begin and end.  So there are no numbers here, no Unicode escapes
 * and hardly any operators.  test/hint compares the two.  Text that scan.l
 * rejects may be split in any way, but is never read beyond its end.
 *
 * The lexer returns a statement in pieces: white space (with line comments),
 * block comments, semicolons, and text, which is all else.  A piece of text
 * begins and ends where tokens do, or within an operator.  A token that
 * contains white space or comments, such as a string in several parts, is in
 * one piece.  A block comment that is not closed is text.
 *
 * In all server encodings a byte below 128 is always a character by itself, so
 * the lexer looks at bytes only.  It looks at every byte a few times at most,
 * whatever the text is.
 *
 * Protocol and locks: none.
 *
 * Tolerated races.  Whether a backslash is an escape in a plain string depends
 * on standard_conforming_strings.  The lexer uses its present value, but the
 * setting may have changed since the statement was parsed.  So if a session
 * prepares a statement with a backslash in a plain string and then changes the
 * setting, the lexer may mistake the inside of a string for text outside of
 * it, and the reverse.
 *
 * What this file must not do: raise errors, or call any function of the
 * server, since test/hint compiles it into a program of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "parser/parser.h"
#include "text/lexer.h"

/* Classes of bytes. */
#define LEXER_IS_SPACE	0x01
#define LEXER_IS_LETTER 0x02	/* starts or continues an identifier */
#define LEXER_IS_DIGIT	0x04	/* continues an identifier */
#define LEXER_IS_DOLLAR 0x08	/* continues an identifier */
#define LEXER_IS_MARK	0x10	/* may start a comment, string or semicolon */

#define LEXER_IS_IDENTIFIER (LEXER_IS_LETTER | LEXER_IS_DIGIT | LEXER_IS_DOLLAR)

#define S LEXER_IS_SPACE
#define L LEXER_IS_LETTER
#define D LEXER_IS_DIGIT
#define M LEXER_IS_MARK
#define V (COMPAT_VERTICAL_TAB_IS_SPACE ? LEXER_IS_SPACE : 0)

/* The classes of bytes below 128.  All others are letters. */
static const uint8 lexer_bytes[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, V, S, S, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	S, 0, M, 0, M | LEXER_IS_DOLLAR, 0, 0, M, 0, 0, 0, 0, 0, M, 0, M,
	D, D, D, D, D, D, D, D, D, D, 0, M, 0, 0, 0, 0,
	0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, L,
	0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0,
};

#undef S
#undef L
#undef D
#undef M
#undef V

/* Is the byte at p of one of these classes? */
static inline bool
lexer_is(const char *p, uint8 what)
{
	unsigned char c = *p;

	return ((c < 128 ? lexer_bytes[c] : LEXER_IS_LETTER) & what) != 0;
}

/* Kinds of strings. */
typedef enum LexerString
{
	LEXER_STRING_PLAIN,
	LEXER_STRING_ESCAPES,		/* a backslash escapes the next byte */
	LEXER_STRING_BITS			/* a doubled quote ends it and starts another
								 * one */
} LexerString;

void
lexer_start(Lexer *lexer, const char *text, int location, int len, bool spaces)
{
	const char *start = text + Max(location, 0);

	/*
	 * Look at no byte before the statement: there may be thousands of them in
	 * a long string.  Without a location, the length means nothing.
	 */
	lexer->piece = lexer->next = start;
	lexer->end = start + (location < 0 || len <= 0 ? strlen(start) :
						  strnlen(start, len));
	lexer->stops = LEXER_IS_MARK | (spaces ? LEXER_IS_SPACE : 0);
}

/*
 * Each of the following functions skips a construct that starts at p.  It
 * returns where the construct ends, or end if that comes first.
 */

static const char *
lexer_skip_line(const char *p, const char *end)
{
	while (p < end && *p != '\n' && *p != '\r')
		p++;
	return p;
}

/* Skip white space and line comments. */
static const char *
lexer_skip_space(const char *p, const char *end)
{
	for (;;)
	{
		while (p < end && lexer_is(p, LEXER_IS_SPACE))
			p++;
		if (!lexer_at(p, end, '-', '-'))
			return p;
		p = lexer_skip_line(p, end);
	}
}

const char *
lexer_skip_comment(const char *p, const char *end, bool *closed)
{
	int			depth = 0;

	do
	{
		if (lexer_at(p, end, '/', '*'))
		{
			depth++;
			p += 2;
		}
		else if (lexer_at(p, end, '*', '/'))
		{
			depth--;
			p += 2;
		}
		else
			p++;
	} while (depth > 0 && p < end);

	*closed = depth == 0;
	return p;
}

const char *
lexer_skip_quoted(const char *p, const char *end, bool *closed)
{
	*closed = false;
	while ((p = memchr(p + 1, '"', end - p - 1)) != NULL)
	{
		p++;
		if (p == end || *p != '"')
		{
			*closed = true;
			return p;
		}
	}
	return end;
}

/*
 * Does a string whose closing quote is just before p continue after white
 * space that contains a line break?  Returns the quote that continues it, or
 * NULL.
 */
static const char *
lexer_continued(const char *p, const char *end)
{
	const char *quote = lexer_skip_space(p, end);

	if (quote == end || *quote != '\'')
		return NULL;
	for (; p < quote; p++)
	{
		if (*p == '\n' || *p == '\r')
			return quote;
	}
	return NULL;
}

/* Skip a string with all its parts.  p is at the first quote. */
static const char *
lexer_skip_string(const char *p, const char *end, LexerString kind)
{
	for (;;)
	{
		p++;
		if (kind == LEXER_STRING_ESCAPES)
		{
			while (p < end && *p != '\'')
				p += *p == '\\' && end - p >= 2 ? 2 : 1;
		}
		else
			p = memchr(p, '\'', end - p);
		if (p == NULL || p == end)
			return end;

		p++;
		if (p == end)
			return end;
		if (*p != '\'' || kind == LEXER_STRING_BITS)
		{
			const char *quote = lexer_continued(p, end);

			if (quote == NULL)
				return p;
			p = quote;
		}
	}
}

/* Skip a parameter, a dollar-quoted string, or just a dollar. */
static const char *
lexer_skip_dollar(const char *p, const char *end)
{
	const char *q = p + 1;
	Size		delimiter_len;

	if (q < end && lexer_is(q, LEXER_IS_DIGIT))
	{
		while (q < end && lexer_is(q, LEXER_IS_DIGIT))
			q++;
		return q;
	}
	while (q < end && lexer_is(q, LEXER_IS_LETTER | LEXER_IS_DIGIT))
		q++;
	if (q == end || *q != '$')
		return p + 1;

	delimiter_len = ++q - p;
	while ((q = memchr(q, '$', end - q)) != NULL)
	{
		if ((Size) (end - q) < delimiter_len)
			break;
		if (memcmp(q, p, delimiter_len) == 0)
			return q + delimiter_len;
		q++;
	}
	return end;
}

/*
 * The kind of the string that begins with this quote.  No token that could
 * include its prefix begins before from.
 */
static LexerString
lexer_string_kind(const char *from, const char *quote)
{
	/* a single letter before the quote decides; U& and N make no difference */
	if (quote > from &&
		(quote - 1 == from || !lexer_is(quote - 2, LEXER_IS_IDENTIFIER)))
	{
		switch (quote[-1])
		{
			case 'b':
			case 'B':
			case 'x':
			case 'X':
				return LEXER_STRING_BITS;
			case 'e':
			case 'E':
				return LEXER_STRING_ESCAPES;
		}
	}
	return standard_conforming_strings ? LEXER_STRING_PLAIN :
		LEXER_STRING_ESCAPES;
}

/*
 * Is this dollar part of an identifier?  No token that could include it begins
 * before from.
 */
static bool
lexer_in_identifier(const char *from, const char *dollar)
{
	const char *p = dollar;

	while (p > from && lexer_is(p - 1, LEXER_IS_IDENTIFIER))
		p--;
	return p < dollar && lexer_is(p, LEXER_IS_LETTER);
}

/*
 * Skip text up to a comment, a semicolon, or, if stops includes it, white
 * space.
 */
static const char *
lexer_skip_text(const char *p, const char *end, uint8 stops)
{
	const char *from = p;		/* end of the last token recognized */
	bool		closed;

	for (;;)
	{
		while (p < end && !lexer_is(p, stops))
			p++;
		if (p == end)
			return p;

		switch (*p)
		{
			case '\'':
				p = from = lexer_skip_string(p, end, lexer_string_kind(from, p));
				break;
			case '"':
				p = from = lexer_skip_quoted(p, end, &closed);
				break;
			case '$':
				if (lexer_in_identifier(from, p))
				{
					while (p < end && lexer_is(p, LEXER_IS_IDENTIFIER))
						p++;
				}
				else
					p = from = lexer_skip_dollar(p, end);
				break;
			case '-':
				if (lexer_at(p, end, '-', '-'))
					return p;
				p++;
				break;
			case '/':
				if (lexer_at(p, end, '/', '*'))
					return p;
				p++;
				break;
			case ' ':
				/* a blank between words stays as it is */
				if (p + 1 == end || lexer_is(p + 1, LEXER_IS_SPACE | LEXER_IS_MARK))
					return p;
				p++;
				break;
			default:
				return p;
		}
	}
}

LexerPiece
lexer_next(Lexer *lexer)
{
	const char *p = lexer->next;
	const char *end = lexer->end;
	bool		closed;

	lexer->piece = p;
	if (p == end)
		return LEXER_END;
	if (lexer_is(p, LEXER_IS_SPACE) || lexer_at(p, end, '-', '-'))
	{
		lexer->next = lexer_skip_space(p, end);
		return LEXER_SPACE;
	}
	if (lexer_at(p, end, '/', '*'))
	{
		lexer->next = lexer_skip_comment(p, end, &closed);
		return closed ? LEXER_COMMENT : LEXER_TEXT;
	}
	if (*p == ';')
	{
		lexer->next = p + 1;
		return LEXER_SEMICOLON;
	}
	lexer->next = lexer_skip_text(p, end, lexer->stops);
	return LEXER_TEXT;
}
