/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The background worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_WORKER_H
#define CACHE_WORKER_H

/* Have the postmaster run it; called while it loads the library. */
extern void worker_register(void);

#endif							/* CACHE_WORKER_H */
