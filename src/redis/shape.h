/*-------------------------------------------------------------------------
 *
 * shape.h
 *	  Checks that received bytes can be replies to our commands.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SHAPE_H
#define CACHE_SHAPE_H

/* What the next byte belongs to. */
typedef enum ShapePlace
{
	SHAPE_KIND,					/* the first byte of a reply or element */
	SHAPE_LINE,					/* a line of text */
	SHAPE_NUMBER,				/* a number or length */
	SHAPE_LINE_END,				/* after the carriage return of a line */
	SHAPE_BYTES,				/* the bytes of a string */
	SHAPE_BYTES_END				/* the carriage return after them */
} ShapePlace;

/* The state of reading a stream of replies. */
typedef struct Shape
{
	ShapePlace	place;
	char		kind;			/* of the current reply or element */
	bool		negative;
	int			digits;			/* of its number */
	size_t		number;
	size_t		length;			/* of its line, so far */
	size_t		elements;		/* of a list, still to come */
} Shape;

/*
 * Read more bytes of a stream.  max_bytes is the maximum length of a string.
 * Returns what is wrong with the stream, or NULL if nothing is.  A Shape of
 * zeros is at the start of a stream.
 */
extern const char *shape_read(Shape *shape, const char *data, size_t len,
							  size_t max_bytes);

#endif							/* CACHE_SHAPE_H */
