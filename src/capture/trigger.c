/*-------------------------------------------------------------------------
 *
 * trigger.c
 *	  The trigger function that invalidates tags.
 *
 * The arguments of a trigger are templates (template.c) of the tags that a
 * change invalidates; without arguments, that is the table's name.  Fired for
 * a row, it invalidates the tags of the old and of the new row.  Fired for a
 * statement, TRUNCATE above all, it cannot know which rows went: tags without
 * columns are invalidated, but if any has columns then everything in the database is.  What it
 * tells of row by row is counted (told.c): results may depend on that alone.
 *
 * Words: a tag is plain if it is the same for all rows.
 *
 * Protocol and locks: none of its own; invalidate.c remembers what is touched
 * until the transaction ends.  It does so across the rollback of savepoints,
 * and the executor gives each statement its own FmgrInfo for each trigger.
 * So TriggerState, which hangs from that, may skip a tag that it invalidated
 * before: a plain one is invalidated once per statement, and one with columns
 * once per run of rows with the same values, such as the old and the new row
 * of an update.
 *
 * Tolerated races: trigger_touch_relation looks at partitioned tables without
 * a lock on them, for locking a parent after its partition would invite
 * deadlocks.  Who attaches a partitioned table locks its partitions as well,
 * which the caller's lock on one of them excludes.
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
	StringInfoData tag;			/* the plain tag, or the one invalidated last */
} TriggerTag;

/* The tags of a trigger, for as long as a statement runs. */
typedef struct TriggerState
{
	/* what they were parsed for */
	Oid			trigger;
	Oid			relation;
	TupleDesc	tupdesc;

	bool		has_columns;	/* any of them */
	bool		plain_done;		/* plain tags are invalidated */
	uint64	   *told;			/* where to count what it tells of, or NULL */
	StringInfoData buffer;
	int			ntags;
	TriggerTag	tags[FLEXIBLE_ARRAY_MEMBER];
} TriggerState;

extern PGDLLEXPORT Datum cache_invalidate(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_invalidate);

/*
 * The tags of a trigger without arguments: the name of the table, and as it
 * may be the copy of a trigger on a partitioned table, also the names of those
 * that the table is a partition of.
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
 * Invalidate the tags with columns for a row.  Leaves garbage in the current
 * memory context.  An empty tag is not invalidated reliably, and no result
 * depends on one.
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

/* Invalidate what a change may concern of which the rows are not known. */
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

/* The part of trigger_touch_relation for one relation. */
static void
trigger_touch_one(Oid relid, Oid function)
{
	Relation	rel = RelationIdGetRelation(relid);
	TriggerDesc *triggers;

	if (!RelationIsValid(rel))
		return;

	/* a copy, for the cached one can go while templates are being parsed */
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
