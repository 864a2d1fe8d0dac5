/*-------------------------------------------------------------------------
 *
 * messages.h
 *	  Counts the catalog invalidation messages that this process receives.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_MESSAGES_H
#define CACHE_MESSAGES_H

/* Register the callbacks.  Called once, when the library is loaded. */
extern void messages_init(void);

/*
 * Numbers of messages received so far, about changes made by this backend or
 * by others: about relations; about functions; and about anything that the
 * meaning of a statement depends on, including the former two.
 *
 * A module that caches something read from a catalog must note the number
 * before it reads, and read again when the number has changed.
 */
extern uint64 messages_of_relations(void);
extern uint64 messages_of_functions(void);
extern uint64 messages_of_all(void);

#endif							/* CACHE_MESSAGES_H */
