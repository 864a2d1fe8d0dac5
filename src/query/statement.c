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
 * The generations given to statement_analyse were read before the analysis, so
 * a definition that changes meanwhile makes the statement out of date at its
 * next use, never wrongly current.  On a standby nothing ticks; there the
 * invalidation messages of replay raise the epoch, whatever they say.
 *
 * A statement comes as a text, or, where the server has analysed it already, as
 * a query tree.  The tree of a text can be another one each time (a variable of
 * the same name in another function), so there it is compared.  What is no
 * longer in a tree is which functions its names once stood for; the tree says
 * which ones it calls, and so does the digest in the keys of its results.
 *
 * The parameters of a named query have the types that it uses them as.  They are
 * inferred as PREPARE does it, so they belong to what it means to the session.
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
 * What this file must not do: look at results.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "base/guc.h"
#include "base/messages.h"
#include "base/trust.h"
#include "catalog/pg_type.h"
#include "clock/relation.h"
#include "executor/executor.h"
#include "key/settings.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "query/depend.h"
#include "query/statement.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/*
 * Statements remembered by a backend, and bytes of them and of their plans.
 */
#define STATEMENT_MAX 512
#define STATEMENT_MAX_BYTES (16 * 1024 * 1024)

/* What is shown in place of the text of a named query. */
#define STATEMENT_HIDDEN "named query"

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

static void
statement_refuse(const char *reason, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("query cannot be cached: %s", reason),
			 errhint("%s", hint)));
}

/*
 * A text must be one statement.
 */
static void
statement_check_count(const List *statements)
{
	if (statements == NIL)
		statement_refuse("it is empty", "Give one SELECT.");
	if (list_length(statements) > 1)
		statement_refuse("it consists of several statements",
						 "Cache each of them by itself.");
}

/*
 * The one query of a plan, as the rewriter has left it.
 */
static CachedPlanSource *
statement_single_source(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	CachedPlanSource *source;

	statement_check_count(sources);
	source = linitial(sources);
	if (list_length(source->query_list) != 1 ||
		linitial_node(Query, source->query_list)->commandType != CMD_SELECT)
		statement_refuse("it is not a plain SELECT",
						 "Only SELECT and VALUES can be cached.");
	return source;
}

/*
 * Values of an anonymous record type refer to a registry of this session's.
 * Returns the number of the first such column, or 0.
 */
static int
statement_anonymous_column(TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Oid			type = TupleDescAttr(tupdesc, i)->atttypid;

		if (type == RECORDOID || type == RECORDARRAYOID)
			return i + 1;
	}
	return 0;
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
 * A digest of what a tree means, and the functions that it calls.  Where in its text something stood is not part
 * of that; what looks like a location cannot be part of a value, since blanks
 * are escaped there.
 */
static void
statement_digest(const Query *query, List *bodies, uint8 *digest)
{
	static const char *const places[] = {
		":location ", ":stmt_location ", ":stmt_len "
	};
	char	   *meaning = nodeToString(list_make2(unconstify(Query *, query),
												  bodies));
	char	   *to = meaning;

	for (const char *from = meaning; *from != '\0';)
	{
		const char *place = NULL;

		if (*from == ':')
		{
			for (int i = 0; i < (int) lengthof(places) && place == NULL; i++)
			{
				if (strncmp(from, places[i], strlen(places[i])) == 0)
					place = places[i];
			}
		}
		if (place != NULL)
		{
			from += strlen(place);
			from += strspn(from, "-0123456789");
		}
		else
			*to++ = *from++;
	}
	key_digest(meaning, to - meaning, digest);
	pfree(meaning);
}

/*
 * Make a statement of a request, of which nothing is known yet, in a memory
 * context below the current one.
 */
static Statement *
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

/*
 * Collect the functions that are called in a tree.
 */
static bool
statement_add_function(Oid funcid, void *context)
{
	List	  **functions = context;

	*functions = list_append_unique_oid(*functions, funcid);
	return false;
}

static bool
statement_collect_functions(Node *node, List **functions)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, statement_add_function, functions);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, statement_collect_functions,
								 functions, 0);
	return expression_tree_walker(node, statement_collect_functions,
								  functions);
}

/*
 * Has the administrator vouched for one of the functions?
 */
