/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  Analysed statements, remembered per backend.
 *
 * A text means what the session's search path, user, settings and the
 * definitions in the database make of it.  Finding that out costs a parse
 * analysis; this memo keeps the outcome per key of a request, which holds text,
 * search path, user and settings.  What is left are the definitions: a statement is
 * current as long as the slots of catalog and roles have the generations they
 * had when it was analysed, and this session has changed no definition that
 * others need not hear of (a temporary object may shadow a name without any
 * invalidation) or has not committed yet.  Those raise the epoch.  A statement
 * that is proven not to depend on most settings is found by the front of the
 * key and the state of the session (settings.c).
 *
 * The generations given to analyse_text were read before the analysis, so
 * a definition that changes meanwhile makes the statement out of date at its
 * next use, never wrongly current.  On a standby nothing ticks; there the
 * invalidation messages of replay raise the epoch, whatever they say.
 *
 * The plan of a text is an SPI plan, and so replanned by plancache when ANALYZE or a new
 * index calls for it, and executed as a custom or generic plan as it sees fit.
 *
 * Memory.  A statement has a memory context of its own, and its plan has some that are
 * PostgreSQL's; what these take is looked at when the statement enters the memo and
 * after each execution, which may leave a generic plan.  Beyond STATEMENT_MAX
 * statements or STATEMENT_MAX_BYTES the least recently used ones are forgotten: when
 * another enters, and at the end of the transaction, be it that only one is left.  One that is being executed is
 * pinned, and freed when the last pin goes; a pin hangs on a memory context,
 * so an error takes it along.  Only a finished analysis enters the memo.
 *
 * What this file must not do: look at results, or at what a statement means, which
 * is analyse.c's to find out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "base/messages.h"
#include "key/settings.h"
#include "miscadmin.h"
#include "query/statement.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/*
 * Statements remembered by a backend, and bytes of them and of their plans.
 */
#define STATEMENT_MAX 512
#define STATEMENT_MAX_BYTES (16 * 1024 * 1024)

struct StatementPin
{
	MemoryContextCallback callback; /* drops the pin */
	Statement  *stmt;			/* NULL once dropped */
};

/* The statements of which the keys of requests have fronts of one hash. */
typedef struct StatementEntry
{
	uint64		front_hash;		/* hash key */
	dlist_head	variants;
} StatementEntry;

static struct
{
	HTAB	   *memo;
	dlist_head	lru;			/* most recently used first */
	int			count;
	Size		bytes;			/* their sizes */
	uint64		epoch;
	bool		in_recovery;	/* when last looked */
	uint64		messages;		/* messages_of_all() then */
} statements;

void
statement_outdate_all(void)
{
	statements.epoch++;
	settings_outdate_temp();
}

/*
 * Replay on a standby changes definitions without ticking any slot: any message
 * counts as a change.  Messages of replay can arrive after its end, so that
 * counts as one as well.
 */
static void
statement_check_recovery(void)
{
	bool		in_recovery = RecoveryInProgress();

	if (statements.in_recovery &&
		(!in_recovery || statements.messages != messages_of_all()))
		statements.epoch++;
	statements.in_recovery = in_recovery;
	statements.messages = messages_of_all();
}

static void statement_trim(int max, Size max_bytes);

/*
 * The last statement of a transaction may be larger than all should be together.
 */
static void
statement_xact_callback(XactEvent event, void *arg)
{
	if ((event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT) &&
		statements.bytes > STATEMENT_MAX_BYTES)
		statement_trim(STATEMENT_MAX, STATEMENT_MAX_BYTES);
}

static void
statement_make_memo(void)
{
	HASHCTL		info = {0};

	info.keysize = sizeof(uint64);
	info.entrysize = sizeof(StatementEntry);
	statements.memo = hash_create("cache statements", STATEMENT_MAX, &info,
								  HASH_ELEM | HASH_BLOBS);
	dlist_init(&statements.lru);
	RegisterXactCallback(statement_xact_callback, NULL);
}

