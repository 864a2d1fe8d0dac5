/*-------------------------------------------------------------------------
 *
 * trigger.c
 *	  The trigger function cache_invalidate().
 *
 * The arguments of a trigger are templates (template.c) of the tags that a
 * change of a row invalidates.  A trigger without arguments invalidates the
 * name of the table.
 *
 *	CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON story
 *	FOR EACH ROW EXECUTE FUNCTION cache_invalidate('stories', 'story:${id}')
 *
 * The first argument is a plain tag: it is the same for all rows.  The second
 * has a column, so it is a different tag for each id.
 *
 * A row trigger invalidates the tags of the old row and of the new row.  A
 * statement trigger, typically for TRUNCATE, is not told which rows were
 * affected.  It invalidates the plain tags; but if any tag has columns, it
 * invalidates everything in the database.
 *
 * A row trigger also counts the rows that it has been called for (told.c).  If
 * the triggers of a table have told of every change, results may depend on
 * tags of rows instead of the table.
 *
 * Protocol and locks: none of its own.  invalidate.c remembers what is touched
 * until the transaction ends, also if a savepoint is rolled back.  The
 * executor gives each statement its own FmgrInfo for each trigger, and
 * TriggerState hangs from that.  So within one TriggerState, a tag that was
 * touched before may be skipped: a plain tag is touched once per statement,
 * and one with columns once per run of rows with the same values, such as the
 * old and new row of an update.
 *
 * Tolerated races.  trigger_touch_relation looks at partitioned tables without
 * a lock on them, because locking a parent after its partition would invite
 * deadlocks.  Attaching a partitioned table also locks its partitions, and the
 * caller holds a lock on one of them that conflicts with that.
 *
 * This file must not read or write anything but catalogs: it runs in other
 * people's transactions, once per row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/breakage.h"
#include "capture/trigger.h"
#include "catalog/partition.h"
#include "catalog/pg_trigger.h"
#include "clock/invalidate.h"
#include "clock/told.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "text/template.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct TriggerTag
{
	Template   *tmpl;			/* NULL for a plain tag */
	StringInfoData tag;			/* the plain tag, or the one touched last */
} TriggerTag;

/* The tags of a trigger during one statement. */
typedef struct TriggerState
{
	/* what the tags were parsed for */
	Oid			trigger;
	Oid			relation;
	TupleDesc	tupdesc;

	bool		has_columns;	/* any of the tags has columns */
	bool		plain_done;		/* the plain tags are touched */
	uint64	   *told;			/* counter of rows told of, or NULL */
	StringInfoData buffer;
	int			ntags;
	TriggerTag	tags[FLEXIBLE_ARRAY_MEMBER];
} TriggerState;

extern PGDLLEXPORT Datum cache_invalidate(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_invalidate);

/*
 * The tags of a trigger without arguments: the name of the table.  As the
 * trigger may be the copy of one on a partitioned table, the names of all
 * partitioned tables above are tags as well.
 */
static List *
trigger_default_tags(Relation rel)
{
	List	   *names = list_make1(pstrdup(RelationGetRelationName(rel)));
	ListCell   *cell;

	if (rel->rd_rel->relispartition)
	{
		foreach(cell, get_partition_ancestors(RelationGetRelid(rel)))
		{
			char	   *name = get_rel_name(lfirst_oid(cell));

			if (name)
				names = lappend(names, name);
		}
	}
	return names;
}

/* Make the state for a trigger, in the current memory context. */
static TriggerState *
trigger_parse(const Trigger *trigger, Relation rel)
{
	List	   *names = trigger->tgnargs > 0 ? NIL : trigger_default_tags(rel);
	int			ntags = trigger->tgnargs + list_length(names);
	const Trigger *teller = told_trigger(rel);
	TriggerState *state;

	state = palloc0(offsetof(TriggerState, tags) + ntags * sizeof(TriggerTag));
	state->trigger = trigger->tgoid;
	state->relation = RelationGetRelid(rel);
	state->tupdesc = RelationGetDescr(rel);
	if (teller != NULL && teller->tgoid == trigger->tgoid)
		state->told = told_counter(RelationGetRelid(rel));
	state->ntags = ntags;
	initStringInfo(&state->buffer);

	for (int i = 0; i < ntags; i++)
	{
		TriggerTag *tag = &state->tags[i];
		Template   *tmpl;

		initStringInfo(&tag->tag);
		if (names)
		{
			appendStringInfoString(&tag->tag, list_nth(names, i));
			continue;
		}

		tmpl = template_parse(trigger->tgargs[i], state->tupdesc,
							  RelationGetRelationName(rel));
		if (template_has_columns(tmpl))
		{
			tag->tmpl = tmpl;
			state->has_columns = true;
		}
		else
			template_expand(tmpl, NULL, state->tupdesc, &tag->tag);
	}

	return state;
}

