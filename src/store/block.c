/*-------------------------------------------------------------------------
 *
 * block.c
 *	  The memory of L1: blocks, and the pins that keep them in place.
 *
 * The memory is a DSA area in shared memory.  It is created at server start
 * and cannot grow.  The total size of all blocks in it never exceeds
 * cache.l1_memory.
 *
 * Why blocks are pinned.  A hit returns rows where they lie in shared memory,
 * and the client may be slow to read them: a cursor returns some rows now and
 * some after lunch.  So the hit pins their block.  The pin belongs to a memory
 * context, that of the execution for which the rows were found.  However the
 * execution ends (success, error, cancel, or the end of its savepoint), the
 * context goes, and the pin with it.
 *
 * Words.  A block is freed when its entry is evicted, replaced or swept.  If
 * it is pinned at that moment, it becomes an orphan, and its memory is freed
 * with its last pin.
 *
 * Protocol.  The first word of a block holds the number of its pins and a flag
 * that marks it as an orphan.  A backend that pins a block has found it, and
 * prevents it from being freed meanwhile (store.c does so by holding the
 * partition lock).  A backend that calls block_free has made sure that no
 * other backend can find the block any more.  So a block gets no new pins
 * after that.  Whichever backend brings the word to "orphan, no pins" frees
 * the memory.
 *
 * Orphans count as used memory, so they could leave no room for new results.
 * Hence the total size of all pinned blocks, orphans or not, is limited to a
 * fourth of cache.l1_memory.  block_pin refuses a pin beyond that, and the
 * caller makes a copy.
 *
 * Locks.  The orphans lock protects the list of orphans, which exists for
 * cache_verify only.  Pinning takes no lock.  Unpinning takes the orphans lock
 * only for the last pin of an orphan.  LOCK ORDER: the locks that the caller
 * holds (store.c), then the orphans lock, then the DSA's own locks.
 *
 * Process exit.  A backend that exits first ends its transaction, and with it
 * the memory contexts that hold pins.  A longer-lived context may not be
 * deleted at all, so block_exit drops all remaining pins.  After a crash,
 * PostgreSQL reinitializes shared memory as a whole.
 *
 * Out of memory.  block_allocate and block_pin fail without an error.
 *
 * Tolerated races.  A further pin on a block that is already pinned reserves
 * its size for a moment.  Another backend's pin may be refused because of
 * that.
 *
 * What this file must not do: know what is in a block, or write to one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "store/block.h"
#include "utils/memutils.h"

/* A flag in the word of pins.  The other bits are the number of pins. */
#define BLOCK_ORPHAN ((uint32) 1 << 31)

/* At most one in BLOCK_PINNED_SHARE bytes of the memory may be pinned. */
#define BLOCK_PINNED_SHARE 4

typedef struct SharedBlock
{
	pg_atomic_uint32 pins;		/* atomic; number of pins, and BLOCK_ORPHAN */
	uint32		digest;			/* checksum of the data, in builds with
								 * assertions; immutable once sealed */
	Size		size;			/* including this header; immutable */
	dsa_pointer next;			/* under orphans_lock; list of orphans */
	dsa_pointer previous;
} SharedBlock;

#define BLOCK_HEADER_SIZE MAXALIGN(sizeof(SharedBlock))

typedef struct SharedBlocks
{
	/* immutable */
	Size		max_bytes;
	Size		max_pinned;
	Size		area_size;
	int			tranche;
	int			area_tranche;

	pg_atomic_uint64 bytes;		/* atomic; total size of all blocks */

	LWLock		orphans_lock;
	dsa_pointer orphans;		/* under orphans_lock */
	Size		orphan_bytes;	/* under orphans_lock */

	/*
	 * pinned_bytes changes with most hits; keep it off the cache lines above
	 */
	char		padding[PG_CACHE_LINE_SIZE];
	pg_atomic_uint64 pinned_bytes;	/* atomic; total size of pinned blocks */
} SharedBlocks;

struct BlockPin
{
	MemoryContextCallback callback;
	dlist_node	node;
	dsa_pointer block;			/* invalid once unpinned */
};

static struct
{
	SharedBlocks *shared;
	char	   *area_place;
	dsa_area   *area;			/* attached at first use in a process */
	dlist_head	pins;			/* of this process */
} blocks;

/*
 * The size of the area: the memory for blocks, and what the DSA needs for its
 * own structures and for partly used pages.
 */
static Size
block_area_size(void)
{
	Size		bytes = (Size) cache_l1_memory * 1024;

	return MAXALIGN(add_size(dsa_minimum_size() + 1024 * 1024,
							 add_size(bytes, bytes / 8)));
}

Size
block_shmem_size(void)
{
	return add_size(MAXALIGN(sizeof(SharedBlocks)), block_area_size());
}

