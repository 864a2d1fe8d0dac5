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
 * invalidation) or has not committed yet.  Those raise the epoch.
 *
 * The generations given to statement_analyse were read before the analysis, so
 * a definition that changes meanwhile makes the statement out of date at its
 * next use, never wrongly current.  On a standby nothing ticks; there the
 * invalidation messages of replay raise the epoch, whatever they say.
 *
 * The plan is an SPI plan, and so replanned by plancache when ANALYZE or a new
 * index calls for it, and executed as a custom or generic plan as it sees fit.
 *
 * Memory.  A statement has a memory context of its own; the least recently
 * used one is forgotten beyond STATEMENT_MAX.  One that is being executed is
 * pinned, and freed when the last pin goes; a pin hangs on a memory context,
 * so an error takes it along.  Only a finished analysis enters the memo.
 *
 * What this file must not do: look at results.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "depend.h"
#include "miscadmin.h"
#include "relation.h"
#include "statement.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

/*
 * Statements remembered by a backend, and bytes of the keys of their requests:
 * a plan takes a few times the text of its query.
 */
#define STATEMENT_MAX 512
#define STATEMENT_MAX_BYTES (4 * 1024 * 1024)

struct StatementPin
{
	MemoryContextCallback callback; /* drops the pin */
	Statement  *stmt;			/* NULL once dropped */
};

/* An entry of the memo; the statement is allocated apart, so that it stays. */
typedef struct StatementEntry
{
	uint64		request_hash;	/* hash key */
	Statement  *stmt;
} StatementEntry;

static struct
{
	HTAB	   *memo;
	dlist_head	lru;			/* most recently used first */
	int			count;
	Size		bytes;			/* of the keys of their requests */
	uint64		epoch;
	bool		in_recovery;	/* when last looked */
} statements;

void
statement_outdate_all(void)
{
	statements.epoch++;
}

/*
 * Replay on a standby changes definitions without ticking any slot.
 */
static void
statement_relcache_callback(Datum arg, Oid relid)
{
	if (statements.in_recovery)
		statements.epoch++;
}

static void
statement_syscache_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	if (statements.in_recovery)
		statements.epoch++;
}

/*
 * Note whether the server is still in recovery.  Messages of replay can arrive
 * after its end, so that counts as one.
 */
static void
statement_check_recovery(void)
{
	bool		in_recovery = RecoveryInProgress();

	if (statements.in_recovery && !in_recovery)
		statements.epoch++;
	statements.in_recovery = in_recovery;
}

static void
statement_make_memo(void)
{
	static const int cacheids[] = {
		AUTHMEMROLEMEM, AUTHOID, CASTSOURCETARGET, NAMESPACEOID, OPEROID, PROCOID,
		RELNAMENSP, TYPEOID
	};
	HASHCTL		info = {0};

	info.keysize = sizeof(uint64);
	info.entrysize = sizeof(StatementEntry);
	statements.memo = hash_create("cache statements", STATEMENT_MAX, &info,
								  HASH_ELEM | HASH_BLOBS);
	dlist_init(&statements.lru);
	CacheRegisterRelcacheCallback(statement_relcache_callback, (Datum) 0);
	for (int i = 0; i < (int) lengthof(cacheids); i++)
		CacheRegisterSyscacheCallback(cacheids[i], statement_syscache_callback,
									  (Datum) 0);
}

static void
statement_free(Statement *stmt)
{
	SPI_freeplan(stmt->plan);
	MemoryContextDelete(stmt->context);
}

/*
 * Take a statement out of the memo; it goes now, or with its last pin.
 */
static void
statement_forget(Statement *stmt)
{
	hash_search(statements.memo, &stmt->request_hash, HASH_REMOVE, NULL);
	dlist_delete(&stmt->lru);
	statements.count--;
	statements.bytes -= stmt->request_len;
	if (stmt->pins > 0)
		stmt->forgotten = true;
	else
		statement_free(stmt);
}

Statement *
statement_find(const CacheKey *key, uint64 catalog_generation,
			   uint64 roles_generation)
{
	StatementEntry *entry;
	Statement  *stmt;

	if (statements.memo == NULL)
		statement_make_memo();
	statement_check_recovery();

	entry = hash_search(statements.memo, &key->hash, HASH_FIND, NULL);
	if (entry == NULL)
		return NULL;
	stmt = entry->stmt;
	if (catalog_generation == STATEMENT_NO_GENERATION ||
		stmt->epoch != statements.epoch ||
		stmt->catalog_generation != catalog_generation ||
		stmt->roles_generation != roles_generation ||
		stmt->request_len != key->len ||
		memcmp(stmt->request, key->data, key->len) != 0)
	{
		/* out of date, or of another key of the same hash */
		statement_forget(stmt);
		return NULL;
	}
	dlist_move_head(&statements.lru, &stmt->lru);
	return stmt;
}

/*
 * Put a new statement into the memo.
 */
static void
statement_remember(Statement *stmt)
{
	StatementEntry *entry;
	bool		found;

	while (statements.count >= STATEMENT_MAX ||
		   (statements.count > 0 && statements.bytes > STATEMENT_MAX_BYTES))
		statement_forget(dlist_tail_element(Statement, lru, &statements.lru));
	entry = hash_search(statements.memo, &stmt->request_hash, HASH_ENTER, &found);
	if (found)
	{
		/* made by a nested request, during the analysis */
		statement_forget(entry->stmt);
		entry = hash_search(statements.memo, &stmt->request_hash, HASH_ENTER,
							&found);
	}
	entry->stmt = stmt;
	dlist_push_head(&statements.lru, &stmt->lru);
	statements.count++;
	statements.bytes += stmt->request_len;
}

