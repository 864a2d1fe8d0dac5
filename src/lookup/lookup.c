/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  What a request means, what it depends on, its key, and whether it may use
 *	  the cache.
 *
 * A request is either a text passed to an SQL function (cached_query), or the
 * query tree that PostgreSQL has made of a plain statement.  It is answered in
 * these steps:
 *
 *	1. Read the clock for everything the result depends on (fences,
 *	   generations, newest xid).  Then accept pending catalog invalidations.
 *	2. Find out what the statement means, or remember it.  If it reads other
 *	   relations than step 1 has assumed, go back to step 1.  Convert the
 *	   parameters of a named query to the types it uses them as, and read the
 *	   clock for that parameter set.
 *	3. Check privileges on what is read.  A user who may not call a function,
 *	   or may not read what it reads, bypasses.
 *	4. Decide whether the cache may be used at all.  If not, execute
 *	   (bypass).
 *	5. Look into L1 under the generations of step 1.
 *	6. Join the flight of this key: lead it, or wait for its leader and look
 *	   again.
 *	7. As the leader, look into L1 once more, then into L2.
 *	8. Execute.  The caller does that.
 *	9. Store the result if the clock has not moved since step 1.
 *
 * Steps 1 to 4 are here (lookup_orient), steps 5 to 7 and 9 in answer.c.
 *
 * Why a result is never stale.  clock.c argues it for any reader that reads
 * the clock before it looks up (1, 5), and before it executes and stores (1,
 * 8, 9).  A backend that has waited either goes back to step 1, or makes sure
 * that its reading of step 1 still holds.  So it never uses the reading of
 * another backend.
 *
 * Snapshots.  A text at READ COMMITTED is executed under a snapshot of its
 * own, taken in step 8, like any query in a VOLATILE function.  Thus the
 * reading of the clock is always older than the snapshot.  In two cases the
 * snapshot is older than the reading: at REPEATABLE READ, and for a tree,
 * whose snapshot PostgreSQL has taken already.  Then the snapshot may not see
 * a change that was counted.  The cache is still used if one of these is true:
 *
 *	- Every change of a dependency had ended when the snapshot was taken (the
 *	  newest xid precedes the snapshot's xmin).
 *	- No transaction has ended since then: a snapshot taken now would be the
 *	  same.
 *
 * Otherwise the request bypasses.  SERIALIZABLE always bypasses, because a
 * result that is served leaves no trace of having been read.
 *
 * Own writes.  A transaction that has an xid may see rows that others must not
 * see.  So it never stores a result.  It must also see its own changes, which
 * no entry contains.  So it may be served an entry only if all of this holds:
 *
 *	- It has touched none of the entry's dependencies, and none of the
 *	  relations that the statement reads (invalidate_touched).
 *	- All these relations are known (Statement.complete), also those that the
 *	  functions of the statement read.
 *	- No statement that writes is running in this session (invalidate_writing),
 *	  because what it has changed is touched only when it ends.
 *	- It is not a transaction of a logical replication worker, whose changes
 *	  are touched only when it commits.
 *
 * A query may get an xid while it is executed, although its functions promise
 * to write nothing.  So that is checked again before storing.
 *
 * Trees.  The plan of a tree was made before step 1, so it may have been made
 * with an older catalog than the one that was counted there.  That is not true
 * of the tree itself: its relations have been locked since it was analysed,
 * and it contains the OIDs of functions.  So a tree can be looked up, and be
 * planned again for step 8 (plan.c).
 *
 * Errors.  Between the steps, only the flight is held.  flight.c lands it
 * after an error.
 *
 * Standbys.  A standby receives no invalidations.  So it serves only results
 * that have only a ttl: no tags, no name, no relations that they depend on.
 *
 * What this file must not do: know from which SQL function a request comes, or
 * where its tags come from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/access.h"
#include "base/breakage.h"
#include "base/extension.h"
#include "base/guc.h"
#include "base/stop.h"
#include "clock/invalidate.h"
#include "clock/prepared.h"
#include "executor/executor.h"
#include "key/settings.h"
#include "lookup/lookup.h"
#include "miscadmin.h"
#include "query/analyse.h"
#include "replication/logicalworker.h"
#include "text/params.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* Dependencies that every result has, in this order. */
#define LOOKUP_DEP_CLUSTER	0
#define LOOKUP_DEP_DATABASE	1
#define LOOKUP_DEP_CATALOG	2
#define LOOKUP_FIXED_DEPS	3

/* How many times step 1 is repeated before giving up. */
#define LOOKUP_MAX_READINGS 5

void
lookup_default_terms(Terms *terms)
{
	memset(terms, 0, sizeof(*terms));
	terms->ttl = cache_default_ttl;
	terms->max_entry_size = (Size) cache_max_entry_size * 1024;
	terms->automatic = true;
	terms->tags = "";
}

void
lookup_make_request(LookupRequest *request, KeyForm form, const char *query,
					uint32 query_len, const Terms *terms)
{
	memset(request, 0, sizeof(*request));
	request->form = form;
	request->query = query;
	request->query_len = query_len;
	request->terms = *terms;
}

static void
lookup_add_dep(Lookup *lookup, ClockSlot slot)
{
	if (lookup->ndeps >= LOOKUP_MAX_DEPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a result cannot depend on more than %d tags or relations",
						LOOKUP_MAX_TAGS),
				 errhint("Use fewer, coarser tags.")));
	lookup->deps[lookup->ndeps++].slot = slot;
}