static void
statement_free(Statement *stmt)
{
	if (stmt->plan != NULL)
		SPI_freeplan(stmt->plan);
	MemoryContextDelete(stmt->context);
}

/*
 * Take a statement out of the memo; it goes now, or with its last pin.
 */
static void
statement_forget(Statement *stmt)
{
	StatementEntry *entry = hash_search(statements.memo, &stmt->front_hash,
										HASH_FIND, NULL);

	dlist_delete(&stmt->variant);
	if (dlist_is_empty(&entry->variants))
		hash_search(statements.memo, &stmt->front_hash, HASH_REMOVE, NULL);
	dlist_delete(&stmt->lru);
	statements.count--;
	statements.bytes -= stmt->size;
	if (stmt->pins > 0)
		stmt->forgotten = true;
	else
		statement_free(stmt);
}

/*
 * Forget the least recently used statements until there are at most max, of that
 * many bytes.
 */
static void
statement_trim(int max, Size max_bytes)
{
	while (statements.count > 0 &&
		   (statements.count > max || statements.bytes > max_bytes))
		statement_forget(dlist_tail_element(Statement, lru, &statements.lru));
}

/*
 * Memory that the plan of a text takes.  What is shared with the catalog caches of
 * the session does not count.
 */
static Size
statement_plan_size(SPIPlanPtr plan)
{
	Size		size = 0;
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan))
	{
		const CachedPlanSource *source = lfirst(lc);

		size += MemoryContextMemAllocated(source->context, true);
		if (source->gplan != NULL)
			size += MemoryContextMemAllocated(source->gplan->context, true);
	}
	return size;
}

void
statement_measure(Statement *stmt)
{
	Size		size = MemoryContextMemAllocated(stmt->context, true);

	if (stmt->plan != NULL)
		size += statement_plan_size(stmt->plan);
	if (!stmt->forgotten)
		statements.bytes += size - stmt->size;
	stmt->size = size;
}

/*
 * Is this the tree of a statement?
 */
static bool
statement_is_of(Statement *stmt, const Query *query, uint64 serial)
{
	if (serial != STATEMENT_NO_SERIAL && serial == stmt->serial)
		return true;
	if (!equal(query, stmt->query))
		return false;
	stmt->serial = serial;
	return true;
}

/*
 * Is a statement that of a request?  That is known without its session part if
 * the statement was found in this state before; the front has the text of
 * a tree.
 */
static bool
statement_is_for(Statement *stmt, CacheKey *key, uint64 state)
{
	if (stmt->front_len != key->front_len ||
		memcmp(stmt->request, key->data, key->front_len) != 0)
		return false;
	if (stmt->state != 0 && stmt->state == state)
		return true;
	key_finish(key);
	if (stmt->request_len != key->len ||
		memcmp(stmt->request + key->front_len, key->data + key->front_len,
			   key->len - key->front_len) != 0 ||
		!key_head_is_present(&stmt->key_head))
		return false;
	if (stmt->state != 0)
		stmt->state = state;
	return true;
}

Statement *
statement_find(CacheKey *key, uint64 state, const Query *query,
			   uint64 serial, uint64 catalog_generation,
			   uint64 roles_generation)
{
	StatementEntry *entry;
	dlist_mutable_iter iter;

	if (statements.memo == NULL)
		statement_make_memo();
	statement_check_recovery();

	entry = hash_search(statements.memo, &key->hash, HASH_FIND, NULL);
	if (entry != NULL)
	{
		dlist_foreach_modify(iter, &entry->variants)
		{
			Statement  *stmt = dlist_container(Statement, variant, iter.cur);
			bool		last = !dlist_has_next(&entry->variants, iter.cur);

			if (catalog_generation == STATEMENT_NO_GENERATION ||
				stmt->epoch != statements.epoch ||
				stmt->catalog_generation != catalog_generation ||
				stmt->roles_generation != roles_generation)
				statement_forget(stmt);
			else if (statement_is_for(stmt, key, state) &&
					 statement_is_of(stmt, query, serial))
			{
				dlist_move_head(&statements.lru, &stmt->lru);
				return stmt;
			}
			/* the entry may be gone with the last one */
			if (last)
				break;
		}
	}
	key_finish(key);
	return NULL;
}

