/*-------------------------------------------------------------------------
 *
 * lexer.c
 *	  The comments, white space and text of a statement.
 *
 * Only PostgreSQL's scanner knows where a comment begins, because of what is a
 * string, what is an operator and what a dollar means.  So the rules here are
 * those of scan.l, less what makes no difference to where quotes and comments
 * begin and end: that is why there are no numbers here, no Unicode escapes and
 * hardly an operator.  What scan.l refuses may come as anything, but is never
 * read beyond its end.  test/hint compares the two.
 *
 * Words.  A piece is what a statement is read in.  A piece of text begins and
 * ends where tokens do, or within an operator; a token that has white space or
 * comments in it, such as a string in several parts, is in one piece.  A
 * comment that is not closed is text.
 *
 * All encodings of a server are such that a byte below 128 is always a
 * character by itself, so bytes are all that is looked at.
 *
 * Every byte is looked at a few times at most, whatever the text.
 *
 * Protocol and locks: none.
 *
 * Tolerated races.  Whether a backslash is special in a plain string depends on
 * standard_conforming_strings.  The present value is used, which may have
 * changed since the statement was parsed: if a session that changes it prepares
 * a statement with a backslash in a plain string, what is in the string and
 * what is not can be taken for each other.
 *
 * What this file must not do: raise errors, or call anything of the server:
 * test/hint compiles it into a program of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "parser/parser.h"
#include "text/lexer.h"

/* What a byte can be. */
#define LEXER_IS_SPACE	0x01
#define LEXER_IS_LETTER 0x02	/* starts an identifier, or goes on with it */
#define LEXER_IS_DIGIT	0x04	/* goes on with an identifier */
#define LEXER_IS_DOLLAR 0x08	/* goes on with an identifier */
#define LEXER_IS_MARK	0x10	/* may start a comment, string or semicolon */

#define LEXER_IS_IDENTIFIER (LEXER_IS_LETTER | LEXER_IS_DIGIT | LEXER_IS_DOLLAR)

#define S LEXER_IS_SPACE
#define L LEXER_IS_LETTER
#define D LEXER_IS_DIGIT
#define M LEXER_IS_MARK
#define V (COMPAT_VERTICAL_TAB_IS_SPACE ? LEXER_IS_SPACE : 0)

/* The bytes below 128; all others are letters. */
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

/* Is the byte at p one of these? */
static inline bool
lexer_is(const char *p, uint8 what)
{
	unsigned char c = *p;

	return ((c < 128 ? lexer_bytes[c] : LEXER_IS_LETTER) & what) != 0;
}

/* How strings differ. */
typedef enum LexerString
{
	LEXER_STRING_PLAIN,
	LEXER_STRING_ESCAPES,		/* a backslash takes the next byte with it */
	LEXER_STRING_BITS			/* a doubled quote is the end, and a start */
} LexerString;

void
lexer_start(Lexer *lexer, const char *text, int location, int len, bool spaces)
{
	Size		from = location < 0 ? 0 : location;
	Size		to;

	/* where the location is unknown, the length means nothing */
	to = location < 0 || len <= 0 ? strlen(text) : strnlen(text, from + len);
	lexer->piece = lexer->next = text + Min(from, to);
	lexer->end = text + to;
	lexer->stops = LEXER_IS_MARK | (spaces ? LEXER_IS_SPACE : 0);
}

/*
 * Each of these returns the end of what starts at p, or end if that comes
 * first.
 */

static const char *
lexer_skip_line(const char *p, const char *end)
{
	while (p < end && *p != '\n' && *p != '\r')
		p++;
	return p;
}

/* White space and line comments. */
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
 * Does a string that might have ended just before p go on after white space
 * with a line break in it?  Returns where it does, or NULL.
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

/* A string with all its parts; p is at the first quote. */
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

/* What begins with a dollar: a parameter, a string, or nothing of a meaning. */
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
 * Of which kind is the string with this quote?  No token that it could be a
 * part of begins before from.
 */
static LexerString
lexer_string_kind(const char *from, const char *quote)
{
	/* one letter before it says so, but U& and N change nothing here */
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
 * Is this dollar in an identifier?  No token that it could be a part of begins
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

/* Text, up to white space if that matters, a comment, or a semicolon. */
static const char *
lexer_skip_text(const char *p, const char *end, uint8 stops)
{
	const char *from = p;		/* the end of the last token that is known */
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
