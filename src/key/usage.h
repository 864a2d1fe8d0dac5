/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What each setting of PostgreSQL affects.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_USAGE_H
#define CACHE_USAGE_H

typedef enum Usage
{
	USAGE_KEYED,				/* unknown, so possibly anything */
	USAGE_NONE,					/* nothing that shows in rows */
	USAGE_RESULT,				/* results of built-in functions and types */
	USAGE_ANALYSIS,				/* the meaning of a text */
	USAGE_PLANNING				/* plans, and so the order of rows */
} Usage;

/* The usage of the setting of a name. */
extern Usage usage_of(const char *name);

#endif							/* CACHE_USAGE_H */
