/*-------------------------------------------------------------------------
 *
 * shim.h
 *	  What some files of src/ and their tests need of a server when there is
 *	  none.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TEST_SHIM_H
#define CACHE_TEST_SHIM_H

/* The server's headers replace these by functions of the server. */
#undef fprintf
#undef printf
#undef snprintf

/* Print a message and exit with failure. */
extern void shim_fail(const char *message) __attribute__((noreturn));

/* Zeroed memory, or failure; the caller's to free. */
extern void *shim_alloc(Size size);

/* Free what palloc has given. */
extern void shim_forget(void);

#endif							/* CACHE_TEST_SHIM_H */
