/*-------------------------------------------------------------------------
 *
 * admit.c
 *	  Decides which statements are worth caching.
 *
 * If nobody has asked for a statement to be cached, its result is stored only
 * if that is likely to pay off.  Two conditions must hold:
 *
 *	- Executing the statement takes at least ADMIT_EXPENSIVE_RATIO times as
 *	  long as serving a result, both as measured by this backend.
 *	- The same result was requested before.  (If the execution took more than
 *	  ADMIT_AT_ONCE_US, it is stored the first time.)
 *
 * For the second condition there is a table of marks in shared memory.  A
 * request leaves a mark, part of the hash of its key.  Marks of other keys
 * overwrite it sooner or later, so rare requests are forgotten.  This is the
 * doorkeeper that TinyLFU (Einziger, Friedman, Manes, 2017) puts before its
 * frequency sketch, without the sketch.
 *
 * Measuring must not make cheap statements expensive.  So each backend
 * remembers a verdict, cheap or expensive, per shape of a statement.  The
 * shape is a hash of the text without literals: SELECT * FROM t WHERE id = 1
 * and the same with id = 2 share a shape.  A cheap statement thus costs no
 * more than computing that hash before it is planned.  Two shapes with the
 * same hash share a verdict.  That costs time or memory, but never
 * correctness.
 *
 * The first verdict for a shape follows from the planner's cost estimate.
 * Later, measured executions can reverse it:
 *
 *	- From cheap to expensive: when slow executions have added up to
 *	  ADMIT_SUSPECTED_US in a short time.  PostgreSQL must then replan its
 *	  cached plans of the statement, which is expensive.
 *	- From expensive to cheap: when executions have been fast several times in
 *	  a row.  Once is enough at first, but each earlier reversal from cheap to
 *	  expensive multiplies the number by four, up to 1024.  So a statement near
 *	  the limit does not keep causing replanning.
 *
 * Tolerated races.  The marks are read and written without a lock.  A lost
 * mark costs one more execution.
 *
 * What this file must not do: decide whether a result may be stored.  That is
 * a question of correctness; this file only says whether it pays off.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "key/key.h"
#include "optimizer/optimizer.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "store/admit.h"
#include "utils/timestamp.h"

/*
 * Numbers of marks in shared memory and of verdicts in a backend; powers of
 * two.
 */
#define ADMIT_MARKS 16384
#define ADMIT_VERDICTS 1024

/* Bytes of a text that are hashed at a time. */
#define ADMIT_CHUNK 256

/* How many times longer than serving an execution must take. */
#define ADMIT_EXPENSIVE_RATIO 10

/* Results of executions that take longer are stored the first time. */
#define ADMIT_AT_ONCE_US 100000

/*
 * Plans that cost less than reading so many pages in sequence take about as
 * long as a few hits.
 */
#define ADMIT_CHEAP_PAGES 40

/*
 * A cheap statement becomes expensive when its slow executions have added up
 * to ADMIT_SUSPECTED_US.  Meanwhile the fraction ADMIT_FORGIVEN of the time
 * that passes is subtracted, since everything is slow now and then on a busy
 * machine.
 */
#define ADMIT_SUSPECTED_US 20000
#define ADMIT_FORGIVEN 0.01

/* Assumed duration of a hit until one is measured, us. */
#define ADMIT_FIRST_HIT_US 20.0

/* Weight of the latest measurement in the mean. */
#define ADMIT_HIT_WEIGHT 0.05

typedef struct SharedAdmit
{
	pg_atomic_uint32 marks[ADMIT_MARKS];	/* atomic; part of a key's hash */
} SharedAdmit;

typedef struct AdmitShape
{
	uint64		shape;
	AdmitVerdict verdict;
	double		suspected_us;	/* total of slow executions while the verdict
								 * is cheap, less what is forgiven */
	TimestampTz suspected_at;	/* time of the last of them */
	int			reversals;		/* from cheap to expensive */
	uint32		cheap_runs;		/* fast executions in a row while the verdict
								 * is expensive */
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
 * Skip a comment.  Returns its end, or text if no comment begins there.
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
	const char *c = text + Max(location, 0);
	const char *end;
	uint64		shape = 0;
	bool		word = false;	/* inside a name or keyword */
	char		kept[ADMIT_CHUNK];
	int			nkept = 0;

	/* only the statement itself is looked at, as in lexer_start */
	end = c + (location < 0 || len <= 0 ? strlen(c) : strnlen(c, len));

	/* this need not be exact, only the same each time */
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
			if (nkept == ADMIT_CHUNK)
			{
				shape = key_hash_bytes(shape, kept, nkept);
				nkept = 0;
			}
			kept[nkept++] = *c++;
		}
	}
	return key_hash_bytes(shape, kept, nkept);
}

AdmitVerdict
admit_verdict(uint64 shape)
{
	const AdmitShape *entry = &admit.shapes[shape % ADMIT_VERDICTS];

	return entry->shape == shape ? entry->verdict : ADMIT_UNKNOWN;
}

/*
 * The place for a shape.  If it holds another shape, it is reset for this one.
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

	entry->verdict = admit_is_cheap_plan(cost) ? ADMIT_CHEAP : ADMIT_EXPENSIVE;
	return entry->verdict;
}

/*
 * Is an execution more expensive than serving its result?
 */
static bool
admit_is_expensive(int64 us)
{
	return us >= ADMIT_EXPENSIVE_RATIO * admit.hit_us;
}

/*
 * A statement with the verdict cheap was slow.  Has this happened so often
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

	if (!admit_is_expensive(us))
	{
		if (entry->verdict == ADMIT_EXPENSIVE &&
			++entry->cheap_runs >= 1U << Min(2 * entry->reversals, 10))
			entry->verdict = ADMIT_CHEAP;
		return false;
	}
	entry->cheap_runs = 0;
	reversed = entry->verdict == ADMIT_CHEAP;
	if (reversed && !admit_is_suspect(entry, us))
		return false;
	entry->verdict = ADMIT_EXPENSIVE;
	entry->reversals += reversed;
	return reversed;
}

/*
 * Was a result requested before?  Leave a mark that it now was.
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
	return admit_is_expensive(us) &&
		(admit_was_wanted(hash) || us >= ADMIT_AT_ONCE_US);
}

void
admit_note_hit(double us)
{
	admit.hit_us += ADMIT_HIT_WEIGHT * (us - admit.hit_us);
}

/*
 * Check the marks.  Each is odd, or zero if it was never set.
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
					 errmsg("admission mark %d is invalid", i)));
	}
}
