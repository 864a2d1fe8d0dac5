/*-------------------------------------------------------------------------
 *
 * clock.c
 *	  The tag clock: when did what a result depends on last change?
 *
 * Whatever a result depends on is a tag, and a tag is hashed, together with
 * its database, to a slot of a fixed array in shared memory.  No tag is ever
 * registered and nothing grows; two tags in one slot cost a needless miss at
 * worst.
 *
 * The array has four parts: one slot of what all databases share; three slots a
 * database, for everything, its catalog, and its definitions; then those that
 * relations are hashed to; then those of tags that users name.  So whoever may
 * invalidate any tag, of which a million would reach every slot, reaches results
 * that depend on tags, and not those that depend on relations only; and no tag
 * and no relation reaches everything in a database.
 *
 * Words.  A slot's generation counts the committed changes to what it stands
 * for.  A fence stands on it while some transaction is between "about to
 * commit" and "commit visible and counted".  newest_xid is the highest full
 * transaction id that changed it.
 *
 * Protocol.  A writer fences its slots before its commit record is written,
 * and ticks them (raise newest_xid, generation + 1, fence down, in that
 * order) after its transaction and its catalog invalidations are visible to
 * others.  A reader looks at the fences first, then at the generation, then at
 * newest_xid, and only then looks up, plans or takes a snapshot.
 *
 * Why it is right.  Let a reader find no fence and generation g.  A commit
 * that became visible before the reader looked had been fenced before that,
 * and the fence was gone, so it had ticked: it is counted in g.  A result
 * stored with g was computed under a snapshot taken after g was read and
 * while g did not move, so it contains exactly the commits counted in g: one
 * that slipped in between the reading and the end of the computation either
 * still fences when the result is to be stored, or has moved the generation.
 * A commit that fences after the reader looked has not been reported to its
 * client yet, and a reader may come before it.  newest_xid is raised before
 * the generation and read after it, so it covers every change that the
 * generation counts: if it precedes a snapshot's xmin, that snapshot sees all
 * of them.
 *
 * The fences are a counter because several transactions can be committing
 * changes to one slot.  Every operation is one atomic read-modify-write, a
 * full barrier in PostgreSQL's terms; the reader's loads are separated by read
 * barriers.  A backend that dies without cleanup takes shared memory down with
 * it, and with it clock and results alike.
 *
 * Each process counts the fences it has raised, for clock_verify alone.  While
 * it changes them its serial is odd, so that a reader who finds the same even
 * serials before and after has counted what stood all the time.
 *
 * The outbox.  Redis is told of a slot's changes by the worker.  unsent is a
 * bitmap of slots with news; sent_generation is the generation Redis knows of,
 * under the name version, a WAL position taken after that generation was
 * reached.  Redis knows the present state of a slot iff sent_generation equals
 * generation.  The worker takes bits out of the map, then reads the
 * generations, sends, and records what it sent: a tick meanwhile sets the bit
 * again, and makes the generations differ in any case.  A slot that has never
 * ticked counts as sent with the base version as soon as there is one.
 *
 * Two generations of a slot can be sent under one version, if the second
 * commit was written before the position was taken, and ticked after the first
 * was sent.  Its fence stood all that time, so nothing was ever stored under
 * that version with the first generation.
 *
 * Tolerated races.  A reader can read the version of a later generation than
 * the one it read; the fill then fails at the generation, and a hit on the
 * later version is fresher than required, newest_xid being read last.
 *
 * What this file must not do: lock, allocate or throw after startup.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/breakage.h"
#include "base/guc.h"
#include "clock/clock.h"
#include "common/hashfn.h"
#include "port/atomics.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/proc.h"
#include "storage/shmem.h"

typedef struct SharedClockSlot
{
	/* all atomic; raised or changed by anyone, as the head comment says */
	pg_atomic_uint64 generation;
	pg_atomic_uint64 newest_xid;
	pg_atomic_uint64 sent_generation;	/* the worker only */
	pg_atomic_uint64 version;	/* the worker only */
	pg_atomic_uint32 fences;
} SharedClockSlot;

/* The fences of a process, by its place in the array of all. */
typedef union SharedClockFencer
{
	struct
	{
		/* atomic; the process itself only */
		pg_atomic_uint32 serial;	/* odd while it changes fences */
		pg_atomic_uint32 fences;
	};
	char		pad[PG_CACHE_LINE_SIZE];
} SharedClockFencer;

