/*-------------------------------------------------------------------------
 *
 * clock.c
 *	  The tag clock: counts the changes of everything that results depend on.
 *
 * Everything that a result can depend on is a tag: a relation, a name given by
 * a user, a named query, the catalog.  A tag is hashed, together with its
 * database, to a slot of a fixed array in shared memory.  Tags are not
 * registered, so nothing grows.  If two tags share a slot, a change of one
 * also invalidates the results that depend on the other; that costs a miss.
 *
 * The array has four parts:
 *	- one slot for what all databases share (roles, a flush of everything);
 *	- three slots for each database: everything in it, its catalog, and its
 *	  policies and named queries;
 *	- the slots that relations are hashed to;
 *	- the slots that tags named by users are hashed to.
 * Some users may invalidate any tag, and a million tags reach every slot of
 * the last part.  They cannot reach results that depend on relations only.
 * Nor does any tag or relation share a slot with everything in a database.
 *
 * Words.  The generation of a slot is a counter: it is the number of committed
 * changes to what the slot stands for.  A fence on a slot means that a
 * transaction which changes it is between "about to commit" and "commit
 * visible and counted".  newest_xid is the highest full transaction id that
 * changed the slot.  To tick a slot is to count a committed change in it.
 *
 * Protocol.  A writer puts fences on its slots before its commit record is
 * written.  After its transaction and its catalog invalidations are visible to
 * others, it ticks them: it raises newest_xid, adds 1 to the generation, and
 * takes its fence down, in that order.  A reader reads the fences first, then
 * the generation, then newest_xid.  Only then does it accept pending catalog
 * invalidations, look up, plan or take a snapshot.  If it finds a fence, it
 * neither serves nor stores.  A stored result is served only to a reader that
 * has read the generation it was stored with.  When the reader itself has
 * computed a result, it stores the result with the generation it has read, if
 * the slot is still without a fence and of that generation.
 *
 * A timeline.  W changes table t; R runs cached_query() over it.  The last
 * column shows the slot of t: generation, fences.
 *
 *		W						R								slot
 *		UPDATE t												7, 0
 *								reads the slot: no fence, 7		7, 0
 *								takes a snapshot, executes		7, 0
 *		COMMIT: fences											7, 1
 *		becomes visible											7, 1
 *		ticks													8, 0
 *		the client is told
 *
 * R's snapshot does not see the UPDATE.  What becomes of R's result depends on
 * when R is done:
 *	- before W fences: it is stored with 7.  Whoever reads the slot from then
 *	  on finds a fence, and then 8, so no statement that starts after W's
 *	  commit was reported is served it.
 *	- after that: the fence is up, or the generation is 8.  It is not stored.
 * Had R taken its snapshot after W became visible, the result would be right
 * for generation 8, but R would not store it with 7 either.
 *
 * The variant for plain SELECTs.  PostgreSQL has taken their snapshot before
 * the cache is asked, so it is older than the reading of the clock:
 *
 *		W						R								slot
 *		UPDATE t				snapshot S						7, 0
 *		COMMIT: fences, becomes visible, ticks					8, 0
 *								reads the slot: no fence, 8,	8, 0
 *								newest_xid = W
 *								executes under S				8, 0
 *
 * S does not see the UPDATE, although generation 8 counts it.  The check of
 * fence and generation would pass at the end, and a result without the change
 * would be stored as one of generation 8.  So such a reader needs one more
 * condition.  Either newest_xid precedes the xmin of S: then all changes that
 * the generation counts had ended when S was taken, and S sees them.  Or S
 * equals a snapshot taken now, so that no transaction has ended since.  Here
 * neither holds, and R bypasses the cache (lookup_snapshot_is_old).  Nor would
 * a hit be right: a result of generation 8 contains the UPDATE, unlike what
 * any other query sees under S.  At REPEATABLE READ, where S can be much
 * older, the same condition applies to every request.
 *
 * Why it is right.  Let a reader find no fence and generation g.
 *	- Every commit that was visible before the reader looked is counted in g.
 *	  It had put up its fence before it became visible.  The reader found no
 *	  fence, so the commit had ticked.
 *	- A result stored with g contains exactly the commits counted in g.  Its
 *	  snapshot was taken after g was read, so it sees all of them.  If another
 *	  commit became visible meanwhile, it either still has its fence when the
 *	  result is to be stored, or it has moved the generation; both prevent
 *	  that.  For a snapshot older than the reading, the condition above says
 *	  that it sees all that g counts; and what it sees is counted, as it was
 *	  visible before the reader looked.
 *	- A commit that puts up its fence after the reader looked has not been
 *	  reported to its client yet.  So the reader may be ordered before it.
 *	- newest_xid is raised before the generation, and read after it.  So it
 *	  covers every change that the generation counts.
 *
 * The fences of a slot are a counter because several transactions can commit
 * changes to it at once.  Every change of the clock is one atomic
 * read-modify-write, which is a full barrier in PostgreSQL; the loads of a
 * reader are separated by read barriers.  If a backend dies without cleaning
 * up, PostgreSQL makes shared memory anew, and both the clock and the results
 * in L1 are gone.
 *
 * Each process also counts the fences that it has put up.  Only clock_verify
 * uses these counters.  While a process changes its fences, its serial is odd.
 * A verifier that finds the same even serials before and after counting has
 * counted fences that stood all the time.
 *
 * The outbox.  The worker tells Redis about changes of slots.  unsent is a
 * bitmap of the slots that changed since they were last sent.  sent_generation
 * of a slot is the generation that Redis knows.  version is the name it knows
 * that generation by, a WAL position taken after the generation was reached.
 * Redis knows the present state of a slot iff sent_generation equals
 * generation.  The worker takes bits out of the bitmap, then reads the
 * generations, sends, and records what it has sent.  If a slot ticks
 * meanwhile, its bit is set again, and its generations differ in any case.  A
 * slot that has never ticked counts as sent with the base version as soon as
 * there is one.
 *
 * Two generations of a slot can be sent under one version.  The worker reads
 * generation 7.  A transaction puts up its fence and writes its commit record.
 * Now the worker takes a WAL position and sends 7 under it.  The transaction
 * ticks, and if nothing else has been written to the WAL, the worker sends 8
 * under the same position.  Results of 7 and 8 would be mixed up in Redis, but
 * there are none of 7: from before the position was taken until the tick the
 * fence was up, and afterwards the generation was 8, so every check before
 * putting a result under that version with generation 7 fails.
 *
 * Tolerated races.  A reader may read generation 7, and then, because the slot
 * ticks and is sent in between, the version of generation 8.  It stores
 * nothing in either tier, because the check finds that the generation has
 * moved.  If it is served a result from Redis under that version, the result
 * is fresher than it had to be.  newest_xid, read last, covers generation 8,
 * so the condition for old snapshots still holds.
 *
 * What this file must not do: lock, allocate or throw after startup.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/breakage.h"
#include "base/guc.h"
#include "base/stop.h"
#include "clock/clock.h"
#include "common/hashfn.h"
#include "port/atomics.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/proc.h"
#include "storage/shmem.h"

typedef struct SharedClockSlot
{
	/* all atomic; changed by any process, as the head comment says */
	pg_atomic_uint64 generation;
	pg_atomic_uint64 newest_xid;
	pg_atomic_uint64 sent_generation;	/* written by the worker only */
	pg_atomic_uint64 version;	/* written by the worker only */
	pg_atomic_uint32 fences;
} SharedClockSlot;

