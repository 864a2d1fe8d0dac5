/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  Decides at planning which plain statements are cached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_PLAN_H
#define CACHE_PLAN_H

#include "plain/scan.h"

/* How settings and hints want a statement to be cached. */
typedef struct PlanChoice
{
	const char *text;			/* without comments; terminated */
	uint32		text_len;
	ScanSpec	spec;			/* without the bytes */
	const char *reason;			/* why it is not cached, or NULL */
	bool		by_mode;		/* another mode would cache it */
	const char *problem;		/* with a hint, if that is the reason; else
								 * NULL */
	int			position;		/* of the problem in the text */
	bool		by_policy;		/* the hint names a policy; then the next two
								 * are set */
	Oid			policies;		/* the table of policies; InvalidOid if the
								 * extension is not in this database */
	ClockStamp	stamp;			/* of definitions, read before the policy */
} PlanChoice;

/* Install the hook; called once, when the library is loaded. */
extern void plan_init(void);

/*
 * Decide how a statement is to be cached.  text, location and len: as for
 * hint_find.  Returns false if the statement is not to be cached.  Leaves
 * choice->text and the shape to the caller.
 */
extern bool plan_choose(const char *text, int location, int len,
						PlanChoice *choice);

#endif							/* CACHE_PLAN_H */
