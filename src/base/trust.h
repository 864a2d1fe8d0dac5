/*-------------------------------------------------------------------------
 *
 * trust.h
 *	  The functions named in cache.trusted_functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TRUST_H
#define CACHE_TRUST_H

#include "utils/guc.h"

/* Checks a new value of the setting. */
extern bool trust_check(char **newval, void **extra, GucSource source);

/* Is a function, none of the built-in ones, named in a value of the setting? */
extern bool trust_names(const char *list, Oid funcid);

#endif							/* CACHE_TRUST_H */
