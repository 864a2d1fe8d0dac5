/*-------------------------------------------------------------------------
 *
 * extension.h
 *	  The schema and tables of the extension, and acting as their owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_EXTENSION_H
#define CACHE_EXTENSION_H

/* The tables of the extension. */
#define EXTENSION_QUERIES "cache_queries"
#define EXTENSION_POLICIES "cache_policies"

/* The user to restore after extension_become_owner. */
typedef struct ExtensionIdentity
{
	Oid			user;
	int			sec_context;
} ExtensionIdentity;

/*
 * Oid of the schema of the extension.  Errors: ERRCODE_UNDEFINED_OBJECT if the
 * database does not have the extension.
 */
extern Oid	extension_schema(void);

/*
 * Oid of one of the tables; InvalidOid if the database does not have the
 * extension.
 */
extern Oid	extension_relid(const char *table);

/* May the current user read one of the tables? */
extern bool extension_readable(const char *table);

/*
 * Name of one of the tables for use in a query: qualified, quoted and
 * palloc'd.
 */
extern char *extension_table(const char *table);

/*
 * Act as the owner of the tables until extension_restore_user.  An abort
 * restores the user, too.
 */
extern void extension_become_owner(ExtensionIdentity *saved);
extern void extension_restore_user(const ExtensionIdentity *saved);

#endif							/* CACHE_EXTENSION_H */
