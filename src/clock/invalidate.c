/*-------------------------------------------------------------------------
 *
 * invalidate.c
 *	  The slots that a transaction has touched, and what happens to them when
 *	  it ends.
 *
 * A transaction touches the slots of what it changes.  They are collected
 * here.  When the transaction commits, they are ticked (clock.c), in three
 * steps:
 *
 *	1. Before the commit (XACT_EVENT_PRE_COMMIT), every touched slot gets a
 *	   fence.  A slot that is touched later, by another callback, gets its
 *	   fence at once.
 *	2. PostgreSQL writes the commit record, waits for synchronous standbys, and
 *	   makes the transaction visible (ProcArrayEndTransaction).
 *	3. After the transaction's catalog invalidations have been sent (the
 *	   resource release callback, after locks), every touched slot is ticked,
 *	   which takes its fence down.
 *
 * XACT_EVENT_COMMIT would be too early for step 3.  It comes before
 * AtEOXact_Inval, so another backend could read the new generation and still
 * plan with the old catalog.  The commit is reported to the client after step
 * 3, so a statement that starts after the report reads the new generation.
 *
 * Why no change is lost, and no fence left behind:
 *	- An error before the commit record leads to XACT_EVENT_ABORT, which takes
 *	  the fences down and forgets the slots.  A backend that is terminated
 *	  aborts its transaction as it exits, so the same happens.
 *	- Callbacks of other libraries may touch slots as well.  Whichever callback
 *	  runs first, every touch is seen: before step 1 it is collected, after
 *	  step 1 it gets its fence at once.
 *	- After the commit record interrupts are held off, and an error is a PANIC.
 *	  A PANIC, like any crash, makes PostgreSQL start with new shared memory,
 *	  so the results in L1 are gone as well.
 *	- If the wait for a synchronous standby is canceled, the transaction is
 *	  committed all the same, and step 3 follows.
 *	- Step 3 neither allocates nor throws.  The set of touched slots has a
 *	  fixed size; a transaction that touches more than fit touches the slot of
 *	  everything in its database.
 *
 * Words.  A slot is wide if it stands for something in a whole database, or in
 * all of them.  Until step 1, wide slots are kept in an array of their own,
 * each with the nesting level of the transaction that touched it.  They are
 * never replaced by the slot of everything in the current database, because
 * they may stand for more than that.  If there are more than
 * INVALIDATE_MAX_WIDE, the slot of the cluster replaces them.
 *
 * Savepoints.  If a savepoint is rolled back, the wide slots touched since are
 * forgotten.  Otherwise a user could invalidate the results of everybody by a
 * command that is refused, such as
 *
 *	ALTER ROLE postgres NOLOGIN;	-- by a user who may not
 *
 * in a block with an exception handler.  Other slots are kept: what a
 * rolled-back part of the transaction has touched is invalidated with the
 * rest.  That can cost misses, but it never leaves a stale result.
 *
 * A transaction that has no transaction id when it commits has changed nothing
 * that others could see (DROP ... IF EXISTS of what does not exist, for
 * example).  It ticks nothing.
 *
 * PREPARE TRANSACTION: before the transaction is prepared, its slots and their
 * fences are handed over to prepared.c.  If the preparation fails, the abort
 * takes the fences down.  To touch a slot after the handover is an error,
 * which makes the preparation fail.
 *
 * Parallel workers must touch nothing, because what they touch would be lost
 * when they exit.  The functions of the extension that touch slots are
 * parallel unsafe.  But a user may wrongly declare a function PARALLEL SAFE
 * that calls them; in a worker, that is an error.
 *
 * What this file must not do: decide which slots a change touches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "base/breakage.h"
#include "base/guc.h"
#include "base/stats.h"
#include "base/stop.h"
#include "clock/invalidate.h"
#include "clock/prepared.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/*
 * A transaction that touches more slots than this touches the slot of
 * everything in its database instead.
 */
#define INVALIDATE_MAX_SLOTS 4096

/*
 * With more wide slots than this, it touches the slot of the cluster instead.
 */
