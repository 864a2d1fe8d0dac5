/*-------------------------------------------------------------------------
 *
 * messages.c
 *	  Counts the catalog invalidation messages that this process receives.
 *
 * PostgreSQL has room for only ten relcache callbacks and 64 syscache
 * callbacks per process, shared by all libraries.  So this file registers one
 * callback per catalog cache, which counts, and the other modules compare the
 * counts.  A module that keeps something it has read from a catalog notes the
 * count first, and reads again once the count has changed.
 *
 * What this file must not do: read a catalog.  PostgreSQL can run a callback
 * in the middle of any catalog access and in an aborted transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/messages.h"
#include "utils/inval.h"
#include "utils/syscache.h"

static struct
{
	uint64		relations;
	uint64		functions;
	uint64		all;
} messages;

static void
messages_relcache_callback(Datum arg, Oid relid)
{
	messages.relations++;
	messages.all++;
}

static void
messages_syscache_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	messages.functions += cacheid == PROCOID;
	messages.all++;
}

void
messages_init(void)
{
	static const int cacheids[] = {
		AUTHMEMROLEMEM, AUTHOID, CASTSOURCETARGET, NAMESPACEOID, OPEROID, PROCOID,
		RELNAMENSP, TYPEOID
	};

	CacheRegisterRelcacheCallback(messages_relcache_callback, (Datum) 0);
	for (int i = 0; i < (int) lengthof(cacheids); i++)
		CacheRegisterSyscacheCallback(cacheids[i], messages_syscache_callback,
									  (Datum) 0);
}

uint64
messages_of_relations(void)
{
	return messages.relations;
}

uint64
messages_of_functions(void)
{
	return messages.functions;
}

uint64
messages_of_all(void)
{
	return messages.all;
}
