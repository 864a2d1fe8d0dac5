/*-------------------------------------------------------------------------
 *
 * wrap.h
 *	  Plans with a cache node on top: made, recognized, taken apart.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_WRAP_H
#define CACHE_WRAP_H

#include "base/access.h"
#include "plain/scan.h"

/*
 * Put the node on top of a finished plan.  tree: what it is the plan of.  A
 * cursor over rows that WHERE CURRENT OF may be used with gets none.
 */
extern PlannedStmt *wrap_plan(PlannedStmt *stmt, const Query *tree,
							  const ScanSpec *spec);

/*
 * A plan that consists of the node alone, for a result that was just seen in
 * the cache.  access: the privileges it needs; cost, rows: of a real plan, as
 * far as is known.
 */
extern PlannedStmt *wrap_promise(const Query *tree, const ScanSpec *spec,
								 const Access *access, double cost, double rows);

/* The node on top of a plan, or NULL; and what it was made with. */
extern CustomScan *wrap_find(const PlannedStmt *stmt);
extern ScanSpec *wrap_spec(const CustomScan *node);
extern const Query *wrap_tree(const CustomScan *node);
extern const char *wrap_text(const ScanSpec *spec);
extern Terms wrap_terms(const ScanSpec *spec);

/* The plan below the node, as if there were no cache. */
extern PlannedStmt *wrap_strip(const PlannedStmt *wrapped);

/* The plan for one execution; and is it one? */
extern PlannedStmt *wrap_bind(const PlannedStmt *wrapped,
							  ScanExecution *execution);
extern bool wrap_is_bound(const PlannedStmt *stmt);

#endif							/* CACHE_WRAP_H */
