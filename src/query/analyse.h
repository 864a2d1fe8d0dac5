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
 * Analyse the statement for the key of a request, and remember it.  form: of
 * its result; automatic: the result depends on the relations that the
 * statement reads; query: its text, terminated; name: of the named query, or
 * NULL; types, ntypes: of the parameters, not for a named query, whose types
 * are inferred.  The caller has read the generations before.  Errors: those of
 * parsing, and ERRCODE_FEATURE_NOT_SUPPORTED with the reason if it may not be
 * cached.
 */
extern Statement *analyse_text(const CacheKey *key, KeyForm form,
							   bool automatic, const char *query,
							   const char *name, const Oid *types,
							   int ntypes, uint64 catalog_generation,
							   uint64 roles_generation);

/*
 * Like analyse_text, for a rewritten tree and the text that it comes from.  If
 * it may not be cached, refusal is set; there is no error.
 */
extern Statement *analyse_tree(const CacheKey *key, bool automatic,
							   const char *text, const Query *query,
							   uint64 serial,
							   uint64 catalog_generation,
							   uint64 roles_generation);

/*
 * Check that a query can be a named query.  Errors: as analyse_text, for
 * reasons that do not depend on the caller, and if the query does not use one
 * of its parameters.
 */
extern void analyse_check(const char *query);

#endif							/* CACHE_ANALYSE_H */
