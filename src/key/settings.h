/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The part of keys that distinguishes sessions: search path and settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SETTINGS_H
#define CACHE_SETTINGS_H

#include "lib/stringinfo.h"

/*
 * Append what the key of a request contains of the session: search path and
 * settings.  plain: also the settings of the planner.
 */
extern void settings_append_session(StringInfo buf, bool plain);

/* The same for the key of a shared result. */
extern void settings_append_shared(StringInfo buf, bool plain);

/*
 * Append all settings of the session that a function could read, for the keys
 * of opaque results, that is, of queries that call unknown functions.
 */
extern void settings_append_all(StringInfo buf);

/*
 * The session may have changed its temporary schema: if it has one, its keys
 * become different from those made before.
 */
extern void settings_outdate_temp(void);

/*
 * A number that stands for the state of the session.  While it stays the same,
 * so do the users, the search path, and the settings that the meaning of a
 * query and the keys of shared results depend on.
 */
extern uint64 settings_state(void);

/*
 * Is a setting of this name in the keys of requests, so that a query whose
 * result is cached may read it?
 */
extern bool settings_in_keys(const char *name);

/* The same for the keys of opaque results. */
extern bool settings_in_opaque_keys(const char *name);

#endif							/* CACHE_SETTINGS_H */
