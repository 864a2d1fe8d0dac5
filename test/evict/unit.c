/*-------------------------------------------------------------------------
 *
 * unit.c
 *	  Tests of src/store/evict.c that need no trace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shim.h"
#include "store/evict.h"

#define ENTRIES 8

static EvictState states[ENTRIES];
static int	probes;

/* check(what must hold) */
#define check(condition) \
	((condition) ? (void) 0 : shim_fail("failed: " #condition))

static EvictState
probe(uint32 i, void *arg)
{
	check(i < ENTRIES);
	check(arg == states);
	probes++;
	return states[i];
}

/* Someone serves an entry every time the hand looks at it. */
static EvictState
probe_and_touch(uint32 i, void *arg)
{
	SharedEvict *evict = arg;

	probes++;
	evict_touched(evict, i);
	return EVICT_LIVE;
}

/* A policy for ENTRIES entries of that state, each just stored. */
static SharedEvict *
start(EvictState state)
{
	static SharedEvict *evict = NULL;

	free(evict);
	evict = shim_alloc(evict_size(ENTRIES));
	evict_init(evict, ENTRIES);
	for (uint32 i = 0; i < ENTRIES; i++)
	{
		states[i] = state;
		evict_inserted(evict, i);
	}
	probes = 0;
	return evict;
}

static uint32
choose(SharedEvict *evict)
{
	uint32		victim = PG_UINT32_MAX;

	check(evict_choose(evict, evict->size, probe, states, &victim));
	check(victim < ENTRIES);
	check(evict_verify(evict) == NULL);
	return victim;
}

static void
test_nothing_there(void)
{
	SharedEvict *evict = start(EVICT_ABSENT);
	uint32		victim;

	check(!evict_choose(evict, evict->size, probe, states, &victim));
	check(probes == ENTRIES);

	evict_init(evict, 0);
	check(!evict_choose(evict, evict->size, probe, states, &victim));
	check(evict_verify(evict) == NULL);
}

static void
test_absent_skipped(void)
{
	SharedEvict *evict = start(EVICT_ABSENT);

	states[5] = EVICT_LIVE;
	for (int i = 0; i < 3; i++)
		evict_touched(evict, 5);
	check(choose(evict) == 5);

	/* also if it is the last that the hand comes to */
	check(choose(evict) == 5);
}

static void
test_dead_first(void)
{
	SharedEvict *evict = start(EVICT_LIVE);

	for (uint32 i = 0; i < ENTRIES; i++)
		evict_touched(evict, i);
	states[6] = EVICT_DEAD;
	for (int i = 0; i < 3; i++)
		evict_touched(evict, 6);
	check(choose(evict) == 6);
}

static void
test_popular_last(void)
{
	SharedEvict *evict = start(EVICT_LIVE);

	for (uint32 i = 0; i < ENTRIES; i++)
	{
		for (uint32 n = 0; n < (i == 3 ? 2 : 1); n++)
			evict_touched(evict, i);
	}
	for (uint32 i = 0; i < ENTRIES - 1; i++)
	{
		uint32		victim = choose(evict);

		check(victim != 3);
		states[victim] = EVICT_ABSENT;
	}
	check(choose(evict) == 3);
}

static void
test_count_saturates(void)
{
	SharedEvict *evict = start(EVICT_LIVE);

	for (int n = 0; n < 1000; n++)
		evict_touched(evict, 2);
	check(evict_verify(evict) == NULL);
	for (uint32 i = 0; i < ENTRIES; i++)
		states[i] = i == 2 ? EVICT_LIVE : EVICT_ABSENT;
	check(choose(evict) == 2);
	check(probes <= 4 * ENTRIES);
}

static void
test_bounded(void)
{
	SharedEvict *evict = start(EVICT_LIVE);
	uint32		victim = PG_UINT32_MAX;

	check(evict_choose(evict, evict->size, probe_and_touch, evict, &victim));
	check(victim < ENTRIES);
	check(probes <= 5 * ENTRIES);
}

/* With many entries, a choice looks at some only. */
static EvictState
probe_popular(uint32 i, void *arg)
{
	probes++;
	return *(EvictState *) arg;
}

static void
test_many(void)
{
	const uint32 entries = 1000000;
	SharedEvict *evict = shim_alloc(evict_size(entries));
	EvictState	state = EVICT_LIVE;
	uint32		victim = PG_UINT32_MAX;

	evict_init(evict, entries);
	for (uint32 i = 0; i < entries; i++)
	{
		for (int n = 0; n < (i == 1000 ? 1 : 3); n++)
			evict_touched(evict, i);
	}
	probes = 0;
	check(evict_choose(evict, entries, probe_popular, &state, &victim));
	check(victim == 1000);
	check(probes <= 10000);

	/* it does not begin from the start again */
	state = EVICT_ABSENT;
	probes = 0;
	check(!evict_choose(evict, entries, probe_popular, &state, &victim));
	check(probes <= 10000);
	state = EVICT_DEAD;
	check(evict_choose(evict, entries, probe_popular, &state, &victim));
	check(victim > 4000);

	/* entries that were never used are not looked at */
	probes = 0;
	state = EVICT_ABSENT;
	check(!evict_choose(evict, 10, probe_popular, &state, &victim));
	check(probes == 10);
	free(evict);
}

static void
test_verify(void)
{
	SharedEvict *evict = start(EVICT_LIVE);

	evict->hand = ENTRIES;
	check(evict_verify(evict) != NULL);
	evict->hand = 0;
	pg_atomic_write_u32(&evict->usage[1], 4);
	check(evict_verify(evict) != NULL);
}

int
main(void)
{
	test_nothing_there();
	test_absent_skipped();
	test_dead_first();
	test_popular_last();
	test_count_saturates();
	test_bounded();
	test_many();
	test_verify();
	printf("ok - dead entries go first, absent ones never, popular ones last\n");
	return 0;
}
