/*-------------------------------------------------------------------------
 *
 * tags.h
 *	  Tags of a result, from wherever they come, as keys have them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TAGS_H
#define CACHE_TAGS_H

/* Most tags that a result may carry. */
#define TAGS_MAX 256

/* A tag as someone wrote it. */
typedef struct Tag
{
	const char *data;			/* not terminated; no zero bytes */
	uint32		len;
} Tag;

/* What is wrong with a tag, as the text of an error, or NULL. */
extern const char *tags_problem(const Tag *tag);

/*
 * Tags as keys have them: sorted, unique, each followed by a zero byte, in the
 * current memory context; never NULL.  None may have a problem.  The array is
 * sorted in place; the tags themselves are copied.
 */
extern char *tags_pack(Tag *tags, int ntags, uint32 *len);

#endif							/* CACHE_TAGS_H */
