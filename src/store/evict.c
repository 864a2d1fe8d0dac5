/*-------------------------------------------------------------------------
 *
 * evict.c
 *	  The replacement policy: CLOCK with a two-bit usage count.
 *
 * When room is needed, one of the entries has to go.  Least recently used
 * would be the usual choice, but keeping its list means that every hit writes
 * to memory that all backends share.  CLOCK approximates it with a small
 * count per entry, and a hit on a popular entry writes nothing:
 *
 *		stored:		usage = EVICT_USAGE_STORED
 *		served:		if usage < EVICT_USAGE_MAX, usage++
 *		choose:		loop
 *						look at the entry under the hand, move the hand on
 *						holds nothing: next
 *						dead, or usage = 0: this one
 *						else usage--
 *				after EVICT_MAX_PROBES: the one that was served least
 *
 * Words: the hand is the number of the entry to be looked at next; an entry is
 * dead if nothing can be served from it any more, however popular it was.
 *
 * Protocol and locks: the hand moves under the caller's allocation lock.
 * Usage counts are read and written atomically under no lock at all; any
 * value from 0 to EVICT_USAGE_MAX is a valid one at any time.
 *
 * Tolerated races: counting up and down are each a read and a write, so one
 * of two simultaneous changes can be lost.  The count is a hint; the cost is
 * an entry that leaves one turn of the hand early or late.
 *
 * Others wait for the lock while the hand moves.  A turn over ten million entries
 * takes seconds, and others can keep counting up what it counts down.  So a
 * choice looks at a bounded number of entries, and then takes the one of them
 * that was served least.  If they all held nothing, it has found none, and
 * the next choice goes on from there.
 *
 * This file must not know what an entry is, nor call anything of the server:
 * test/evict compiles it into a program of its own.  It replays recorded
 * traces, which is how the constants below were found.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/evict.h"

/* Two bits: how many turns of the hand a popular entry survives unserved. */
#define EVICT_USAGE_MAX 3

/* The most entries that a choice looks at. */
#define EVICT_MAX_PROBES 4096

/*
 * An entry that was never served goes at the first turn of the hand.  Starting
 * at 1 would keep what is asked for once longer: at 1000 entries that is 0.002
 * fewer misses on one of the recorded traces and 0.011 more on the other.
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
	/* enough turns to count every entry down to zero and come round again */
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
			/* a whole turn without an entry: there is none */
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
