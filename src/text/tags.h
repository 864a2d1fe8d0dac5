/*-------------------------------------------------------------------------
 *
 * tags.h
 *	  The tags of a result in the form in which keys contain them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_TAGS_H
#define CACHE_TAGS_H

/* Maximum number of tags of a result. */
#define TAGS_MAX 256

/* A tag as it was written. */
typedef struct Tag
{
	const char *data;			/* not terminated; no zero bytes */
	uint32		len;
} Tag;

/*
 * Check a tag.  Returns what is wrong with it, as the text of an error
 * message, or NULL.
 */
extern const char *tags_problem(const Tag *tag);

/*
 * Pack tags in the form in which keys contain them: sorted, without
 * duplicates, each followed by a zero byte; in the current memory context,
 * never NULL.  The array is sorted in place, and the tags are copied.  No tag
 * may have a problem (tags_problem).
 */
extern char *tags_pack(Tag *tags, int ntags, uint32 *len);

#endif							/* CACHE_TAGS_H */
