/*-------------------------------------------------------------------------
 *
 * hint.c
 *	  Hints: what the comments of a statement say about caching it.
 *
 *	[slash-star]+ cache(ttl = 300, tags = story | "odd tag") [star-slash]
 *
 *	comment:	hint, hint of another extension, comma ...
 *	hint:		nocache, or cache, or cache ( [ option { , option } ] )
 *	option:		ttl = value, or tags = value { | value }, or policy = value
 *	value:		word, or "anything", with quotes doubled
 *	word:		anything but white space and , | ( ) = "
 *
 * White space is allowed everywhere except inside words.  A comment nested in
 * the comment counts as white space.  Hints of other extensions (pg_hint_plan
 * has many) are words, with or without parentheses after them, and are
 * skipped.  nocache overrides all other hints of the statement, even malformed
 * ones.  cache may be given only once.
 *
 * hint_strip never joins two tokens: it leaves one blank where white space or
 * a comment was.  What looks like white space between two parts of one string
 * ('a', newline, 'b') belongs to that string and is kept.
 *
 * Protocol and locks: none.
 *
 * Tolerated races: those of lexer.c.
 *
 * What this file must not do: raise errors, since a statement is executed
 * whatever its comments say; use anything of the server except palloc, since
 * test/hint compiles this file into a program of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "text/hint.h"
#include "text/lexer.h"
#include "text/tags.h"

/* The position of hint_find in a comment. */
typedef struct HintReader
{
	const char *next;
	const char *end;			/* of the inside of the comment */
	const char *text;			/* start of the query string */
	Hint	   *hint;
} HintReader;

/*
 * Record what is wrong.  Only the first problem is kept.  Always returns
 * false.
 */
static bool
hint_fail(HintReader *reader, const char *problem, const char *where)
{
	Hint	   *hint = reader->hint;

	if (hint->verdict != HINT_MALFORMED)
	{
		hint->verdict = HINT_MALFORMED;
		hint->problem = problem;
		hint->position = (int) (where - reader->text);
	}
	return false;
}

/* Is this white space for PostgreSQL's scanner? */
static inline bool
hint_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static inline bool
hint_ends_word(char c)
{
	return hint_is_space(c) || c == ',' || c == '|' || c == '(' || c == ')' ||
		c == '=' || c == '"';
}

/*
 * Skip white space and nested comments.  Returns the next byte, or 0 at the
 * end.
 */
static char
hint_peek(HintReader *reader)
{
	const char *p = reader->next;
	const char *end = reader->end;
	bool		closed;

	for (;;)
	{
		if (p < end && hint_is_space(*p))
			p++;
		else if (lexer_at(p, end, '/', '*'))
			p = lexer_skip_comment(p, end, &closed);
		else
			break;
	}
	reader->next = p;
	return p < end ? *p : '\0';
}

/* Read a word.  It may be empty, and it may be a tag. */
static Tag
hint_read_word(HintReader *reader)
{
	const char *p = reader->next;
	const char *end = reader->end;
	Tag			word;

	while (p < end && !hint_ends_word(*p) && !lexer_at(p, end, '/', '*'))
		p++;
	word.data = reader->next;
	word.len = p - reader->next;
	reader->next = p;
	return word;
}

/*
 * Is a word equal to another, given in lower case, whatever the case of its
 * letters?
 */
