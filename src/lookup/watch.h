/*-------------------------------------------------------------------------
 *
 * watch.h
 *	  What executions that fill reach, against what was proven of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_WATCH_H
#define CACHE_WATCH_H

#include "executor/execdesc.h"
#include "query/statement.h"

/* One fill, or the planning for one. */
typedef struct Watch
{
	struct Watch *outer;		/* the one that it runs in */
	Statement  *stmt;			/* pinned; NULL: nothing is proven yet */
	const char *query;
	bool		automatic;
	bool		failed;			/* something was reached that may not be */
	const DestReceiver *own;	/* of the execution of the statement itself,
								 * if it starts while it is watched */
	bool		starting;		/* that is what happens */
} Watch;

/* The innermost one that runs now, or NULL. */
extern Watch *watch_current;

/* Register the hooks; called once, as the library is loaded. */
extern void watch_init(void);

/*
 * A fill of a statement is to be watched, or, if own is NULL, what runs between
 * watch_enter and watch_leave on its behalf.
 */
extern void watch_begin(Watch *watch, Statement *stmt, const char *query,
						bool automatic, const DestReceiver *own);

/* An error came between watch_enter and watch_leave. */
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
 * A request is served from the cache inside of a fill.  fresh: its freshness is
 * the cache's own.
 */
extern void watch_note_hit(const Statement *stmt, const char *query, bool fresh);

/* A named query is asked for inside of a fill. */
extern void watch_note_name(const char *name);

#endif							/* CACHE_WATCH_H */
