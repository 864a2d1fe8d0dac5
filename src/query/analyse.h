/*-------------------------------------------------------------------------
 *
 * analyse.h
 *	  Finds out what a statement means, and whether it may be cached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_ANALYSE_H
#define CACHE_ANALYSE_H

#include "query/statement.h"

/*
 * Analyse the statement for the key of a request and remember it.  query: its text,
 * terminated; name: of a named query, whose parameters have the types that it
 * uses them as, or NULL; types, ntypes: of the parameters of others; form: of its
 * result; the generations were read before; automatic: the statement tells the
 * slots of what it reads.  Errors: those of parsing, and
 * ERRCODE_FEATURE_NOT_SUPPORTED with the reason if it may not be cached.
 */
extern Statement *analyse_text(const CacheKey *key, KeyForm form,
							   bool automatic, const char *query,
							   const char *name, const Oid *types,
							   int ntypes, uint64 catalog_generation,
							   uint64 roles_generation);

/*
 * The same for a tree, as the rewriter has left it, and the text it came from.  If
 * it may not be cached, the statement says why instead of an error.
 */
extern Statement *analyse_tree(const CacheKey *key, bool automatic,
							   const char *text, const Query *query,
							   uint64 serial,
							   uint64 catalog_generation,
							   uint64 roles_generation);

/*
 * May a query be a named one at all?  Errors: those of a text, for what is so whoever
 * calls it, and for parameters that are left out.
 */
extern void analyse_check(const char *query);

#endif							/* CACHE_ANALYSE_H */