/*
 * Append what stands for a parameter in the tag of its set.  Equal values have
 * the same hash, even if their text differs, like 1.5 and 1.50.  So do equal
 * integers of different sizes.
 */
static void
lookup_append_param(CacheKey *tag, const ParamExternData *param)
{
	TypeCacheEntry *type;
	uint64		hash = 0;

	key_append_bytes(tag, &param->isnull, sizeof(param->isnull));
	if (param->isnull)
		return;
	type = lookup_type_cache(param->ptype, TYPECACHE_HASH_EXTENDED_PROC_FINFO);
	if (OidIsValid(type->hash_extended_proc_finfo.fn_oid))
	{
		hash = DatumGetUInt64(FunctionCall2Coll(&type->hash_extended_proc_finfo,
												type->typcollation, param->value,
												UInt64GetDatum(0)));
		key_append_bytes(tag, &hash, sizeof(hash));
	}
	else
	{
		ParamListInfo alone = makeParamList(1);

		alone->params[0] = *param;
		/* too large ones share a tag */
		(void) key_append_params(tag, alone);
		pfree(alone);
	}
}

/*
 * The tag of the parameter set of a named query.
 */
static char *
lookup_set_tag(const Lookup *lookup, size_t *len)
{
	CacheKey	tag;
	const char *name = lookup->request.name;

	memset(&tag, 0, sizeof(tag));
	tag.size = 256;
	tag.data = palloc(tag.size);
	key_append_bytes(&tag, name, strlen(name) + 1);
	for (int i = 0; i < lookup->ntypes; i++)
		lookup_append_param(&tag, &lookup->params->params[i]);
	*len = tag.len;
	return tag.data;
}

/*
 * Find the slots that a request depends on, no matter what its statement
 * reads.
 */
static void
lookup_find_deps(Lookup *lookup)
{
	const LookupRequest *request = &lookup->request;
	const char *tag = request->terms.tags;
	const char *end = request->terms.tags + request->terms.tags_len;

	lookup->ndeps = 0;
	lookup_add_dep(lookup, CLOCK_SLOT_CLUSTER);
	lookup_add_dep(lookup, clock_database_slot(MyDatabaseId, CLOCK_TAG_DATABASE));
	lookup_add_dep(lookup, clock_database_slot(MyDatabaseId, CLOCK_TAG_CATALOG));
	while (tag < end)
	{
		size_t		len = strlen(tag);

		lookup_add_dep(lookup, clock_slot(MyDatabaseId, CLOCK_TAG_USER, tag, len));
		tag += len + 1;
	}
	if (request->name != NULL)
		lookup_add_dep(lookup, clock_slot(MyDatabaseId, CLOCK_TAG_QUERY,
										  request->name, strlen(request->name)));
	lookup->nfixed_deps = lookup->ndeps;
}

