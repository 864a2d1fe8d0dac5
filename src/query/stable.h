/*-------------------------------------------------------------------------
 *
 * stable.h
 *	  STABLE functions whose inputs are known.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_STABLE_H
#define CACHE_STABLE_H

/*
 * Does a STABLE function read nothing but its arguments, settings, the user and
 * definitions, or does the administrator say so?
 */
extern bool stable_is_known(Oid funcid);

/*
 * Does a built-in STABLE function look at neither the user nor other settings
 * than those of shared results?  The time is allowed.
 */
extern bool stable_is_impersonal(Oid funcid);

/*
 * Does a built-in STABLE function look at what only its own session has, and no
 * key tells?
 */
extern bool stable_is_about_session(Oid funcid);

#endif							/* CACHE_STABLE_H */
