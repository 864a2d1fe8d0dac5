/*-------------------------------------------------------------------------
 *
 * shape.h
 *	  Which bytes can be replies to our commands.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SHAPE_H
#define CACHE_SHAPE_H

/* What the next byte is part of. */
typedef enum ShapePlace
{
	SHAPE_KIND,					/* the first byte of a reply or element */
	SHAPE_LINE,					/* of text */
	SHAPE_NUMBER,				/* or a length */
	SHAPE_LINE_END,				/* after the carriage return of a line */
	SHAPE_BYTES,				/* of a string with a length */
	SHAPE_BYTES_END				/* the carriage return after them */
} ShapePlace;

/* How far a stream of replies was read. */
typedef struct Shape
{
	ShapePlace	place;
	char		kind;			/* of the reply or element that is read */
	bool		negative;
	int			digits;			/* of its number */
	size_t		number;
	size_t		length;			/* of its line so far */
	size_t		elements;		/* of a list, that are to come */
} Shape;

/*
 * Read on.  max_bytes: of a string.  Returns what is wrong with the stream, or NULL
 * if nothing is so far; a Shape of zeros is at its start.
 */
extern const char *shape_read(Shape *shape, const char *data, size_t len,
							  size_t max_bytes);

#endif							/* CACHE_SHAPE_H */
