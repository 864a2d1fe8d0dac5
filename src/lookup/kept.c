/*-------------------------------------------------------------------------
 *
 * kept.c
 *	  Plans that functions keep, and what they were made under.
 *
 * A function of PL/pgSQL keeps the plans of its queries and expressions, and goes
 * on using them when the user or the settings are others.  What the planner has
 * folded is in them: after
 *
 *	SET extra_float_digits = 1;
 *	SELECT f();			-- RETURN (1::float8 / 3)::text
 *	SET extra_float_digits = -5;
 *
 * f() still returns the long text in this session, but the short one in another.
 * So what it returns here must not be stored under the key of the present
 * settings, where others find it.
 *
 * Expressions are evaluated without the executor, so an execution does not show
 * which plans it uses.  What is seen is how plans are made: all of them by the
 * planner.  This file compares the state of the session then (user, search path and
 * all settings) with the one that the kept plans are known to be of.  Once one
 * was made in another state, or if the state is another one when a fill starts, the
 * fill tells PostgreSQL to make all plans anew.  A fill that uses no functions
 * that may keep plans (Statement.keeps_plans) needs none of this; nor does the plan
 * of a statement itself, which serve.c knows.
 *
 * Cost.  Until the session first fills a statement that needs it, nothing is noted;
 * that fill has all plans made anew.
 *
 * A function may itself change user or settings, by SECURITY DEFINER or SET, and
 * what it calls then may be called by the statement without it, too.  Whose plan
 * is kept depends on who comes first, in PostgreSQL as well; such statements
 * are filled all the same, starting from plans that are all of one state.
 *
 * What is not seen: what a procedural language, or a function in C, keeps besides
 * plans; and the conditions of domains, of which nothing but an error comes.
 *
 * What this file must not do: look at plans.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "key/key.h"
#include "lookup/kept.h"
#include "utils/plancache.h"

static struct
{
	bool		noting;			/* plans are looked at as they are made */
	bool		mixed;			/* one was made in another state */
	KeySession	state;			/* that all others were made in */
} kept;

static bool
kept_is_present(void)
{
	KeySession	now;

	key_read_session(&now);
	return memcmp(&now, &kept.state, sizeof(now)) == 0;
}

void
kept_note_plan(void)
{
	if (kept.noting && !kept.mixed)
		kept.mixed = !kept_is_present();
}

bool
kept_is_renewed(const Statement *stmt)
{
	return !stmt->keeps_plans ||
		(kept.noting && !kept.mixed && kept_is_present());
}

void
kept_renew(const Statement *stmt)
{
	if (kept_is_renewed(stmt))
		return;
	ResetPlanCache();
	key_read_session(&kept.state);
	kept.noting = true;
	kept.mixed = false;
}
