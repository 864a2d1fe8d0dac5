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

/* Append the texts that are set among the ignored settings. */
extern void settings_append_ignored_texts(StringInfo buf);

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

/* Is a setting of this name left out of keys? */
extern bool settings_ignored(const char *name);

#endif							/* CACHE_SETTINGS_H */
