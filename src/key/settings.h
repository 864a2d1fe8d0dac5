/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  What of a session makes its requests different from those of others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SETTINGS_H
#define CACHE_SETTINGS_H

#include "lib/stringinfo.h"

/*
 * Append what the key of a request has of the session: search path and
 * settings.  plain: those of planning as well.
 */
extern void settings_append_session(StringInfo buf, bool plain);

/* The same for a result that is shared between users and custom settings. */
extern void settings_append_shared(StringInfo buf, bool plain);

/*
 * Append all that a function could find out about the settings of the session,
 * to tell apart what calls functions of which nothing is known.
 */
extern void settings_append_all(StringInfo buf);

/*
 * The session has changed definitions for itself: what it has in common with
 * keys made before is no longer the same, if it has a temporary schema.
 */
extern void settings_outdate_temp(void);

/*
 * A number for the user and those settings that decide what a query means and
 * what the keys of shared results hold: while it is the same, they are.
 */
extern uint64 settings_state(void);

/*
 * Do different values of the setting of this name make different keys, so that
 * a query may read it?
 */
extern bool settings_in_keys(const char *name);

/* The same of keys of what calls functions of which nothing is known. */
extern bool settings_in_opaque_keys(const char *name);

#endif							/* CACHE_SETTINGS_H */
