/*-------------------------------------------------------------------------
 *
 * shim.c
 *	  What some files of src/ and their tests need of a server when there is
 *	  none.
 *
 * Programs in test/ are compiled with the server's headers, whose inline
 * atomics are the ones that src/ uses, but not linked with a server.
 * Assertions stay off, because what a failed one calls differs between server
 * versions.
 *
 * All that is allocated is in one memory context, as it were, in a list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "parser/parser.h"
#include "shim.h"

#undef qsort

bool		standard_conforming_strings = true;

static void **shim_chunks;
static size_t shim_nchunks;

void
shim_fail(const char *message)
{
	fputs(message, stderr);
	fputc('\n', stderr);
	exit(1);
}

/* Memory from the C library, or failure. */
static void *
shim_check(void *p)
{
	if (p == NULL)
		shim_fail("out of memory");
	return p;
}

void *
shim_alloc(Size size)
{
	return shim_check(calloc(1, Max(size, 1)));
}

void
shim_forget(void)
{
	while (shim_nchunks > 0)
		free(shim_chunks[--shim_nchunks]);
	free(shim_chunks);
	shim_chunks = NULL;
}

void *
palloc(Size size)
{
	void	   *chunk = shim_check(malloc(size));

	shim_chunks = shim_check(realloc(shim_chunks,
									 (shim_nchunks + 1) * sizeof(void *)));
	shim_chunks[shim_nchunks++] = chunk;
	return chunk;
}

void
pg_qsort(void *base, size_t nel, size_t elsize,
		 int (*cmp) (const void *, const void *))
{
	qsort(base, nel, elsize, cmp);
}
