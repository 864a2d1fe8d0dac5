/*-------------------------------------------------------------------------
 *
 * builtin.h
 *	  What is known of each built-in function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_BUILTIN_H
#define CACHE_BUILTIN_H

/* What the result of a function depends on, besides its arguments. */
typedef enum BuiltinKind
{
	BUILTIN_KNOWN,				/* definitions, settings of shared results,
								 * and functions of its arguments' types */
	BUILTIN_PERSONAL,			/* besides, who asks under which settings */
	BUILTIN_TIME,				/* besides what is known, the time */
	BUILTIN_SESSION,			/* what no key tells of a session */
	BUILTIN_OPAQUE				/* anything */
} BuiltinKind;

/* funcid: below FirstNormalObjectId. */
extern BuiltinKind builtin_kind(Oid funcid);

#endif							/* CACHE_BUILTIN_H */