typedef struct SharedClock
{
	/* immutable */
	uint32		nslots;
	uint32		nwords;			/* of the bitmap */
	uint32		nfencers;
	uint32		ndatabases;		/* parts of the array; the first begins at 1 */
	uint32		first_relation;
	uint32		nrelations;
	uint32		first_tag;
	uint32		ntags;

	pg_atomic_uint64 base;		/* version of slots that never ticked, 0 until
								 * Redis knows it; the worker only */
	SharedClockSlot slots[FLEXIBLE_ARRAY_MEMBER];
	/* followed by the bitmap, pg_atomic_uint64[nwords], and the fencers */
} SharedClock;

static SharedClock *clock_shared;
static pg_atomic_uint64 *clock_unsent;
static SharedClockFencer *clock_fencers;

/* Slots of each database. */
#define CLOCK_DATABASE_SLOTS 3

static Size
clock_slots_size(void)
{
	return MAXALIGN(add_size(offsetof(SharedClock, slots),
							 mul_size(cache_tag_slots,
									  sizeof(SharedClockSlot))));
}

static uint32
clock_words(void)
{
	return (cache_tag_slots + 63) / 64;
}

static Size
clock_words_size(void)
{
	return CACHELINEALIGN(mul_size(clock_words(), sizeof(pg_atomic_uint64)));
}

/* Every process that can run a transaction has a place below this. */
static uint32
clock_max_fencers(void)
{
	return MaxBackends;
}

Size
clock_shmem_size(void)
{
	return add_size(add_size(clock_slots_size(), clock_words_size()),
					mul_size(clock_max_fencers(), sizeof(SharedClockFencer)));
}

/* Divide the slots: a sixteenth for databases, a quarter for relations. */
static void
clock_divide(SharedClock *clock)
{
	clock->ndatabases = clock->nslots / 16 / CLOCK_DATABASE_SLOTS;
	clock->first_relation = 1 + clock->ndatabases * CLOCK_DATABASE_SLOTS;
	clock->nrelations = clock->nslots / 4;
	clock->first_tag = clock->first_relation + clock->nrelations;
	clock->ntags = clock->nslots - clock->first_tag;
}

void
clock_shmem_init(void)
{
	bool		found;

	clock_shared = ShmemInitStruct("cache clock", clock_shmem_size(), &found);
	clock_unsent = (pg_atomic_uint64 *)
		((char *) clock_shared + clock_slots_size());
	clock_fencers = (SharedClockFencer *)
		((char *) clock_unsent + clock_words_size());
	if (found)
		return;

	clock_shared->nslots = cache_tag_slots;
	clock_shared->nwords = clock_words();
	clock_shared->nfencers = clock_max_fencers();
	clock_divide(clock_shared);
	pg_atomic_init_u64(&clock_shared->base, 0);
	for (uint32 i = 0; i < clock_shared->nslots; i++)
	{
		SharedClockSlot *slot = &clock_shared->slots[i];

		pg_atomic_init_u64(&slot->generation, 0);
		pg_atomic_init_u64(&slot->newest_xid, 0);
		pg_atomic_init_u64(&slot->sent_generation, 0);
		pg_atomic_init_u64(&slot->version, 0);
		pg_atomic_init_u32(&slot->fences, 0);
	}
	for (uint32 i = 0; i < clock_shared->nwords; i++)
		pg_atomic_init_u64(&clock_unsent[i], 0);
	for (uint32 i = 0; i < clock_shared->nfencers; i++)
	{
		pg_atomic_init_u32(&clock_fencers[i].serial, 0);
		pg_atomic_init_u32(&clock_fencers[i].fences, 0);
	}
}

ClockSlot
clock_slot(Oid database, ClockTagKind kind, const void *name, size_t len)
{
	uint64		seed = ((uint64) database << 8) | (uint64) kind;
	uint64		hash = hash_bytes_extended(name, (int) len, seed);

	Assert(kind < CLOCK_TAG_DATABASE);
	if (kind == CLOCK_TAG_RELATION || kind == CLOCK_TAG_UNTOLD)
		return clock_shared->first_relation +
			(ClockSlot) (hash % clock_shared->nrelations);
	return clock_shared->first_tag + (ClockSlot) (hash % clock_shared->ntags);
}

ClockSlot
clock_database_slot(Oid database, ClockTagKind kind)
{
	Assert(kind >= CLOCK_TAG_DATABASE);
	return 1 + (database % clock_shared->ndatabases) * CLOCK_DATABASE_SLOTS +
		(kind - CLOCK_TAG_DATABASE);
}

/*
 * Read one dependency; see the head comment for the order.
 */
