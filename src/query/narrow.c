/*-------------------------------------------------------------------------
 *
 * narrow.c
 *	  Which rows of an attached table does a query read?
 *
 * A result that the cache itself keeps fresh depends on whole relations,
 * unless it is known which of their rows the query reads.  For example:
 *
 *	SELECT cache_attach('story', '{author:$author_id}');
 *	SELECT * FROM story WHERE author_id = 7;
 *
 * The row triggers of story report every row that changes (told.c), with the
 * template author:$author_id.  The query reads only rows with author_id = 7.
 * So its result need not depend on the slot of story; it can depend on the tag
 * author:7.  A change of a row that it reads, or of a row that it would read
 * after the change, invalidates the tag author:7: for an UPDATE, the triggers
 * invalidate the tags of the old row and of the new one.
 *
 * Words.  An occurrence of a relation is an entry of some range table for it;
 * a query that joins story to itself has two.  A row of an occurrence matters
 * if the result can depend on it.  An occurrence is confined by a template if
 * the values of all the template's columns are known for the rows that matter,
 * because WHERE or ON fixes them (fact.c).
 *
 * The rule.  In the dependencies of a result, a relation is replaced by tags
 * iff every occurrence of it, at any level of the query, is confined.  For
 * example,
 *
 *	SELECT * FROM story
 *	WHERE author_id = 7 AND score > (SELECT avg(score) FROM story)
 *
 * depends on all of story because of the second occurrence.  Whatever is not
 * understood confines nothing.
 *
 * Which rows matter.  fact.c finds facts: equalities, such as a.id = 7, that
 * hold for every row of a join that matters.  They are taken down to the two
 * sides of the join: a row of one side matters only if the facts can hold for
 * rows of the join that contain it.
 *
 * For an inner join that is plain:
 *
 *	SELECT * FROM author a JOIN story s ON s.author_id = a.id WHERE a.id = 7
 *
 * Rows of the result have a.id = 7 and s.author_id = a.id, so a row of story
 * with author_id = 8 is in none.
 *
 * The nullable side of an outer join needs an argument, since a row of it does
 * two things: it appears in rows of the join, and it keeps a null-extended row
 * from appearing.  Let r be a row of the nullable side for which some fact
 * cannot hold.  No row of the join that contains r matters.  Neither does a
 * null-extended row (l, NULL) that r keeps from appearing:
 *	- If the fact is about a column of the nullable side, it fails for NULL,
 *	  too, because every equality here is strict.  For instance, in
 *		FROM author a LEFT JOIN story s ON ... WHERE s.author_id = 7
 *	  WHERE removes every null-extended row.
 *	- If the fact is about columns of the other side, it fails for l itself,
 *	  whether l is extended or not.  For instance, in
 *		FROM author a LEFT JOIN story s ON s.author_id = a.id WHERE a.id = 7
 *	  a story with author_id = 8 matches only the author with id 8, whom WHERE
 *	  removes in any case.  So only stories with author_id = 7 matter.
 * ON of an outer join says something about the rows that match, not about all
 * rows of the side that is kept.  So it is used for the nullable side only.
 *
 * Nested queries.
 *	- The facts of a query hold wherever its sublinks and lateral subqueries
 *	  refer to its columns.
 *	- A fact about an output column of a subquery holds for the rows that the
 *	  subquery reads, if the column hands its values through: in
 *		SELECT * FROM (SELECT author_id FROM story) s WHERE author_id = 7
 *	  only stories with author_id = 7 matter.  That is not so if the subquery
 *	  has a LIMIT, a window function or an aggregate, because rows of other
 *	  authors take part in these, unless the column is one that the subquery
 *	  groups by.
 *	- A WITH query is examined without regard to the conditions of the queries
 *	  that use it, since it may be used more than once.
 *
 * Besides the tags, the result depends on the slot of untold changes of the
 * relation (told.c), and, like every result, on the slot of the catalog.  So
 * DDL, dropping a trigger for instance, invalidates both the statement and its
 * results.  The triggers of child tables are examined without locks on the
 * children.  That is right because whoever changes them touches the slot of
 * the catalog, and its generation was read before.
 *
 * The work is limited (fact.c).  A search that exceeds the limit finds no
 * tags.
 *
 * A row of another author can still make a query fail.  For example,
 * PostgreSQL may evaluate 1 / score before author_id = 7, and divide by zero.
 * It does not promise an order of evaluation, and neither does a result from
 * the cache.
 *
 * What this file must not do: evaluate expressions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/breakage.h"
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

/* A template may become at most this many tags. */
#define NARROW_MAX_TAGS FACT_MAX_VALUES

/* Templates with more columns are ignored. */
#define NARROW_MAX_COLUMNS 8

/*
 * Tables with more descendants are not narrowed.  To examine a descendant
 * counts as this many steps of work.
 */
