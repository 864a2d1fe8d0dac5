/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  The slots that stand for the rows of relations.
 *
 * A query over a partitioned table depends on the slot of that table alone,
 * whatever partitions the table has when the query runs.  So a change to a
 * relation touches the slots of all its ancestors as well as its own.
 *
 * To find the ancestors means to read pg_inherits.  So each process remembers
 * the slots of each relation it has touched.  Any relcache invalidation
 * empties this memo, because the catalog rows that make P an ancestor of R may
 * be about relations between the two.
 *
 * Can a writer touch too few slots, because its relation has just got another
 * ancestor?
 *	- ALTER TABLE p ATTACH PARTITION r locks r and its descendants, so none of
 *	  them has a writer at that time.
 *	- ALTER TABLE p INHERIT g locks p, but not the children of p.  A writer of
 *	  a child may not know of g yet.  Therefore a query over g depends on the
 *	  slot of each table that inherits from g, not only on that of g
 *	  (depend.c).
 * All these commands are DDL, so they also touch the slot of the catalog.
 *
 * A relation has a second slot, for its untold changes, that is, changes of
 * rows that no trigger has reported (told.c).  Results that depend on tags in
 * place of the relation depend on this slot.
 *
 * What this file must not do: decide whether rows have changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "base/messages.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "clock/invalidate.h"
#include "clock/relation.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct RelationEntry
{
	Oid			relid;			/* hash key */
	int			nslots;
	ClockSlot  *slots;			/* in the memo's context */
} RelationEntry;

static struct
{
	MemoryContext context;		/* of all entries; NULL before the first */
	HTAB	   *entries;
	uint64		messages;		/* messages_of_relations() when it was made */
} relations;

static inline bool
relation_memo_is_current(void)
{
	return relations.context != NULL &&
		relations.messages == messages_of_relations();
}

/*
 * Make the memo, or empty it if it is out of date.
 */
static void
relation_prepare_memo(void)
{
	HASHCTL		info = {0};

	if (relation_memo_is_current())
		return;

	if (relations.context != NULL)
		MemoryContextDelete(relations.context);
	relations.context = AllocSetContextCreate(TopMemoryContext,
											  "cache relations",
											  ALLOCSET_SMALL_SIZES);
	info.keysize = sizeof(Oid);
	info.entrysize = sizeof(RelationEntry);
	info.hcxt = relations.context;
	relations.entries = hash_create("cache relations", 64, &info,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	relations.messages = messages_of_relations();
}

/*
 * Append the parents of a relation to a list of oids.
 */
static List *
relation_add_parents(List *relids, Oid relid)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		relids = list_append_unique_oid(relids,
										((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
	return relids;
}

ClockSlot
relation_slot(Oid relid)
{
	return clock_slot(MyDatabaseId, CLOCK_TAG_RELATION, &relid, sizeof(relid));
}

ClockSlot
relation_untold_slot(Oid relid)
{
	return clock_slot(MyDatabaseId, CLOCK_TAG_UNTOLD, &relid, sizeof(relid));
}

List *
relation_with_ancestors(Oid relid)
{
	List	   *relids = list_make1_oid(relid);

	/* the list grows while it is walked */
	for (int i = 0; i < list_length(relids); i++)
		relids = relation_add_parents(relids, list_nth_oid(relids, i));
	return relids;
}

/*
 * Find the slots that a change to a relation touches, and remember them.
 */
static RelationEntry *
relation_remember(Oid relid)
{
	List	   *relids = NIL;
	RelationEntry *entry;
	ClockSlot  *slots;
	char		relkind;
	bool		found;

	/*
	 * No result depends on TOAST tables, temporary tables, or tables that
	 * have been dropped meanwhile.
	 */
	relkind = get_rel_relkind(relid);
	if (relkind != '\0' && relkind != RELKIND_TOASTVALUE &&
		get_rel_persistence(relid) != RELPERSISTENCE_TEMP)
		relids = relation_with_ancestors(relid);

	relation_prepare_memo();
	slots = MemoryContextAlloc(relations.context,
							   (list_length(relids) + 1) * sizeof(ClockSlot));
	for (int i = 0; i < list_length(relids); i++)
		slots[i] = relation_slot(list_nth_oid(relids, i));
	entry = hash_search(relations.entries, &relid, HASH_ENTER, &found);
	entry->nslots = list_length(relids);
	entry->slots = slots;
	list_free(relids);
	return entry;
}

void
relation_touch(Oid relid)
{
	RelationEntry *entry;

	if (relid < FirstNormalObjectId)
		return;
	if (unlikely(!relation_memo_is_current()))
		relation_prepare_memo();
	entry = hash_search(relations.entries, &relid, HASH_FIND, NULL);
	if (entry == NULL)
		entry = relation_remember(relid);
	for (int i = 0; i < entry->nslots; i++)
		invalidate_touch(entry->slots[i]);
}

void
relation_touch_untold(Oid relid)
{
	ListCell   *lc;

	foreach(lc, relation_with_ancestors(relid))
		invalidate_touch(relation_untold_slot(lfirst_oid(lc)));
}
