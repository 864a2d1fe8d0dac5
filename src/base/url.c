/*-------------------------------------------------------------------------
 *
 * url.c
 *	  Parsing of the URL of Redis.
 *
 *	redis://[user:password@]host[:port][/db]	(also valkey://)
 *	unix://[user:password@]/path[?db=n]
 *
 * User and password may be percent-encoded.  An IPv6 address is written in
 * brackets.  url_parse copies the URL into the Url, and splits it there in
 * place.
 *
 * What this file must not do: connect, or resolve host names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/un.h>

#include "base/url.h"

#define URL_DEFAULT_PORT 6379

static int
url_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Decode percent-encoding in place.  Returns false if it is malformed or
 * encodes a zero byte.
 */
static bool
url_decode(char *text)
{
	char	   *out = text;

	for (; *text != '\0'; text++)
	{
		if (*text == '%')
		{
			int			high = url_hex_digit(text[1]);
			int			low = high < 0 ? -1 : url_hex_digit(text[2]);

			if (low < 0 || (high == 0 && low == 0))
				return false;
			*out++ = (char) (high * 16 + low);
			text += 2;
		}
		else
			*out++ = *text;
	}
	*out = '\0';
	return true;
}

static bool
url_number(const char *text, int min, int max, int *number)
{
	int64		value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
	{
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (*text - '0');
		if (value > max)
			return false;
	}
	*number = (int) value;
	return value >= min;
}

/* Skip prefix, in any case of letters, at *text. */
static bool
url_skip(char **text, const char *prefix)
{
	size_t		len = strlen(prefix);

	if (pg_strncasecmp(*text, prefix, len) != 0)
		return false;
	*text += len;
	return true;
}

/*
 * Parse and skip "user:password@" at the start of text.  Returns NULL or what
 * is wrong.
 */
static const char *
url_parse_user(Url *url, char **text)
{
	char	   *user = *text;
	char	   *slash = strchr(user, '/');
	char	   *at = NULL;
	char	   *password;

	for (char *c = user; *c != '\0' && c != slash; c++)
	{
		if (*c == '@')
			at = c;
	}
	if (at == NULL)
		return NULL;

	*at = '\0';
	*text = at + 1;
	password = strchr(user, ':');
	if (password != NULL)
		*password++ = '\0';
	if (!url_decode(user) || (password != NULL && !url_decode(password)))
		return "Percent-encoding in user or password is malformed.";
	if (*user != '\0' && password == NULL)
		return "A user needs a password.";
	if (*user != '\0')
		url->user = user;
	if (password != NULL && (*user != '\0' || *password != '\0'))
		url->password = password;
	return NULL;
}

/* Parse the rest of the URL of a Unix socket, "/path[?db=n]". */
static const char *
url_parse_path(Url *url, char *text)
{
	char	   *query = strchr(text, '?');

	if (*text != '/')
		return "The path of a unix socket must be absolute.";
	if (query != NULL)
	{
		*query++ = '\0';
		if (!url_skip(&query, "db=") ||
			!url_number(query, 0, PG_INT32_MAX, &url->db))
			return "The only parameter is db, the number of a database.";
	}
	if (strlen(text) >= sizeof(((struct sockaddr_un *) NULL)->sun_path))
		return "The path of the unix socket is too long.";
	url->path = text;
	return NULL;
}

/* Parse the rest of any other URL, "host[:port][/db]". */
static const char *
url_parse_host(Url *url, char *text)
{
	char	   *slash = strchr(text, '/');
	char	   *port;

	if (slash != NULL)
	{
		*slash++ = '\0';
		if (*slash != '\0' && !url_number(slash, 0, PG_INT32_MAX, &url->db))
			return "The database must be a number.";
	}
	if (*text == '[')
	{
		char	   *end = strchr(++text, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return "The brackets around the address are malformed.";
		*end = '\0';
		port = end[1] == ':' ? end + 2 : NULL;
	}
	else
	{
		port = strchr(text, ':');
		if (port != NULL)
			*port++ = '\0';
	}
	if (port != NULL && !url_number(port, 1, 65535, &url->port))
		return "The port must be a number from 1 to 65535.";
	if (*text == '\0')
		return "The host is missing.";
	if (strlen(text) >= URL_HOST_LENGTH)
		return "The host is too long.";
	url->host = text;
	return NULL;
}

const char *
url_parse(const char *text, Url *url)
{
	char	   *rest = url->text;
	const char *problem;
	bool		local;

	memset(url, 0, sizeof(Url));
	url->port = URL_DEFAULT_PORT;
	if (strlcpy(url->text, text, sizeof(url->text)) >= sizeof(url->text))
		return "The URL is too long.";
	for (const char *c = text; *c != '\0'; c++)
	{
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			return "Control characters are not allowed.";
	}

	if (url_skip(&rest, "rediss://") || url_skip(&rest, "valkeys://"))
		return "TLS is not supported.";
	local = url_skip(&rest, "unix://");
	if (!local && !url_skip(&rest, "redis://") && !url_skip(&rest, "valkey://"))
		return "It must start with redis://, valkey:// or unix://.";

	problem = url_parse_user(url, &rest);
	if (problem != NULL)
		return problem;
	return local ? url_parse_path(url, rest) : url_parse_host(url, rest);
}
