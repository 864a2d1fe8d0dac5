/*-------------------------------------------------------------------------
 *
 * narrow.c
 *	  Which rows of an attached table does a query read?
 *
 * A result that the cache keeps fresh by itself depends on whole relations,
 * unless it can be told which of their rows it reads.  Let a table have row
 * triggers that tell of every row that changes (told.c), with a template such as
 * author:$author_id, and let a query read only rows with author_id = 7.  Then
 * its result depends on the tag author:7: what changes a row that it reads
 * invalidates the tag of the old row or of the new one.
 *
 * Words.  An occurrence of a relation is an entry of some range table.  A row
 * matters if the answer depends on it.  An occurrence is confined if for rows of it
 * that matter the values of all columns of a template are known (fact.c).
 *
 * The rule.  A relation is replaced by tags iff every occurrence of it in the
 * query, at any level, is confined.  Whatever is not understood confines nothing.
 *
 * Which rows matter.  Facts that hold for every row that a join hands on, or
 * for every row of it that matters, can be taken to its two sides: a row of either
 * side on which they do not hold leaves no trace.  That goes for the nullable side
 * of an outer join as well, though a row of it that matches keeps a null-extended
 * one from appearing: if what fails is about columns of that side, it fails for
 * the null-extended row, too, for equality is strict; and if it is about others,
 * the row that would be extended does not matter.  ON of an outer join is about
 * rows that match, so it goes to the nullable side only.
 *
 * What holds for every row of a query can be assumed wherever sublinks and lateral
 * subqueries refer to its columns.  What holds for the output of a subquery holds
 * for what it reads, if the output hands it through: not past LIMIT, window
 * functions or aggregates, unless the column is grouped by.  A WITH query is looked
 * at by itself, for it may be used more than once.
 *
 * Besides tags, the result depends on the slot of changes of the relation that no
 * trigger told of.  Other definitions, of triggers above all, end it with the
 * statement.  Which triggers children have is looked at without locks on them:
 * who changes that touches the slot of the catalog, whose generation was read
 * before.
 *
 * The work is limited (fact.c).  A search that was given up finds no tags.
 *
 * What a row of another author can still do is to keep a query from being
 * answered at all, by a division by zero for instance, where PostgreSQL evaluates
 * that before author_id = 7.  It promises no order, and a result from the cache
 * does not either.
 *
 * What this file must not do: evaluate anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "clock/relation.h"
#include "clock/told.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "query/fact.h"
#include "query/narrow.h"
#include "text/template.h"

/* Most tags that one template stands for. */
#define NARROW_MAX_TAGS FACT_MAX_VALUES

/* Most columns of a template. */
#define NARROW_MAX_COLUMNS 8

/* Most tables below one in a query: each is looked at, at this price. */
#define NARROW_MAX_MEMBERS 256
#define NARROW_MEMBER_WORK 100

/* Most templates of a table that are looked at. */
#define NARROW_MAX_TEMPLATES 64

/* A template with known values. */
typedef struct NarrowTag
{
	const char *text;
	Template   *tmpl;			/* once it is known to be used */
	List	   *values;			/* lists of FactValue, one for each of its
								 * columns */
} NarrowTag;

/* An entry of a range table that is a relation. */
typedef struct NarrowOccurrence
{
	RangeTblEntry *rte;
	List	   *covers;			/* relations that are in the dependencies */
	List	   *templates;		/* that all tables below have; texts */
	bool		confined;		/* wherever it was met */
	bool		met;
	List	   *tags;			/* NarrowTag */
} NarrowOccurrence;

typedef struct NarrowSearch
{
	List	   *occurrences;	/* all in the query, NarrowOccurrence */
	bool		promising;		/* one of them has templates */
	int64		work;			/* steps that are left to take */
} NarrowSearch;

typedef struct NarrowRelation
{
	ClockSlot	slot;
	ClockSlot	untold;
	List	   *tags;			/* NarrowTag; NIL: the slot of the relation */
} NarrowRelation;

struct Narrowing
{
	int			nrelations;
	NarrowRelation relations[FLEXIBLE_ARRAY_MEMBER];
};

/* For the walkers. */
typedef struct NarrowWalk
{
	NarrowSearch *search;
	FactLevel  *level;
} NarrowWalk;

static void narrow_query(NarrowSearch *search, Query *query,
						 FactLevel *outer, Fact **outputs);

/*
 * The templates that every one of the tables has; texts of templates with
 * columns.
 */
