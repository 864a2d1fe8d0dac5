/*-------------------------------------------------------------------------
 *
 * scan.h
 *	  The plan node that serves a plain statement from the cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SCAN_H
#define CACHE_SCAN_H

#include "lookup/lookup.h"
#include "nodes/execnodes.h"
#include "nodes/plannodes.h"

/*
 * How a statement is cached.  It is part of its plan, as the bytes of a
 * constant.
 */
typedef struct ScanSpec
{
	int32		vl_len_;		/* of a varlena */
	int			cursor_options; /* it was planned with */
	uint64		serial;			/* of the plan */
	uint64		shape;			/* of the text, admit.h */
	uint64		catalog_generation; /* read before it was planned */
	uint64		roles_generation;
	Terms		terms;			/* but for the tags, see scan_terms */
	bool		hinted;			/* a comment asks for it */
	bool		updatable;		/* WHERE CURRENT OF may be used with it */
	bool		executed;		/* once or more; this alone changes after
								 * planning */
	uint32		text_len;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];	/* tags, as in a key; text,
												 * terminated */
} ScanSpec;

/* What was decided for one execution. */
typedef struct ScanExecution
{
	ScanSpec   *spec;
	Lookup	   *lookup;
	StatsCounter bypass;		/* a reason, or LOOKUP_NO_BYPASS */
	StoreStatus status;			/* of the lookup */
	StoreResult found;			/* unless that is a miss */
	StatsCounter tier;			/* where it was found */
	bool		serves;			/* what was found */
	bool		fills;
} ScanExecution;

/* Register the node; called once, as the library is loaded. */
extern void scan_init(void);

/*
 * Put the node on top of a finished plan.  tree: what it is the plan of.  A
 * cursor over rows that WHERE CURRENT OF may be used with gets none.
 */
extern PlannedStmt *scan_wrap(PlannedStmt *stmt, const Query *tree,
							  const ScanSpec *spec);

/*
 * A plan that consists of the node alone, for a result that was just seen in
 * the cache.  rtable: to check privileges on; cost, rows: of a real plan, as
 * far as is known.
 */
extern PlannedStmt *scan_promise(const Query *tree, const ScanSpec *spec,
								 List *rtable, double cost, double rows);

/* The node on top of a plan, or NULL; and what it was made with. */
extern CustomScan *scan_find(const PlannedStmt *stmt);
extern ScanSpec *scan_spec(const CustomScan *node);
extern const Query *scan_tree(const CustomScan *node);
extern const char *scan_text(const ScanSpec *spec);
extern Terms scan_terms(const ScanSpec *spec);

/* The plan below the node, as if there were no cache. */
extern PlannedStmt *scan_strip(const PlannedStmt *wrapped);

/* The plan for one execution; and is it one? */
extern PlannedStmt *scan_bind(const PlannedStmt *wrapped,
							  ScanExecution *execution);
extern bool scan_is_bound(const PlannedStmt *stmt);

/*
 * Before such an execution runs, each time: will it be asked for all rows at
 * once?  top: the state of the node.
 */
extern void scan_expect(PlanState *top, bool to_the_end);

#endif							/* CACHE_SCAN_H */
