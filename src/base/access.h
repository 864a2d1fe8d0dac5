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

/* The privileges to check.  A zeroed Access requires none. */
typedef struct Access
{
	List	   *rtable;			/* range table entries of relations and views */
	List	   *perminfos;		/* RTEPermissionInfos of these entries; NIL
								 * before PostgreSQL 16 */
} Access;

/*
 * Add the privileges that a range table entry of a rewritten query requires,
 * if any.  The entry is copied into the current memory context.
 */
extern void access_add(Access *access, const Query *query,
					   const RangeTblEntry *rte);

/* Copy into the current memory context. */
extern void access_copy(Access *to, const Access *from);

/*
 * Does the current user have these privileges?  If not, and throw is set,
 * raise ERRCODE_INSUFFICIENT_PRIVILEGE as the executor does.
 */
extern bool access_check(const Access *access, bool throw);

/* Do all the relations still exist? */
extern bool access_exists(const Access *access);

#endif							/* CACHE_ACCESS_H */
