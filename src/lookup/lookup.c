/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  What a request means, what it depends on, its key, and whether it may use
 *	  the cache.
 *
 * A request is a text that someone wants cached, or a query tree that the
 * server has made of a plain statement.  It is answered in this order:
 *
 *	1. read the clock for everything the result depends on (fences,
 *	   generations, newest xid), then accept pending catalog invalidations
 *	2. find out what the statement means, or remember it; if it reads other
 *	   relations than were looked at in step 1, go back to that.  Convert the
 *	   parameters of a named query to the types it uses them as, and read the
 *	   clock for that parameter set
 *	3. check privileges on what is read; who may not call a function, or read
 *	   what it reads, bypasses
 *	4. decide whether the cache may be used at all; if not, execute (bypass)
 *	5. look into L1 under the generations of step 1
 *	6. join the flight of this key: wait for its leader, and look again, or
 *	   lead
 *	7. as the leader, look into L1 once more, then into L2
 *	8. execute; that is for the caller to do
 *	9. store iff the clock stands still
 *
 * Steps 1 to 4 are here (lookup_orient), steps 5 to 7 and 9 in answer.c.
 *
 * Why a result is never stale: clock.c argues it for any reader that keeps the
 * order 1, 5 and 1, 8, 9.  A waiter either comes back to step 1, or finds that
 * what it read then is still so, so it never takes a result by the reading of
 * someone else, nor by one from before it waited.
 *
 * Snapshots.  A text is executed at READ COMMITTED under a snapshot of its
 * own, taken at step 8, as any query of a volatile function is; so the reading
 * is always older than the snapshot.  Where the snapshot is older than the
 * reading (REPEATABLE READ; a tree, whose snapshot the server has taken
 * already), a change that was counted may be invisible to it.  That is not so
 * if every change of a dependency was over when the snapshot was taken (newest
 * xid before its xmin), or if no transaction at all has ended since, that is,
 * a snapshot taken now would be the same; else the request bypasses.
 * SERIALIZABLE bypasses, for what is served leaves no trace of having been
 * read.
 *
 * Own writes.  A transaction that has an xid sees what others must not see, so
 * it never stores anything; and it must see what is in no entry, so it is
 * served only results that it can be told to have changed nothing of: their
 * dependencies and the relations they read are untouched, functions do not hide
 * others, and no statement that writes is under way.  Whether the query itself
 * took an xid, against what its functions promised, is looked at once more
 * before storing.
 *
 * The plan of a tree was made before step 1, so it may be of older definitions
 * than those counted there.  What the tree itself says is not: its relations are
 * locked since it was analysed, and functions are in it by oid.  So a tree can
 * be looked up, and be planned again for step 8 (plan.c).
 *
 * Errors.  Nothing is held between the steps but the flight, which flight.c
 * lands if there is an error.
 *
 * A standby hears of no invalidation: there only what lives by its ttl alone
 * is served.
 *
 * What this file must not do: know what a face looks like, or where tags come
 * from.
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

/* How often the dependencies of a statement are found before giving up. */
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
 * Append what stands for a parameter in the tag of its set.  Values that are
 * equal have one hash, also where they are shown differently, as 1.5 and 1.50;
 * and so have equal integers of different sizes.
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
 * Find the slots that a request depends on whatever its statement reads.
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
 * Make the dependencies those of the statement.  False if they were so
 * already, that is, when the clock was read.
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
 * Would a snapshot miss a change that xid has made?
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
 * Does a snapshot see what one taken now would see of other transactions?
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
 * Could the snapshot that a miss is executed under be without a change that
 * was counted?
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
 * Could the result be another one for this transaction than for others, because
 * of what it has changed?
 */
static bool
lookup_sees_own_writes(const Lookup *lookup)
{
	const Statement *stmt = lookup->stmt;

	if (!lookup_has_written())
		return false;
	/* what a worker of logical replication writes is known when it commits */
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
 * Why the cache must be left alone for this request, if it must.
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
 * Convert the parameters of a named query to the types that its statement uses
 * them as, unless that is done.
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
 * it.  That can come later than the rest of step 1, since no definition depends
 * on it.  Returns whether it is fenced.
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
 * Make the key of the result.  False if it would be too large, or if a parameter of a
 * tree has no value to look at.
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
 * May the user read what a tree reads?  PostgreSQL checks that as the execution
 * starts, and raises the error.  Here it is checked so that nobody else learns, not
 * even by the time it takes, whether there is a result.  Privileges are
 * definitions: as long as the statement is current they have not changed, so the
 * answer is remembered; that of another module is not.
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
 * What an automatic statement depends on is known only once it was found, so
 * then the clock is read again, for all of it; definitions that keep changing
 * under us count as fenced.
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
 * A function that claims to be STABLE can change settings all the same, and the
 * rows after it are not what the key says.
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
