/*-------------------------------------------------------------------------
 *
 * ddl.h
 *	  Which definitions a utility command changes.
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
	DDL_SESSION,				/* definitions of this session alone */
	DDL_CATALOG,				/* definitions in the database */
	DDL_ROLES					/* of the cluster: roles and memberships */
} DdlChange;

/*
 * What does a utility command change, by its kind and, where temporary objects
 * are concerned, by its names?  May read catalogs.
 */
extern DdlChange ddl_classify(Node *stmt);

#endif							/* CACHE_DDL_H */