static List *
narrow_shared_templates(const List *relids)
{
	List	   *shared = NIL;
	bool		first = true;
	ListCell   *lc;

	foreach(lc, relids)
	{
		Relation	rel = RelationIdGetRelation(lfirst_oid(lc));
		List	   *texts = NIL;
		TriggerDesc *triggers;

		if (!RelationIsValid(rel))
			return NIL;
		if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		{
			/* has no rows of its own */
			RelationClose(rel);
			continue;
		}
		/* nor does anyone tell of the rows of other kinds */
		triggers = rel->rd_rel->relkind == RELKIND_RELATION ? rel->trigdesc : NULL;
		for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		{
			const Trigger *trigger = &triggers->triggers[i];

			if (!told_by(trigger))
				continue;
			for (int j = 0; j < trigger->tgnargs; j++)
			{
				if (strchr(trigger->tgargs[j], '$') != NULL &&
					list_length(texts) < NARROW_MAX_TEMPLATES)
					texts = lappend(texts, makeString(pstrdup(trigger->tgargs[j])));
			}
		}
		RelationClose(rel);
		shared = first ? texts : list_intersection(shared, texts);
		first = false;
		if (shared == NIL)
			break;
	}
	return shared;
}

/*
 * False if there is too much to look at.
 */
static bool
narrow_add_occurrence(NarrowSearch *search, RangeTblEntry *rte)
{
	NarrowOccurrence *occurrence = palloc0(sizeof(NarrowOccurrence));
	List	   *members = list_make1_oid(rte->relid);

	if (rte->inh && has_subclass(rte->relid))
		members = find_all_inheritors(rte->relid, NoLock, NULL);
	if (!fact_work(&search->work, (int64) list_length(members) * NARROW_MEMBER_WORK))
		return false;
	occurrence->rte = rte;
	occurrence->confined = true;
	/* a partitioned table stands for its partitions (depend.c) */
	occurrence->covers = rte->relkind == RELKIND_PARTITIONED_TABLE ?
		list_make1_oid(rte->relid) : members;
	/* what a sample has depends on where other rows are */
	if (list_length(members) <= NARROW_MAX_MEMBERS && rte->tablesample == NULL)
		occurrence->templates = narrow_shared_templates(members);
	search->promising |= occurrence->templates != NIL;
	search->occurrences = lappend(search->occurrences, occurrence);
	return true;
}

/*
 * Find all occurrences in a query.  True if that was given up.
 */
static bool
narrow_occurrence_walker(Node *node, NarrowSearch *search)
{
	if (node == NULL)
		return false;
	if (!fact_work(&search->work, 1))
		return true;
	if (IsA(node, Query))
	{
		ListCell   *lc;

		foreach(lc, ((Query *) node)->rtable)
		{
			RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

			if (rte->rtekind == RTE_RELATION && !narrow_add_occurrence(search, rte))
				return true;
		}
		return query_tree_walker((Query *) node, narrow_occurrence_walker,
								 search, 0);
	}
	return expression_tree_walker(node, narrow_occurrence_walker, search);
}

/*
 * A template with the values of its columns in an occurrence; NULL if the values
 * of one of them are not known.
 */
static NarrowTag *
narrow_tag(const FactLevel *level, const List *facts, Index rti, TupleDesc tupdesc,
		   const char *text)
{
	Template   *tmpl = template_parse(text, tupdesc, NULL);
	NarrowTag  *tag;

	if (tmpl == NULL || template_columns(tmpl) == 0 ||
		template_columns(tmpl) > NARROW_MAX_COLUMNS)
		return NULL;
	tag = palloc0(sizeof(NarrowTag));
	tag->text = text;
	for (int i = 0; i < template_columns(tmpl); i++)
	{
		AttrNumber	attnum = template_column(tmpl, i);
		Form_pg_attribute att = TupleDescAttr(tupdesc, attnum - 1);
		Fact	   *fact = fact_resolve(level, facts,
										makeVar(rti, attnum, att->atttypid,
												att->atttypmod,
												att->attcollation, 0));

		if (fact == NULL || list_length(fact->values) > NARROW_MAX_TAGS)
			return NULL;
		tag->values = lappend(tag->values, fact->values);
	}
	return tag;
}

/*
 * A relation is met in a query, where these facts hold for the rows of it that
 * matter.
 */
