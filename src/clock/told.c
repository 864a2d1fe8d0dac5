/*-------------------------------------------------------------------------
 *
 * told.c
 *	  Which changes of rows have triggers reported?
 *
 * A result can depend on the tags that the row triggers of a table make from
 * its rows, in place of the whole table (narrow.c).  That is right only for
 * changes that the triggers report.  The executor, COPY and the workers of
 * logical replication fire row triggers for each row.  They do so in every
 * session if the trigger is ENABLE ALWAYS; so only triggers count here that
 * are, that fire for INSERT, UPDATE and DELETE, and that have no condition.
 * But TRUNCATE fires no row trigger, and neither does C code that writes into
 * the table directly.
 *
 * Words: a change of a row is told if such a trigger has reported it, else it
 * is untold.
 *
 * Protocol.  The trigger function counts, per relation, the changes that it
 * reports.  Before the commit, when every trigger has fired, deferred ones
 * included, track.c compares that number with the number of changes that
 * PostgreSQL has counted.  If PostgreSQL has counted more, some are untold.
 * Then the slot of untold changes is touched, of the relation and of its
 * ancestors.  Every result that depends on tags in place of a relation also
 * depends on that slot.
 *
 * We must never count more than PostgreSQL does, or untold changes could go
 * unnoticed.  When a savepoint is rolled back, PostgreSQL no longer counts the
 * changes made since.  So our counters start again from zero.  The changes
 * reported before the savepoint then count as untold, which can cost misses.
 *
 * The writing transaction looks at the triggers as it sees them itself.
 * Another backend may still believe in a trigger that has been dropped
 * meanwhile.  That is harmless: the drop touches the slot of the catalog,
 * which invalidates the results that depend on the trigger's tags.
 *
 * Tolerated races: none.
 *
 * What this file must not do: know which tags the triggers make.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/extension.h"
#include "base/messages.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "clock/relation.h"
#include "clock/told.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* The number of told changes of a relation, in the current transaction. */
typedef struct ToldRelation
{
	Oid			relid;
	uint64		changes;
} ToldRelation;

static struct
{
	List	   *relations;		/* ToldRelation, in TopTransactionContext */

	/* memo of told_function */
	bool		known;
	uint64		messages;		/* messages_of_functions() when it was made */
	Oid			function;
} told;

static Oid
told_look_up_function(void)
{
	if (!OidIsValid(get_extension_oid("cache", true)))
		return InvalidOid;

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum("cache_invalidate"),
						   PointerGetDatum(buildoidvector(NULL, 0)),
						   ObjectIdGetDatum(extension_schema()));
}

Oid
told_function(void)
{
	if (!told.known || told.messages != messages_of_functions())
	{
		uint64		messages = messages_of_functions();

		told.known = false;
		told.function = told_look_up_function();
		told.messages = messages;
		told.known = true;
	}
	return told.function;
}

bool
told_by(const Trigger *trigger)
{
	return trigger->tgenabled == TRIGGER_FIRES_ALWAYS &&
		TRIGGER_FOR_ROW(trigger->tgtype) &&
		TRIGGER_FOR_AFTER(trigger->tgtype) &&
		TRIGGER_FOR_INSERT(trigger->tgtype) &&
		TRIGGER_FOR_UPDATE(trigger->tgtype) &&
		TRIGGER_FOR_DELETE(trigger->tgtype) &&
		trigger->tgnattr == 0 && trigger->tgqual == NULL &&
		trigger->tgfoid == told_function();
}

const Trigger *
told_trigger(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (told_by(&triggers->triggers[i]))
			return &triggers->triggers[i];
	}
	return NULL;
}

static ToldRelation *
told_find(Oid relid)
{
	ListCell   *lc;

	foreach(lc, told.relations)
	{
		ToldRelation *relation = lfirst(lc);

		if (relation->relid == relid)
			return relation;
	}
	return NULL;
}

uint64 *
told_counter(Oid relid)
{
	ToldRelation *relation = told_find(relid);

	if (relation == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

		relation = palloc0(sizeof(ToldRelation));
		relation->relid = relid;
		told.relations = lappend(told.relations, relation);
		MemoryContextSwitchTo(old);
	}
	return &relation->changes;
}

void
told_restart(void)
{
	ListCell   *lc;

	foreach(lc, told.relations)
		((ToldRelation *) lfirst(lc))->changes = 0;
}

void
told_forget(void)
{
	told.relations = NIL;
}

void
told_check(Oid relid, uint64 changes)
{
	ToldRelation *relation = told_find(relid);
	Relation	rel;

	if (relation != NULL && relation->changes >= changes)
		return;
	rel = RelationIdGetRelation(relid);
	if (!RelationIsValid(rel))
		return;
	if (told_trigger(rel) != NULL)
		relation_touch_untold(relid);
	RelationClose(rel);
}
