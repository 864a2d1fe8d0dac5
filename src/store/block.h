/*-------------------------------------------------------------------------
 *
 * block.h
 *	  The memory of L1: blocks, and who keeps them where they are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_BLOCK_H
#define CACHE_BLOCK_H

#include "utils/dsa.h"

/* Keeps a block where it is. */
typedef struct BlockPin BlockPin;

extern Size block_shmem_size(void);
extern void block_shmem_init(void);

/* Before the first use of a block in a process; allocates. */
extern void block_attach(void);

/* The size of a block that holds so many bytes. */
extern Size block_size_for(Size len);

/*
 * Allocate a block of that size.  InvalidDsaPointer if there is no room, or
 * none in one piece.
 */
extern dsa_pointer block_allocate(Size size);

extern void *block_data(dsa_pointer block);
extern Size block_size(dsa_pointer block);

/* What is in a block stays as it is from here. */
extern void block_seal(dsa_pointer block);

/*
 * Give up a block that nobody can find, and so pin, any more.  Its memory goes
 * now (true) or with the last pin on it.
 */
extern bool block_free(dsa_pointer block);

/*
 * Pin a block, until the current memory context is reset or deleted at the
 * latest.  The caller keeps it from being given up meanwhile.  NULL if there
 * is no memory, or too much is pinned already.  Does not throw.
 */
extern BlockPin *block_pin(dsa_pointer block);
extern void block_unpin(BlockPin *pin);

/* The most that all blocks together may take, and what they do. */
extern Size block_max_bytes(void);
extern Size block_bytes(void);

/*
 * What does not add up, or NULL.  linked: the size of all blocks that can be
 * found, which stay so during the call.
 */
extern const char *block_recount(Size linked);

/* The same without knowing those; ERRCODE_DATA_CORRUPTED. */
extern void block_verify(void);

#endif							/* CACHE_BLOCK_H */
