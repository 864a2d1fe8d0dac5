/*-------------------------------------------------------------------------
 *
 * body.c
 *	  The queries inside functions of LANGUAGE sql.
 *
 * body_find parses, analyses and rewrites the body of a function as PostgreSQL
 * does before it runs or inlines the function: for the types that the call
 * gives to polymorphic arguments; under the user, search path and settings of
 * the session; and with the last result converted to the declared type.  So it
 * finds the queries that PostgreSQL would run, whether it inlines the call or
 * not.  Nothing is planned or run.
 *
 * Some functions are not examined.  Inside a function with SECURITY DEFINER or
 * SET, names, privileges and row security have another meaning.  To analyse a
 * command other than SELECT would lock what it writes to.
 *
 * Errors.  If analysing a body fails, running it would fail as well.  But it
 * may never be run, because the call is in a branch that is not taken:
 *
 *	SELECT CASE WHEN false THEN broken() ELSE 1 END
 *
 * So the error is not raised.  A subtransaction cleans up, and the error's
 * message becomes the obstacle, the reason why the queries are not known.
 * Errors that are not about the body (a cancel, a lock that cannot be had, out
 * of memory) are raised.  If the analysis succeeds, its locks stay with the
 * transaction, as those of any query do.
 *
 * What this file must not do: judge what it finds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/compat.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "executor/functions.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "query/body.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

static const char *const body_not_select = "it runs other commands than SELECT";

/*
 * An attribute of type text, or NULL.
 */
static char *
body_get_text(HeapTuple tuple, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(PROCOID, tuple, attnum, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * Rewrite the queries of a body that was parsed when the function was created.
 * Returns a list of lists, as PostgreSQL's functions want it.  If there is an
 * obstacle, returns NIL.
 */
static List *
body_rewrite(const char *stored, Body *body)
{
	Node	   *node = stringToNode(stored);
	List	   *queries = IsA(node, List) ?
	linitial_node(List, castNode(List, node)) : list_make1(node);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, queries)
	{
		if (lfirst_node(Query, lc)->commandType != CMD_SELECT)
		{
			body->obstacle = body_not_select;
			return NIL;
		}
	}
	foreach(lc, queries)
	{
		AcquireRewriteLocks(lfirst_node(Query, lc), true, false);
		result = lappend(result, pg_rewrite_query(lfirst_node(Query, lc)));
	}
	return result;
}

/*
 * The same for a body that is a text.
 */
static List *
body_parse(HeapTuple tuple, Node *call, Body *body)
{
	SQLFunctionParseInfoPtr info;
	List	   *statements;
	List	   *result = NIL;
	ListCell   *lc;

	statements = pg_parse_query(body->text);
	foreach(lc, statements)
	{
		Node	   *statement = lfirst_node(RawStmt, lc)->stmt;

		if (!IsA(statement, SelectStmt) ||
			((SelectStmt *) statement)->intoClause != NULL)
		{
			body->obstacle = body_not_select;
			return NIL;
		}
	}
	info = prepare_sql_fn_parse_info(tuple, call, exprInputCollation(call));
	foreach(lc, statements)
		result = lappend(result,
						 pg_analyze_and_rewrite_withcb(lfirst_node(RawStmt, lc), body->text,
													   (ParserSetupHook) sql_fn_parser_setup,
													   info, NULL));
	return result;
}

/*
 * Convert the result of the last query to what the call is declared to return.
 */
static void
body_convert_result(List *queries, Oid declared, Node *call,
					const RangeTblFunction *columns)
{
	TupleDesc	desc = NULL;

	if (columns != NULL && columns->funccolnames != NIL)
		desc = BuildDescFromLists(columns->funccolnames, columns->funccoltypes,
								  columns->funccoltypmods,
								  columns->funccolcollations);
	/* operators of other nodes than OpExpr return boolean */
	else if (IsA(call, FuncExpr) || IsA(call, OpExpr))
		(void) get_expr_result_type(call, &declared, &desc);
	(void) compat_check_sql_fn_retval(queries, declared, desc);
}

/*
 * Do the work of body_find that can fail.
 */
static void
body_analyse(HeapTuple tuple, Node *call, const RangeTblFunction *columns,
			 Body *body)
{
	char	   *stored = body_get_text(tuple, Anum_pg_proc_prosqlbody);
	List	   *queries;
	ListCell   *lc;

	if (stored != NULL)
		queries = body_rewrite(stored, body);
	else
	{
		body->text = body_get_text(tuple, Anum_pg_proc_prosrc);
		queries = body_parse(tuple, call, body);
	}
	if (body->obstacle != NULL)
		return;
	body_convert_result(queries, ((Form_pg_proc) GETSTRUCT(tuple))->prorettype,
						call, columns);
	foreach(lc, queries)
		body->queries = list_concat(body->queries, lfirst_node(List, lc));
}

/* Is an error about the body? */
static bool
body_is_to_blame(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		default:
			return true;
	}
}

/*
 * Do that work, and turn an error about the body into an obstacle.
 */
static void
body_try(HeapTuple tuple, Node *call, const RangeTblFunction *columns, Body *body)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		body_analyse(tuple, call, columns, body);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (!body_is_to_blame(error))
		{
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			/* the position is one in the body, not in the client's text */
			error->cursorpos = 0;
			ReThrowError(error);
		}
		body->obstacle = error->message != NULL ? error->message : "it fails";
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

bool
body_find(Oid funcid, Node *call, const RangeTblFunction *columns, Body *body)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Form_pg_proc proc;
	bool		known = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	memset(body, 0, sizeof(*body));
	if (proc->prolang == SQLlanguageId && proc->prokind == PROKIND_FUNCTION)
	{
		if (proc->prosecdef)
			body->obstacle = "it is SECURITY DEFINER";
		else if (!heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL))
			body->obstacle = "it has a SET clause";
		else if (IsInParallelMode())
			body->obstacle = "the query around it is a parallel one";
		else
			body_try(tuple, call, columns, body);
		known = body->obstacle == NULL;
	}
	ReleaseSysCache(tuple);
	return known;
}