/*
 * Add the dependencies of the statement.  Returns false if they were there
 * already when the clock was read.
 */
static bool
lookup_add_statement_deps(Lookup *lookup)
{
	const Statement *stmt = lookup->stmt;
	const ClockSlot *slots = stmt->slots;
	ClockSlot	narrowed[LOOKUP_MAX_TAGS];
	int			nslots = stmt->nslots;
	int			n = lookup->nfixed_deps;
	bool		same;

	if (!lookup->request.terms.automatic)
		return false;
	if (stmt->narrowing != NULL)
	{
		slots = narrowed;
		nslots = narrow_slots(stmt->narrowing, lookup->params, narrowed,
							  LOOKUP_MAX_TAGS);
	}
	same = lookup->ndeps == n + nslots;
	for (int i = 0; same && i < nslots; i++)
		same = lookup->deps[n + i].slot == slots[i];
	if (same)
		return false;
	lookup->ndeps = n;
	for (int i = 0; i < nslots; i++)
		lookup_add_dep(lookup, slots[i]);
	return true;
}

/*
 * Could the snapshot miss a change that xid has made?
 */
static bool
lookup_snapshot_misses(Snapshot snapshot, uint64 xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	TransactionId xmin = snapshot->xmin;
	uint32		epoch = EpochFromFullTransactionId(next);

	if (xmin > XidFromFullTransactionId(next))
		epoch--;
	return xid >= U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, xmin));
}

/*
 * Does the snapshot see the same of other transactions as one taken now?
 */
static bool
lookup_snapshot_is_current(Snapshot snapshot)
{
	Snapshot	now = GetLatestSnapshot();

	if (snapshot->xmin != now->xmin || snapshot->xmax != now->xmax ||
		snapshot->xcnt != now->xcnt ||
		snapshot->suboverflowed != now->suboverflowed ||
		(now->xcnt > 0 &&
		 memcmp(snapshot->xip, now->xip,
				now->xcnt * sizeof(TransactionId)) != 0))
		return false;
	/* a copy has no subtransactions then; their parents are in xip */
	if (now->suboverflowed)
		return true;
	return snapshot->subxcnt == now->subxcnt &&
		(now->subxcnt <= 0 ||
		 memcmp(snapshot->subxip, now->subxip,
				now->subxcnt * sizeof(TransactionId)) == 0);
}

/*
 * Could the snapshot under which a miss is executed miss a change that was
 * counted?
 */
static bool
lookup_snapshot_is_old(const Lookup *lookup, uint64 newest_xid)
{
	Snapshot	snapshot = lookup->request.snapshot;

	if (snapshot == NULL)
		return IsolationUsesXactSnapshot() &&
			lookup_snapshot_misses(GetTransactionSnapshot(), newest_xid);
	return lookup_snapshot_misses(snapshot, newest_xid) &&
		!lookup_snapshot_is_current(snapshot);
}

bool
lookup_has_written(void)
{
	return TransactionIdIsValid(GetTopTransactionIdIfAny()) && !BREAK_OWN_WRITES;
}

/*
 * Could the changes of this transaction affect the result?  See "Own writes".
 */
static bool
lookup_sees_own_writes(const Lookup *lookup)
{
	const Statement *stmt = lookup->stmt;

	if (!lookup_has_written())
		return false;
	/* the changes of a logical replication worker are touched at commit */
	if (invalidate_writing() || !stmt->complete || IsLogicalWorker())
		return true;
	for (int i = 0; i < lookup->ndeps; i++)
	{
		if (invalidate_touched(lookup->deps[i].slot))
			return true;
	}
	for (int i = 0; i < stmt->nslots; i++)
	{
		if (invalidate_touched(stmt->slots[i]))
			return true;
	}
	return false;
}

