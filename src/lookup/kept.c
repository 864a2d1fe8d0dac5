/*-------------------------------------------------------------------------
 *
 * kept.c
 *	  Has PostgreSQL replan what functions keep, before a fill uses it.
 *
 * A PL/pgSQL function keeps the plans of its queries and expressions.  It uses
 * them again even after the user or the settings have changed.  Whatever the
 * planner has computed is a part of those plans.  For example, after
 *
 *	SET extra_float_digits = 1;
 *	SELECT f();			-- RETURN (1::float8 / 3)::text
 *	SET extra_float_digits = -5;
 *
 * f() still returns the long text in this session, but the short one in
 * another session.  So what f() returns here must not be stored under the key
 * of the present settings, where other sessions look it up.
 *
 * Protocol.  Expressions are evaluated without the executor, so this file
 * cannot see which plans an execution uses.  But it sees each plan being made,
 * as the planner is called (kept_note_plan).  It then compares the state of
 * the session (user, search_path and all settings) with the one that the kept
 * plans are known to be made in.  If a plan has been made in another state, or
 * if the state is another one when a fill starts, that fill tells PostgreSQL
 * to replan everything (kept_renew).  This is not needed for a statement that
 * calls no function which may keep plans (Statement.keeps_plans), nor for the
 * plan of the statement itself, which serve.c checks.
 *
 * Functions that are not written in C and are taken at their word
 * (Statement.believed) are watched as they run (watch.c), and what is planned for
 * them is searched.  So for a statement that calls one, every fill has
 * everything replanned.
 *
 * Cost.  Until a session first fills a statement that needs this, nothing is
 * noted, and that first fill has everything replanned.
 *
 * Tolerated races.  A function may itself change user or settings (SECURITY
 * DEFINER, SET), and call another function that the statement calls directly
 * as well.  Then it depends on the order of the calls whose plan is kept, in
 * PostgreSQL as well.  Such a statement is filled all the same.  Its fill
 * begins with plans that are all of one state.
 *
 * What is not noticed: anything but plans that a procedural language or a C
 * function keeps; and the conditions of domains, which can only cause errors.
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
	if (kept_is_renewed(stmt) && !stmt->believed)
		return;
	ResetPlanCache();
	key_read_session(&kept.state);
	kept.noting = true;
	kept.mixed = false;
}