static void
narrow_meet_relation(NarrowSearch *search, const FactLevel *level, Index rti,
					 const List *facts)
{
	RangeTblEntry *rte = rt_fetch(rti, level->query->rtable);
	NarrowOccurrence *occurrence = NULL;
	NarrowTag  *tag = NULL;
	Relation	rel;
	ListCell   *lc;

	if (!fact_work(&search->work, list_length(search->occurrences)))
		return;
	foreach(lc, search->occurrences)
	{
		occurrence = lfirst(lc);
		if (occurrence->rte == rte)
			break;
	}
	Assert(lc != NULL);

	rel = occurrence->templates != NIL ? RelationIdGetRelation(rte->relid) : NULL;
	if (RelationIsValid(rel))
	{
		foreach(lc, occurrence->templates)
		{
			tag = narrow_tag(level, facts, rti, RelationGetDescr(rel),
							 strVal(lfirst(lc)));
			if (tag != NULL)
				break;
		}
		RelationClose(rel);
	}
	occurrence->met = true;
	occurrence->confined &= tag != NULL;
	if (tag != NULL)
		occurrence->tags = lappend(occurrence->tags, tag);
}

/*
 * Look into a subquery.  The values of its output columns may be known by these
 * facts.
 */
static void
narrow_meet_subquery(NarrowSearch *search, FactLevel *level, Index rti,
					 const List *facts)
{
	Query	   *query = rt_fetch(rti, level->query->rtable)->subquery;
	Fact	  **outputs = palloc0((list_length(query->targetList) + 1) *
								  sizeof(Fact *));
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);
		Node	   *expr = (Node *) tle->expr;

		if (!tle->resjunk)
			outputs[tle->resno - 1] =
				fact_resolve(level, facts,
							 makeVar(rti, tle->resno, exprType(expr),
									 exprTypmod(expr), exprCollation(expr), 0));
	}
	narrow_query(search, query, level, outputs);
}

/*
 * Look into a join.  facts: hold for the rows of it that matter; complete: those
 * of fact_join for it are among them.
 */
static void
narrow_descend(NarrowSearch *search, FactLevel *level, Node *join,
			   const List *facts, bool complete)
{
	ListCell   *lc;

	check_stack_depth();
	if (IsA(join, RangeTblRef))
	{
		Index		rti = ((RangeTblRef *) join)->rtindex;
		RangeTblEntry *rte = rt_fetch(rti, level->query->rtable);

		if (rte->rtekind == RTE_RELATION)
			narrow_meet_relation(search, level, rti, facts);
		else if (rte->rtekind == RTE_SUBQUERY)
			narrow_meet_subquery(search, level, rti, facts);
		return;
	}

	if (!fact_work(&search->work, list_length(facts)))
		return;
	if (!complete)
		facts = list_concat_copy(facts, fact_join(level, join));
	if (IsA(join, FromExpr))
	{
		foreach(lc, ((FromExpr *) join)->fromlist)
			narrow_descend(search, level, lfirst(lc), facts, true);
	}
	else
	{
		JoinExpr   *expr = castNode(JoinExpr, join);
		bool		keeps_left = expr->jointype == JOIN_INNER || expr->jointype == JOIN_LEFT;
		bool		keeps_right = expr->jointype == JOIN_INNER || expr->jointype == JOIN_RIGHT;
		const List *matching = facts;

		if (expr->jointype == JOIN_LEFT || expr->jointype == JOIN_RIGHT)
			matching = list_concat_copy(facts, fact_conditions(level, expr->quals));
		narrow_descend(search, level, expr->larg, keeps_left ? facts : matching,
					   keeps_left);
		narrow_descend(search, level, expr->rarg, keeps_right ? facts : matching,
					   keeps_right);
	}
}

/*
 * Do the rows of an output column with certain values depend on nothing but rows
 * of what the query reads with these values?
 */
static bool
narrow_hands_through(const Query *query, const TargetEntry *tle)
{
	Node	   *expr = (Node *) tle->expr;

	if (query->limitCount != NULL || query->limitOffset != NULL ||
		query->hasWindowFuncs || query->hasTargetSRFs || query->hasDistinctOn ||
		query->groupingSets != NIL)
		return false;
	/* one of several that are equal may be put out for all */
	if (fact_is_fuzzy(expr))
		return false;
	if (query->groupClause != NIL || query->hasAggs || query->havingQual != NULL)
	{
		ListCell   *lc;

		foreach(lc, query->groupClause)
		{
			if (tle->ressortgroupref != 0 &&
				lfirst_node(SortGroupClause, lc)->tleSortGroupRef == tle->ressortgroupref)
				return true;
		}
		return false;
	}
	return true;
}

