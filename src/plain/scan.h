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
#include "nodes/extensible.h"
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
	uint8		key_digest[KEY_DIGEST_LENGTH];	/* of the head of the keys of
												 * the results that it may
												 * make */
	Terms		terms;			/* but for the tags, see wrap_terms */
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

/* The node of one execution: a plan node with what was decided. */
typedef struct ScanNode
{
	CustomScan	custom;			/* must be first */
	ScanExecution *execution;
} ScanNode;

/* Of the node in a plan, and of one for a single execution. */
extern const CustomScanMethods scan_plan_methods;
extern const CustomScanMethods scan_node_methods;

/* Register the node; called once, as the library is loaded. */
extern void scan_init(void);

/*
 * Before such an execution runs, each time: will it be asked for all rows at
 * once?  top: the state of the node.
 */
extern void scan_expect(PlanState *top, bool to_the_end);

#endif							/* CACHE_SCAN_H */
