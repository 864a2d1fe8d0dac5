/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  Which plain statements are cached, decided as they are planned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_PLAN_H
#define CACHE_PLAN_H

#include "plain/scan.h"

/* How a statement is to be cached, by settings and hints. */
typedef struct PlanChoice
{
	const char *text;			/* without comments; terminated */
	uint32		text_len;
	ScanSpec	spec;			/* without the bytes */
	const char *reason;			/* why it is not to be, or NULL */
	bool		by_mode;		/* another mode would cache it */
	const char *problem;		/* with a hint, if that is the reason */
	int			position;		/* of the problem in the text */
	bool		by_policy;		/* a policy was asked for, of this table as of
								 * this stamp */
	Oid			policies;		/* InvalidOid: the extension is not there */
	ClockStamp	stamp;
} PlanChoice;

/* Register the hook; called once, as the library is loaded. */
extern void plan_init(void);

/*
 * Choose for a statement of a text, given as hint_find takes it.  False if the
 * statement is to be left alone.  Leaves choice->text and the shape to the
 * caller.
 */
extern bool plan_choose(const char *text, int location, int len,
						PlanChoice *choice);

#endif							/* CACHE_PLAN_H */
