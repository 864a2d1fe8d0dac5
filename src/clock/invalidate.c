/*-------------------------------------------------------------------------
 *
 * invalidate.c
 *	  What the transaction has touched, and what its end makes of it.
 *
 * A transaction collects the slots it changes.  The end of the transaction
 * turns them into ticks of the clock, in three steps:
 *
 *	1. before commit (XACT_EVENT_PRE_COMMIT): fence every touched slot.  What
 *	   is touched later, by other callbacks, is fenced at once.
 *	2. PostgreSQL writes the commit record, waits for synchronous standbys,
 *	   and makes the transaction visible (ProcArrayEndTransaction).
 *	3. after its catalog invalidations were sent (resource release, after
 *	   locks): tick every touched slot, which takes its fence down.
 *
 * XACT_EVENT_COMMIT would be too early for step 3: it comes before
 * AtEOXact_Inval, so that another backend could read the new generation and
 * still plan with the old catalog.  The commit is reported to the client
 * after step 3, so a statement that starts after the report reads the new
 * generation.
 *
 * Why nothing is lost or left behind.  An error before the commit record ends
 * in XACT_EVENT_ABORT, which takes the fences down and forgets; so does a
 * backend that is terminated, since its exit aborts the transaction.  The
 * callbacks are registered as the library is loaded, so what other libraries
 * touch in theirs comes after step 1 or before it, but never unseen.  After
 * the commit record interrupts are held off, and an error is a PANIC, which
 * takes shared memory with it, results included; the same goes for a crash.
 * A canceled wait for a synchronous standby goes on to step 3 like any commit.
 * Step 3 neither allocates nor throws: the set of touched slots has a fixed
 * size, and what does not fit becomes the slot of everything in the database.
 *
 * Words.  A slot is wide if it concerns a whole database, or all of them.  Wide
 * slots are kept apart until step 1, with the nesting level of the transaction
 * they were touched at.  They never give way to the slot of everything in the
 * database, since they may stand for more; beyond INVALIDATE_MAX_WIDE of them the
 * slot of the cluster stands for them all.
 *
 * Savepoints.  A wide slot that was touched since a savepoint is forgotten when
 * that is rolled back: otherwise a command that is refused (ALTER ROLE by
 * somebody who may not) would invalidate everybody's results.  Other slots
 * are not looked at: what a rolled-back part has touched is invalidated with
 * the rest.  That costs misses, and errs on the right side.
 *
 * A transaction that has no transaction id as it commits has changed nothing
 * that others could see (a DROP ... IF EXISTS that found nothing), and ticks
 * nothing.
 *
 * PREPARE TRANSACTION hands the slots over to prepared.c, and fences them,
 * before the transaction is prepared; if it is not, the abort takes the fences
 * down.  Touching anything after that is an error, and fails the preparation.
 *
 * Parallel workers touch nothing: all that calls this is parallel unsafe.  A
 * function of a user's can say otherwise of itself, and what it touches in a
 * worker would be lost with the worker, so it fails there.
 *
 * What this file must not do: decide what a change touches.
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
 * Beyond this many slots a transaction touches everything in its database
 * instead.
 */
#define INVALIDATE_MAX_SLOTS 4096

/* Beyond this many wide slots, everything in all databases. */
#define INVALIDATE_MAX_WIDE 8

StaticAssertDecl(INVALIDATE_MAX_SLOTS + INVALIDATE_MAX_WIDE == PREPARED_MAX_SLOTS,
				 "a prepared transaction has as many slots as any");

/* Size of the hash index into them: a power of two, sparsely filled. */
#define INVALIDATE_INDEX_SIZE (4 * INVALIDATE_MAX_SLOTS)

typedef enum InvalidatePhase
{
	INVALIDATE_COLLECTING,		/* before commit */
	INVALIDATE_FENCED,			/* after step 1 */
	INVALIDATE_COMMITTED,		/* visible; step 3 is due */
	INVALIDATE_PREPARING		/* recorded; too late to touch anything */
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
	int			level;			/* of nesting, the outermost it was touched at */
} InvalidateWide;

static struct
{
	InvalidatePhase phase;
	int			writes;			/* statements that write, under way */
	int			nslots;
	InvalidateSet *set;			/* NULL until the first touch */
	int			nwide;
	InvalidateWide wide[INVALIDATE_MAX_WIDE];
	FullTransactionId xid;		/* of the committing transaction */
} invalidate;

/* Told of commits that have ticked, or NULL. */
static void (*invalidate_listener) (void);

/*
 * Where a slot is, or would be, in the index.
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

/* Forget the touched slots.  The index is cleared only where it was used. */
static void
invalidate_forget(void)
{
	InvalidateSet *set = invalidate.set;

	/* there is no set yet if there are no slots */
	if (invalidate.nslots > INVALIDATE_MAX_SLOTS / 16)
		memset(set->index, 0, sizeof(set->index));
	else
	{
		/* last in first out, so that no probe meets a hole */
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
 * Put a slot into the set, for which the caller has made room.
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
 * Wide slots join the others.
 */
static void
invalidate_collect_wide(void)
{
	for (int i = 0; i < invalidate.nwide; i++)
	{
		/* the last place of all, if more came after step 1 */
		if (invalidate.nslots >= PREPARED_MAX_SLOTS - 1)
			invalidate_insert(CLOCK_SLOT_CLUSTER);
		else
			invalidate_insert(invalidate.wide[i].slot);
	}
	invalidate.nwide = 0;
}

/*
 * Step 1.
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
 * Step 3.
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

/* Take down the fences, if they are up, and forget. */
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
 * Hand the touched slots over to the record of the prepared transaction.
 */
static void
invalidate_prepare(void)
{
	if (max_prepared_xacts == 0)
		return;					/* PostgreSQL is about to refuse it */

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
 * The wide slots touched since a savepoint become those of what is around it, or
 * are forgotten.
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
 * The first touch of this process, or an error for whoever may not touch anything.
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
	/* a parallel worker never gets a set */
	if (unlikely(invalidate.set == NULL ||
				 invalidate.phase == INVALIDATE_PREPARING))
		invalidate_check_touch();
}

/*
 * Note a wide slot as touched at a level.
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
	/* the last place is kept for the slot of the cluster */
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
	/* too late for step 1 */
	if (invalidate.phase != INVALIDATE_COLLECTING)
		invalidate_collect_wide();
}

void
invalidate_touch(ClockSlot slot)
{
	invalidate_begin_touch();
	if (invalidate.nslots < INVALIDATE_MAX_SLOTS)
		invalidate_insert(slot);
	else if (invalidate.set->index[invalidate_find(slot)] == 0)
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
