/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  Which plain statements are cached, decided as they are planned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_PLAN_H
#define CACHE_PLAN_H

/* Register the hook; called once, as the library is loaded. */
extern void plan_init(void);

#endif							/* CACHE_PLAN_H */
