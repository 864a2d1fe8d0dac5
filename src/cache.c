/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  Loads the library: settings, shared memory, hooks, background worker.
 *
 * Glossary: ARCHITECTURE.md explains the words that are used throughout the
 * code.  It also has the map of the folders, and the lives of a request, of a
 * plain SELECT and of a write.
 *
 * Protocol.  PostgreSQL calls _PG_init once, in the postmaster, before shared
 * memory exists.  The order in which the modules are initialized matters:
 *
 *	- guc_init is first, so that every setting exists before it is read.
 *	- The last module to hook into a function of PostgreSQL is the first to be
 *	  called.  Transaction callbacks are also called in reverse order of
 *	  registration: that of track.c, which touches what a transaction has
 *	  changed, runs before that of invalidate.c, which puts up the fences.
 *
 * What this file must not do: anything but call the modules.
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
