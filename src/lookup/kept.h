/*-------------------------------------------------------------------------
 *
 * kept.h
 *	  Has PostgreSQL replan what functions keep, before a fill uses it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_KEPT_H
#define CACHE_KEPT_H

#include "query/statement.h"

/* Call when this session is about to make a plan. */
extern void kept_note_plan(void);

/*
 * Call before an execution of a statement whose result may be stored.  Makes
 * sure that it uses no plan that was made for another user or under other
 * settings.
 */
extern void kept_renew(const Statement *stmt);

/*
 * Is that still true, or has a plan been made in another state since?  To be
 * asked for a portal that is run in parts.
 */
extern bool kept_is_renewed(const Statement *stmt);

#endif							/* CACHE_KEPT_H */