static bool
hint_word_is(Tag word, const char *lower)
{
	for (uint32 i = 0; i < word.len; i++)
	{
		char		c = word.data[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if (c != lower[i])
			return false;
	}
	return lower[word.len] == '\0';
}

/* Skip parentheses with their contents.  next is at the opening one. */
static void
hint_skip_parentheses(HintReader *reader)
{
	int			depth = 0;
	bool		closed;

	do
	{
		switch (hint_peek(reader))
		{
			case '\0':
				return;
			case '(':
				depth++;
				reader->next++;
				break;
			case ')':
				depth--;
				reader->next++;
				break;
			case '"':
				reader->next = lexer_skip_quoted(reader->next, reader->end,
												 &closed);
				break;
			default:
				reader->next++;
		}
	} while (depth > 0);
}

/*
 * Read a value.  Returns false if it is malformed.
 */
static bool
hint_read_value(HintReader *reader, Tag *value)
{
	const char *start;
	char	   *copy;
	bool		closed;

	if (hint_peek(reader) != '"')
	{
		*value = hint_read_word(reader);
		return true;
	}

	start = reader->next;
	reader->next = lexer_skip_quoted(start, reader->end, &closed);
	if (!closed)
		return hint_fail(reader, "a quote is not closed", start);

	value->data = copy = palloc(reader->next - start);
	value->len = 0;
	for (const char *p = start + 1; p < reader->next - 1; p++)
	{
		copy[value->len++] = *p;
		if (*p == '"')
			p++;
	}
	return true;
}

static bool
hint_read_ttl(HintReader *reader)
{
	const char *problem = "ttl must be a positive number of seconds";
	const char *start = reader->next;
	int64		ttl = 0;
	Tag			value;

	if (!hint_read_value(reader, &value))
		return false;
	for (uint32 i = 0; i < value.len; i++)
	{
		if (value.data[i] < '0' || value.data[i] > '9')
			return hint_fail(reader, problem, start);
		ttl = ttl * 10 + (value.data[i] - '0');
		if (ttl > PG_INT32_MAX)
			return hint_fail(reader, "ttl is too large", start);
	}
	if (ttl == 0)
		return hint_fail(reader, problem, start);
	reader->hint->terms.ttl = (int) ttl;
	return true;
}

static bool
hint_read_tags(HintReader *reader)
{
	Hint	   *hint = reader->hint;
	Tag			tags[TAGS_MAX];
	int			ntags = 0;

	for (;;)
	{
		const char *start;
		const char *problem;

		(void) hint_peek(reader);
		start = reader->next;
		if (ntags == TAGS_MAX)
			return hint_fail(reader, "there are too many tags", start);
		if (!hint_read_value(reader, &tags[ntags]))
			return false;
		problem = tags_problem(&tags[ntags]);
		if (problem != NULL)
			return hint_fail(reader, problem, start);
		ntags++;
		if (hint_peek(reader) != '|')
			break;
		reader->next++;
	}

	hint->terms.tags = tags_pack(tags, ntags, &hint->terms.tags_len);
	return true;
}

static bool
hint_read_policy(HintReader *reader)
{
	const char *start = reader->next;
	Tag			value;
	char	   *policy;

	if (!hint_read_value(reader, &value))
		return false;
	if (value.len == 0)
		return hint_fail(reader, "policy must not be empty", start);
	policy = palloc(value.len + 1);
	memcpy(policy, value.data, value.len);
	policy[value.len] = '\0';
	reader->hint->policy = policy;
	return true;
}

/*
 * Read an option with its value.  Returns false if it is malformed.
 */
static bool
hint_read_option(HintReader *reader)
{
	Hint	   *hint = reader->hint;
	const char *start;
	Tag			name;
	bool		(*read_value) (HintReader *reader);
	bool		given;

	(void) hint_peek(reader);
	start = reader->next;
	name = hint_read_word(reader);
	if (hint_word_is(name, "ttl"))
	{
		read_value = hint_read_ttl;
		given = hint->terms.ttl != 0;
	}
	else if (hint_word_is(name, "tags"))
	{
		read_value = hint_read_tags;
		given = hint->terms.tags != NULL;
	}
	else if (hint_word_is(name, "policy"))
	{
		read_value = hint_read_policy;
		given = hint->policy != NULL;
	}
	else
		return hint_fail(reader, "ttl, tags or policy is expected", start);

	if (given)
		return hint_fail(reader, "an option is given twice", start);
	if (hint_peek(reader) != '=')
		return hint_fail(reader, "= is expected after the name of an option",
						 reader->next);
	reader->next++;
	(void) hint_peek(reader);
	return read_value(reader);
}

/*
 * Read the options of cache.  next is at the opening parenthesis.  Returns
 * false if they are malformed.
 */
static bool
hint_read_options(HintReader *reader)
{
	reader->next++;
	if (hint_peek(reader) == ')')
	{
		reader->next++;
		return true;
	}
	for (;;)
	{
		char		c;

		if (!hint_read_option(reader))
			return false;
		c = hint_peek(reader);
		if (c != ',' && c != ')')
			return hint_fail(reader, "a comma or closing parenthesis is expected",
							 reader->next);
		reader->next++;
		if (c == ')')
			return true;
	}
}

/*
 * Read what follows the word cache.  start is where that word begins.
 */
static void
hint_read_cache(HintReader *reader, const char *start)
{
	const char *options;

	if (reader->hint->verdict == HINT_NONE)
		reader->hint->verdict = HINT_CACHE;
	else
		(void) hint_fail(reader, "cache is given twice", start);

	if (hint_peek(reader) != '(')
		return;
	options = reader->next;
	if (reader->hint->verdict == HINT_MALFORMED || !hint_read_options(reader))
	{
		/* a nocache may still follow */
		reader->next = options;
		hint_skip_parentheses(reader);
	}
}

/*
 * Read a hint that begins with a word.  Skip it if it is a hint of another
 * extension.
 */
static void
hint_read_hint(HintReader *reader)
{
	const char *start = reader->next;
	Tag			word = hint_read_word(reader);
	bool		cache = hint_word_is(word, "cache");
	bool		nocache = hint_word_is(word, "nocache");
	char		c;

	if (cache || nocache)
	{
		c = hint_peek(reader);
		if (c == '=' || c == '|')
			(void) hint_fail(reader, "cache and nocache take no value",
							 reader->next);
		else if (cache)
			hint_read_cache(reader, start);
		else
			reader->hint->verdict = HINT_NOCACHE;
	}
	else
	{
		/* skip the word's values, too */
		while ((c = hint_peek(reader)) == '=' || c == '|')
		{
			reader->next++;
			(void) hint_peek(reader);
			(void) hint_read_word(reader);
		}
	}
}

/*
 * Read the inside of a comment, from p to end.  Stops as soon as the verdict
 * is final.
 */
static void
hint_read_comment(const char *text, const char *p, const char *end, Hint *hint)
{
	HintReader	reader = {p, end, text, hint};
	bool		closed;

	while (hint->verdict != HINT_NOCACHE)
	{
		switch (hint_peek(&reader))
		{
			case '\0':
				return;
			case '(':
				hint_skip_parentheses(&reader);
				break;
			case '"':
				reader.next = lexer_skip_quoted(reader.next, end, &closed);
				break;
			case ')':
			case ',':
			case '=':
			case '|':
				reader.next++;
				break;
			default:
				hint_read_hint(&reader);
		}
	}
}

bool
hint_possible(const char *text, int location, int len)
{
	Lexer		lexer;
	const char *p;

	lexer_start(&lexer, text, location, len, false);
	for (p = lexer.next; (p = memchr(p, '+', lexer.end - p)) != NULL; p++)
	{
		if (p - lexer.next >= 2 && p[-1] == '*' && p[-2] == '/')
			return true;
	}
	return false;
}

void
hint_reach_back(const char *text, int *location, int *len)
{
	Lexer		lexer;
	LexerPiece	piece;
	int			start = 0;

	if (*location <= 0 || !hint_possible(text, 0, *location))
		return;
	lexer_start(&lexer, text, 0, *location, false);
	while ((piece = lexer_next(&lexer)) != LEXER_END)
	{
		if (piece == LEXER_SEMICOLON)
			start = (int) (lexer.next - text);
	}
	if (*len > 0)
		*len += *location - start;
	*location = start;
}

void
hint_find(const char *text, int location, int len, Hint *hint)
{
	Lexer		lexer;
	LexerPiece	piece;

	memset(hint, 0, sizeof(*hint));
	lexer_start(&lexer, text, location, len, false);
	while (hint->verdict != HINT_NOCACHE &&
		   (piece = lexer_next(&lexer)) != LEXER_END)
	{
		if (piece == LEXER_COMMENT && lexer.piece[2] == '+')
			hint_read_comment(text, lexer.piece + 3, lexer.next - 2, hint);
	}

	/* the options count only with HINT_CACHE */
	if (hint->verdict != HINT_CACHE)
	{
		memset(&hint->terms, 0, sizeof(hint->terms));
		hint->policy = NULL;
	}
	if (hint->verdict != HINT_MALFORMED)
	{
		hint->problem = NULL;
		hint->position = 0;
	}
}

char *
hint_strip(const char *text, int location, int len, uint32 *stripped_len)
{
	Lexer		lexer;
	LexerPiece	piece;
	char	   *stripped;
	uint32		used = 0;
	uint32		kept = 0;		/* up to the last text */
	bool		blank = false;

	lexer_start(&lexer, text, location, len, true);
	stripped = palloc(lexer.end - lexer.next + 1);
	while ((piece = lexer_next(&lexer)) != LEXER_END)
	{
		Size		piece_len = lexer.next - lexer.piece;

		if (piece == LEXER_SPACE || piece == LEXER_COMMENT)
		{
			blank = used > 0;
			continue;
		}
		if (blank)
			stripped[used++] = ' ';
		blank = false;
		memcpy(stripped + used, lexer.piece, piece_len);
		used += piece_len;
		if (piece == LEXER_TEXT)
			kept = used;
	}
	stripped[kept] = '\0';

	*stripped_len = kept;
	return stripped;
}