/*
 * Step 4: the reason to bypass the cache, or LOOKUP_NO_BYPASS.
 */
static StatsCounter
lookup_bypass_reason(const Lookup *lookup, bool fenced, uint64 newest_xid)
{
	const LookupRequest *request = &lookup->request;

	if (!cache_enabled)
		return STATS_BYPASS_DISABLED;
	if (IsInParallelMode())
		return STATS_BYPASS_PARALLEL;
	if (IsolationIsSerializable())
		return STATS_BYPASS_ISOLATION;
	if (!lookup->stmt->executable ||
		!access_check(&lookup->stmt->inner_access, false))
		return STATS_BYPASS_PRIVILEGE;
	if (lookup_sees_own_writes(lookup))
		return STATS_BYPASS_OWN_WRITES;
	if (RecoveryInProgress())
	{
		if (request->terms.tags_len > 0 || request->terms.automatic ||
			request->name != NULL)
			return STATS_BYPASS_STANDBY;
	}
	else if (!lookup->settled)
		return STATS_BYPASS_PREPARED;
	if (fenced)
		return STATS_BYPASS_FENCED;
	if (lookup_snapshot_is_old(lookup, newest_xid))
		return STATS_BYPASS_SNAPSHOT;
	return LOOKUP_NO_BYPASS;
}

/*
 * Step 2: remember the statement, or find out what it means.
 */
static void
lookup_find_statement(Lookup *lookup, uint64 catalog, uint64 roles)
{
	const LookupRequest *request = &lookup->request;

	lookup->stmt = statement_find(&lookup->request_key, lookup->state,
								  request->tree, request->serial, catalog,
								  roles);
	if (lookup->stmt != NULL &&
		access_exists(&lookup->stmt->access) &&
		access_exists(&lookup->stmt->inner_access))
		return;					/* none was dropped since the clock was read */
	key_finish(&lookup->request_key);
	if (request->tree != NULL)
		lookup->stmt = analyse_tree(&lookup->request_key,
									request->terms.automatic, request->query,
									request->tree, request->serial,
									catalog, roles);
	else
		lookup->stmt = analyse_text(&lookup->request_key, request->form,
									request->terms.automatic, request->query,
									request->name, request->types,
									request->nparams, catalog, roles);
}

/*
 * Convert the parameters of a named query to the types that its statement
 * uses, unless that is done already.
 */
static void
lookup_take_params(Lookup *lookup)
{
	const LookupRequest *request = &lookup->request;
	const Statement *stmt = lookup->stmt;
	Size		size = stmt->ntypes * sizeof(Oid);

	if (request->nparams != stmt->ntypes)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("number of parameters of named query \"%s\" is %d, not %d",
						request->name, stmt->ntypes, request->nparams),
				 errhint("Give a value for each parameter that the query uses.")));
	if (stmt->ntypes == 0 ||
		(lookup->types != NULL && memcmp(lookup->types, stmt->types, size) == 0))
		return;
	lookup->ntypes = stmt->ntypes;
	if (memcmp(request->types, stmt->types, size) == 0)
	{
		lookup->types = request->types;
		lookup->params = request->params;
		return;
	}
	lookup->types = palloc(size);
	memcpy(lookup->types, stmt->types, size);
	lookup->params = params_convert(request->params, request->nparams,
									request->types, lookup->types);
}

/*
 * Add the slot of the parameter set of a named query, and read the clock for
 * it.  That may come later than the rest of step 1, since what the statement
 * means does not depend on this slot.  Returns whether it is fenced.
 */
static bool
lookup_read_set(Lookup *lookup, uint64 *newest_xid)
{
	size_t		len;
	char	   *tag = lookup_set_tag(lookup, &len);

	lookup_add_dep(lookup, clock_slot(MyDatabaseId, CLOCK_TAG_QUERY, tag, len));
	pfree(tag);
	if (clock_read(&lookup->deps[lookup->ndeps - 1], 1, newest_xid))
		return false;
	prepared_resolve(PREPARED_ASK);
	return true;
}

