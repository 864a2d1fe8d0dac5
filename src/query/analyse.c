/*-------------------------------------------------------------------------
 *
 * analyse.c
 *	  Finds out what a statement means, and whether it may be cached.
 *
 * A statement comes as a text (cached_query, named queries), or as a query
 * tree, if PostgreSQL has analysed it already (plain statements).  Two trees
 * of one text can differ.  For instance,
 *
 *	SELECT count(*) FROM story WHERE author = a
 *
 * in two PL/pgSQL functions, where variable a is an integer in one of them and
 * text in the other.  So a tree is compared with that of the remembered
 * statement (statement_find).
 *
 * A tree contains functions by oid, not by name.  So a function that was
 * created later, and would now be found by the same name, does not matter: the
 * tree still calls the old one.  The digest in the keys of its results is
 * computed from the tree, so it stands for these functions as well.
 *
 * The types of a named query's parameters are inferred from the query, as
 * PREPARE does it.  They depend on the session, so they are part of the
 * statement.
 *
 * Only a completed analysis enters the memo (statement.c), so an error during
 * it leaves nothing there.
 *
 * What this file must not do: look at results.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "clock/relation.h"
#include "executor/executor.h"
#include "key/settings.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "query/analyse.h"
#include "query/depend.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/* What is shown in place of the text of a named query. */
#define ANALYSE_HIDDEN "named query"

static void
analyse_refuse(const char *reason, const char *hint)
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
analyse_check_count(const List *statements)
{
	if (statements == NIL)
		analyse_refuse("it is empty", "Give one SELECT.");
	if (list_length(statements) > 1)
		analyse_refuse("it consists of several statements",
					   "Cache each of them by itself.");
}

/*
 * The rewritten query of a plan, which must be a single SELECT.
 */
static CachedPlanSource *
analyse_single_source(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	CachedPlanSource *source;

	analyse_check_count(sources);
	source = linitial(sources);
	if (list_length(source->query_list) != 1 ||
		linitial_node(Query, source->query_list)->commandType != CMD_SELECT)
		analyse_refuse("it is not a plain SELECT",
					   "Only SELECT and VALUES can be cached.");
	return source;
}

/*
 * The number of the first column that is an anonymous record, or 0.  Such
 * values refer to a type registry of this session, so they mean nothing to
 * others.
 */
static int
analyse_anonymous_column(TupleDesc tupdesc)
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
 * Are all columns of types whose output does not depend on the user?
 */
static bool
analyse_output_is_shareable(TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!depend_type_is_shareable(TupleDescAttr(tupdesc, i)->atttypid))
			return false;
	}
	return true;
}

/*
 * Compute the digest of what a tree and the functions that it calls mean.
 * Locations in the text are left out.  Part of a value cannot be mistaken for
 * a location, because blanks in values are escaped.
 */
static void
analyse_digest(const Query *query, List *bodies, uint8 *digest)
{
	static const char *const places[] = {
		":location ", ":stmt_location ", ":stmt_len "
	};
	char	   *meaning = nodeToString(list_make2(unconstify(Query *, query),
												  bodies));
	char	   *to = meaning;

	for (const char *from = meaning; *from != '\0';)
	{
		const char *end = from + 1 + strcspn(from + 1, ":");

		if (from[0] == ':' && (from[1] == 'l' || from[1] == 's'))
		{
			CHECK_FOR_INTERRUPTS();
			for (int i = 0; i < (int) lengthof(places); i++)
			{
				Size		len = strlen(places[i]);

				if (strncmp(from, places[i], len) != 0)
					continue;
				from += len;
				from += strspn(from, "-0123456789");
				break;
			}
		}
		memmove(to, from, end - from);
		to += end - from;
		from = end;
	}
	key_digest(meaning, to - meaning, digest);
	pfree(meaning);
}

/*
 * Collect the functions that are called in a tree.
 */
static bool
analyse_add_function(Oid funcid, void *context)
{
	List	  **functions = context;

	*functions = list_append_unique_oid(*functions, funcid);
	return false;
}

