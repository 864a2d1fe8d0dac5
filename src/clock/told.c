/*-------------------------------------------------------------------------
 *
 * told.c
 *	  Which changes of rows have been told of by triggers?
 *
 * A result may depend on tags that the row triggers of a table make
 * (narrow.c), in place of the whole table.  That is right only for changes that the triggers
 * tell of.  The executor, COPY and the workers of logical replication fire them
 * for each row, always: a trigger counts as one that tells only if it fires for
 * all three events, without condition, and ENABLE ALWAYS.  But TRUNCATE fires
 * none for rows, and neither does C code that writes into the table by itself.
 *
 * Words: a change of a row is told, or untold.
 *
 * Protocol.  The trigger function counts what it tells of per relation.  Before
 * commit, when every trigger has fired, deferred ones included, track.c compares
 * that with the changes that PostgreSQL has counted.  If there were more, the
 * slot of untold changes of the relation and its ancestors is touched, which is
 * in the dependencies of every result that depends on tags in place of it.  A
 * counter must never run ahead of what is to be compared with it, so it starts
 * again from zero when a savepoint is rolled back, whose changes PostgreSQL no
 * longer counts; then what was told before counts as untold.
 *
 * The triggers are looked at as the transaction that writes sees them.  That
 * others have found triggers which are no longer there cannot matter: whoever
 * takes one away touches the slot of the catalog, which ends their results.
 *
 * Tolerated races: none.
 *
 * What this file must not do: know what the triggers tell.
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

/* What triggers have told of one relation, in the current transaction. */
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
