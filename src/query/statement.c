/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  Analysed statements, remembered per backend.
 *
 * What a text means depends on the search path, user and settings of the
 * session, and on the database catalog.  For example,
 *
 *	SELECT * FROM story
 *
 * may read public.story, or, after a CREATE TEMP TABLE story, pg_temp.story.
 * To find out means to parse and analyse the text (analyse.c).  This file
 * remembers the outcome, a Statement, for the key of the request, which
 * contains text, search path, user and settings (key.c).
 *
 * When a statement is current.  Only the catalog is not in that key.  So a
 * statement is used again only if
 *	- the slots of catalog and roles have the generations that they had when it
 *	  was analysed, that is, no DDL, GRANT or role command has been committed
 *	  since; and
 *	- the epoch is the same.  The epoch is a counter of this backend.  It is
 *	  raised when this session has made or dropped temporary objects, which
 *	  tick no slot because other sessions need not know, and when the current
 *	  transaction runs DDL, which has not ticked yet.
 * The caller of analyse_text or analyse_tree reads the generations before the
 * analysis.  So if DDL is committed meanwhile, the statement is out of date at
 * its next use; it is never taken to be current by mistake.  On a standby
 * nothing ticks.  There, every invalidation message that replay sends raises
 * the epoch, whatever it is about.
 *
 * A statement may be proved to depend on few settings only.  It is found by
 * the front of the key and the state of the session (settings_state), without
 * the rest of the key being computed.
 *
 * The plan of a text is an SPI plan.  So plancache plans it again after
 * ANALYZE or CREATE INDEX, and chooses between custom and generic plans.
 *
 * Memory.  Each statement has a memory context, and its plan has some of
 * PostgreSQL's.  Their size is measured when the statement enters the memo,
 * and after each execution, which may have added a generic plan.  If there are
 * more than STATEMENT_MAX statements or STATEMENT_MAX_BYTES bytes, the least
 * recently used statements are forgotten.  That is checked when a statement
 * enters, and at the end of each transaction; then even a single statement is
 * forgotten if it is too large.  A statement that is being executed is pinned;
 * once forgotten, it is freed with its last pin.  A pin belongs to a memory
 * context, so an error releases it.  Only a completed analysis enters the
 * memo, so an error during it leaves nothing there.
 *
 * What this file must not do: look at results, or find out what a statement
 * means, which is done by analyse.c.
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
 * The most statements that a backend remembers, and the most bytes of these
 * and their plans.
 */
#define STATEMENT_MAX 512
#define STATEMENT_MAX_BYTES (16 * 1024 * 1024)

struct StatementPin
{
	MemoryContextCallback callback; /* drops the pin */
	Statement  *stmt;			/* NULL once dropped */
};

/* The statements whose keys have fronts with the same hash. */
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
	Size		bytes;			/* sum of their sizes */
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
 * On a standby, replay changes the catalog without ticking any slot.  So any
 * invalidation message counts as a change.  So does the end of recovery,
 * because the last messages of replay can arrive after it.
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
 * At the end of a transaction, forget what is too large.  That may be the last
 * statement itself.
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
 * Take a statement out of the memo.  It is freed now, or with its last pin.
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
 * Forget the least recently used statements until there are at most max of
 * them, with at most max_bytes.
 */
static void
statement_trim(int max, Size max_bytes)
{
	while (statements.count > 0 &&
		   (statements.count > max || statements.bytes > max_bytes))
		statement_forget(dlist_tail_element(Statement, lru, &statements.lru));
}

/*
 * The memory that the plan of a text takes, without what it shares with the
 * catalog caches of the session.
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
 * Does a tree belong to a statement?
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
 * Does a statement belong to the key of a request?  If the statement was found
 * in this state of the session before, the session part need not be compared.
 * For a tree, the front contains the text.
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
			/* forgetting the last variant removes the entry */
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
	Size		len = strlen(text);
	uint64		hash = key_hash_bytes((uint64) MyDatabaseId << 32 | GetUserId(),
									  text, len);

	stmt->qstats = qstats_open(hash, MyDatabaseId, GetUserId(), text, len);
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
 * A generic plan made here is kept and executed later.  A custom plan is made
 * only for its cost.
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
