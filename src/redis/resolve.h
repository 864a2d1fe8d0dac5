/*-------------------------------------------------------------------------
 *
 * resolve.h
 *	  Look up the address of a host, without being held up by it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_RESOLVE_H
#define CACHE_RESOLVE_H

/* Room for an address and a zero byte. */
#define RESOLVE_ADDRESS_LENGTH 80

/*
 * Write one of the addresses of a host, as text; which: the first, the second, and
 * so on around.  Returns what went wrong, or NULL.  Interrupts are served; a request
 * to shut down or to read settings anew ends the look-up.
 */
extern const char *resolve_host(const char *host, unsigned int which, char *address);

#endif							/* CACHE_RESOLVE_H */