static bool
analyse_collect_functions(Node *node, List **functions)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, analyse_add_function, functions);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, analyse_collect_functions,
								 functions, 0);
	return expression_tree_walker(node, analyse_collect_functions,
								  functions);
}

/*
 * Fill in the outcome of the analysis.
 */
static void
analyse_describe(Statement *stmt, const CacheKey *key, const Query *query,
				 TupleDesc result_desc, const Dependencies *deps)
{
	uint8		digest[KEY_DIGEST_LENGTH];
	MemoryContext old;
	ListCell   *lc;
	bool		shared = deps->shareable && deps->complete &&
	analyse_output_is_shareable(result_desc);

	analyse_digest(query, deps->bodies, digest);
	if (shared)
		stmt->state = settings_state();
	old = MemoryContextSwitchTo(stmt->context);
	key_make_head(key, digest, shared, deps->opaque, &stmt->key_head);
	stmt->result_desc = CreateTupleDescCopy(result_desc);
	access_copy(&stmt->access, &deps->access);
	access_copy(&stmt->inner_access, &deps->inner_access);
	stmt->relations = list_copy(deps->relations);
	(void) analyse_collect_functions((Node *) unconstify(Query *, query),
									 &stmt->examined);
	(void) analyse_collect_functions((Node *) deps->bodies, &stmt->examined);
	stmt->vouched = deps->vouched;
	stmt->believed = deps->automatic && !deps->complete && !deps->vouched;
	stmt->keeps_plans = deps->vouched || deps->opaque ||
		(COMPAT_SQL_FUNCTIONS_KEEP_PLANS && deps->bodies != NIL);
	stmt->inherits = deps->inherits;
	stmt->executable = deps->executable;
	stmt->complete = deps->complete;
	stmt->slots = palloc(list_length(deps->relations) * sizeof(ClockSlot));
	foreach(lc, deps->relations)
		stmt->slots[stmt->nslots++] = relation_slot(lfirst_oid(lc));
	MemoryContextSwitchTo(old);
	/* what functions read by themselves is not in the tree */
	if (deps->automatic && !deps->inner_reads)
		stmt->narrowing = narrow_find(unconstify(Query *, query),
									  deps->relations, stmt->context);
}

/*
 * The tree of a text, not rewritten.  Also infers the types of its parameters;
 * InvalidOid for a parameter that it does not use.
 */
static Query *
analyse_infer(const char *text, Oid **types, int *ntypes)
{
	List	   *raw = pg_parse_query(text);

	analyse_check_count(raw);
	*types = NULL;
	*ntypes = 0;
	return parse_analyze_varparams(linitial_node(RawStmt, raw), text, types,
								   ntypes, NULL);
}

/*
 * Error context while the types of a named query are inferred.  It does not
 * show the text, which not everybody may read who may call the query.
 */
static void
analyse_name_error(void *arg)
{
	errposition(0);
	errcontext("named query \"%s\"", (const char *) arg);
}

/*
 * Find the types of a named query's parameters, under the session's search
 * path.
 */
static void
analyse_find_types(Statement *stmt, const char *name, const char *text)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = analyse_name_error,
		.arg = unconstify(char *, name)
	};
	Oid		   *types;

	error_context_stack = &callback;
	(void) analyse_infer(text, &types, &stmt->ntypes);
	error_context_stack = callback.previous;
	stmt->types = MemoryContextAlloc(stmt->context,
									 (stmt->ntypes + 1) * sizeof(Oid));
	if (stmt->ntypes > 0)
		memcpy(stmt->types, types, stmt->ntypes * sizeof(Oid));
}

/*
 * Overwrite the text of a named query, which error contexts would show.  The
 * length must stay, because locations in the tree refer to it.
 */
