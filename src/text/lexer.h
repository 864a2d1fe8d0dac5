/*-------------------------------------------------------------------------
 *
 * lexer.h
 *	  Splits a statement into comments, white space and other text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_LEXER_H
#define CACHE_LEXER_H

typedef enum LexerPiece
{
	LEXER_END,
	LEXER_SPACE,				/* white space and line comments */
	LEXER_COMMENT,				/* block comments that are closed */
	LEXER_SEMICOLON,
	LEXER_TEXT					/* all else */
} LexerPiece;

typedef struct Lexer
{
	const char *piece;			/* start of the current piece */
	const char *next;			/* end of the current piece */
	const char *end;			/* of the statement */
	uint8		stops;			/* classes of bytes at which text may end */
} Lexer;

/*
 * Start to read a statement.  text is a whole query string in the server's
 * encoding; location and len are those of a Query.  A location of -1 means the
 * whole string, a length of 0 means that the statement extends to the end of
 * the string.  The location must be in the string; a length that goes beyond
 * the end of the string is cut off.
 *
 * If spaces is false, white space is returned as a part of text, which is
 * faster.  If it is true, white space is a piece of its own, except that text
 * may still contain single blanks.
 */
extern void lexer_start(Lexer *lexer, const char *text, int location, int len,
						bool spaces);

/* Read the next piece. */
extern LexerPiece lexer_next(Lexer *lexer);

/*
 * Where the comment, or the double-quoted name, that starts at p ends; end,
 * with *closed false, if it is not closed.
 */
extern const char *lexer_skip_comment(const char *p, const char *end,
									  bool *closed);
extern const char *lexer_skip_quoted(const char *p, const char *end,
									 bool *closed);

/* Are these the next two bytes? */
static inline bool
lexer_at(const char *p, const char *end, char first, char second)
{
	return end - p >= 2 && p[0] == first && p[1] == second;
}

#endif							/* CACHE_LEXER_H */
