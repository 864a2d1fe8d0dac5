/*-------------------------------------------------------------------------
 *
 * messages.h
 *	  Which catalog invalidations has this process received?
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_MESSAGES_H
#define CACHE_MESSAGES_H

/* Register the callbacks; called once, as the library is loaded. */
extern void messages_init(void);

/*
 * How many have come, of its own commands or of others: about relations, about
 * functions, and about anything that a statement's meaning depends on, the
 * former included.  Whoever keeps what was read from a catalog keeps the number
 * of before that, and reads anew when it is another one.
 */
extern uint64 messages_of_relations(void);
extern uint64 messages_of_functions(void);
extern uint64 messages_of_all(void);

#endif							/* CACHE_MESSAGES_H */