static void
analyse_hide_text(CachedPlanSource *source)
{
	char	   *text = unconstify(char *, source->query_string);
	Size		len = strlen(text);

	memset(text, ' ', len);
	memcpy(text, ANALYSE_HIDDEN, Min(len, strlen(ANALYSE_HIDDEN)));
}

void
analyse_check(const char *query)
{
	Query	   *tree;
	List	   *trees = NIL;
	Oid		   *types;
	int			ntypes;
	Dependencies deps;

	tree = analyse_infer(query, &types, &ntypes);
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
		analyse_refuse("it is not a plain SELECT",
					   "Only SELECT and VALUES can be cached.");
	depend_examine(linitial(trees), query, false, &deps);
	if (deps.refusal != NULL)
		analyse_refuse(deps.refusal, deps.refusal_hint);
}

Statement *
analyse_text(const CacheKey *key, KeyForm form, bool automatic,
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
	/* before the analysis, which may accept newer catalog changes */
	stmt = statement_create(key, catalog_generation, roles_generation);
	if (name != NULL)
	{
		analyse_find_types(stmt, name, query);
		types = stmt->types;
		ntypes = stmt->ntypes;
	}
	plan = SPI_prepare_cursor(query, ntypes, (Oid *) types,
							  CURSOR_OPT_PARALLEL_OK |
							  STATEMENT_CURSOR_OPT_TEXT);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s",
			 SPI_result_code_string(SPI_result));
	source = analyse_single_source(plan);
	tree = linitial_node(Query, source->query_list);
	depend_examine(tree, query, automatic, &deps);
	if (deps.refusal != NULL)
		analyse_refuse(deps.refusal, deps.refusal_hint);
	column = analyse_anonymous_column(source->resultDesc);
	if (form == KEY_FORM_ROWS && column > 0)
		analyse_refuse(psprintf("column %d is an anonymous record", column),
					   "Cast the column to a named composite type, or select its fields.");

	analyse_describe(stmt, key, tree, source->resultDesc, &deps);
	stmt->plan = plan;
	if (name != NULL)
		analyse_hide_text(source);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	statement_keep(stmt, name == NULL ? query :
				   psprintf("cached(%s)", quote_literal_cstr(name)));
	SPI_finish();
	return stmt;
}

/* The parameters that a tree refers to: the first reference to each. */
typedef struct AnalyseParams
{
	List	   *params;
	Bitmapset  *ids;
} AnalyseParams;

/*
 * Collect the parameters that a tree refers to.
 */
static bool
analyse_collect_params(Node *node, AnalyseParams *found)
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
		return query_tree_walker((Query *) node, analyse_collect_params,
								 found, 0);
	return expression_tree_walker(node, analyse_collect_params, found);
}

static int
analyse_compare_params(const ListCell *a, const ListCell *b)
{
	return lfirst_node(Param, a)->paramid - lfirst_node(Param, b)->paramid;
}

static void
analyse_note_params(Statement *stmt, const Query *query)
{
	AnalyseParams found = {0};
	List	   *params;
	ListCell   *lc;

	(void) analyse_collect_params((Node *) query, &found);
	params = found.params;
	list_sort(params, analyse_compare_params);
	stmt->params = MemoryContextAlloc(stmt->context, (list_length(params) + 1) *
									  sizeof(ParamUse));
	foreach(lc, params)
	{
		stmt->params[stmt->nparams].id = lfirst_node(Param, lc)->paramid;
		stmt->params[stmt->nparams++].type = lfirst_node(Param, lc)->paramtype;
	}
}

Statement *
analyse_tree(const CacheKey *key, bool automatic, const char *text,
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
	if (deps.refusal == NULL && analyse_anonymous_column(result_desc) > 0)
		deps.refusal = "a column is an anonymous record";
	if (deps.refusal == NULL && automatic &&
		list_length(deps.relations) > STATEMENT_MAX_RELATIONS)
		deps.refusal = "it reads too many relations";

	if (deps.refusal == NULL)
	{
		analyse_describe(stmt, key, query, result_desc, &deps);
		analyse_note_params(stmt, query);
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
