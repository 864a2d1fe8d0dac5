/*-------------------------------------------------------------------------
 *
 * shmem.h
 *	  Shared memory of all modules.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_SHMEM_H
#define CACHE_SHMEM_H

/* Install the hooks; called once, as the library is loaded. */
extern void shmem_init(void);

#endif							/* CACHE_SHMEM_H */