static void
block_make(void)
{
	SharedBlocks *shared = blocks.shared;
	dsa_area   *area;

	shared->max_bytes = (Size) cache_l1_memory * 1024;
	shared->max_pinned = shared->max_bytes / BLOCK_PINNED_SHARE;
	shared->area_size = block_area_size();
	shared->tranche = LWLockNewTrancheId();
	shared->area_tranche = LWLockNewTrancheId();
	pg_atomic_init_u64(&shared->bytes, 0);
	pg_atomic_init_u64(&shared->pinned_bytes, 0);
	LWLockInitialize(&shared->orphans_lock, shared->tranche);
	shared->orphans = InvalidDsaPointer;
	shared->orphan_bytes = 0;

	area = dsa_create_in_place(blocks.area_place, shared->area_size,
							   shared->area_tranche, NULL);
	dsa_set_size_limit(area, shared->area_size);
	dsa_pin(area);
	dsa_detach(area);
}

void
block_shmem_init(void)
{
	bool		found;
	char	   *start = ShmemInitStruct("cache blocks", block_shmem_size(),
										&found);

	blocks.shared = (SharedBlocks *) start;
	blocks.area_place = start + MAXALIGN(sizeof(SharedBlocks));
	dlist_init(&blocks.pins);
	if (!found)
		block_make();
	LWLockRegisterTranche(blocks.shared->tranche, "cache_block");
	LWLockRegisterTranche(blocks.shared->area_tranche, "cache_block_area");
}

/* The process detaches from shared memory: drop its remaining pins. */
static void
block_exit(int code, Datum arg)
{
	while (!dlist_is_empty(&blocks.pins))
		block_unpin(dlist_head_element(BlockPin, node, &blocks.pins));
	dsa_release_in_place(blocks.area_place);
}

void
block_attach(void)
{
	MemoryContext old;

	if (blocks.area != NULL)
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	blocks.area = dsa_attach_in_place(blocks.area_place, NULL);
	dsa_pin_mapping(blocks.area);
	on_shmem_exit(block_exit, (Datum) 0);
	MemoryContextSwitchTo(old);
}

static inline SharedBlock *
block_header(dsa_pointer block)
{
	Assert(blocks.area != NULL);
	return dsa_get_address(blocks.area, block);
}

Size
block_size_for(Size len)
{
	return add_size(BLOCK_HEADER_SIZE, len);
}

void *
block_data(dsa_pointer block)
{
	return (char *) block_header(block) + BLOCK_HEADER_SIZE;
}

Size
block_size(dsa_pointer block)
{
	return block_header(block)->size;
}

/* Add size to a total, unless it would then exceed its limit. */
static bool
block_reserve(pg_atomic_uint64 *sum, Size size, Size limit)
{
	uint64		bytes = pg_atomic_read_u64(sum);

	do
	{
		if (size > limit || bytes > limit - size)
			return false;
	} while (!pg_atomic_compare_exchange_u64(sum, &bytes, bytes + size));
	return true;
}

dsa_pointer
block_allocate(Size size)
{
	SharedBlocks *shared = blocks.shared;
	dsa_pointer block;
	SharedBlock *header;

	if (!block_reserve(&shared->bytes, size, shared->max_bytes))
		return InvalidDsaPointer;
	block = dsa_allocate_extended(blocks.area, size,
								  DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
	if (!DsaPointerIsValid(block))
	{
		pg_atomic_fetch_sub_u64(&shared->bytes, size);
		return InvalidDsaPointer;
	}
	header = block_header(block);
	pg_atomic_init_u32(&header->pins, 0);
	header->digest = 0;
	header->size = size;
	header->next = InvalidDsaPointer;
	header->previous = InvalidDsaPointer;
	return block;
}

#ifdef USE_ASSERT_CHECKING
static uint32
block_digest(dsa_pointer block)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, block_data(block), block_size(block) - BLOCK_HEADER_SIZE);
	FIN_CRC32C(crc);
	return crc;
}
#endif

void
block_seal(dsa_pointer block)
{
#ifdef USE_ASSERT_CHECKING
	block_header(block)->digest = block_digest(block);
#endif
}

/* Free the memory of a block. */
static void
block_discard(dsa_pointer block)
{
	Size		size = block_size(block);

	dsa_free(blocks.area, block);
	pg_atomic_fetch_sub_u64(&blocks.shared->bytes, size);
}

/*
 * Make a block that is being freed an orphan.  Returns false if it is no
 * longer pinned.
 */
static bool
block_abandon(dsa_pointer block)
{
	SharedBlocks *shared = blocks.shared;
	SharedBlock *header = block_header(block);
	bool		pinned;

	/* a backend that drops the last pin now waits for the lock */
	LWLockAcquire(&shared->orphans_lock, LW_EXCLUSIVE);
	pinned = pg_atomic_fetch_or_u32(&header->pins, BLOCK_ORPHAN) != 0;
	if (pinned)
	{
		header->next = shared->orphans;
		if (DsaPointerIsValid(header->next))
			block_header(header->next)->previous = block;
		shared->orphans = block;
		shared->orphan_bytes += header->size;
	}
	LWLockRelease(&shared->orphans_lock);
	return pinned;
}

