/*-------------------------------------------------------------------------
 *
 * shim.h
 *	  What src/evict.c and its tests need of a server when there is none.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TEST_SHIM_H
#define CACHE_TEST_SHIM_H

/* The server's headers replace this by a function of the server. */
#undef printf

/* Print a message and exit with failure. */
extern void shim_fail(const char *message) pg_attribute_noreturn();

/* Zeroed memory, or failure. */
extern void *shim_alloc(Size size);

#endif							/* CACHE_TEST_SHIM_H */
