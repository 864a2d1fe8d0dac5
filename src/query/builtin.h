/*-------------------------------------------------------------------------
 *
 * builtin.h
 *	  What is known about each built-in function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_BUILTIN_H
#define CACHE_BUILTIN_H

/* What the result of a function can depend on, besides its arguments. */
typedef enum BuiltinKind
{
	BUILTIN_KNOWN,				/* the catalog, settings in keys of shared
								 * results, functions of its arguments' types */
	BUILTIN_PERSONAL,			/* also the user and other settings */
	BUILTIN_TIME,				/* like BUILTIN_KNOWN, and the time */
	BUILTIN_SESSION,			/* what belongs to the session, in no key */
	BUILTIN_OPAQUE				/* anything */
} BuiltinKind;

/* The kind of a built-in function, whose oid is below FirstNormalObjectId. */
extern BuiltinKind builtin_kind(Oid funcid);

#endif							/* CACHE_BUILTIN_H */
