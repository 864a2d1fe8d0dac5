/*-------------------------------------------------------------------------
 *
 * tags.c
 *	  The tags of a result in the form in which keys contain them.
 *
 * Two requests with the same tags must have the same key, whatever the order
 * in which the tags were written, and however often.  So tags_pack sorts them
 * and removes duplicates.  It sorts by bytes, so that no collation matters.
 *
 * What this file must not do: raise errors, or use anything of the server
 * except palloc, since test/hint compiles it into a program of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "text/tags.h"

const char *
tags_problem(const Tag *tag)
{
	return tag->len == 0 ? "a tag must not be empty" : NULL;
}

static int
tags_compare(const void *a, const void *b)
{
	const Tag  *ta = a;
	const Tag  *tb = b;
	int			cmp = memcmp(ta->data, tb->data, Min(ta->len, tb->len));

	if (cmp != 0)
		return cmp;
	return ta->len < tb->len ? -1 : ta->len > tb->len;
}

char *
tags_pack(Tag *tags, int ntags, uint32 *len)
{
	Size		size = 0;
	char	   *packed;
	char	   *next;

	if (ntags > 1)
		qsort(tags, ntags, sizeof(Tag), tags_compare);
	for (int i = 0; i < ntags; i++)
		size += tags[i].len + 1;

	packed = next = palloc(Max(size, 1));
	for (int i = 0; i < ntags; i++)
	{
		Assert(tags_problem(&tags[i]) == NULL);
		if (i > 0 && tags_compare(&tags[i - 1], &tags[i]) == 0)
			continue;
		memcpy(next, tags[i].data, tags[i].len);
		next += tags[i].len;
		*next++ = '\0';
	}

	*len = (uint32) (next - packed);
	return packed;
}