static void
trigger_touch_plain(TriggerState *state)
{
	if (state->plain_done)
		return;

	for (int i = 0; i < state->ntags; i++)
	{
		TriggerTag *tag = &state->tags[i];

		if (!tag->tmpl)
			invalidate_tag(CLOCK_TAG_USER, tag->tag.data, tag->tag.len);
	}
	state->plain_done = true;
}

/*
 * Touch the tags with columns for a row.  Leaves garbage in the current memory
 * context.  An empty tag may be skipped, as it equals the initial state of
 * TriggerTag; that is harmless, because no result can depend on it.
 */
static void
trigger_touch_row(TriggerState *state, HeapTuple tuple)
{
	StringInfo	buffer = &state->buffer;

	for (int i = 0; i < state->ntags; i++)
	{
		TriggerTag *tag = &state->tags[i];

		if (!tag->tmpl)
			continue;

		resetStringInfo(buffer);
		template_expand(tag->tmpl, tuple, state->tupdesc, buffer);
		if (buffer->len == tag->tag.len &&
			memcmp(buffer->data, tag->tag.data, buffer->len) == 0)
			continue;

		invalidate_tag(CLOCK_TAG_USER, buffer->data, buffer->len);
		resetStringInfo(&tag->tag);
		appendBinaryStringInfo(&tag->tag, buffer->data, buffer->len);
	}
}

/* Touch the tags of all rows: it is not known which rows have changed. */
static void
trigger_touch_all(TriggerState *state)
{
	if (state->has_columns)
		invalidate_database();
	else
		trigger_touch_plain(state);
}

/*
 * SQL function cache_invalidate().  The memory context it is called in is
 * reset after each row.
 */
Datum
cache_invalidate(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	TriggerState *state;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("cache_invalidate() was not called by a trigger"),
				 errhint("Use cache_attach() or CREATE TRIGGER to have it called.")));
	if (!TRIGGER_FIRED_AFTER(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" does not execute cache_invalidate() after the event",
						data->tg_trigger->tgname),
				 errhint("Create it as an AFTER trigger.")));

	state = fcinfo->flinfo->fn_extra;
	if (!state ||
		state->trigger != data->tg_trigger->tgoid ||
		state->relation != RelationGetRelid(data->tg_relation) ||
		state->tupdesc != RelationGetDescr(data->tg_relation))
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		state = trigger_parse(data->tg_trigger, data->tg_relation);
		MemoryContextSwitchTo(old);
		fcinfo->flinfo->fn_extra = state;
	}

	if (TRIGGER_FIRED_FOR_STATEMENT(data->tg_event))
		trigger_touch_all(state);
	else
	{
		trigger_touch_plain(state);
		if (state->has_columns)
		{
			bool		updated = TRIGGER_FIRED_BY_UPDATE(data->tg_event);

			if (!updated || !BREAK_OLD_ROW)
				trigger_touch_row(state, data->tg_trigtuple);
			if (updated)
				trigger_touch_row(state, data->tg_newtuple);
		}
		if (state->told != NULL)
			(*state->told)++;
	}

	return PointerGetDatum(NULL);
}

/* Like trigger_touch_relation, but only for the triggers of relid itself. */
static void
trigger_touch_one(Oid relid, Oid function)
{
	Relation	rel = RelationIdGetRelation(relid);
	TriggerDesc *triggers;

	if (!RelationIsValid(rel))
		return;

	/* a copy, as the relcache may free its own while templates are parsed */
	triggers = CopyTriggerDesc(rel->trigdesc);
	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (trigger->tgfoid == function &&
			trigger->tgenabled != TRIGGER_DISABLED)
			trigger_touch_all(trigger_parse(trigger, rel));
	}

	RelationClose(rel);
}

void
trigger_touch_relation(Oid relid)
{
	Oid			function = told_function();
	ListCell   *cell;

	if (!OidIsValid(function))
		return;

	trigger_touch_one(relid, function);
	if (get_rel_relispartition(relid))
	{
		foreach(cell, get_partition_ancestors(relid))
			trigger_touch_one(lfirst_oid(cell), function);
	}
}
