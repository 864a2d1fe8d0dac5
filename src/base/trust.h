/*-------------------------------------------------------------------------
 *
 * trust.h
 *	  The setting cache.trusted_functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TRUST_H
#define CACHE_TRUST_H

#include "utils/guc.h"

/* Check hook of the setting. */
extern bool trust_check(char **newval, void **extra, GucSource source);

/*
 * Does a value of the setting name this function?  It must not be a built-in
 * one.
 */
extern bool trust_names(const char *list, Oid funcid);

#endif							/* CACHE_TRUST_H */
