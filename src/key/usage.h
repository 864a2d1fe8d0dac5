/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What each setting of PostgreSQL has a say in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_USAGE_H
#define CACHE_USAGE_H

typedef enum Usage
{
	USAGE_KEYED,				/* anything: it is not known */
	USAGE_NONE,					/* nothing that is seen in rows */
	USAGE_RESULT,				/* what built-in functions and types give */
	USAGE_ANALYSIS,				/* what a text means */
	USAGE_PLANNING				/* the order of rows */
} Usage;

extern Usage usage_of(const char *name);

#endif							/* CACHE_USAGE_H */
