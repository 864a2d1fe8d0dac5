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
 * May a literal in a text of SELECTs be a time relative to the present,
 * possibly as a part of an array, a range or a row?  PostgreSQL has parsed the
 * text under the present settings.  zoned: literals count as well that may be
 * times of day whose time zone is not given as an offset.
 */
extern bool literal_is_relative(const char *text, bool zoned);

#endif							/* CACHE_LITERAL_H */
