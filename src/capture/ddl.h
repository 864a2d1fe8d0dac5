/*-------------------------------------------------------------------------
 *
 * ddl.h
 *	  Classifies utility commands by what they change.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_DDL_H
#define CACHE_DDL_H

#include "nodes/nodes.h"

/* What a utility command changes. */
typedef enum DdlChange
{
	DDL_NOTHING,
	DDL_SESSION,				/* temporary objects of this session */
	DDL_CATALOG,				/* the catalog of the database */
	DDL_ROLES					/* roles and memberships of the cluster */
} DdlChange;

/*
 * What does a utility command change?  That is decided by the kind of the
 * command and, to recognize temporary objects, by the names in it.  May read
 * catalogs.
 */
extern DdlChange ddl_classify(Node *stmt);

#endif							/* CACHE_DDL_H */