static void
statement_refuse(const char *reason, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("query cannot be cached: %s", reason),
			 errhint("%s", hint)));
}

/*
 * The one query of a plan, as the rewriter has left it.
 */
static CachedPlanSource *
statement_single_source(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	CachedPlanSource *source;

	if (list_length(sources) == 0)
		statement_refuse("it is empty", "Give one SELECT.");
	if (list_length(sources) > 1)
		statement_refuse("it consists of several statements",
						 "Cache each of them by itself.");
	source = linitial(sources);
	if (list_length(source->query_list) != 1 ||
		linitial_node(Query, source->query_list)->commandType != CMD_SELECT)
		statement_refuse("it is not a plain SELECT",
						 "Only SELECT and VALUES can be cached.");
	return source;
}

/*
 * Is one of the words in the text that date and time types read as a time
 * relative to the present?  A call of now() is none, but 'now()' is.
 */
static bool
statement_mentions_today(const char *query)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

	bool		dollars = false;	/* anything may be quoted */
	bool		quoted = false;

	for (const char *c = query; *c != '\0'; c++)
		dollars |= *c == '$' && !isdigit((unsigned char) c[1]);

	for (const char *c = query; *c != '\0'; c++)
	{
		if (*c == '\'')
			quoted = !quoted;
		if (c > query && isalpha((unsigned char) c[-1]))
			continue;
		for (int i = 0; i < (int) lengthof(words); i++)
		{
			size_t		len = strlen(words[i]);

			if (pg_strncasecmp(c, words[i], len) == 0 &&
				!isalpha((unsigned char) c[len]) &&
				(c[len] != '(' || quoted || dollars))
				return true;
		}
	}
	return false;
}

/*
 * Values of an anonymous record type refer to a registry of this session's.
 */
static void
statement_check_columns(KeyForm form, TupleDesc tupdesc)
{
	if (form != KEY_FORM_ROWS)
		return;
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Oid			type = TupleDescAttr(tupdesc, i)->atttypid;

		if (type == RECORDOID || type == RECORDARRAYOID)
			statement_refuse(psprintf("column %d is an anonymous record", i + 1),
							 "Cast the column to a named composite type, or select its fields.");
	}
}

/*
 * Are the columns of types whose output is the same for everyone?
 */
static bool
statement_output_is_shareable(TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!depend_type_is_shareable(TupleDescAttr(tupdesc, i)->atttypid))
			return false;
	}
	return true;
}

/*
 * Make a statement of what was found out about a request, in a memory context
 * below the current one.
 */
static Statement *
statement_create(const CacheKey *key, CachedPlanSource *source,
				 const Dependencies *deps)
{
	const char *meaning = nodeToString(source->query_list);
	uint8		digest[KEY_DIGEST_LENGTH];
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "cache statement",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Statement  *stmt = palloc0(sizeof(Statement));
	ListCell   *lc;

	stmt->context = context;
	stmt->request_hash = key->hash;
	stmt->request = palloc(key->len);
	memcpy(stmt->request, key->data, key->len);
	stmt->request_len = key->len;
	key_digest(meaning, strlen(meaning), digest);
	key_make_head(key, digest, deps->shareable &&
				  statement_output_is_shareable(source->resultDesc),
				  !deps->complete, &stmt->key_head);
	stmt->result_desc = CreateTupleDescCopy(source->resultDesc);
	stmt->rtable = copyObject(deps->rtable);
	stmt->executable = deps->executable;
	stmt->complete = deps->complete;
	stmt->slots = palloc(list_length(deps->relations) * sizeof(ClockSlot));
	foreach(lc, deps->relations)
		stmt->slots[stmt->nslots++] = relation_slot(lfirst_oid(lc));
	MemoryContextSwitchTo(old);
	return stmt;
}

Statement *
statement_analyse(const CacheKey *key, KeyForm form, bool automatic,
				  const char *query, const Oid *types, int ntypes,
				  uint64 catalog_generation, uint64 roles_generation)
{
	uint64		epoch = statements.epoch;
	Dependencies deps;
	SPIPlanPtr	plan;
	CachedPlanSource *source;
	Statement  *stmt;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare_cursor(query, ntypes, (Oid *) types,
							  CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s",
			 SPI_result_code_string(SPI_result));
	source = statement_single_source(plan);
	depend_examine(linitial_node(Query, source->query_list), automatic, &deps);
	if (deps.refusal != NULL)
		statement_refuse(deps.refusal, deps.refusal_hint);
	if (deps.datetime_constants && statement_mentions_today(query))
		statement_refuse("a date or time in it is relative to the present",
						 "Write CURRENT_DATE, now() or the like instead of a literal such as 'today'.");
	statement_check_columns(form, source->resultDesc);

	stmt = statement_create(key, source, &deps);
	stmt->catalog_generation = catalog_generation;
	stmt->roles_generation = roles_generation;
	stmt->epoch = epoch;
	stmt->qstats = qstats_open(MyDatabaseId, GetUserId(), query, strlen(query));
	stmt->plan = plan;
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	MemoryContextSetParent(stmt->context, TopMemoryContext);
	statement_remember(stmt);
	SPI_finish();
	return stmt;
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
