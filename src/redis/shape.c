/*-------------------------------------------------------------------------
 *
 * shape.c
 *	  Checks that received bytes can be replies to our commands.
 *
 * hiredis accepts all that the protocol of Redis allows.  From version 1.0 on
 * it accepts lists nested to any depth, and frees them recursively.  A server
 * that sends an endless sequence of list headers could thus overflow our
 * stack.  But the replies to our commands are of a few forms only:
 *
 *	+text	-text	:number		a line
 *	$length bytes				a string; none if the length is -1
 *	*count elements				a list of the above; none if the count is -1
 *
 * So shape_read examines every byte that arrives before hiredis parses it.  It
 * limits the length of lines, numbers, strings and lists, and rejects nested
 * lists.  It also rejects the reply types of version 3 of the protocol,
 * including pushed replies, since we do not speak that version.
 *
 * What this file must not do: allocate, wait, or call any function of another
 * file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "redis/shape.h"

/* Error replies may quote the command, but only a part of it. */
#define SHAPE_MAX_LINE 4096

/* No 64-bit number has more digits. */
#define SHAPE_MAX_DIGITS 19

/* EXEC returns an element per command, and our transactions have fewer. */
#define SHAPE_MAX_ELEMENTS 16

static const char *const shape_malformed = "reply is malformed";
static const char *const shape_too_large = "reply is too large";

/* A reply or an element of a list is complete. */
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
	/* cannot overflow: SHAPE_MAX_DIGITS digits fit into 64 bits */
	shape->number = shape->number * 10 + (digit - '0');
	shape->digits++;
	return NULL;
}

/* A line is complete.  So is the reply, unless the line announces more. */
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
			/* finish like a line of text */
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
