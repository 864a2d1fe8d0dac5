/*-------------------------------------------------------------------------
 *
 * track.h
 *	  Watches statements as they run, and touches what they change.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TRACK_H
#define CACHE_TRACK_H

/* Install the hooks; called once, when the library is loaded. */
extern void track_init(void);

#endif							/* CACHE_TRACK_H */
