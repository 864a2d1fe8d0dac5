/*-------------------------------------------------------------------------
 *
 * unit.c
 *	  Which streams are replies to our commands: good ones and bad ones, as a
 *	  whole, byte by byte, and cut anywhere.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "redis/shape.h"

#undef printf

#define MAX_BYTES 1000

typedef struct Stream
{
	const char *name;
	const char *text;
	bool		good;
} Stream;

static const Stream streams[] = {
	{"status", "+OK\r\n", true},
	{"empty status", "+\r\n", true},
	{"error", "-ERR wrong \"\x01\xff\" thing\r\n", true},
	{"number", ":12345\r\n", true},
	{"negative number", ":-9223372036854775808\r\n", true},
	{"string", "$5\r\nab\r\nc\r\n", true},
	{"string like a list", "$8\r\n*1\r\n*1\r\n\r\n", true},
	{"empty string", "$0\r\n\r\n", true},
	{"no string", "$-1\r\n", true},
	{"list", "*3\r\n:1\r\n$1\r\na\r\n-ERR\r\n", true},
	{"empty list", "*0\r\n", true},
	{"no list", "*-1\r\n", true},
	{"list of nothing", "*2\r\n$-1\r\n$-1\r\n", true},
	{"many replies", "+OK\r\n*1\r\n:1\r\n*1\r\n:1\r\n$1\r\na\r\n+OK\r\n", true},
	{"list of lists", "*1\r\n*1\r\n:1\r\n", false},
	{"list of empty lists", "*2\r\n:1\r\n*0\r\n", false},
	{"long list", "*17\r\n", false},
	{"endless list", "*9223372036854775807\r\n", false},
	{"negative list", "*-2\r\n", false},
	{"large string", "$1001\r\n", false},
	{"huge string", "$9999999999999999999\r\n", false},
	{"larger string", "$18446744073709551617\r\n", false},
	{"negative string", "$-2\r\n", false},
	{"negative nothing", "$-0\r\n", false},
	{"doubly negative", "$--1\r\n", false},
	{"minus at the end", "$1-\r\n", false},
	{"no length", "$\r\n", false},
	{"no number", ":-\r\n", false},
	{"no digits", ":12a\r\n", false},
	{"blank", "$ 1\r\n", false},
	{"no line feed", "+OK\rx", false},
	{"line feed alone", "$1\na\r\n", false},
	{"string too long", "$1\r\nab\r\n", false},
	{"string without end", "$1\r\na\nx", false},
	{"push", ">1\r\n:1\r\n", false},
	{"map", "%1\r\n:1\r\n:1\r\n", false},
	{"attribute", "|1\r\n:1\r\n:1\r\n", false},
	{"null", "_\r\n", false},
	{"double", ",1.5\r\n", false},
	{"web page", "HTTP/1.1 400 Bad Request\r\n", false},
	{"something between", "+OK\r\n\r\n", false},
};

static int	tests = 0;
static int	failures = 0;

static void
report(bool ok, const char *name, const char *how)
{
	tests++;
	failures += !ok;
	printf("%s %d - %s, %s\n", ok ? "ok" : "not ok", tests, name, how);
}

/* Is a stream let through, given in pieces? */
static bool
passes(const char *text, size_t len, size_t piece, Shape *shape)
{
	memset(shape, 0, sizeof(*shape));
	for (size_t i = 0; i < len; i += piece)
	{
		if (shape_read(shape, text + i, Min(piece, len - i), MAX_BYTES) != NULL)
			return false;
	}
	return true;
}

/* Is it in the middle of a reply after each part of a good reply? */
static bool
is_open(const char *text)
{
	Shape		shape;

	for (size_t len = 1; len < strlen(text); len++)
	{
		if (!passes(text, len, 1, &shape))
			return false;
		if (shape.place == SHAPE_KIND && shape.elements == 0 &&
			strchr("+-:$*", text[len]) == NULL)
			return false;
	}
	return passes(text, strlen(text), 1, &shape) &&
		shape.place == SHAPE_KIND && shape.elements == 0;
}

int
main(void)
{
	static char deep[1200000];
	static char line[10000];
	Shape		shape;

	for (int i = 0; i < (int) lengthof(streams); i++)
	{
		const Stream *stream = &streams[i];
		size_t		len = strlen(stream->text);

		for (size_t piece = 1; piece <= len; piece += len > 1 ? len - 1 : 1)
			report(passes(stream->text, len, piece, &shape) == stream->good,
				   stream->name, piece == 1 ? "byte by byte" : "in large pieces");
		if (stream->good)
			report(is_open(stream->text), stream->name, "cut anywhere");
	}
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = "*1\r\n"[i % 4];
	report(!passes(deep, sizeof(deep), 16384, &shape), "lists without end", "in pieces");
	memset(line, '+', sizeof(line));
	report(!passes(line, sizeof(line), 1000, &shape), "line without end", "in pieces");
	printf("1..%d\n", tests);
	return failures > 0;
}
