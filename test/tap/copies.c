/*-------------------------------------------------------------------------
 *
 * copies.c
 *	  A library that executes copies of plans, for plans.pl.
 *
 * Loaded after the cache its hook is called first, and copies what PostgreSQL
 * may keep; loaded before, it copies what the cache has made for one execution.
 * In either case the plan that is copied must not change as an execution
 * starts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static ExecutorStart_hook_type next_start;
static int	how;

static const struct config_enum_entry ways[] = {
	{"none", 0, false},
	{"copy", 1, false},
	{"text", 2, false},
	{NULL, 0, false}
};

static void
copies_start(QueryDesc *queryDesc, int eflags)
{
	PlannedStmt *stmt = queryDesc->plannedstmt;
	char	   *before = nodeToString(stmt);

	if (how == 1)
		queryDesc->plannedstmt = copyObject(stmt);
	else if (how == 2 && stmt->commandType == CMD_SELECT)
		queryDesc->plannedstmt = stringToNode(before);
	if (next_start != NULL)
		next_start(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
	if (strcmp(before, nodeToString(stmt)) != 0)
		elog(ERROR, "a plan was written to");
}

void
_PG_init(void)
{
	DefineCustomEnumVariable("copies.how", "How plans are copied.", NULL, &how, 0,
							 ways, PGC_USERSET, 0, NULL, NULL, NULL);
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = copies_start;
}
