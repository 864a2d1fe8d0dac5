/*-------------------------------------------------------------------------
 *
 * shim.c
 *	  What src/evict.c and its tests need of a server when there is none.
 *
 * Programs here are compiled with the server's headers, whose inline atomics
 * are the ones evict.c uses, but not linked with a server.  Assertions stay
 * off, because what a failed one calls differs between server versions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shim.h"

void
shim_fail(const char *message)
{
	fputs(message, stderr);
	fputc('\n', stderr);
	exit(1);
}

void *
shim_alloc(Size size)
{
	void	   *p = calloc(1, size > 0 ? size : 1);

	if (!p)
		shim_fail("out of memory");
	return p;
}