#define INVALIDATE_MAX_WIDE 8

StaticAssertDecl(INVALIDATE_MAX_SLOTS + INVALIDATE_MAX_WIDE == PREPARED_MAX_SLOTS,
				 "any transaction can be prepared");

/* Size of the hash index of the slots: a power of two, sparsely filled. */
#define INVALIDATE_INDEX_SIZE (4 * INVALIDATE_MAX_SLOTS)

typedef enum InvalidatePhase
{
	INVALIDATE_COLLECTING,		/* before commit */
	INVALIDATE_FENCED,			/* after step 1 */
	INVALIDATE_COMMITTED,		/* after step 2, before step 3 */
	INVALIDATE_PREPARING		/* handed over; nothing may be touched */
} InvalidatePhase;

/* The touched slots; an index entry is 1 + a position in slots, or 0. */
typedef struct InvalidateSet
{
	uint16		index[INVALIDATE_INDEX_SIZE];
	ClockSlot	slots[PREPARED_MAX_SLOTS];
} InvalidateSet;

/* A wide slot before step 1. */
typedef struct InvalidateWide
{
	ClockSlot	slot;
	int			level;			/* outermost nesting level that touched it */
} InvalidateWide;

static struct
{
	InvalidatePhase phase;
	int			writes;			/* running statements that write */
	int			nslots;
	InvalidateSet *set;			/* NULL until the first touch */
	int			nwide;
	InvalidateWide wide[INVALIDATE_MAX_WIDE];
	FullTransactionId xid;		/* of the committing transaction */
} invalidate;

/* Called after each commit that has ticked a slot, or NULL. */
static void (*invalidate_listener) (void);

/*
 * Find the place of a slot in the index, or the place where it would be.
 */
static inline uint32
invalidate_find(ClockSlot slot)
{
	uint32		i = (slot * 2654435761U) % INVALIDATE_INDEX_SIZE;
	InvalidateSet *set = invalidate.set;

	while (set->index[i] != 0 && set->slots[set->index[i] - 1] != slot)
		i = (i + 1) % INVALIDATE_INDEX_SIZE;
	return i;
}

/* Forget the touched slots.  Only the used part of the index is cleared. */
static void
invalidate_forget(void)
{
	InvalidateSet *set = invalidate.set;

	/* if nslots is zero, set may be NULL */
	if (invalidate.nslots > INVALIDATE_MAX_SLOTS / 16)
		memset(set->index, 0, sizeof(set->index));
	else
	{
		/* in reverse order of insertion, so that probing meets no hole */
		while (invalidate.nslots > 0)
		{
			set->index[invalidate_find(set->slots[invalidate.nslots - 1])] = 0;
			invalidate.nslots--;
		}
	}
	invalidate.nslots = 0;
	invalidate.nwide = 0;
	invalidate.writes = 0;
	invalidate.phase = INVALIDATE_COLLECTING;
}

/*
 * Add a slot to the set.  The caller makes sure that there is room.
 */
static pg_attribute_always_inline void
invalidate_insert(ClockSlot slot)
{
	uint32		i = invalidate_find(slot);

	if (invalidate.set->index[i] != 0)
		return;
	if (invalidate.phase == INVALIDATE_FENCED)
		clock_fence(&slot, 1, true);
	invalidate.set->slots[invalidate.nslots++] = slot;
	invalidate.set->index[i] = (uint16) invalidate.nslots;
}

/*
 * Move the wide slots into the set.
 */
static void
invalidate_collect_wide(void)
{
	for (int i = 0; i < invalidate.nwide; i++)
	{
		/* can be full only if more came after step 1; keep the last place */
		if (invalidate.nslots >= PREPARED_MAX_SLOTS - 1)
			invalidate_insert(CLOCK_SLOT_CLUSTER);
		else
			invalidate_insert(invalidate.wide[i].slot);
	}
	invalidate.nwide = 0;
}

/*
 * Step 1: put up the fences.
 */
