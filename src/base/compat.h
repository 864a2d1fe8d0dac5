/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between the PostgreSQL versions this builds against.
 *
 * The only place for PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_COMPAT_H
#define CACHE_COMPAT_H

#include "utils/guc.h"
#include "utils/guc_tables.h"

#if PG_VERSION_NUM >= 160000
#define compat_guc_variables(n)	get_guc_variables(n)
#else
#define compat_guc_variables(n) \
	(*(n) = GetNumConfigOptions(), get_guc_variables())
#endif

#endif							/* CACHE_COMPAT_H */