static bool
statement_is_vouched(List *functions)
{
	ListCell   *lc;

	if (cache_trusted_functions[0] == '\0')
		return false;
	foreach(lc, functions)
	{
		if (trust_names(cache_trusted_functions, lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * Fill in what was found out.
 */
static void
statement_describe(Statement *stmt, const CacheKey *key, const Query *query,
				   TupleDesc result_desc, const Dependencies *deps)
{
	uint8		digest[KEY_DIGEST_LENGTH];
	MemoryContext old;
	ListCell   *lc;
	bool		shared = deps->shareable && deps->complete &&
	statement_output_is_shareable(result_desc);

	statement_digest(query, deps->bodies, digest);
	if (shared)
		stmt->state = settings_state();
	old = MemoryContextSwitchTo(stmt->context);
	key_make_head(key, digest, shared, deps->opaque, &stmt->key_head);
	stmt->result_desc = CreateTupleDescCopy(result_desc);
	access_copy(&stmt->access, &deps->access);
	access_copy(&stmt->inner_access, &deps->inner_access);
	stmt->relations = list_copy(deps->relations);
	(void) statement_collect_functions((Node *) unconstify(Query *, query),
									   &stmt->examined);
	(void) statement_collect_functions((Node *) deps->bodies, &stmt->examined);
	stmt->vouched = statement_is_vouched(stmt->examined);
	stmt->inherits = deps->inherits;
	stmt->executable = deps->executable;
	stmt->complete = deps->complete;
	stmt->slots = palloc(list_length(deps->relations) * sizeof(ClockSlot));
	foreach(lc, deps->relations)
		stmt->slots[stmt->nslots++] = relation_slot(lfirst_oid(lc));
	MemoryContextSwitchTo(old);
	/* what functions read besides is not in the tree */
	if (deps->automatic && !deps->inner_reads)
		stmt->narrowing = narrow_find(unconstify(Query *, query),
									  deps->relations, stmt->context);
}

static void
statement_keep(Statement *stmt, const char *text)
{
	stmt->qstats = qstats_open(MyDatabaseId, GetUserId(), text, strlen(text));
	stmt->size = MemoryContextMemAllocated(stmt->context, true);
	if (stmt->plan != NULL)
		stmt->size += statement_plan_size(stmt->plan);
	MemoryContextSetParent(stmt->context, TopMemoryContext);
	statement_remember(stmt);
}

/*
 * The tree of a text, not rewritten, and the types that it uses its parameters
 * as; InvalidOid for one that it does not use.
 */
static Query *
statement_infer(const char *text, Oid **types, int *ntypes)
{
	List	   *raw = pg_parse_query(text);

	statement_check_count(raw);
	*types = NULL;
	*ntypes = 0;
	return parse_analyze_varparams(linitial_node(RawStmt, raw), text, types,
								   ntypes, NULL);
}

/*
 * Error context while the types of a named query are inferred.  Not everyone
 * who may call it may read its text.
 */
static void
statement_name_error(void *arg)
{
	errposition(0);
	errcontext("named query \"%s\"", (const char *) arg);
}

/*
 * The types of the parameters of a named query, for the session's search path.
 */
static void
statement_find_types(Statement *stmt, const char *name, const char *text)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = statement_name_error,
		.arg = unconstify(char *, name)
	};
	Oid		   *types;

	error_context_stack = &callback;
	(void) statement_infer(text, &types, &stmt->ntypes);
	error_context_stack = callback.previous;
	stmt->types = MemoryContextAlloc(stmt->context,
									 (stmt->ntypes + 1) * sizeof(Oid));
	if (stmt->ntypes > 0)
		memcpy(stmt->types, types, stmt->ntypes * sizeof(Oid));
}

/*
 * Overwrite the text of a named query, which error contexts would show.  Its
 * length stays, for that is what places in the tree refer to.
 */
static void
statement_hide_text(CachedPlanSource *source)
{
	char	   *text = unconstify(char *, source->query_string);
	Size		len = strlen(text);

	memset(text, ' ', len);
	memcpy(text, STATEMENT_HIDDEN, Min(len, strlen(STATEMENT_HIDDEN)));
}

void
statement_check(const char *query)
{
	Query	   *tree;
	List	   *trees = NIL;
	Oid		   *types;
	int			ntypes;
	Dependencies deps;

	tree = statement_infer(query, &types, &ntypes);
	for (int i = 0; i < ntypes; i++)
	{
		if (!OidIsValid(types[i]))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_PARAMETER),
					 errmsg("query does not use parameter $%d", i + 1),
					 errhint("Number the parameters from $1, and leave none out.")));
	}
	if (tree->commandType == CMD_SELECT)
		trees = QueryRewrite(tree);
	if (list_length(trees) != 1 ||
		linitial_node(Query, trees)->commandType != CMD_SELECT)
		statement_refuse("it is not a plain SELECT",
						 "Only SELECT and VALUES can be cached.");
	depend_examine(linitial(trees), query, false, &deps);
	if (deps.refusal != NULL)
		statement_refuse(deps.refusal, deps.refusal_hint);
}

