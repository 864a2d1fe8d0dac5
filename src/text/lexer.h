/*-------------------------------------------------------------------------
 *
 * lexer.h
 *	  The comments, white space and text of a statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_LEXER_H
#define CACHE_LEXER_H

typedef enum LexerPiece
{
	LEXER_END,
	LEXER_SPACE,				/* white space and line comments */
	LEXER_COMMENT,				/* of the kind that nests, closed */
	LEXER_SEMICOLON,
	LEXER_TEXT					/* all else */
} LexerPiece;

typedef struct Lexer
{
	const char *piece;			/* the piece read last */
	const char *next;			/* behind it */
	const char *end;			/* of the statement */
	uint8		stops;			/* kinds of bytes that text is searched for */
} Lexer;

/*
 * Start to read a statement.  text is a whole query string in the server's
 * encoding; location and len are those of a Query: a location of -1 means the
 * whole string, a length of 0 that the statement goes on to the end.  What is
 * not within the string is cut off.  If spaces is false, white space is a part
 * of text, which is faster; if it is true, single blanks still may be.
 */
extern void lexer_start(Lexer *lexer, const char *text, int location, int len,
						bool spaces);

/* Read the next piece. */
extern LexerPiece lexer_next(Lexer *lexer);

/*
 * Where the comment, or the name between double quotes, that starts at p ends;
 * if it is not closed, end.
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
