/*-------------------------------------------------------------------------
 *
 * shmem.c
 *	  Shared memory of all modules.
 *
 * Each module that has a shared structure provides three functions: one
 * returns the size, one creates the structure or attaches to it, and one
 * verifies it.  To verify means to recount everything that the structure
 * counts, under the module's own locks, and to raise an error if the numbers
 * differ.  A new structure needs a line in shmem_modules.  The SQL function
 * cache_verify() walks that table, so it cannot leave a structure out.
 *
 * Protocol and locks.  The init functions run under AddinShmemInitLock.  Each
 * size is asked for in shmem_request, which PostgreSQL calls once the settings
 * are final.
 *
 * What this file must not do: know what is inside a structure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/qstats.h"
#include "base/seal.h"
#include "base/stats.h"
#include "clock/clock.h"
#include "clock/prepared.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "redis/l2.h"
#include "redis/redis.h"
#include "shmem.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "store/admit.h"
#include "store/block.h"
#include "store/flight.h"
#include "store/store.h"

static const struct
{
	Size		(*size) (void);
	void		(*init) (void);
	void		(*verify) (void);	/* ERRCODE_DATA_CORRUPTED */
}			shmem_modules[] =

{
	{seal_shmem_size, seal_shmem_init, seal_verify},
	{clock_shmem_size, clock_shmem_init, clock_verify},
	{prepared_shmem_size, prepared_shmem_init, prepared_verify},
	{block_shmem_size, block_shmem_init, block_verify},
	{store_shmem_size, store_shmem_init, store_verify},
	{flight_shmem_size, flight_shmem_init, flight_verify},
	{redis_shmem_size, redis_shmem_init, redis_verify},
	{l2_shmem_size, l2_shmem_init, l2_verify},
	{stats_shmem_size, stats_shmem_init, stats_verify},
	{qstats_shmem_size, qstats_shmem_init, qstats_verify},
	{admit_shmem_size, admit_shmem_init, admit_verify},
};

PGDLLEXPORT Datum cache_verify(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_verify);

static shmem_request_hook_type shmem_next_request;
static shmem_startup_hook_type shmem_next_startup;

static void
shmem_request(void)
{
	if (shmem_next_request != NULL)
		shmem_next_request();
	for (int i = 0; i < (int) lengthof(shmem_modules); i++)
		RequestAddinShmemSpace(add_size(shmem_modules[i].size(),
										PG_CACHE_LINE_SIZE));
}

static void
shmem_startup(void)
{
	if (shmem_next_startup != NULL)
		shmem_next_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < (int) lengthof(shmem_modules); i++)
		shmem_modules[i].init();
	LWLockRelease(AddinShmemInitLock);
}

void
shmem_init(void)
{
	shmem_next_request = shmem_request_hook;
	shmem_request_hook = shmem_request;
	shmem_next_startup = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
}

Datum
cache_verify(PG_FUNCTION_ARGS)
{
	for (int i = 0; i < (int) lengthof(shmem_modules); i++)
	{
		CHECK_FOR_INTERRUPTS();
		shmem_modules[i].verify();
	}
	PG_RETURN_VOID();
}