Statement *
statement_analyse(const CacheKey *key, KeyForm form, bool automatic,
				  const char *query, const char *name, const Oid *types,
				  int ntypes, uint64 catalog_generation,
				  uint64 roles_generation)
{
	Statement  *stmt;
	Dependencies deps;
	SPIPlanPtr	plan;
	CachedPlanSource *source;
	Query	   *tree;
	int			column;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* before the analysis, which may notice newer definitions */
	stmt = statement_create(key, catalog_generation, roles_generation);
	if (name != NULL)
	{
		statement_find_types(stmt, name, query);
		types = stmt->types;
		ntypes = stmt->ntypes;
	}
	plan = SPI_prepare_cursor(query, ntypes, (Oid *) types,
							  CURSOR_OPT_PARALLEL_OK |
							  STATEMENT_CURSOR_OPT_TEXT);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s",
			 SPI_result_code_string(SPI_result));
	source = statement_single_source(plan);
	tree = linitial_node(Query, source->query_list);
	depend_examine(tree, query, automatic, &deps);
	if (deps.refusal != NULL)
		statement_refuse(deps.refusal, deps.refusal_hint);
	column = statement_anonymous_column(source->resultDesc);
	if (form == KEY_FORM_ROWS && column > 0)
		statement_refuse(psprintf("column %d is an anonymous record", column),
						 "Cast the column to a named composite type, or select its fields.");

	statement_describe(stmt, key, tree, source->resultDesc, &deps);
	stmt->plan = plan;
	if (name != NULL)
		statement_hide_text(source);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	statement_keep(stmt, name == NULL ? query :
				   psprintf("cached(%s)", quote_literal_cstr(name)));
	SPI_finish();
	return stmt;
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

/* The parameters that a tree refers to, the first reference to each. */
typedef struct StatementParams
{
	List	   *params;
	Bitmapset  *ids;
} StatementParams;

/*
 * Collect the parameters that a tree refers to, by their ids.
 */
static bool
statement_collect_params(Node *node, StatementParams *found)
{
	if (node == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN)
	{
		int			id = ((Param *) node)->paramid;

		if (!bms_is_member(id, found->ids))
		{
			found->ids = bms_add_member(found->ids, id);
			found->params = lappend(found->params, node);
		}
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, statement_collect_params,
								 found, 0);
	return expression_tree_walker(node, statement_collect_params, found);
}

static int
statement_compare_params(const ListCell *a, const ListCell *b)
{
	return lfirst_node(Param, a)->paramid - lfirst_node(Param, b)->paramid;
}

static void
statement_note_params(Statement *stmt, const Query *query)
{
	StatementParams found = {0};
	List	   *params;
	ListCell   *lc;

	(void) statement_collect_params((Node *) query, &found);
	params = found.params;
	list_sort(params, statement_compare_params);
	stmt->params = MemoryContextAlloc(stmt->context, (list_length(params) + 1) *
									  sizeof(ParamUse));
	foreach(lc, params)
	{
		stmt->params[stmt->nparams].id = lfirst_node(Param, lc)->paramid;
		stmt->params[stmt->nparams++].type = lfirst_node(Param, lc)->paramtype;
	}
}

Statement *
statement_examine(const CacheKey *key, bool automatic, const char *text,
				  const Query *query, uint64 serial,
				  uint64 catalog_generation, uint64 roles_generation)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "cache examination",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	Statement  *stmt = statement_create(key, catalog_generation,
										roles_generation);
	TupleDesc	result_desc = ExecCleanTypeFromTL(query->targetList);
	Dependencies deps;

	depend_examine(unconstify(Query *, query), NULL, automatic, &deps);
	if (deps.refusal == NULL && statement_anonymous_column(result_desc) > 0)
		deps.refusal = "a column is an anonymous record";
	if (deps.refusal == NULL && automatic &&
		list_length(deps.relations) > STATEMENT_MAX_RELATIONS)
		deps.refusal = "it reads too many relations";

	if (deps.refusal == NULL)
	{
		statement_describe(stmt, key, query, result_desc, &deps);
		statement_note_params(stmt, query);
	}
	else
		stmt->refusal = MemoryContextStrdup(stmt->context, deps.refusal);
	MemoryContextSwitchTo(stmt->context);
	stmt->query = copyObject(unconstify(Query *, query));
	stmt->serial = serial;
	MemoryContextSwitchTo(old);
	statement_keep(stmt, text);
	MemoryContextDelete(scratch);
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
