/*-------------------------------------------------------------------------
 *
 * resolve.h
 *	  Resolve a host name without being blocked by it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_RESOLVE_H
#define CACHE_RESOLVE_H

/* Size of an address as text, with its terminating zero byte. */
#define RESOLVE_ADDRESS_LENGTH 80

/*
 * Resolve a host, and write one of its addresses to address as text.  which
 * selects the address: 0 for the first one, 1 for the second, and so on,
 * starting over after the last one.  Returns what went wrong, or NULL.
 * Interrupts are handled.  A request to shut down or to reload settings ends
 * the look-up.
 */
extern const char *resolve_host(const char *host, unsigned int which, char *address);

#endif							/* CACHE_RESOLVE_H */