/*
 * Steps 1 and 2.  Returns whether a dependency is fenced.
 */
static bool
lookup_read_clock(Lookup *lookup, uint64 *newest_xid)
{
	uint64		catalog = STATEMENT_NO_GENERATION;
	uint64		roles = STATEMENT_NO_GENERATION;
	bool		fenced;

	STOP_POINT("read");
	*newest_xid = 0;
	fenced = !clock_read(lookup->deps, LOOKUP_FIXED_DEPS, newest_xid);
	if (!fenced)
	{
		catalog = lookup->deps[LOOKUP_DEP_CATALOG].generation;
		roles = lookup->deps[LOOKUP_DEP_CLUSTER].generation;
		fenced = !clock_read(lookup->deps + LOOKUP_FIXED_DEPS,
							 lookup->ndeps - LOOKUP_FIXED_DEPS, newest_xid);
	}
	STOP_POINT("accept");
	if (!BREAK_ACCEPT)
		AcceptInvalidationMessages();
	STOP_POINT("analyse");
	lookup_find_statement(lookup, catalog, roles);
	if (lookup->request.name != NULL)
		lookup_take_params(lookup);
	STOP_POINT("look_up");
	/* it may be left of a transaction that has ended: not so for the next one */
	if (fenced)
		prepared_resolve(PREPARED_ASK);
	if (BREAK_READ_FIRST)
		fenced = !clock_read(lookup->deps, lookup->ndeps, newest_xid);
	return fenced;
}

/*
 * Make the key of the result.  Returns false if it would be too large, or if
 * the value of a parameter of a tree is not available.
 */
static bool
lookup_complete_key(Lookup *lookup)
{
	const LookupRequest *request = &lookup->request;
	const Statement *stmt = lookup->stmt;
	ParamListInfo params = lookup->params;

	if (request->tree != NULL)
	{
		params = params_pick(request->params, stmt->params, stmt->nparams,
							 Min(request->terms.max_entry_size,
								 KEY_MAX_PART));
		if (params == NULL && stmt->nparams > 0)
			return false;
	}
	if (!key_complete(&lookup->key, &stmt->key_head, params))
		return false;
	if (request->tree != NULL)
	{
		lookup->key.label = request->query;
		lookup->key.label_len = request->query_len;
	}
	return true;
}

/*
 * May the user read what a tree reads?  PostgreSQL checks that when the
 * execution starts, and raises the error.  It is checked here as well, so that
 * a user who may not cannot learn, even from the time it takes, whether there
 * is a result.  Privileges are a part of the catalog, so they have not changed
 * as long as the statement is current, and the answer is remembered.  The
 * answer of another module's hook is not.
 */
static bool
lookup_permitted(Statement *stmt)
{
	Oid			user = GetUserId();

	if (BREAK_PERMITTED ||
		(stmt->permitted == user && ExecutorCheckPerms_hook == NULL))
		return true;
	if (!access_check(&stmt->access, false))
		return false;
	stmt->permitted = user;
	return true;
}

/*
 * Without tags, the dependencies of a statement are known only when the
 * statement is found.  Then the clock is read again for all of them.  If the
 * catalog keeps changing meanwhile, that counts as a fence.
 */
StatsCounter
lookup_orient(Lookup *lookup)
{
	uint64		newest_xid;
	bool		fenced;
	int			readings = 0;

	/* without that of a parameter set, when looked up again */
	if (lookup->types != NULL)
		lookup->ndeps = lookup->nfixed_deps;
	do
	{
		fenced = lookup_read_clock(lookup, &newest_xid) ||
			++readings > LOOKUP_MAX_READINGS;
	} while (lookup_add_statement_deps(lookup) && !fenced);
	if (lookup->types != NULL && lookup_read_set(lookup, &newest_xid))
		fenced = true;

	if (lookup->request.tree == NULL)
		(void) access_check(&lookup->stmt->access, true);
	else if (lookup->stmt->refusal != NULL)
		return STATS_BYPASS_REFUSED;
	else if (!lookup_permitted(lookup->stmt))
		return STATS_BYPASS_PRIVILEGE;
	if (!lookup_complete_key(lookup))
		return STATS_BYPASS_REFUSED;
	lookup->now = GetCurrentTimestamp();
	return lookup_bypass_reason(lookup, fenced, newest_xid);
}

