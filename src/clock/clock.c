/*-------------------------------------------------------------------------
 *
 * clock.c
 *	  The tag clock: when did what a result depends on last change?
 *
 * Whatever a result depends on is a tag, and a tag is hashed, together with
 * its database, to a slot of a fixed array in shared memory.  No tag is ever
 * registered and nothing grows; two tags in one slot cost a needless miss at
 * worst.  Two slots are not hashed to: that of everything, and that of roles,
 * which belong to no database.
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
#include "port/pg_bitutils.h"
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

typedef struct SharedClock
{
	uint32		nslots;			/* immutable */
	uint32		nwords;			/* of the bitmap; immutable */
	pg_atomic_uint64 base;		/* version of slots that never ticked, 0 until
								 * Redis knows it; the worker only */
	SharedClockSlot slots[FLEXIBLE_ARRAY_MEMBER];
	/* followed by the bitmap, pg_atomic_uint64[nwords] */
} SharedClock;

static SharedClock *clock_shared;
static pg_atomic_uint64 *clock_unsent;

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

Size
clock_shmem_size(void)
{
	return add_size(clock_slots_size(),
					mul_size(clock_words(), sizeof(pg_atomic_uint64)));
}

void
clock_shmem_init(void)
{
	bool		found;

	clock_shared = ShmemInitStruct("cache clock", clock_shmem_size(), &found);
	clock_unsent = (pg_atomic_uint64 *)
		((char *) clock_shared + clock_slots_size());
	if (found)
		return;

	clock_shared->nslots = cache_tag_slots;
	clock_shared->nwords = clock_words();
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
}

ClockSlot
clock_slot(Oid database, ClockTagKind kind, const void *name, size_t len)
{
	uint64		seed = ((uint64) database << 8) | (uint64) kind;
	uint64		hash = hash_bytes_extended(name, (int) len, seed);

	return CLOCK_SLOT_FIRST +
		(ClockSlot) (hash % (clock_shared->nslots - CLOCK_SLOT_FIRST));
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

void
clock_fence(ClockSlot slot)
{
	pg_atomic_fetch_add_u32(&clock_shared->slots[slot].fences, 1);
}

void
clock_unfence(ClockSlot slot)
{
	uint32		before PG_USED_FOR_ASSERTS_ONLY;

	before = pg_atomic_fetch_sub_u32(&clock_shared->slots[slot].fences, 1);
	Assert(before > 0);
}

/*
 * Count a committed change of a slot that the caller has fenced, and take the
 * fence down.
 */
void
clock_tick(ClockSlot slot, FullTransactionId xid)
{
	SharedClockSlot *s = &clock_shared->slots[slot];
	uint64		mine = U64FromFullTransactionId(xid);
	uint64		newest = pg_atomic_read_u64(&s->newest_xid);

	while (newest < mine &&
		   !pg_atomic_compare_exchange_u64(&s->newest_xid, &newest, mine))
		;
	pg_atomic_fetch_add_u64(&s->generation, 1);
	pg_atomic_fetch_or_u64(&clock_unsent[slot / 64],
						   UINT64CONST(1) << (slot % 64));
	clock_unfence(slot);
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
 * Nothing here is counted twice, so what can be checked is each slot against
 * itself.  A fence that stays for ever is found by looking when no transaction
 * is committing, which only the caller can know.
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