static void
invalidate_fence(void)
{
	invalidate_collect_wide();
	if (invalidate.nslots > 0)
		clock_fence(invalidate.set->slots, invalidate.nslots, true);
	invalidate.phase = INVALIDATE_FENCED;
}

/*
 * Step 3: tick.
 */
static void
invalidate_tick(void)
{
	if (invalidate.nslots > 0)
	{
		clock_tick(invalidate.set->slots, invalidate.nslots, true,
				   invalidate.xid);
		stats_add(STATS_INVALIDATIONS, invalidate.nslots);
		if (invalidate_listener != NULL)
			invalidate_listener();
	}
	invalidate_forget();
}

/* Take down the fences, if they are up, and forget the slots. */
static void
invalidate_nothing(void)
{
	if (invalidate.phase == INVALIDATE_PREPARING)
		prepared_cancel(invalidate.xid);
	if (invalidate.phase == INVALIDATE_FENCED && invalidate.nslots > 0)
		clock_unfence(invalidate.set->slots, invalidate.nslots, true);
	invalidate_forget();
}

/*
 * Hand the touched slots over to prepared.c.
 */
static void
invalidate_prepare(void)
{
	if (max_prepared_xacts == 0)
		return;					/* PostgreSQL is about to raise an error */

	invalidate_collect_wide();
	invalidate.xid = GetTopFullTransactionId();
	prepared_record(invalidate.xid,
					invalidate.nslots > 0 ? invalidate.set->slots : NULL,
					invalidate.nslots);
	invalidate.phase = INVALIDATE_PREPARING;
}

static void
invalidate_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			invalidate_fence();
			STOP_POINT("commit");
			break;
		case XACT_EVENT_COMMIT:
			invalidate.xid = GetTopFullTransactionIdIfAny();
			if (FullTransactionIdIsValid(invalidate.xid))
			{
				if (BREAK_TICK_LAST)
					invalidate_tick();
				invalidate.phase = INVALIDATE_COMMITTED;
			}
			else
				invalidate_nothing();
			STOP_POINT("send");
			break;
		case XACT_EVENT_PRE_PREPARE:
			invalidate_prepare();
			STOP_POINT("prepare");
			break;
		case XACT_EVENT_PREPARE:
			invalidate_forget();
			break;
		case XACT_EVENT_ABORT:
			invalidate_nothing();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
	}
}

static void
invalidate_release_callback(ResourceReleasePhase phase, bool isCommit,
							bool isTopLevel, void *arg)
{
	if (phase == RESOURCE_RELEASE_AFTER_LOCKS &&
		invalidate.phase == INVALIDATE_COMMITTED)
	{
		Assert(isCommit && isTopLevel);
		STOP_POINT("tick");
		invalidate_tick();
	}
}

/*
 * When a savepoint ends, the wide slots touched since then pass to the
 * enclosing level of the transaction, or are forgotten.
 */
static void
invalidate_subxact_callback(SubXactEvent event, SubTransactionId mySubid,
							SubTransactionId parentSubid, void *arg)
{
	int			level;
	int			kept = 0;

	if (invalidate.nwide == 0 ||
		(event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	level = GetCurrentTransactionNestLevel();
	for (int i = 0; i < invalidate.nwide; i++)
	{
		InvalidateWide *wide = &invalidate.wide[i];

		if (wide->level >= level && event == SUBXACT_EVENT_ABORT_SUB)
			continue;
		wide->level = Min(wide->level, level - 1);
		invalidate.wide[kept++] = *wide;
	}
	invalidate.nwide = kept;
}

void
invalidate_init(void)
{
	RegisterXactCallback(invalidate_xact_callback, NULL);
	RegisterSubXactCallback(invalidate_subxact_callback, NULL);
	RegisterResourceReleaseCallback(invalidate_release_callback, NULL);
}

void
invalidate_set_listener(void (*listener) (void))
{
	invalidate_listener = listener;
}

/*
 * Prepare for the first touch of this process, or raise an error if nothing
 * may be touched.
 */
static pg_noinline void
invalidate_check_touch(void)
{
	if (IsParallelWorker())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot invalidate cached results in a parallel worker"),
				 errhint("Mark the functions that do so as PARALLEL UNSAFE.")));
	if (invalidate.phase == INVALIDATE_PREPARING)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot invalidate cached results while the transaction is prepared"),
				 errhint("Commit the transaction with COMMIT.")));
	invalidate.set = MemoryContextAllocZero(TopMemoryContext,
											sizeof(InvalidateSet));
}

