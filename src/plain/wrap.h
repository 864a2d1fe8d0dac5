/*-------------------------------------------------------------------------
 *
 * wrap.h
 *	  Makes, recognizes and takes apart plans with a cache node on top.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_WRAP_H
#define CACHE_WRAP_H

#include "base/access.h"
#include "plain/scan.h"

/*
 * Put the node on top of a finished plan.  tree is the query of that plan.
 * spec becomes part of the result, and its field updatable is set.  The plan
 * of a cursor that may be used with WHERE CURRENT OF gets no node.
 */
extern PlannedStmt *wrap_plan(PlannedStmt *stmt, const Query *tree,
							  ScanSpec *spec);

/*
 * A promise: a plan that consists of the node alone, for a result that was
 * just seen in L1.  access: the privileges that the query needs.  cost and
 * rows: those of its latest real plan, if there was one.
 */
extern PlannedStmt *wrap_promise(const Query *tree, ScanSpec *spec,
								 const Access *access, double cost, double rows);

/* The node on top of a plan, or NULL; and what the node carries. */
extern CustomScan *wrap_find(const PlannedStmt *stmt);
extern const ScanSpec *wrap_spec(const CustomScan *node);
extern const Query *wrap_tree(const CustomScan *node);
extern const char *wrap_text(const ScanSpec *spec);
extern Terms wrap_terms(const ScanSpec *spec);

/*
 * wrap_mark marks a plan that got no node only because of cache.mode.
 * wrap_outdate_marked has PostgreSQL replan such plans if the plan was marked
 * in a mode that caches less than the present one.
 */
extern PlannedStmt *wrap_mark(PlannedStmt *stmt);
extern void wrap_outdate_marked(const PlannedStmt *stmt);

/* The plan below the node, as it would be without the cache. */
extern PlannedStmt *wrap_strip(const PlannedStmt *wrapped);

/*
 * The plan for the execution with this id.  If it serves a result, what is
 * below the node is left out.  The result is a wrapped plan or a promise
 * itself, and can be bound again.
 */
extern PlannedStmt *wrap_bind(const PlannedStmt *wrapped, int execution,
							  bool serves);

#endif							/* CACHE_WRAP_H */
