/*-------------------------------------------------------------------------
 *
 * block.h
 *	  The memory of L1: blocks, and the pins that keep them in place.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_BLOCK_H
#define CACHE_BLOCK_H

#include "utils/dsa.h"

/* Keeps a block in place. */
typedef struct BlockPin BlockPin;

extern Size block_shmem_size(void);
extern void block_shmem_init(void);

/*
 * Attach this process to the memory.  Must be called before a block is first
 * used.  Allocates.
 */
extern void block_attach(void);

/* The size of a block for len bytes of data. */
extern Size block_size_for(Size len);

/*
 * Allocate a block.  Returns InvalidDsaPointer if there is no room, or no
 * contiguous room.
 */
extern dsa_pointer block_allocate(Size size);

extern void *block_data(dsa_pointer block);
extern Size block_size(dsa_pointer block);

/* The data in a block must not be changed after this. */
extern void block_seal(dsa_pointer block);

/*
 * Free a block that no backend can find, and therefore pin, any more.  Returns
 * true if its memory is free now; false if that has to wait for its last pin.
 */
extern bool block_free(dsa_pointer block);

/*
 * Pin a block until block_unpin, or until the current memory context is reset
 * or deleted.  The caller must prevent it from being freed during the call.
 * Returns NULL if there is not enough memory or too much is already pinned.
 * Does not throw.
 */
extern BlockPin *block_pin(dsa_pointer block);
extern void block_unpin(BlockPin *pin);

/* The maximum total size of all blocks, and their total size. */
extern Size block_max_bytes(void);
extern Size block_bytes(void);

/*
 * Check the state.  Returns what is inconsistent, or NULL.  linked is the
 * total size of all blocks that can be found; the caller prevents that from
 * changing.
 */
extern const char *block_recount(Size linked);

/*
 * Check the state without the caller's help.  Raises ERRCODE_DATA_CORRUPTED.
 */
extern void block_verify(void);

#endif							/* CACHE_BLOCK_H */
