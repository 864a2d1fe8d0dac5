/*-------------------------------------------------------------------------
 *
 * access.h
 *	  The privileges that a query needs on the relations it reads.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_ACCESS_H
#define CACHE_ACCESS_H

#include "nodes/parsenodes.h"

/* What is to be checked; zeroed, it is nothing. */
typedef struct Access
{
	List	   *rtable;			/* range table entries, of relations and views */
	List	   *perminfos;		/* where the server keeps privileges beside
								 * range tables: those of these entries */
} Access;

/*
 * Add what a range table entry of a rewritten query needs, if anything; copied
 * into the current memory context.
 */
extern void access_add(Access *access, const Query *query,
					   const RangeTblEntry *rte);

/* Copy into the current memory context. */
extern void access_copy(Access *to, const Access *from);

/*
 * Has the current user these privileges?  With throw, it is an error if not:
 * ERRCODE_INSUFFICIENT_PRIVILEGE, as the executor raises it.
 */
extern bool access_check(const Access *access, bool throw);

/* Are the relations still there? */
extern bool access_exists(const Access *access);

#endif							/* CACHE_ACCESS_H */
