/*-------------------------------------------------------------------------
 *
 * url.h
 *	  Parsing of the URL of Redis.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_URL_H
#define CACHE_URL_H

#define URL_LENGTH 1024
#define URL_HOST_LENGTH 256

/* A parsed URL.  The pointers point into text. */
typedef struct Url
{
	char		text[URL_LENGTH];
	const char *host;			/* NULL for a unix socket */
	const char *path;			/* of a unix socket */
	const char *user;			/* NULL if none */
	const char *password;		/* NULL if none */
	int			port;
	int			db;
} Url;

/* Parse a URL.  Returns NULL, or what is wrong with it (static text). */
extern const char *url_parse(const char *text, Url *url);

#endif							/* CACHE_URL_H */
