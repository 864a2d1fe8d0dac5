/*-------------------------------------------------------------------------
 *
 * stop.h
 *	  Points where a test can stop a process.
 *
 * A stop point is named after the step that follows it.  Stop points exist
 * only in a build with CACHE_STOP_POINTS; see stop.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_STOP_H
#define CACHE_STOP_H

#ifdef CACHE_STOP_POINTS
#define STOP_POINT(name) stop_at(name)
extern void stop_at(const char *name);
#else
#define STOP_POINT(name) ((void) 0)
#endif

#endif							/* CACHE_STOP_H */
