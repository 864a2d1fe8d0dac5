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
 * Put the node on top of a finished plan.  tree: what it is the plan of; spec
 * becomes part of it, and its updatable is set.  A
 * cursor over rows that WHERE CURRENT OF may be used with gets none.
 */
extern PlannedStmt *wrap_plan(PlannedStmt *stmt, const Query *tree,
							  ScanSpec *spec);

/*
 * A plan that consists of the node alone, for a result that was just seen in
 * the cache.  access: the privileges it needs; cost, rows: of a real plan, as
 * far as is known.
 */
extern PlannedStmt *wrap_promise(const Query *tree, ScanSpec *spec,
								 const Access *access, double cost, double rows);

/* The node on top of a plan, or NULL; and what it was made with. */
extern CustomScan *wrap_find(const PlannedStmt *stmt);
extern const ScanSpec *wrap_spec(const CustomScan *node);
extern const Query *wrap_tree(const CustomScan *node);
extern const char *wrap_text(const ScanSpec *spec);
extern Terms wrap_terms(const ScanSpec *spec);

/*
 * Mark a plan that got no node only because of cache.mode; if there is a mark
 * of another, lesser mode on a plan, have PostgreSQL make such plans anew.
 */
extern PlannedStmt *wrap_mark(PlannedStmt *stmt);
extern void wrap_outdate_marked(const PlannedStmt *stmt);

/* The plan below the node, as if there were no cache. */
extern PlannedStmt *wrap_strip(const PlannedStmt *wrapped);

/*
 * The plan for one execution, given its id.  serves: without what is below the
 * node.  It is a wrapped plan, or a promise, and can be bound again.
 */
extern PlannedStmt *wrap_bind(const PlannedStmt *wrapped, int execution,
							  bool serves);

#endif							/* CACHE_WRAP_H */