bool
block_free(dsa_pointer block)
{
	if (pg_atomic_read_u32(&block_header(block)->pins) != 0 &&
		block_abandon(block))
		return false;
	block_discard(block);
	return true;
}

/* Free an orphan that has lost its last pin. */
static void
block_free_orphan(dsa_pointer block)
{
	SharedBlocks *shared = blocks.shared;
	SharedBlock *header = block_header(block);

	LWLockAcquire(&shared->orphans_lock, LW_EXCLUSIVE);
	if (DsaPointerIsValid(header->next))
		block_header(header->next)->previous = header->previous;
	if (DsaPointerIsValid(header->previous))
		block_header(header->previous)->next = header->next;
	else
		shared->orphans = header->next;
	shared->orphan_bytes -= header->size;
	LWLockRelease(&shared->orphans_lock);
	block_discard(block);
}

/* Callback: a memory context that holds a pin is reset or deleted. */
static void
block_forget(void *pin)
{
	block_unpin(pin);
}

BlockPin *
block_pin(dsa_pointer block)
{
	SharedBlocks *shared = blocks.shared;
	SharedBlock *header = block_header(block);
	BlockPin   *pin;

	if (!block_reserve(&shared->pinned_bytes, header->size,
					   shared->max_pinned))
		return NULL;
	pin = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(BlockPin),
									 MCXT_ALLOC_NO_OOM);
	if (pin == NULL)
	{
		pg_atomic_fetch_sub_u64(&shared->pinned_bytes, header->size);
		return NULL;
	}

	/* if it was pinned before, its size is already counted */
	if (pg_atomic_fetch_add_u32(&header->pins, 1) > 0)
		pg_atomic_fetch_sub_u64(&shared->pinned_bytes, header->size);
	pin->block = block;
	pin->callback.func = block_forget;
	pin->callback.arg = pin;
	dlist_push_head(&blocks.pins, &pin->node);
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &pin->callback);
	return pin;
}

/*
 * The BlockPin itself stays allocated, since the memory context still refers
 * to it.
 */
void
block_unpin(BlockPin *pin)
{
	dsa_pointer block = pin->block;
	Size		size;
	uint32		left;

	if (!DsaPointerIsValid(block))
		return;
	dlist_delete(&pin->node);
	pin->block = InvalidDsaPointer;

	Assert(block_header(block)->digest == block_digest(block));
	size = block_size(block);

	/*
	 * after this the block may be freed at any time, unless it is an orphan
	 * without pins
	 */
	left = pg_atomic_sub_fetch_u32(&block_header(block)->pins, 1);
	if (left == BLOCK_ORPHAN)
		block_free_orphan(block);
	if ((left & ~BLOCK_ORPHAN) == 0)
		pg_atomic_fetch_sub_u64(&blocks.shared->pinned_bytes, size);
}

Size
block_max_bytes(void)
{
	return blocks.shared->max_bytes;
}

Size
block_bytes(void)
{
	return pg_atomic_read_u64(&blocks.shared->bytes);
}

/*
 * A block leaves the list of orphans first; then "bytes" and "pinned_bytes"
 * are decreased.  So at any moment both totals can only be too large.
 */
const char *
block_recount(Size linked)
{
	SharedBlocks *shared = blocks.shared;
	Size		orphaned = 0;
	dsa_pointer previous = InvalidDsaPointer;
	const char *problem = NULL;

	LWLockAcquire(&shared->orphans_lock, LW_SHARED);
	for (dsa_pointer block = shared->orphans; DsaPointerIsValid(block);
		 block = block_header(block)->next)
	{
		SharedBlock *header = block_header(block);

		orphaned += header->size;
		if ((pg_atomic_read_u32(&header->pins) & BLOCK_ORPHAN) == 0 ||
			header->previous != previous || orphaned > shared->orphan_bytes)
		{
			problem = "the list of orphans is broken";
			break;
		}
		previous = block;
	}
	if (problem == NULL && orphaned != shared->orphan_bytes)
		problem = "orphans are lost";
	if (problem == NULL && linked + orphaned > block_bytes())
		problem = "blocks are not counted";
	if (problem == NULL &&
		orphaned > pg_atomic_read_u64(&shared->pinned_bytes))
		problem = "pinned blocks are not counted";
	LWLockRelease(&shared->orphans_lock);
	if (problem == NULL &&
		(block_bytes() > shared->max_bytes ||
		 pg_atomic_read_u64(&shared->pinned_bytes) > shared->max_pinned))
		problem = "blocks are larger than they may be";
	return problem;
}

void
block_verify(void)
{
	const char *problem;

	block_attach();
	problem = block_recount(0);
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the memory of results does not add up: %s",
						problem)));
}
