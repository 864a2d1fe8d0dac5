/*-------------------------------------------------------------------------
 *
 * admit.c
 *	  Which statements are worth caching.
 *
 * Where nobody has asked for a statement to be cached, its result is stored if
 * that is likely to pay:
 *
 *	- executing it takes ADMIT_DEAR_RATIO times what serving a result takes, both
 *	  as measured by this backend;
 *	- it was wanted before; or it is so dear that this is worth a try.
 *
 * Whether a result was wanted before is remembered in shared memory, by the
 * hash of its key, in a table where others overwrite it sooner or later: who
 * asks rarely is forgotten.  It is the doorkeeper that TinyLFU (Einziger,
 * Friedman, Manes, 2017) puts before its frequency sketch, without the sketch.
 *
 * Statements that are cheap must not become dearer by being measured.  So each
 * backend remembers a verdict by the shape of a statement, that is, its text
 * without literals: then only a hash of the text stands between a cheap
 * statement and its plan.  The first verdict is the planner's estimate;
 * executions that turn out otherwise reverse it.  One that was found wrong
 * to be cheap is believed to be so again only after ever more executions in a
 * row, since to reverse that makes PostgreSQL plan its kept statements anew.  Two shapes of one hash
 * share a verdict, which costs time or room, not right answers.
 *
 * Tolerated races.  The table in shared memory is read and written without a
 * lock; a lost mark costs one more execution.
 *
 * What this file must not do: decide whether a result may be stored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "common/hashfn.h"
#include "optimizer/optimizer.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "store/admit.h"
#include "utils/timestamp.h"

/* Marks in shared memory, and verdicts of a backend: powers of two. */
#define ADMIT_MARKS 16384
#define ADMIT_VERDICTS 1024

/* How much dearer than serving an execution has to be. */
#define ADMIT_DEAR_RATIO 10

/* Executions of that many us are stored the first time. */
#define ADMIT_AT_ONCE_US 100000

/*
 * Plans below this cost run in about the time of a few hits: so many pages
 * read in sequence.
 */
#define ADMIT_CHEAP_PAGES 40

/*
 * A statement taken to be cheap is found dear when it has spent that many us in
 * slow executions, of which this part of the time that passes is forgiven: a
 * busy machine makes everything slow now and then.
 */
#define ADMIT_SUSPECTED_US 20000
#define ADMIT_FORGIVEN 0.01

/* Serving is taken to last that many us before it was measured. */
#define ADMIT_FIRST_HIT_US 20.0

/* Weight of the newest measurement in the mean. */
#define ADMIT_HIT_WEIGHT 0.05

typedef struct SharedAdmit
{
	pg_atomic_uint32 marks[ADMIT_MARKS];	/* atomic; part of a key's hash */
} SharedAdmit;

typedef struct AdmitShape
{
	uint64		shape;
	AdmitVerdict verdict;
	double		suspected_us;	/* in executions that went against the verdict
								 * cheap, less what is forgiven */
	TimestampTz suspected_at;	/* the last of them */
	int			reversals;		/* from cheap to dear */
	uint32		cheap_runs;		/* executions in a row that went against the
								 * verdict dear */
} AdmitShape;

static struct
{
	SharedAdmit *shared;
	AdmitShape	shapes[ADMIT_VERDICTS];
	double		hit_us;			/* mean */
}			admit = {.hit_us = ADMIT_FIRST_HIT_US};

Size
admit_shmem_size(void)
{
	return sizeof(SharedAdmit);
}

void
admit_shmem_init(void)
{
	bool		found;

	admit.shared = ShmemInitStruct("cache admission", sizeof(SharedAdmit),
								   &found);
	if (!found)
	{
		for (int i = 0; i < ADMIT_MARKS; i++)
			pg_atomic_init_u32(&admit.shared->marks[i], 0);
	}
}

/*
 * The end of a comment that begins at text, or text if none does.
 */
static const char *
admit_skip_comment(const char *text, const char *end)
{
	const char *stop;

	if (end - text < 2)
		return text;
	if (text[0] == '-' && text[1] == '-')
	{
		stop = memchr(text, '\n', end - text);
		return stop != NULL ? stop : end;
	}
	if (text[0] == '/' && text[1] == '*')
	{
		for (stop = text + 2; stop + 1 < end; stop++)
		{
			if (stop[0] == '*' && stop[1] == '/')
				return stop + 2;
		}
		return end;
	}
	return text;
}

