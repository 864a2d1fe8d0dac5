/*-------------------------------------------------------------------------
 *
 * body.c
 *	  What is inside functions of LANGUAGE sql.
 *
 * The body of a function is parsed, analysed and rewritten here in the way
 * PostgreSQL does it before it runs the function, and before it inlines it: for
 * the types that the call gives to polymorphic arguments, under the user,
 * search path and settings of the session, and with the conversion of the last
 * result to the declared type.  So these are the queries, whatever PostgreSQL
 * makes of the call.  Nothing is planned or run.
 *
 * Functions that are not looked into: those with SECURITY DEFINER or SET, as
 * names, privileges and row security mean something else inside them; and those
 * with anything but SELECT, whose analysis would lock what they write to.
 *
 * Errors.  A body that fails here fails when it is run, if it ever is: the call
 * may be in a branch that is not taken.  So the error is not raised but told,
 * and a subtransaction cleans up.  Errors that are not about the body (a
 * cancel, a lock not to be had, no memory) are raised.  The locks of an analysis
 * that succeeds stay with the transaction, as they do for any query.
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
 * Rewrite the queries of a body that was parsed when the function was made.
 * Returns a list of lists, as PostgreSQL wants it; NIL with an obstacle.
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
 * Have the last query give what the call is said to return.
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
	/* other operators than an OpExpr give a boolean, whatever the node does */
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

/* Is an error about what was analysed? */
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
 * Do it, and make an obstacle of an error.
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
			/* it is in the body, and not in what the client sent */
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
