/*-------------------------------------------------------------------------
 *
 * literal.h
 *	  Literals that are times relative to the present.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_LITERAL_H
#define CACHE_LITERAL_H

/*
 * Does a literal in a text of SELECTs, which PostgreSQL has parsed under the
 * present settings, read as a time relative to the present, or might it as a
 * part of an array, a range or a row?  zoned: also as a time of day whose time
 * zone is not given as an offset.
 */
extern bool literal_is_relative(const char *text, bool zoned);

#endif							/* CACHE_LITERAL_H */
