/*-------------------------------------------------------------------------
 *
 * evict.c
 *	  The replacement policy: CLOCK with a two-bit usage count.
 *
 * When room is needed, an entry has to be evicted.  Evicting the least
 * recently used one would be the usual choice, but then every hit writes to a
 * list that all backends share.  CLOCK approximates it with a small usage
 * count per entry, and a hit on a popular entry writes nothing:
 *
 *		stored:		usage = EVICT_USAGE_STORED
 *		served:		if usage < EVICT_USAGE_MAX, usage++
 *		choose:		loop
 *						look at the entry under the hand, advance the hand
 *						absent: next
 *						dead, or usage = 0: choose this one
 *						else usage--
 *				after EVICT_MAX_PROBES: the one with the lowest usage
 *
 * The hand is the number of the entry to be looked at next.  An entry is dead
 * if nothing can be served from it any more, however popular it was.
 *
 * Protocol and locks: the caller holds its allocation lock while the hand
 * moves.  Usage counts are read and written atomically, without a lock.  Any
 * value from 0 to EVICT_USAGE_MAX is valid at any time.
 *
 * Tolerated races: an increment or decrement is a read followed by a write, so
 * one of two concurrent changes may be lost.  The count is only a hint.  The
 * cost is an entry that is evicted one turn of the hand too early or too late.
 *
 * Bounded work.  Other backends wait for the allocation lock while the hand
 * moves.  A turn over ten million entries would take seconds, and other
 * backends may increment counts as fast as the hand decrements them.  So
 * evict_choose looks at no more than EVICT_MAX_PROBES entries, and then
 * chooses the one with the lowest usage among them.  If all of them are
 * absent, it has found none, and the next call continues from there.
 *
 * What this file must not do: know what an entry is, or call any function of
 * the server, since test/evict compiles it into a program of its own.  That
 * program replays recorded traces, with which the constants below were chosen.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/evict.h"

/*
 * Maximum usage, in two bits: the number of turns of the hand that a popular
 * entry survives without being served.
 */
#define EVICT_USAGE_MAX 3

/* Maximum number of entries that one call of evict_choose looks at. */
#define EVICT_MAX_PROBES 4096

/*
 * An entry that is never served is evicted at the first turn of the hand.
 * Starting at 1 would keep results that are requested only once for longer.
 * With 1000 entries, the miss ratio would be 0.002 lower on one of the
 * recorded traces and 0.011 higher on the other.
 */
#define EVICT_USAGE_STORED 0

Size
evict_size(uint32 entries)
{
	return offsetof(SharedEvict, usage) +
		(Size) entries * sizeof(pg_atomic_uint32);
}

void
evict_init(SharedEvict *evict, uint32 entries)
{
	evict->size = entries;
	evict->hand = 0;
	for (uint32 i = 0; i < entries; i++)
		pg_atomic_init_u32(&evict->usage[i], 0);
}

void
evict_inserted(SharedEvict *evict, uint32 i)
{
	Assert(i < evict->size);
	pg_atomic_write_u32(&evict->usage[i], EVICT_USAGE_STORED);
}

void
evict_touched(SharedEvict *evict, uint32 i)
{
	uint32		usage;

	Assert(i < evict->size);
	usage = pg_atomic_read_u32(&evict->usage[i]);
	if (usage < EVICT_USAGE_MAX)
		pg_atomic_write_u32(&evict->usage[i], usage + 1);
}

bool
evict_choose(SharedEvict *evict, uint32 used, EvictProbe probe, void *arg,
			 uint32 *victim)
{
	/* enough to bring every count down to zero and come round once more */
	uint64		steps = Min((uint64) used * (EVICT_USAGE_MAX + 2),
							EVICT_MAX_PROBES);
	uint32		lowest = EVICT_USAGE_MAX + 1;

	Assert(used <= evict->size);
	for (uint64 step = 0; step < steps; step++)
	{
		uint32		i = evict->hand < used ? evict->hand : 0;
		EvictState	state = probe(i, arg);
		uint32		usage;

		evict->hand = i + 1 < used ? i + 1 : 0;

		if (state == EVICT_ABSENT)
		{
			/* a whole turn has found no entry */
			if (lowest > EVICT_USAGE_MAX && step + 1 >= used)
				return false;
			continue;
		}
		usage = pg_atomic_read_u32(&evict->usage[i]);
		if (state == EVICT_DEAD || usage == 0)
		{
			*victim = i;
			return true;
		}
		if (usage < lowest)
		{
			lowest = usage;
			*victim = i;
		}
		pg_atomic_write_u32(&evict->usage[i], usage - 1);
	}

	return lowest <= EVICT_USAGE_MAX;
}

const char *
evict_verify(SharedEvict *evict)
{
	if (evict->hand >= Max(evict->size, 1))
		return "the hand points past the last entry";
	for (uint32 i = 0; i < evict->size; i++)
	{
		if (pg_atomic_read_u32(&evict->usage[i]) > EVICT_USAGE_MAX)
			return "a usage count is above its maximum";
	}
	return NULL;
}