static inline void
invalidate_begin_touch(void)
{
	/* in a parallel worker, set is always NULL */
	if (unlikely(invalidate.set == NULL ||
				 invalidate.phase == INVALIDATE_PREPARING))
		invalidate_check_touch();
}

/*
 * Record that a wide slot was touched at a nesting level.
 */
static void
invalidate_add_wide(ClockSlot slot, int level)
{
	for (int i = 0; i < invalidate.nwide; i++)
	{
		InvalidateWide *wide = &invalidate.wide[i];

		if (wide->slot == slot)
		{
			wide->level = Min(wide->level, level);
			return;
		}
	}
	/* the last place is reserved for the slot of the cluster */
	if (invalidate.nwide >= INVALIDATE_MAX_WIDE - 1 &&
		slot != CLOCK_SLOT_CLUSTER)
		invalidate_add_wide(CLOCK_SLOT_CLUSTER, level);
	else
	{
		invalidate.wide[invalidate.nwide].slot = slot;
		invalidate.wide[invalidate.nwide++].level = level;
	}
}

void
invalidate_touch_wide(ClockSlot slot)
{
	invalidate_begin_touch();
	invalidate_add_wide(slot, GetCurrentTransactionNestLevel());
	/* after step 1 it needs its fence now */
	if (invalidate.phase != INVALIDATE_COLLECTING)
		invalidate_collect_wide();
}

void
invalidate_touch(ClockSlot slot)
{
	invalidate_begin_touch();
	if (invalidate.nslots < INVALIDATE_MAX_SLOTS)
		invalidate_insert(slot);
	else if (!BREAK_OVERFLOW &&
			 invalidate.set->index[invalidate_find(slot)] == 0)
	{
		invalidate_add_wide(clock_database_slot(MyDatabaseId,
												CLOCK_TAG_DATABASE), 1);
		if (invalidate.phase != INVALIDATE_COLLECTING)
			invalidate_collect_wide();
	}
}

void
invalidate_tag(ClockTagKind kind, const char *name, size_t len)
{
	(void) GetTopTransactionId();
	invalidate_touch(clock_slot(MyDatabaseId, kind, name, len));
	if (kind == CLOCK_TAG_USER || kind == CLOCK_TAG_QUERY)
		ereport(CACHE_LOG_LEVEL,
				(errmsg_internal("cache: invalidating %s \"%.*s\"",
								 kind == CLOCK_TAG_USER ? "tag" : "query",
								 (int) strnlen(name, len), name)));
}

void
invalidate_database(void)
{
	(void) GetTopTransactionId();
	invalidate_touch_wide(clock_database_slot(MyDatabaseId, CLOCK_TAG_DATABASE));
}

void
invalidate_everything(void)
{
	(void) GetTopTransactionId();
	invalidate_touch_wide(CLOCK_SLOT_CLUSTER);
}

void
invalidate_begin_write(void)
{
	invalidate.writes++;
}

void
invalidate_end_write(void)
{
	if (invalidate.writes > 0)
		invalidate.writes--;
}

bool
invalidate_writing(void)
{
	return invalidate.writes > 0;
}

bool
invalidate_touched(ClockSlot slot)
{
	for (int i = 0; i < invalidate.nwide; i++)
	{
		if (invalidate.wide[i].slot == slot ||
			invalidate.wide[i].slot == CLOCK_SLOT_CLUSTER)
			return true;
	}
	return invalidate.nslots > 0 &&
		invalidate.set->index[invalidate_find(slot)] != 0;
}