uint64
admit_shape(const char *text, int location, int len)
{
	size_t		size = strlen(text);
	size_t		start = location > 0 ? Min((size_t) location, size) : 0;
	const char *c = text + start;
	const char *end = text + size;
	uint64		shape = 0;
	bool		word = false;	/* inside a name or keyword */

	/* a tree that was stored can have the length of another text */
	if (location >= 0 && len > 0 && (size_t) len < size - start)
		end = c + len;

	/* a rough reading will do: it need only be the same each time */
	while (c < end)
	{
		const char *after = admit_skip_comment(c, end);

		if (after > c)
			c = after;
		else if (*c == '\'')
		{
			const char *quote = memchr(c + 1, '\'', end - c - 1);

			c = quote != NULL ? quote + 1 : end;
			word = false;
		}
		else if (isspace((unsigned char) *c) ||
				 (!word && isdigit((unsigned char) *c)))
		{
			c++;
			word = false;
		}
		else
		{
			word = isalnum((unsigned char) *c) || *c == '_' || *c == '$';
			shape = shape * UINT64CONST(0x100000001b3) + (unsigned char) *c++;
		}
	}
	return hash_bytes_extended((unsigned char *) &shape, sizeof(shape), 0);
}

AdmitVerdict
admit_verdict(uint64 shape)
{
	const AdmitShape *entry = &admit.shapes[shape % ADMIT_VERDICTS];

	return entry->shape == shape ? entry->verdict : ADMIT_UNKNOWN;
}

/*
 * The place of a shape, as a new one if it is another's.
 */
static AdmitShape *
admit_place(uint64 shape)
{
	AdmitShape *entry = &admit.shapes[shape % ADMIT_VERDICTS];

	if (entry->shape != shape)
	{
		memset(entry, 0, sizeof(*entry));
		entry->shape = shape;
	}
	return entry;
}

bool
admit_is_cheap_plan(double cost)
{
	return cost < ADMIT_CHEAP_PAGES * seq_page_cost;
}

AdmitVerdict
admit_estimate(uint64 shape, double cost)
{
	AdmitShape *entry = admit_place(shape);

	entry->verdict = admit_is_cheap_plan(cost) ? ADMIT_CHEAP : ADMIT_DEAR;
	return entry->verdict;
}

/*
 * Is an execution dearer than serving its result?
 */
static bool
admit_is_dear(int64 us)
{
	return us >= ADMIT_DEAR_RATIO * admit.hit_us;
}

/*
 * A statement that is taken to be cheap was slow once.  Does it happen so often
 * that it cannot be by chance?
 */
static bool
admit_is_suspect(AdmitShape *entry, int64 us)
{
	TimestampTz now = GetCurrentTimestamp();

	entry->suspected_us -= ADMIT_FORGIVEN * (now - entry->suspected_at);
	entry->suspected_us = Max(entry->suspected_us, 0) + us;
	entry->suspected_at = now;
	return entry->suspected_us >= ADMIT_SUSPECTED_US;
}

bool
admit_note_execution(uint64 shape, int64 us)
{
	AdmitShape *entry = admit_place(shape);
	bool		reversed;

	if (!admit_is_dear(us))
	{
		if (entry->verdict == ADMIT_DEAR &&
			++entry->cheap_runs >= 1U << Min(2 * entry->reversals, 10))
			entry->verdict = ADMIT_CHEAP;
		return false;
	}
	entry->cheap_runs = 0;
	reversed = entry->verdict == ADMIT_CHEAP;
	if (reversed && !admit_is_suspect(entry, us))
		return false;
	entry->verdict = ADMIT_DEAR;
	entry->reversals += reversed;
	return reversed;
}

/*
 * Was a result wanted before?  It was from now on.
 */
static bool
admit_was_wanted(uint64 hash)
{
	pg_atomic_uint32 *place = &admit.shared->marks[hash % ADMIT_MARKS];
	uint32		mark = (uint32) (hash >> 32) | 1;

	if (pg_atomic_read_u32(place) == mark)
		return true;
	pg_atomic_write_u32(place, mark);
	return false;
}

void
admit_want(uint64 hash)
{
	(void) admit_was_wanted(hash);
}

bool
admit_result(uint64 hash, int64 us)
{
	return admit_is_dear(us) &&
		(admit_was_wanted(hash) || us >= ADMIT_AT_ONCE_US);
}

void
admit_note_hit(double us)
{
	admit.hit_us += ADMIT_HIT_WEIGHT * (us - admit.hit_us);
}

/*
 * A mark is odd, or was never set.
 */
void
admit_verify(void)
{
	for (int i = 0; i < ADMIT_MARKS; i++)
	{
		uint32		mark = pg_atomic_read_u32(&admit.shared->marks[i]);

		if (mark != 0 && mark % 2 == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("mark %d of the admission is none", i)));
	}
}
