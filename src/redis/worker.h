/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The background worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_WORKER_H
#define CACHE_WORKER_H

/*
 * Register the worker with the postmaster.  Called when the library is loaded.
 */
extern void worker_register(void);

#endif							/* CACHE_WORKER_H */
