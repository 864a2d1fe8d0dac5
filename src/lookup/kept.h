/*-------------------------------------------------------------------------
 *
 * kept.h
 *	  Plans that functions keep, and what they were made under.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_KEPT_H
#define CACHE_KEPT_H

#include "query/statement.h"

/* This session is about to make a plan. */
extern void kept_note_plan(void);

/*
 * A result of a statement is about to be made that may be stored: no plan is to
 * be used for it that was made by another user or under other settings.
 */
extern void kept_renew(const Statement *stmt);

/*
 * Has no plan been made since that is not to be used for it?  A portal that is run
 * in parts has to ask.
 */
extern bool kept_is_renewed(const Statement *stmt);

#endif							/* CACHE_KEPT_H */
