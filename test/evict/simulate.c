/*-------------------------------------------------------------------------
 *
 * simulate.c
 *	  Replay a trace through src/store/evict.c and through exact LRU.
 *
 * Usage: simulate NAME ENTRIES [TOLERANCE] < keys
 *
 * Reads one key per line, in order of access, and prints the miss ratio of
 * both policies for a cache of that many entries.  With a tolerance, fails if
 * CLOCK misses more than LRU by more than that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "shim.h"
#include "store/evict.h"

#define NONE PG_UINT32_MAX

/* A trace: its keys as dense numbers. */
typedef struct Trace
{
	uint32	   *keys;
	uint32		nkeys;			/* accesses */
	uint32		ndistinct;
} Trace;

/* Open addressing, never deleted from: text of a key to its number. */
typedef struct Names
{
	char	  **text;
	uint32	   *number;
	uint32		size;			/* a power of two */
	uint32		used;
} Names;

static uint32
names_find_slot(const Names *names, const char *text)
{
	uint32		hash = 2166136261u;

	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char) *c) * 16777619u;
	hash ^= hash >> 16;
	while (names->text[hash & (names->size - 1)] &&
		   strcmp(names->text[hash & (names->size - 1)], text) != 0)
		hash++;
	return hash & (names->size - 1);
}

static void
names_grow(Names *names)
{
	Names		old = *names;

	names->size = old.size ? old.size * 2 : 1024;
	names->text = shim_alloc(names->size * sizeof(char *));
	names->number = shim_alloc(names->size * sizeof(uint32));
	for (uint32 i = 0; i < old.size; i++)
	{
		if (old.text[i])
		{
			uint32		slot = names_find_slot(names, old.text[i]);

			names->text[slot] = old.text[i];
			names->number[slot] = old.number[i];
		}
	}
	free(old.text);
	free(old.number);
}

static uint32
names_number(Names *names, const char *text)
{
	uint32		slot;

	if (names->used * 2 >= names->size)
		names_grow(names);
	slot = names_find_slot(names, text);
	if (!names->text[slot])
	{
		names->text[slot] = strdup(text);
		names->number[slot] = names->used++;
	}
	return names->number[slot];
}

static void
trace_read(Trace *trace, FILE *file)
{
	Names		names = {0};
	uint32		size = 0;
	char	   *line = NULL;
	size_t		line_size = 0;
	ssize_t		len;

	memset(trace, 0, sizeof(*trace));
	while ((len = getline(&line, &line_size, file)) > 0)
	{
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (trace->nkeys == size)
		{
			size = size ? size * 2 : 1024;
			trace->keys = realloc(trace->keys, size * sizeof(uint32));
			if (!trace->keys)
				shim_fail("out of memory");
		}
		trace->keys[trace->nkeys++] = names_number(&names, line);
	}
	trace->ndistinct = names.used;
}

static EvictState
probe_live(uint32 i, void *arg)
{
	return EVICT_LIVE;
}

/* Misses of src/store/evict.c. */
static uint32
replay_clock(const Trace *trace, uint32 entries)
{
	SharedEvict *evict = shim_alloc(evict_size(entries));
	uint32	   *entry_of = shim_alloc(trace->ndistinct * sizeof(uint32));
	uint32	   *key_of = shim_alloc(entries * sizeof(uint32));
	uint32		used = 0;
	uint32		misses = 0;
	const char *problem;

	evict_init(evict, entries);
	for (uint32 key = 0; key < trace->ndistinct; key++)
		entry_of[key] = NONE;

	for (uint32 n = 0; n < trace->nkeys; n++)
	{
		uint32		key = trace->keys[n];
		uint32		entry = entry_of[key];

		if (entry != NONE)
		{
			evict_touched(evict, entry);
			continue;
		}
		misses++;
		if (used < entries)
			entry = used++;
		else
		{
			if (!evict_choose(evict, entries, probe_live, NULL, &entry))
				shim_fail("no entry to evict");
			entry_of[key_of[entry]] = NONE;
		}
		entry_of[key] = entry;
		key_of[entry] = key;
		evict_inserted(evict, entry);
	}

	problem = evict_verify(evict);
	if (problem)
		shim_fail(problem);
	free(evict);
	free(entry_of);
	free(key_of);
	return misses;
}

/*
 * Misses of exact LRU.  A circular list of keys, the most recently used one
 * after the head, whose number is ndistinct; a key not cached has no links.
 */
static uint32
replay_lru(const Trace *trace, uint32 entries)
{
	uint32		head = trace->ndistinct;
	uint32	   *next = shim_alloc((head + 1) * sizeof(uint32));
	uint32	   *prev = shim_alloc((head + 1) * sizeof(uint32));
	uint32		used = 0;
	uint32		misses = 0;

	for (uint32 key = 0; key < head; key++)
		next[key] = NONE;
	next[head] = prev[head] = head;

	for (uint32 n = 0; n < trace->nkeys; n++)
	{
		uint32		key = trace->keys[n];
		uint32		leaving = key;

		if (next[key] == NONE)
		{
			misses++;
			leaving = used < entries ? NONE : prev[head];
			used += leaving == NONE;
		}
		if (leaving != NONE)
		{
			next[prev[leaving]] = next[leaving];
			prev[next[leaving]] = prev[leaving];
			next[leaving] = NONE;
		}
		next[key] = next[head];
		prev[key] = head;
		prev[next[key]] = key;
		next[head] = key;
	}

	free(next);
	free(prev);
	return misses;
}

int
main(int argc, char **argv)
{
	Trace		trace;
	uint32		entries;
	double		clock_ratio;
	double		lru_ratio;
	bool		failed;
	const char *verdict;

	if (argc < 3 || argc > 4 || atoi(argv[2]) < 1)
		shim_fail("usage: simulate NAME ENTRIES [TOLERANCE] < keys");
	entries = atoi(argv[2]);

	trace_read(&trace, stdin);
	if (trace.nkeys == 0)
		shim_fail("the trace is empty");
	clock_ratio = (double) replay_clock(&trace, entries) / trace.nkeys;
	lru_ratio = (double) replay_lru(&trace, entries) / trace.nkeys;

	failed = argc == 4 && clock_ratio > lru_ratio + atof(argv[3]);
	verdict = argc < 4 ? "" : failed ? "not ok - " : "ok - ";
	printf("%s%-10s %8u accesses %6u keys %6u entries: CLOCK %.4f, LRU %.4f\n",
		   verdict, argv[1], trace.nkeys, trace.ndistinct, entries,
		   clock_ratio, lru_ratio);
	return failed;
}