/* How many fences a process has up; indexed like ProcGlobal->allProcs. */
typedef union SharedClockFencer
{
	struct
	{
		/* atomic; written by the process itself only */
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
								 * Redis knows it; written by the worker only */
	SharedClockSlot slots[FLEXIBLE_ARRAY_MEMBER];
	/* followed by the bitmap, pg_atomic_uint64[nwords], and the fencers */
} SharedClock;

static SharedClock *clock_shared;
static pg_atomic_uint64 *clock_unsent;
static SharedClockFencer *clock_fencers;

/* Number of slots that each database has of its own. */
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

/* Every process that can run a transaction has a pgprocno below this. */
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
		STOP_POINT("version");
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
	/* what the caller reads next must be read after the clock */
	pg_read_barrier();
	return true;
}

bool
clock_unchanged(const ClockStamp *stamps, int n)
{
	/* what the caller has read must have been read before the clock */
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

/* Announce that this process is about to change its fences. */
static inline void
clock_begin_fencing(SharedClockFencer *fencer)
{
	pg_atomic_write_u32(&fencer->serial,
						pg_atomic_read_u32(&fencer->serial) + 1);
	pg_write_barrier();
}

/* Announce that it has done so, and now has so many more than before. */
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
 * Take up to max changed slots out of the outbox.  Returns how many.  The
 * caller sends them under a version that it takes after this call.  Then it
 * calls clock_mark_sent or, if sending failed, clock_return_unsent.
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

/* Put slots that could not be sent back into the outbox. */
void
clock_return_unsent(const ClockSend *sends, int n)
{
	for (int i = 0; i < n; i++)
		pg_atomic_fetch_or_u64(&clock_unsent[sends[i].slot / 64],
							   UINT64CONST(1) << (sends[i].slot % 64));
}

/* Record that Redis knows these generations under this version. */
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

/* Record that Redis knows the version of the slots that have never ticked. */
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
 * Add up the fences of all processes and their serials.  Serials only
 * increase.  Returns false if a process is just changing its fences.
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
 * Check each slot by itself.  The fences are counted on behalf of
 * prepared_verify.
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
			/* transactions may have started since next was read */
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
