/*-------------------------------------------------------------------------
 *
 * shape.c
 *	  Which bytes can be replies to our commands.
 *
 * hiredis takes what Redis' protocol allows, and that is a lot: its versions from 1.0
 * on take lists in lists to any depth, and free them recursively, so a server that
 * sends nothing but beginnings of lists overflows our stack.  But we know our
 * commands, and what they may be answered with:
 *
 *	+text	-text	:number		a line
 *	$length bytes				a string; none if the length is -1
 *	*count elements				a list of the above; none if the count is -1
 *
 * So each byte that arrives is looked at before hiredis is.  Lines, numbers,
 * strings and lists are bounded, and lists are not nested.  Replies of version 3 of
 * the protocol, pushed ones among them, are not for us.
 *
 * What this file must not do: allocate, wait, or call anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "redis/shape.h"

/* Errors quote what they complain about, but not all of it. */
#define SHAPE_MAX_LINE 4096

/* No number that has more digits is one of 64 bits. */
#define SHAPE_MAX_DIGITS 19

/* The commands of a transaction of ours are fewer. */
#define SHAPE_MAX_ELEMENTS 16

static const char *const shape_malformed = "reply is malformed";
static const char *const shape_too_large = "reply is too large";

/* A reply or element is complete. */
static void
shape_finish(Shape *shape)
{
	if (shape->elements > 0)
		shape->elements--;
	shape->place = SHAPE_KIND;
}

static const char *
shape_begin(Shape *shape, char kind)
{
	shape->kind = kind;
	shape->negative = false;
	shape->digits = 0;
	shape->number = 0;
	shape->length = 0;
	switch (kind)
	{
		case '+':
		case '-':
			shape->place = SHAPE_LINE;
			return NULL;
		case ':':
		case '$':
			shape->place = SHAPE_NUMBER;
			return NULL;
		case '*':
			shape->place = SHAPE_NUMBER;
			return shape->elements == 0 ? NULL : "reply is a list of lists";
		default:
			return "reply of an unknown type";
	}
}

static const char *
shape_add_digit(Shape *shape, char digit)
{
	if (digit == '-' && shape->digits == 0 && !shape->negative)
	{
		shape->negative = true;
		return NULL;
	}
	if (digit < '0' || digit > '9' || shape->digits == SHAPE_MAX_DIGITS)
		return shape_malformed;
	/* no overflow: a number of so many digits has less than 64 bits */
	shape->number = shape->number * 10 + (digit - '0');
	shape->digits++;
	return NULL;
}

/* A line is complete, and with it the reply unless more is announced. */
static const char *
shape_end_line(Shape *shape, size_t max_bytes)
{
	if (shape->kind == '+' || shape->kind == '-')
	{
		shape_finish(shape);
		return NULL;
	}
	if (shape->digits == 0)
		return shape_malformed;
	if (shape->kind == ':' || (shape->negative && shape->number == 1))
	{
		shape_finish(shape);
		return NULL;
	}
	if (shape->negative)
		return shape_malformed;
	if (shape->number > (shape->kind == '$' ? max_bytes : SHAPE_MAX_ELEMENTS))
		return shape_too_large;
	if (shape->kind == '$')
		shape->place = shape->number > 0 ? SHAPE_BYTES : SHAPE_BYTES_END;
	else
	{
		shape->elements = shape->number;
		shape->place = SHAPE_KIND;
	}
	return NULL;
}

/* Read one byte. */
static const char *
shape_read_byte(Shape *shape, char byte, size_t max_bytes)
{
	switch (shape->place)
	{
		case SHAPE_KIND:
			return shape_begin(shape, byte);
		case SHAPE_LINE:
			if (byte == '\r')
				shape->place = SHAPE_LINE_END;
			else if (++shape->length > SHAPE_MAX_LINE)
				return shape_too_large;
			return NULL;
		case SHAPE_NUMBER:
			if (byte != '\r')
				return shape_add_digit(shape, byte);
			shape->place = SHAPE_LINE_END;
			return NULL;
		case SHAPE_LINE_END:
			return byte == '\n' ? shape_end_line(shape, max_bytes) : shape_malformed;
		case SHAPE_BYTES_END:
			if (byte != '\r')
				return shape_malformed;
			/* what follows ends it as it would end a line of text */
			shape->kind = '+';
			shape->place = SHAPE_LINE_END;
			return NULL;
		case SHAPE_BYTES:
			break;
	}
	pg_unreachable();
}

const char *
shape_read(Shape *shape, const char *data, size_t len, size_t max_bytes)
{
	const char *end = data + len;
	const char *problem = NULL;

	while (data < end && problem == NULL)
	{
		if (shape->place == SHAPE_BYTES)
		{
			size_t		n = Min(shape->number, (size_t) (end - data));

			data += n;
			shape->number -= n;
			if (shape->number == 0)
				shape->place = SHAPE_BYTES_END;
		}
		else
			problem = shape_read_byte(shape, *data++, max_bytes);
	}
	return problem;
}
