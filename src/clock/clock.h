/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  The tag clock: counts the changes of everything that results depend on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_CLOCK_H
#define CACHE_CLOCK_H

#include "access/transam.h"
#include "access/xlogdefs.h"

typedef uint32 ClockSlot;

/* The slot of what all databases share: roles, memberships, flushing all. */
#define CLOCK_SLOT_CLUSTER	((ClockSlot) 0)

/* What a tag names; tags of different kinds are different tags. */
typedef enum ClockTagKind
{
	CLOCK_TAG_USER,				/* a tag named by a user */
	CLOCK_TAG_RELATION,			/* rows of a relation; the name is its oid */
	CLOCK_TAG_QUERY,			/* a named query, or one parameter set of it */
	CLOCK_TAG_UNTOLD,			/* untold changes of a relation's rows
								 * (told.c); the name is its oid */
	/* kinds without a name have one slot per database */
	CLOCK_TAG_DATABASE,			/* everything in a database */
	CLOCK_TAG_CATALOG,			/* its catalog: what DDL and GRANT change */
	CLOCK_TAG_DEFINITIONS		/* its policies and named queries */
} ClockTagKind;

/* A dependency, and its state when the clock was read. */
typedef struct ClockStamp
{
	ClockSlot	slot;
	uint32		unused;			/* zero */
	uint64		generation;
	uint64		version;		/* in Redis, 0 if Redis does not know this
								 * generation */
} ClockStamp;

extern Size clock_shmem_size(void);
extern void clock_shmem_init(void);

/* The slot of a tag with a name in a database. */
extern ClockSlot clock_slot(Oid database, ClockTagKind kind,
							const void *name, size_t len);

/* The slot of a kind of tag without a name. */
extern ClockSlot clock_database_slot(Oid database, ClockTagKind kind);

/*
 * Read n dependencies.  The caller sets the slot of each stamp, and
 * *newest_xid to zero before the first call.  Fills in the stamps, and raises
 * *newest_xid to the newest change of any of the slots.  Returns false if one
 * of them is fenced.  Then the caller must neither serve nor store.
 */
extern bool clock_read(ClockStamp *stamps, int n, uint64 *newest_xid);

/* Is each of n dependencies without a fence, and still of its generation? */
extern bool clock_unchanged(const ClockStamp *stamps, int n);

/*
 * For writers, see the head of clock.c.  clock_fence puts a fence on each of n
 * slots; clock_unfence takes it down; clock_tick counts a committed change,
 * and takes it down.  mine: the fence belongs to this process, not to a
 * prepared transaction.
 */
extern void clock_fence(const ClockSlot *slots, int n, bool mine);
extern void clock_unfence(const ClockSlot *slots, int n, bool mine);
extern void clock_tick(const ClockSlot *slots, int n, bool mine,
					   FullTransactionId xid);

/* The outbox, for the worker; see the head of clock.c. */
typedef struct ClockSend
{
	ClockSlot	slot;
	uint64		generation;
} ClockSend;

extern int	clock_take_unsent(ClockSend *sends, int max);
extern void clock_return_unsent(const ClockSend *sends, int n);
extern void clock_mark_sent(const ClockSend *sends, int n, XLogRecPtr version);
extern void clock_mark_base_sent(XLogRecPtr base);
extern int64 clock_count_unsent(void);

/* Check every slot.  Error: ERRCODE_DATA_CORRUPTED. */
extern void clock_verify(void);

/*
 * Is the number of fences what the processes have put up, plus others, which
 * belong to no process?  Returns true if fences come and go meanwhile, so that
 * it cannot be told.
 */
extern bool clock_fences_add_up(int64 others);

#endif							/* CACHE_CLOCK_H */
