/*-------------------------------------------------------------------------
 *
 * extension.h
 *	  Where the extension's own objects are, and acting as their owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_EXTENSION_H
#define CACHE_EXTENSION_H

/* The tables of the extension. */
#define EXTENSION_QUERIES "cache_queries"
#define EXTENSION_POLICIES "cache_policies"

/* Who the session was before extension_become_owner. */
typedef struct ExtensionIdentity
{
	Oid			user;
	int			sec_context;
} ExtensionIdentity;

/* Oid of the schema the extension is in.  Errors: ERRCODE_UNDEFINED_OBJECT. */
extern Oid	extension_schema(void);

/* Oid of one of the tables; InvalidOid if the extension is not there. */
extern Oid	extension_relid(const char *table);

/* May the user read one of the tables? */
extern bool extension_readable(const char *table);

/* Name of one of the tables for use in a query: qualified, quoted, palloc'd. */
extern char *extension_table(const char *table);

/*
 * Act as the owner of the tables until extension_restore_user; an abort
 * restores by itself.
 */
extern void extension_become_owner(ExtensionIdentity *saved);
extern void extension_restore_user(const ExtensionIdentity *saved);

#endif							/* CACHE_EXTENSION_H */
