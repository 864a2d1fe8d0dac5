/*-------------------------------------------------------------------------
 *
 * shmem.c
 *	  Shared memory of all modules.
 *
 * A module that has a shared structure gives its size and makes, or finds, it.
 * To add one, add a line to shmem_modules.
 *
 * What this file must not do: know what is in a structure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/qstats.h"
#include "base/stats.h"
#include "clock/clock.h"
#include "clock/prepared.h"
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
}			shmem_modules[] =

{
	{clock_shmem_size, clock_shmem_init},
	{prepared_shmem_size, prepared_shmem_init},
	{block_shmem_size, block_shmem_init},
	{store_shmem_size, store_shmem_init},
	{flight_shmem_size, flight_shmem_init},
	{redis_shmem_size, redis_shmem_init},
	{l2_shmem_size, l2_shmem_init},
	{stats_shmem_size, stats_shmem_init},
	{qstats_shmem_size, qstats_shmem_init},
	{admit_shmem_size, admit_shmem_init},
};

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