#define NARROW_MAX_MEMBERS 256
#define NARROW_MEMBER_WORK 100

/* At most this many templates of a table are considered. */
#define NARROW_MAX_TEMPLATES 64

/* A template, and the known values of its columns. */
typedef struct NarrowTag
{
	const char *text;
	Template   *tmpl;			/* NULL until it is known to be used */
	List	   *values;			/* a list of FactValue for each column */
} NarrowTag;

/* An entry of a range table for a relation. */
typedef struct NarrowOccurrence
{
	RangeTblEntry *rte;
	List	   *covers;			/* its relations in the dependencies */
	List	   *templates;		/* texts; those that all its tables have */
	bool		confined;		/* each time it was met */
	bool		met;			/* by narrow_descend */
	List	   *tags;			/* NarrowTag */
} NarrowOccurrence;

typedef struct NarrowSearch
{
	List	   *occurrences;	/* all in the query, NarrowOccurrence */
	bool		promising;		/* one of them has templates */
	int64		work;			/* steps left */
} NarrowSearch;

typedef struct NarrowRelation
{
	ClockSlot	slot;
	ClockSlot	untold;
	List	   *tags;			/* NarrowTag; NIL if not narrowed */
} NarrowRelation;

struct Narrowing
{
	int			nrelations;
	NarrowRelation relations[FLEXIBLE_ARRAY_MEMBER];
};

/* Context of narrow_sublink_walker. */
typedef struct NarrowWalk
{
	NarrowSearch *search;
	FactLevel  *level;
} NarrowWalk;

static void narrow_query(NarrowSearch *search, Query *query,
						 FactLevel *outer, Fact **outputs);

/*
 * The texts of the templates, with columns, that every one of the tables has.
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
		/* no trigger reports changes in other kinds of relations */
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
 * Add an occurrence.  Returns false if the work exceeds the limit.
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
	/* a sample depends on the places of other rows */
	if (list_length(members) <= NARROW_MAX_MEMBERS && rte->tablesample == NULL)
		occurrence->templates = narrow_shared_templates(members);
	search->promising |= occurrence->templates != NIL;
	search->occurrences = lappend(search->occurrences, occurrence);
	return true;
}

/*
 * Find all occurrences in a query.  Returns true if the work exceeds the
 * limit.
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
 * Find the values of a template's columns in an occurrence.  Returns NULL if
 * those of some column are not known.
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
 * Handle an occurrence of a relation.  facts hold for the rows of it that
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
 * Handle a subquery in FROM.  facts hold for its output rows that matter, so
 * they may tell the values of its output columns.
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
 * Handle a join.  facts hold for the rows of it that matter.  complete: they
 * include those that fact_join finds for it.
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
 * Does an output column hand its values through?  That is, do the output rows
 * with certain values in it depend only on input rows with these values?
 */
static bool
narrow_hands_through(const Query *query, const TargetEntry *tle)
{
	Node	   *expr = (Node *) tle->expr;

	if (query->limitCount != NULL || query->limitOffset != NULL ||
		query->hasWindowFuncs || query->hasTargetSRFs || query->hasDistinctOn ||
		query->groupingSets != NIL)
		return false;
	/* DISTINCT and UNION may return one of several equal values */
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
 * Handle the queries that a set operation combines.
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

			/* the types differ if the planner is to add a cast */
			if (outputs != NULL && !tle->resjunk && input != NULL &&
				!input->resjunk && narrow_hands_through(level->query, tle) &&
				exprType((Node *) input->expr) == exprType((Node *) tle->expr))
				inputs[tle->resno - 1] = outputs[tle->resno - 1];
		}
		narrow_query(search, rte->subquery, level, inputs);
	}
}

/*
 * The facts about a query's input that follow from those about its output
 * columns.
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
 * Handle the queries inside expressions.
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
 * Handle a query.  outer: the query that it is nested in, or NULL; outputs:
 * for each of its output columns, the fact that tells its values in the rows
 * that matter, or NULL.  outputs is NULL if nothing is known of any column.
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
 * Copy a tag into the current memory context, and parse its template.  The
 * relation is locked, so its columns have not changed.
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
 * The tags that replace a relation, allocated in context.  NIL if it cannot be
 * replaced.
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
	/* the search may have ended before it met all occurrences */
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
 * Append a slot, unless it is there.  Returns false if there is no room.
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
 * Append the slots of the tags that a template makes, one for each combination
 * of the values of its columns.  Returns false if fact_add_texts does, if
 * there is no room, or if a tag would be empty.
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
		/* cannot overflow: both factors are small */
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

		/* each of the following relations needs at least one slot */
		int			room = max - (narrowing->nrelations - i - 1);
		int			before = n;
		bool		narrowed;
		ListCell   *lc;

		narrowed = relation->tags != NIL &&
			(BREAK_UNTOLD ||
			 narrow_add_slot(slots, &n, room, relation->untold));
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
