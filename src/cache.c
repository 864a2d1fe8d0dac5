/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  Where the library is loaded.
 *
 * Glossary
 *
 *	result		the rows of one execution of a query
 *	entry		a result as one of the tiers keeps it
 *	key			what makes two requests the same (key.c)
 *	payload		the rows of a result as bytes (codec.c)
 *	block		memory of an entry; pinned while its rows are read (block.c)
 *	tag			name of something results depend on
 *	slot		place of a tag in the tag clock (clock.c)
 *	generation	count of committed changes of a slot
 *	fence		up while a change of a slot is being committed
 *	version		name under which Redis knows a generation: a WAL position
 *	touch		note that the transaction changes what a slot stands for
 *	told		of a changed row: a trigger has touched its tags (told.c)
 *	narrowed	of a relation: a result depends on tags in its place (narrow.c)
 *	tick		count a committed change of a slot
 *	invalidation	what touching and ticking comes to for a result
 *	hit, miss	a request answered from an entry; by executing the query
 *	fill		storing the result of a miss
 *	bypass		executing without looking up or storing
 *	hint		what a comment in a statement says about caching it
 *	flight		an execution that others may wait for; its leader executes
 *	eviction	dropping an entry to make room
 *	expiry		the end of an entry's time to live
 *	L1, L2		shared memory of this server; Redis
 *
 * ARCHITECTURE.md has the floors, and the lives of a hit, a miss and a write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/messages.h"
#include "base/guc.h"
#include "capture/track.h"
#include "clock/invalidate.h"
#include "fmgr.h"
#include "lookup/watch.h"
#include "miscadmin.h"
#include "plain/plan.h"
#include "plain/scan.h"
#include "plain/serve.h"
#include "redis/worker.h"
#include "shmem.h"
#include "store/flight.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cache is not loaded"),
				 errhint("Add cache to shared_preload_libraries in postgresql.conf, and restart the server.")));

	guc_init();
	shmem_init();
	messages_init();
	invalidate_init();
	watch_init();
	flight_init();
	track_init();
	scan_init();
	serve_init();
	plan_init();
	worker_register();
}
