/*-------------------------------------------------------------------------
 *
 * track.h
 *	  What statements change, seen as they run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TRACK_H
#define CACHE_TRACK_H

/* Install the hooks; called once, as the library is loaded. */
extern void track_init(void);

#endif							/* CACHE_TRACK_H */