static bool
clock_read_slot(ClockStamp *stamp, uint64 *newest_xid)
{
	SharedClockSlot *slot = &clock_shared->slots[stamp->slot];
	uint64		xid;

	Assert(stamp->slot < clock_shared->nslots);

	stamp->unused = 0;
	if (pg_atomic_read_u32(&slot->fences) != 0 && !BREAK_FENCE)
		return false;
	pg_read_barrier();
	stamp->generation = pg_atomic_read_u64(&slot->generation);
	pg_read_barrier();
	if (pg_atomic_read_u64(&slot->sent_generation) != stamp->generation)
		stamp->version = 0;
	else
	{
		pg_read_barrier();
		stamp->version = pg_atomic_read_u64(&slot->version);
		if (stamp->version == 0)
			stamp->version = pg_atomic_read_u64(&clock_shared->base);
	}
	pg_read_barrier();
	xid = pg_atomic_read_u64(&slot->newest_xid);
	if (xid > *newest_xid)
		*newest_xid = xid;
	return true;
}

bool
clock_read(ClockStamp *stamps, int n, uint64 *newest_xid)
{
	for (int i = 0; i < n; i++)
	{
		if (!clock_read_slot(&stamps[i], newest_xid))
			return false;
	}
	/* whatever the caller reads next comes after this reading */
	pg_read_barrier();
	return true;
}

bool
clock_unchanged(const ClockStamp *stamps, int n)
{
	/* what the caller read before comes before this reading */
	pg_read_barrier();
	for (int i = 0; i < n; i++)
	{
		SharedClockSlot *slot = &clock_shared->slots[stamps[i].slot];

		if (pg_atomic_read_u32(&slot->fences) != 0 && !BREAK_FENCE)
			return false;
		pg_read_barrier();
		if (pg_atomic_read_u64(&slot->generation) != stamps[i].generation)
			return false;
	}
	return true;
}

static SharedClockFencer *
clock_fencer(void)
{
	static SharedClockFencer *fencer;

	if (unlikely(fencer == NULL))
	{
		uint32		i = (uint32) (MyProc - ProcGlobal->allProcs);

		Assert(i < clock_shared->nfencers);
		fencer = &clock_fencers[i];
	}
	return fencer;
}

/* This process is about to change its fences. */
static inline void
clock_begin_fencing(SharedClockFencer *fencer)
{
	pg_atomic_write_u32(&fencer->serial,
						pg_atomic_read_u32(&fencer->serial) + 1);
	pg_write_barrier();
}

/* It has done so, and has so many more than before. */
static inline void
clock_end_fencing(SharedClockFencer *fencer, int more)
{
	pg_atomic_write_u32(&fencer->fences,
						pg_atomic_read_u32(&fencer->fences) + more);
	pg_write_barrier();
	pg_atomic_write_u32(&fencer->serial,
						pg_atomic_read_u32(&fencer->serial) + 1);
}

static inline void
clock_unfence_slot(ClockSlot slot)
{
	uint32		before PG_USED_FOR_ASSERTS_ONLY;

	before = pg_atomic_fetch_sub_u32(&clock_shared->slots[slot].fences, 1);
	Assert(before > 0);
}

static inline void
clock_tick_slot(ClockSlot slot, uint64 xid)
{
	SharedClockSlot *s = &clock_shared->slots[slot];
	uint64		newest = pg_atomic_read_u64(&s->newest_xid);

	while (newest < xid &&
		   !pg_atomic_compare_exchange_u64(&s->newest_xid, &newest, xid))
		;
	pg_atomic_fetch_add_u64(&s->generation, 1);
	pg_atomic_fetch_or_u64(&clock_unsent[slot / 64],
						   UINT64CONST(1) << (slot % 64));
	clock_unfence_slot(slot);
}

void
clock_fence(const ClockSlot *slots, int n, bool mine)
{
	if (mine)
		clock_begin_fencing(clock_fencer());
	for (int i = 0; i < n; i++)
		pg_atomic_fetch_add_u32(&clock_shared->slots[slots[i]].fences, 1);
	if (mine)
		clock_end_fencing(clock_fencer(), n);
}

void
clock_unfence(const ClockSlot *slots, int n, bool mine)
{
	if (mine)
		clock_begin_fencing(clock_fencer());
	for (int i = 0; i < n; i++)
		clock_unfence_slot(slots[i]);
	if (mine)
		clock_end_fencing(clock_fencer(), -n);
}

