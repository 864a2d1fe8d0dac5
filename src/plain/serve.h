/*-------------------------------------------------------------------------
 *
 * serve.h
 *	  What becomes of an execution of a statement with a cache node.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SERVE_H
#define CACHE_SERVE_H

/* Register the hooks; called once, as the library is loaded. */
extern void serve_init(void);

/*
 * Is a query that is planned now to be left alone?  So it is in a command that
 * writes what it selects, and in EXPLAIN unless cache.explain is on.
 */
extern bool serve_suspended(void);

#endif							/* CACHE_SERVE_H */
