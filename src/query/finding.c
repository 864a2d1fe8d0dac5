/*-------------------------------------------------------------------------
 *
 * finding.c
 *	  What the examination of a query has found so far.
 *
 * depend.c walks a query, and call.c judges the functions that the query
 * calls.  Both record here what they find, and the reason why the query may
 * not be cached.
 *
 * A literal such as 'today' is a constant by the time that the query is
 * examined, and looks like any other date.  So if there are constants of such
 * types, the text that they were just parsed from is searched for these words
 * (literal.c).  There is no such text for views, defaults, conditions of
 * domains and bodies stored as trees.  Their literals became constants when
 * they were created, and have not changed since.
 *
 * What this file must not do: look at a query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "query/finding.h"
#include "query/literal.h"

bool
finding_refuse(Dependencies *deps, char *refusal, const char *hint)
{
	deps->refusal = refusal;
	deps->refusal_hint = hint;
	return true;
}

bool
finding_refuse_finally(Dependencies *deps, char *refusal)
{
	deps->final = true;
	return finding_refuse(deps, refusal, FINDING_UNCACHED_HINT);
}

void
finding_note_unknown(Dependencies *deps)
{
	deps->shareable = false;
	deps->opaque = true;
	deps->complete = false;
}

bool
finding_is_strict(const Examination *walk)
{
	return walk->deps->automatic || walk->folded;
}

bool
finding_check_dates(const Examination *walk, const char *text)
{
	if (text == NULL || !walk->times.any)
		return false;
	if (!literal_is_relative(text, false))
	{
		if (!walk->times.zoned || !literal_is_relative(text, true))
			return false;
		return finding_refuse(walk->deps,
							  "a time in it has the offset that its time zone has today",
							  "Write the time zone as an offset, as in '12:00+01'.");
	}
	return finding_refuse(walk->deps,
						  "a date or time in it is relative to the present",
						  "Write CURRENT_DATE, now() or the like instead of a literal such as 'today'.");
}