void
lookup_begin(Lookup *lookup, const LookupRequest *request)
{
	lookup->request = *request;
	lookup->unproven = false;
	key_begin(&lookup->request_key, request->form, request->query, request->query_len,
			  request->terms.tags, request->terms.tags_len, request->name,
			  request->terms.automatic, request->types,
			  request->name != NULL ? 0 : request->nparams);
	lookup->params = request->params;
	lookup->ntypes = 0;
	lookup->types = NULL;
	lookup->pass.vain = 0;
	lookup->deadline = 0;
	lookup->asker.others_ttl_us = lookup->asker.others_stale_us = 0;
	lookup->asker.ttl_us = (int64) request->terms.ttl * USECS_PER_SEC;
	lookup->asker.stale_us = (int64) request->terms.stale * USECS_PER_SEC;
	lookup->state = settings_state();
	lookup_find_deps(lookup);
	/* may tick, so it comes before the clock is read */
	lookup->settled = RecoveryInProgress() || prepared_settled();
}

void
lookup_read_definitions(uint64 *catalog_generation, uint64 *roles_generation)
{
	ClockStamp	stamps[2];
	uint64		newest_xid = 0;
	bool		read;

	stamps[0].slot = clock_database_slot(MyDatabaseId, CLOCK_TAG_CATALOG);
	stamps[1].slot = CLOCK_SLOT_CLUSTER;
	read = clock_read(stamps, lengthof(stamps), &newest_xid);
	AcceptInvalidationMessages();
	*catalog_generation = read ? stamps[0].generation : STATEMENT_NO_GENERATION;
	*roles_generation = read ? stamps[1].generation : STATEMENT_NO_GENERATION;
}

/*
 * A function that is declared STABLE can change settings all the same.  The
 * rows that come after that do not belong to the key.
 */
bool
lookup_same_session(const Lookup *lookup)
{
	/* what was proven depends on no more than the state */
	if (lookup->stmt->state != 0)
		return settings_state() == lookup->state;
	return key_is_present(&lookup->request_key) &&
		key_head_is_present(&lookup->stmt->key_head);
}

bool
lookup_outdated(const Lookup *lookup)
{
	return !clock_unchanged(lookup->deps, lookup->ndeps);
}

List *
lookup_dependency_names(const Lookup *lookup)
{
	const LookupRequest *request = &lookup->request;
	const char *end = request->terms.tags + request->terms.tags_len;
	List	   *names = NIL;
	ListCell   *lc;

	if (request->terms.policy_tags && !extension_readable(EXTENSION_POLICIES))
		return list_make1("<insufficient privilege>");
	for (const char *tag = request->terms.tags; tag < end; tag += strlen(tag) + 1)
		names = lappend(names, pstrdup(tag));
	if (!request->terms.automatic)
		return names;
	foreach(lc, lookup->stmt->relations)
	{
		Oid			relid = lfirst_oid(lc);
		char	   *relname = get_rel_name(relid);

		/* what a cursor was opened for may be dropped before it is explained */
		if (relname == NULL)
			continue;
		names = lappend(names,
						psprintf("relation:%s",
								 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
															relname)));
	}
	return names;
}

char *
lookup_query_tag(const LookupRequest *request, size_t *len)
{
	Lookup	   *lookup = palloc(sizeof(Lookup));
	uint64		newest_xid;

	lookup_begin(lookup, request);
	(void) lookup_read_clock(lookup, &newest_xid);
	if (lookup->types != NULL)
		return lookup_set_tag(lookup, len);
	/* all results there are */
	*len = strlen(request->name);
	return pstrdup(request->name);
}
