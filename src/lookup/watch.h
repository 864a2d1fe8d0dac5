/*-------------------------------------------------------------------------
 *
 * watch.h
 *	  Compares what an execution reaches with what was proven of its query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_WATCH_H
#define CACHE_WATCH_H

#include "executor/execdesc.h"
#include "query/statement.h"

/* A fill that is watched, or the planning for one. */
typedef struct Watch
{
	struct Watch *outer;		/* the next one on the stack */
	Statement  *stmt;			/* pinned; NULL: nothing is proven yet */
	const char *query;
	bool		automatic;
	bool		failed;			/* something was reached that is not proven */
	const DestReceiver *own;	/* of the execution of the statement itself,
								 * if it starts while it is watched */
	bool		starting;		/* that execution is being started */
} Watch;

/* The innermost Watch that is running, or NULL. */
extern Watch *watch_current;

/* Install the hooks; called once, when the library is loaded. */
extern void watch_init(void);

/*
 * Prepare a Watch for a fill of a statement.  own is the receiver of its rows.
 * If own is NULL, everything that runs between watch_enter and watch_leave
 * counts as run by the statement.
 */
extern void watch_begin(Watch *watch, Statement *stmt, const char *query,
						bool automatic, const DestReceiver *own);

/* Take a Watch off the stack after an error, wherever it is. */
extern void watch_forget(Watch *watch);

static inline void
watch_enter(Watch *watch)
{
	watch->outer = watch_current;
	watch_current = watch;
}

static inline void
watch_leave(Watch *watch)
{
	watch_current = watch->outer;
}

/*
 * A query or expression is planned during a fill.  of_request: it is that of a
 * request, which the innermost watch is for.
 */
extern void watch_note_plan(Query *tree, bool of_request);

/*
 * Note that a request inside of a fill is served from the cache.  fresh: the
 * served result is not expired, and has neither tags of its own nor only a
 * ttl.
 */
extern void watch_note_hit(const Statement *stmt, const char *query, bool fresh);

/* Note that a named query is called inside of a fill. */
extern void watch_note_name(const char *name);

#endif							/* CACHE_WATCH_H */