/*
 * Look into the queries that a set operation combines.
 */
static void
narrow_set_operation(NarrowSearch *search, FactLevel *level, Fact **outputs)
{
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, level->query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);
		Fact	  **inputs;

		if (rte->rtekind != RTE_SUBQUERY)
			continue;
		inputs = palloc0((list_length(rte->subquery->targetList) + 1) *
						 sizeof(Fact *));
		foreach(lc2, level->query->targetList)
		{
			TargetEntry *tle = lfirst_node(TargetEntry, lc2);
			TargetEntry *input = get_tle_by_resno(rte->subquery->targetList,
												  tle->resno);

			/* a cast may be pending */
			if (outputs != NULL && !tle->resjunk && input != NULL &&
				!input->resjunk && narrow_hands_through(level->query, tle) &&
				exprType((Node *) input->expr) == exprType((Node *) tle->expr))
				inputs[tle->resno - 1] = outputs[tle->resno - 1];
		}
		narrow_query(search, rte->subquery, level, inputs);
	}
}

/*
 * The facts that follow for a query from what is known of its output columns.
 */
static List *
narrow_input_facts(const FactLevel *level, Fact **outputs)
{
	List	   *facts = NIL;
	ListCell   *lc;

	foreach(lc, level->query->targetList)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);
		Fact	   *fact;

		if (outputs == NULL || tle->resjunk || outputs[tle->resno - 1] == NULL ||
			!narrow_hands_through(level->query, tle))
			continue;
		fact = fact_given(level, (Node *) tle->expr,
						  outputs[tle->resno - 1]->values);
		if (fact != NULL)
			facts = lappend(facts, fact);
	}
	return facts;
}

/*
 * Look into the queries inside of expressions.
 */
static bool
narrow_sublink_walker(Node *node, NarrowWalk *walk)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		narrow_query(walk->search, (Query *) node, walk->level, NULL);
		return false;
	}
	return expression_tree_walker(node, narrow_sublink_walker, walk);
}

/*
 * Look into a query, nested in others unless outer is NULL.  outputs: for each of
 * its output columns what is known of it in the rows that matter, or NULL; NULL if
 * there is nothing to say of any.
 */
static void
narrow_query(NarrowSearch *search, Query *query, FactLevel *outer,
			 Fact **outputs)
{
	FactLevel	level = {outer, query, NIL, NIL, &search->work};
	NarrowWalk	walk = {search, &level};
	ListCell   *lc;

	check_stack_depth();
	if (!fact_work(&search->work, list_length(query->targetList)))
		return;
	if (query->setOperations != NULL)
		narrow_set_operation(search, &level, outputs);
	else
	{
		level.facts = list_concat(narrow_input_facts(&level, outputs),
								  fact_join(&level, (Node *) query->jointree));
		narrow_descend(search, &level, (Node *) query->jointree, level.facts,
					   true);
	}
	foreach(lc, query->cteList)
		narrow_query(search,
					 castNode(Query, lfirst_node(CommonTableExpr, lc)->ctequery),
					 &level, NULL);
	(void) query_tree_walker(query, narrow_sublink_walker, &walk,
							 QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES);
}

/*
 * Copy a tag into the current memory context, ready to be used.  The relation is
 * locked, so that its columns are what they were.
 */
static NarrowTag *
narrow_keep_tag(const NarrowTag *tag, Relation rel)
{
	NarrowTag  *kept = palloc0(sizeof(NarrowTag));
	ListCell   *lc;

	kept->text = pstrdup(tag->text);
	kept->tmpl = template_parse(tag->text, RelationGetDescr(rel),
								RelationGetRelationName(rel));
	foreach(lc, tag->values)
		kept->values = lappend(kept->values, fact_copy_values(lfirst(lc)));
	return kept;
}

/*
 * The tags that stand for a relation, NIL if only its own slot does; in the
 * given memory context.
 */
static List *
narrow_relation_tags(NarrowSearch *search, Oid relid, MemoryContext context)
{
	List	   *tags = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, search->occurrences)
	{
		NarrowOccurrence *occurrence = lfirst(lc);

		if (!fact_work(&search->work, list_length(occurrence->covers)))
			return NIL;
		if (list_member_oid(occurrence->covers, relid) &&
			!(occurrence->met && occurrence->confined))
			return NIL;
	}
	foreach(lc, search->occurrences)
	{
		NarrowOccurrence *occurrence = lfirst(lc);
		MemoryContext old;
		Relation	rel;

		if (!list_member_oid(occurrence->covers, relid))
			continue;
		rel = RelationIdGetRelation(occurrence->rte->relid);
		if (!RelationIsValid(rel))
			return NIL;
		old = MemoryContextSwitchTo(context);
		foreach(lc2, occurrence->tags)
			tags = lappend(tags, narrow_keep_tag(lfirst(lc2), rel));
		MemoryContextSwitchTo(old);
		RelationClose(rel);
	}
	return tags;
}