void
clock_tick(const ClockSlot *slots, int n, bool mine, FullTransactionId xid)
{
	if (mine)
		clock_begin_fencing(clock_fencer());
	for (int i = 0; i < n; i++)
		clock_tick_slot(slots[i], U64FromFullTransactionId(xid));
	if (mine)
		clock_end_fencing(clock_fencer(), -n);
}

/*
 * Take up to max slots with news out of the outbox; returns how many.  The
 * caller sends them under a version taken after this call, and hands them to
 * clock_mark_sent or, having failed, to clock_return_unsent.
 */
int
clock_take_unsent(ClockSend *sends, int max)
{
	int			n = 0;

	for (uint32 i = 0; i < clock_shared->nwords && n < max; i++)
	{
		uint64		word = pg_atomic_read_u64(&clock_unsent[i]);

		while (word != 0 && n < max)
		{
			int			bit = pg_rightmost_one_pos64(word);
			uint64		mask = UINT64CONST(1) << bit;

			word &= ~mask;
			pg_atomic_fetch_and_u64(&clock_unsent[i], ~mask);
			sends[n].slot = i * 64 + bit;
			sends[n].generation =
				pg_atomic_read_u64(&clock_shared->slots[sends[n].slot].generation);
			n++;
		}
	}
	return n;
}

/* Put back what could not be sent. */
void
clock_return_unsent(const ClockSend *sends, int n)
{
	for (int i = 0; i < n; i++)
		pg_atomic_fetch_or_u64(&clock_unsent[sends[i].slot / 64],
							   UINT64CONST(1) << (sends[i].slot % 64));
}

/* Redis knows these generations under this version. */
void
clock_mark_sent(const ClockSend *sends, int n, XLogRecPtr version)
{
	for (int i = 0; i < n; i++)
	{
		SharedClockSlot *slot = &clock_shared->slots[sends[i].slot];

		Assert(version >= pg_atomic_read_u64(&slot->version));
		pg_atomic_write_u64(&slot->version, version);
		pg_write_barrier();
		pg_atomic_write_u64(&slot->sent_generation, sends[i].generation);
	}
}

/* Redis knows the version of the slots that have never ticked. */
void
clock_mark_base_sent(XLogRecPtr base)
{
	pg_atomic_write_u64(&clock_shared->base, base);
}

int64
clock_count_unsent(void)
{
	int64		count = 0;

	for (uint32 i = 0; i < clock_shared->nwords; i++)
		count += pg_popcount64(pg_atomic_read_u64(&clock_unsent[i]));
	return count;
}

/*
 * Add up the fences of all processes, and their serials, which only rise.  False
 * if one is just changing its fences.
 */
static bool
clock_sum_fencers(int64 *fences, uint64 *serials)
{
	bool		quiet = true;

	*fences = 0;
	*serials = 0;
	for (uint32 i = 0; i < clock_shared->nfencers && quiet; i++)
	{
		uint32		serial = pg_atomic_read_u32(&clock_fencers[i].serial);

		pg_read_barrier();
		quiet = serial % 2 == 0;
		*serials += serial;
		*fences += pg_atomic_read_u32(&clock_fencers[i].fences);
	}
	return quiet;
}

bool
clock_fences_add_up(int64 others)
{
	int64		counted = 0;
	int64		before;
	int64		after;
	uint64		serials_before;
	uint64		serials_after;

	if (!clock_sum_fencers(&before, &serials_before))
		return true;
	pg_read_barrier();
	for (uint32 i = 0; i < clock_shared->nslots; i++)
		counted += pg_atomic_read_u32(&clock_shared->slots[i].fences);
	pg_read_barrier();
	if (!clock_sum_fencers(&after, &serials_after) ||
		serials_before != serials_after)
		return true;
	return counted == before + others;
}

/*
 * What can be checked of each slot is the slot against itself; prepared_verify
 * has the fences counted.
 */
void
clock_verify(void)
{
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());

	for (uint32 i = 0; i < clock_shared->nslots; i++)
	{
		SharedClockSlot *slot = &clock_shared->slots[i];
		uint64		sent = pg_atomic_read_u64(&slot->sent_generation);
		uint64		xid = pg_atomic_read_u64(&slot->newest_xid);

		pg_read_barrier();
		if (sent > pg_atomic_read_u64(&slot->generation))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("tag slot %u was sent before it changed", i)));
		if (xid >= next)
		{
			/* transactions have started since */
			pg_read_barrier();
			next = U64FromFullTransactionId(ReadNextFullTransactionId());
		}
		if (xid >= next)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("tag slot %u was changed by a future transaction", i)));
		if (pg_atomic_read_u32(&slot->fences) > PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("tag slot %u has lost a fence", i)));
	}
}
