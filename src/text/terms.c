/*-------------------------------------------------------------------------
 *
 * terms.c
 *	  The terms on which a result is cached.
 *
 * The terms come from the settings first.  A policy may override them, and
 * after that a hint, a named query or the arguments of a call.  Each of these
 * may leave any of the terms open; terms_refine overrides only those that are
 * stated.
 *
 * What this file must not do: know where a statement of terms comes from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "text/terms.h"

void
terms_refine(Terms *terms, const Terms *stated)
{
	if (stated->ttl > 0)
		terms->ttl = stated->ttl;
	if (stated->stale > 0)
		terms->stale = stated->stale;
	if (stated->min_cost_us > 0)
		terms->min_cost_us = stated->min_cost_us;
	if (stated->max_entry_size > 0)
		terms->max_entry_size = Min(terms->max_entry_size,
									stated->max_entry_size);
	if (stated->tags != NULL)
	{
		terms->automatic = false;
		terms->policy_tags = stated->policy_tags;
		terms->tags = stated->tags;
		terms->tags_len = stated->tags_len;
	}
}
