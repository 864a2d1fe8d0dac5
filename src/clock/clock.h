/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  The tag clock: when did what a result depends on last change?
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_CLOCK_H
#define CACHE_CLOCK_H

#include "access/transam.h"
#include "access/xlogdefs.h"

typedef uint32 ClockSlot;

/* The slot of what all databases share: roles, memberships, a flush of all. */
#define CLOCK_SLOT_CLUSTER	((ClockSlot) 0)

/* What a tag names; tags of different kinds are different tags. */
typedef enum ClockTagKind
{
	CLOCK_TAG_USER,				/* a tag given by a user */
	CLOCK_TAG_RELATION,			/* rows of a relation; the name is its oid */
	CLOCK_TAG_QUERY,			/* a named query, or one parameter set of it */
	CLOCK_TAG_UNTOLD,			/* changes of rows of a relation that no
								 * trigger told of; the name is its oid */
	/* those without a name: one slot a database */
	CLOCK_TAG_DATABASE,			/* everything in a database */
	CLOCK_TAG_CATALOG,			/* definitions in it */
	CLOCK_TAG_DEFINITIONS		/* its policies and named queries */
} ClockTagKind;

/* A dependency as it was when it was read. */
typedef struct ClockStamp
{
	ClockSlot	slot;
	uint32		unused;			/* zero */
	uint64		generation;
	uint64		version;		/* L2 version, 0 while Redis does not know of
								 * this generation */
} ClockStamp;

extern Size clock_shmem_size(void);
extern void clock_shmem_init(void);

/* The slot of a tag with a name in a database. */
extern ClockSlot clock_slot(Oid database, ClockTagKind kind,
							const void *name, size_t len);

/* The slot of one without a name. */
extern ClockSlot clock_database_slot(Oid database, ClockTagKind kind);

/*
 * Read n dependencies: fills in the stamps, whose slot is set, and raises
 * *newest_xid (start it at zero) to the newest change of any.  False if one of
 * them is fenced: then neither serve nor store.
 */
extern bool clock_read(ClockStamp *stamps, int n, uint64 *newest_xid);

/* Is each of n dependencies unfenced, and of the generation in its stamp? */
extern bool clock_unchanged(const ClockStamp *stamps, int n);

/*
 * Writers, see the head of clock.c: raise a fence on each of n slots; take it
 * down; count a committed change and take it down.  mine: the fence is one of this
 * process, and not of a prepared transaction.
 */
extern void clock_fence(const ClockSlot *slots, int n, bool mine);
extern void clock_unfence(const ClockSlot *slots, int n, bool mine);
extern void clock_tick(const ClockSlot *slots, int n, bool mine,
					   FullTransactionId xid);

/* The outbox of the worker, see the head of clock.c. */
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

/* Recount; ERRCODE_DATA_CORRUPTED if something does not add up. */
extern void clock_verify(void);

/*
 * Are there as many fences as processes have raised, and so many that no process
 * has?  True if that cannot be told because fences come and go.
 */
extern bool clock_fences_add_up(int64 others);

#endif							/* CACHE_CLOCK_H */