Narrowing *
narrow_find(Query *query, List *relations, MemoryContext context)
{
	NarrowSearch search = {.work = FACT_MAX_WORK};
	Narrowing  *narrowing;
	bool		found = false;

	if (relations == NIL || list_length(relations) > NARROW_MAX_RELATIONS ||
		!OidIsValid(told_function()))
		return NULL;
	if (narrow_occurrence_walker((Node *) query, &search) || !search.promising)
		return NULL;
	narrow_query(&search, query, NULL, NULL);
	/* what was not looked into may not be confined */
	if (!fact_work(&search.work, 0))
		return NULL;

	narrowing = MemoryContextAllocZero(context, offsetof(Narrowing, relations) +
									   list_length(relations) * sizeof(NarrowRelation));
	for (int i = 0; i < list_length(relations); i++)
	{
		Oid			relid = list_nth_oid(relations, i);
		NarrowRelation *relation = &narrowing->relations[narrowing->nrelations++];

		relation->slot = relation_slot(relid);
		relation->untold = relation_untold_slot(relid);
		relation->tags = narrow_relation_tags(&search, relid, context);
		found |= relation->tags != NIL;
	}
	return found ? narrowing : NULL;
}

/*
 * Append a slot, unless it is there.  False if there is no room.
 */
static bool
narrow_add_slot(ClockSlot *slots, int *n, int max, ClockSlot slot)
{
	for (int i = 0; i < *n; i++)
	{
		if (slots[i] == slot)
			return true;
	}
	if (*n >= max)
		return false;
	slots[(*n)++] = slot;
	return true;
}

/*
 * Append the slots of what becomes of a tag, for each combination of the values
 * of its columns.  False if that cannot be, for the reasons of fact_add_texts, for
 * lack of room, or because a tag is empty.
 */
static bool
narrow_add_tag(const NarrowTag *tag, ParamListInfo params, ClockSlot *slots, int *n,
			   int max)
{
	List	   *texts[NARROW_MAX_COLUMNS] = {0};
	int			ncolumns = list_length(tag->values);
	int			ntags = 1;
	StringInfoData name;

	for (int i = 0; i < ncolumns; i++)
	{
		if (!fact_add_texts(&texts[i], list_nth(tag->values, i), params))
			return false;
		/* no overflow: each factor is small, and so is what came before */
		ntags *= list_length(texts[i]);
		if (ntags > NARROW_MAX_TAGS)
			return false;
	}

	initStringInfo(&name);
	for (int i = 0; i < ntags; i++)
	{
		const char *values[NARROW_MAX_COLUMNS];
		int			rest = i;

		for (int j = 0; j < ncolumns; j++)
		{
			values[j] = list_nth(texts[j], rest % list_length(texts[j]));
			rest /= list_length(texts[j]);
		}
		resetStringInfo(&name);
		template_fill(tag->tmpl, values, &name);
		if (name.len == 0 ||
			!narrow_add_slot(slots, n, max,
							 clock_slot(MyDatabaseId, CLOCK_TAG_USER,
										name.data, name.len)))
			return false;
	}
	return true;
}

int
narrow_slots(const Narrowing *narrowing, ParamListInfo params, ClockSlot *slots, int max)
{
	int			n = 0;

	Assert(max >= NARROW_MAX_RELATIONS);
	for (int i = 0; i < narrowing->nrelations; i++)
	{
		const NarrowRelation *relation = &narrowing->relations[i];

		/* room is kept for one slot of each relation to come */
		int			room = max - (narrowing->nrelations - i - 1);
		int			before = n;
		bool		narrowed;
		ListCell   *lc;

		narrowed = relation->tags != NIL &&
			narrow_add_slot(slots, &n, room, relation->untold);
		foreach(lc, relation->tags)
			narrowed = narrowed && narrow_add_tag(lfirst(lc), params, slots, &n, room);
		if (!narrowed)
		{
			n = before;
			(void) narrow_add_slot(slots, &n, room, relation->slot);
		}
	}
	return n;
}