/*
 * Put a new statement into the memo.
 */
static void
statement_remember(Statement *stmt)
{
	StatementEntry *entry;
	bool		found;

	statement_trim(STATEMENT_MAX - 1,
				   STATEMENT_MAX_BYTES - Min(stmt->size, STATEMENT_MAX_BYTES));
	entry = hash_search(statements.memo, &stmt->front_hash, HASH_ENTER, &found);
	if (!found)
		dlist_init(&entry->variants);
	dlist_push_head(&entry->variants, &stmt->variant);
	dlist_push_head(&statements.lru, &stmt->lru);
	statements.count++;
	statements.bytes += stmt->size;
}

Statement *
statement_create(const CacheKey *key, uint64 catalog_generation,
				 uint64 roles_generation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "cache statement",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Statement  *stmt = palloc0(sizeof(Statement));

	stmt->context = context;
	stmt->front_hash = key->hash;
	stmt->front_len = key->front_len;
	stmt->request = palloc(key->len);
	memcpy(stmt->request, key->data, key->len);
	stmt->request_len = key->len;
	stmt->catalog_generation = catalog_generation;
	stmt->roles_generation = roles_generation;
	stmt->epoch = statements.epoch;
	MemoryContextSwitchTo(old);
	return stmt;
}

void
statement_keep(Statement *stmt, const char *text)
{
	stmt->qstats = qstats_open(MyDatabaseId, GetUserId(), text, strlen(text));
	stmt->size = MemoryContextMemAllocated(stmt->context, true);
	if (stmt->plan != NULL)
		stmt->size += statement_plan_size(stmt->plan);
	MemoryContextSetParent(stmt->context, TopMemoryContext);
	statement_remember(stmt);
}

void
statement_outdate_plan(const Statement *stmt)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(stmt->plan))
	{
		CachedPlanSource *source = lfirst(lc);

		if (source->gplan != NULL)
			source->gplan->is_valid = false;
	}
}

static void
statement_drop_pin(void *arg)
{
	StatementPin *pin = arg;
	Statement  *stmt = pin->stmt;

	pin->stmt = NULL;
	if (stmt != NULL && --stmt->pins == 0 && stmt->forgotten)
		statement_free(stmt);
}

StatementPin *
statement_pin(Statement *stmt)
{
	StatementPin *pin = palloc(sizeof(StatementPin));

	pin->stmt = stmt;
	pin->callback.func = statement_drop_pin;
	pin->callback.arg = pin;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &pin->callback);
	stmt->pins++;
	return pin;
}

void
statement_unpin(StatementPin *pin)
{
	statement_drop_pin(pin);
}

/*
 * A plan that serves for all parameters is made once, and executed later; one
 * for these parameters alone is made for nothing but its cost.
 */
double
statement_estimate(Statement *stmt, ParamListInfo params)
{
	StatementPin *pin = statement_pin(stmt);
	double		cost = 0;
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(stmt->plan))
	{
		CachedPlan *plan = GetCachedPlan(lfirst(lc), params,
										 CurrentResourceOwner, NULL);
		ListCell   *planned;

		foreach(planned, plan->stmt_list)
		{
			const PlannedStmt *one = lfirst_node(PlannedStmt, planned);

			if (one->planTree != NULL)
				cost += one->planTree->total_cost;
		}
		ReleaseCachedPlan(plan, CurrentResourceOwner);
	}
	statement_unpin(pin);
	return cost;
}
