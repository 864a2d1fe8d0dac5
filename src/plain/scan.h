/*-------------------------------------------------------------------------
 *
 * scan.h
 *	  The plan node that serves a plain statement from the cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SCAN_H
#define CACHE_SCAN_H

#include "lib/ilist.h"
#include "lookup/answer.h"
#include "lookup/watch.h"
#include "nodes/execnodes.h"
#include "nodes/extensible.h"
#include "nodes/plannodes.h"
#include "utils/palloc.h"

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
	uint8		key_digest[KEY_DIGEST_LENGTH];	/* of the head of the keys of
												 * the results that it may
												 * make */
	Terms		terms;			/* but for the tags, see wrap_terms */
	bool		hinted;			/* a comment asks for it */
	bool		updatable;		/* WHERE CURRENT OF may be used with it */
	bool		unproven;		/* planning it has reached what it may not */
	uint32		text_len;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];	/* tags, as in a key; text,
												 * terminated */
} ScanSpec;

/* What was decided for one execution. */
typedef struct ScanExecution
{
	const ScanSpec *spec;
	Lookup	   *lookup;
	Answer		answer;			/* what the lookup has come to */
	bool		serves;			/* what was found */
	bool		fills;

	Watch		watch;			/* of the fill */

	/* the rest is the node's */
	int			id;				/* the node's number in its plan */
	bool		starting;		/* on the list of those, by this link: */
	dlist_node	link;
	MemoryContextCallback callback; /* when the memory goes */
} ScanExecution;

/* Of the node. */
extern const CustomScanMethods scan_methods;

/*
 * The number of the node in its plan.  Those below it, which the planner has
 * numbered, have numbers from 0 on.  Lower ones than this are ids of executions.
 */
#define SCAN_UNBOUND	(-1)

/* Register the node; called once, as the library is loaded. */
extern void scan_init(void);

/*
 * An execution is about to start, and its node, which knows no more than the
 * id, is to find what was decided.  Sets execution->id.  The execution is in the
 * current memory context, which must live as long.
 */
extern void scan_expect_start(ScanExecution *execution);

/*
 * Before an execution runs, each time: will it be asked for all rows at once?
 * top: the state of its topmost node, which may be another one.
 */
extern void scan_expect_run(PlanState *top, bool to_the_end);

#endif							/* CACHE_SCAN_H */
