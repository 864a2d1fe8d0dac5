/*-------------------------------------------------------------------------
 *
 * policy.c
 *	  Reads named queries and policies from their tables.
 *
 * Words.  A definition is a row of cache_queries, or of cache_policies alone.
 * A column that is null in cache_queries is taken from the row of
 * cache_policies that it names.  The memo is this backend's memory of
 * definitions, so that a call by name need not read the tables.
 *
 * Protocol.  The memo is valid for one state of the clock, that is, for the
 * generations of three slots of this database:
 *
 *	- definitions: a trigger on both tables touches it;
 *	- the catalog: dropping and creating the extension fires no trigger;
 *	- everything in the database.
 *
 * To read a definition, policy_get reads the clock, accepts the catalog
 * invalidations that belong to those generations, and reads the tables under a
 * snapshot taken after that.  It remembers the definition if the clock has not
 * moved since.  When the clock has moved, the whole memo is dropped.
 *
 * A transaction neither uses nor fills the memo if it has touched one of these
 * slots itself, if it keeps one snapshot from its start (REPEATABLE READ and
 * SERIALIZABLE), or on a standby, where changes do not tick the clock.
 *
 * The tables are read as their owner, because a user who may call a named
 * query need not have privileges on them.  The query that reads them is
 * written so that the caller's search_path has no influence on it.
 *
 * Locks: only those on the tables.  A hint must not make its statement wait,
 * so a policy for a hint is read only if the table can be locked at once.
 *
 * Errors and OOM.  An entry of the memo is complete before it is inserted, so
 * an error leaves no half of one.
 *
 * Tolerated races.  A definition can be replaced just after it was read.  The
 * call then counts as one that came before the change.
 *
 * What this file must not do: return pointers into the memo.  The next call
 * may empty it, even one from inside the named query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "base/extension.h"
#include "catalog/pg_type.h"
#include "clock/clock.h"
#include "clock/invalidate.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "sql/policy.h"
#include "text/params.h"
#include "text/tags.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Names remembered before all are forgotten. */
#define POLICY_MEMO_MAX 1000

/* What the memo depends on: definitions, catalog, everything. */
#define POLICY_NSTAMPS 3

/*
 * Which tables a definition was read from.  This is also the first letter of
 * its name in the memo.
 */
typedef enum PolicyKind
{
	POLICY_OF_QUERY = 'q',		/* a named query, and its policy */
	POLICY_ALONE = 'p'			/* a policy */
} PolicyKind;

typedef struct PolicyMemoEntry
{
	const char *name;			/* the kind, followed by the name */
	Definition *definition;
	uint32		hash;
	char		status;			/* for simplehash */
} PolicyMemoEntry;

static inline uint32
policy_name_hash(const char *name)
{
	return hash_bytes((const unsigned char *) name, (int) strlen(name));
}

#define SH_PREFIX policymemo
#define SH_ELEMENT_TYPE PolicyMemoEntry
#define SH_KEY_TYPE const char *
#define SH_KEY name
#define SH_HASH_KEY(tb, key) policy_name_hash(key)
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) ((a)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static struct
{
	MemoryContext context;		/* of the memo */
	policymemo_hash *names;		/* NULL if the memo is empty */
	ClockStamp	stamps[POLICY_NSTAMPS]; /* the state it is valid for */
} policy_memo;

/*
 * The tags of an array in the form of keys (tags_pack), in the current memory
 * context.  Returns NULL, and sets *problem, if a tag is not valid or there
 * are more than max.
 */
static char *
policy_pack_tags(ArrayType *array, int max, uint32 *len, const char **problem)
{
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;
	Tag		   *tags;
	char	   *packed = NULL;

	*problem = NULL;
	if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > max)
	{
		*problem = "there are too many tags";
		return NULL;
	}
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &nelements);
	tags = palloc(Max(nelements, 1) * sizeof(Tag));
	for (int i = 0; i < nelements && *problem == NULL; i++)
	{
		const text *element;

		if (nulls[i])
		{
			*problem = "a tag must not be null";
			break;
		}
		element = DatumGetTextPP(elements[i]);
		tags[i].data = VARDATA_ANY(element);
		tags[i].len = VARSIZE_ANY_EXHDR(element);
		*problem = tags_problem(&tags[i]);
	}

	if (*problem == NULL)
		packed = tags_pack(tags, nelements, len);
	pfree(tags);
	pfree(elements);
	pfree(nulls);
	return packed;
}

char *
policy_tags(ArrayType *array, uint32 *len)
{
	const char *problem;
	char	   *packed = policy_pack_tags(array, INT_MAX, len, &problem);

	if (packed == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", problem),
				 errhint("Leave null and empty elements out of the array.")));
	return packed;
}

/*
 * Copy a definition and its strings, as one chunk in the current memory
 * context.
 */
static Definition *
policy_copy(const Definition *source)
{
	Definition *copy;
	char	   *bytes;

	copy = palloc(sizeof(Definition) + source->query_len + 1 +
				  source->terms.tags_len);
	*copy = *source;
	bytes = (char *) (copy + 1);

	memcpy(bytes, source->query, source->query_len + 1);
	copy->query = bytes;
	bytes += source->query_len + 1;

	if (source->terms.tags != NULL)
	{
		memcpy(bytes, source->terms.tags, source->terms.tags_len);
		copy->terms.tags = bytes;
	}
	return copy;
}

/*
 * Column n of the row that SPI has just returned.
 */
static Datum
policy_column(int n, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, n,
						 isnull);
}

/*
 * Fill a definition from the row that SPI has just returned.  Its strings are
 * in SPI's memory.
 */
static void
policy_decode(const char *name, Definition *definition)
{
	Datum		value;
	bool		isnull;
	double		cost_us;

	memset(definition, 0, sizeof(*definition));

	value = policy_column(7, &isnull);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("policy \"%s\" of named query \"%s\" does not exist",
						TextDatumGetCString(value), name),
				 errhint("Insert it into cache_policies, or define the query with another one.")));

	value = policy_column(1, &isnull);
	definition->query = TextDatumGetCString(value);
	definition->query_len = strlen(definition->query);

	value = policy_column(2, &isnull);
	if (!isnull)
		definition->terms.ttl = DatumGetInt32(value);

	value = policy_column(3, &isnull);
	if (!isnull)
		definition->terms.tags = policy_pack_tags(DatumGetArrayTypeP(value), TAGS_MAX,
												  &definition->terms.tags_len,
												  &definition->problem);
	definition->terms.policy_tags = true;

	value = policy_column(4, &isnull);
	if (!isnull)
		definition->terms.stale = DatumGetInt32(value);

	value = policy_column(5, &isnull);
	if (!isnull)
		definition->terms.max_entry_size = DatumGetInt32(value);

	value = policy_column(6, &isnull);
	if (!isnull)
	{
		/* no execution costs as much as Infinity or NaN */
		cost_us = DatumGetFloat8(value) * 1000.0;
		definition->terms.min_cost_us = cost_us < (double) PG_INT64_MAX ?
			(int64) cost_us : PG_INT64_MAX;
	}
}

/*
 * Can the table of policies be read without waiting and without an error?  If
 * so, it is locked.  If not, *problem may be set to the reason.
 */
static bool
policy_readable(Oid *relid, const char **problem)
{
	*relid = extension_relid(EXTENSION_POLICIES);
	if (!OidIsValid(*relid))
		return false;
	if (!ConditionalLockRelationOid(*relid, AccessShareLock))
	{
		*problem = "policies are being changed";
		return false;
	}
	return true;
}

/*
 * Read a definition from the tables, into the current memory context.
 */
static Definition *
policy_read(PolicyKind kind, const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	Definition *definition = NULL;
	ExtensionIdentity saved;
	char	   *query;

	AcceptInvalidationMessages();

	SPI_connect();
	if (kind == POLICY_OF_QUERY)
		query = psprintf("SELECT q.query,"
						 " COALESCE(q.ttl, p.ttl),"
						 " COALESCE(q.tags, p.tags),"
						 " p.stale, p.max_entry_size, p.min_cost,"
						 " CASE WHEN p.name IS NULL THEN q.policy END"
						 " FROM %s q LEFT JOIN %s p"
						 " ON p.name OPERATOR(pg_catalog.=) q.policy"
						 " WHERE q.name OPERATOR(pg_catalog.=) $1",
						 extension_table(EXTENSION_QUERIES),
						 extension_table(EXTENSION_POLICIES));
	else
		query = psprintf("SELECT '', ttl, tags, stale, max_entry_size, min_cost,"
						 " NULL FROM %s WHERE name OPERATOR(pg_catalog.=) $1",
						 extension_table(EXTENSION_POLICIES));

	extension_become_owner(&saved);
	if (SPI_execute_with_args(query, 1, types, values, NULL,
							  false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read definition \"%s\"", name);
	extension_restore_user(&saved);

	if (SPI_processed > 0)
	{
		Definition	found;
		MemoryContext old;

		policy_decode(name, &found);
		old = MemoryContextSwitchTo(context);
		definition = policy_copy(&found);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return definition;
}

static void
policy_set_slots(ClockStamp *stamps)
{
	stamps[0].slot = clock_database_slot(MyDatabaseId, CLOCK_TAG_DEFINITIONS);
	stamps[1].slot = clock_database_slot(MyDatabaseId, CLOCK_TAG_CATALOG);
	stamps[2].slot = clock_database_slot(MyDatabaseId, CLOCK_TAG_DATABASE);
}

/*
 * May this transaction use and fill the memo?
 */
static bool
policy_may_share(const ClockStamp *stamps)
{
	if (IsolationUsesXactSnapshot() || RecoveryInProgress())
		return false;
	for (int i = 0; i < POLICY_NSTAMPS; i++)
	{
		if (invalidate_touched(stamps[i].slot))
			return false;
	}
	return true;
}

/*
 * Is the memo valid for these generations?
 */
static bool
policy_memo_current(const ClockStamp *stamps)
{
	if (policy_memo.names == NULL)
		return false;
	for (int i = 0; i < POLICY_NSTAMPS; i++)
	{
		if (policy_memo.stamps[i].generation != stamps[i].generation)
			return false;
	}
	return true;
}

/*
 * Add a definition to the memo, which does not have it yet.  The entry is
 * complete before it is inserted, so running out of memory leaves no half of
 * one.
 */
static void
policy_remember(const char *name, const Definition *definition,
				const ClockStamp *stamps)
{
	MemoryContext old;
	PolicyMemoEntry *entry;
	Definition *kept;
	char	   *kept_name;
	bool		found;

	if (policy_memo.context == NULL)
		policy_memo.context = AllocSetContextCreate(TopMemoryContext,
													"cache definitions",
													ALLOCSET_DEFAULT_SIZES);

	if (!policy_memo_current(stamps) ||
		policy_memo.names->members >= POLICY_MEMO_MAX)
	{
		policy_memo.names = NULL;
		MemoryContextReset(policy_memo.context);
		policy_memo.names = policymemo_create(policy_memo.context, 32, NULL);
		memcpy(policy_memo.stamps, stamps, sizeof(policy_memo.stamps));
	}

	old = MemoryContextSwitchTo(policy_memo.context);
	kept = policy_copy(definition);
	kept_name = pstrdup(name);
	entry = policymemo_insert(policy_memo.names, kept_name, &found);
	Assert(!found);
	entry->definition = kept;
	MemoryContextSwitchTo(old);
}

/*
 * A definition, from the memo or from the tables.  NULL if there is none, or
 * if it cannot be read; *problem is set if the reason is known.
 */
static Definition *
policy_get(PolicyKind kind, const char *name, const char **problem)
{
	Size		len = strlen(name);
	char	   *memo_name = palloc(len + 2);
	Oid			relid = InvalidOid;
	ClockStamp	stamps[POLICY_NSTAMPS];
	uint64		newest_xid = 0;
	Definition *definition;
	bool		share;

	memo_name[0] = kind;
	memcpy(memo_name + 1, name, len + 1);
	policy_set_slots(stamps);
	share = clock_read(stamps, POLICY_NSTAMPS, &newest_xid) &&
		policy_may_share(stamps);

	if (share && policy_memo_current(stamps))
	{
		PolicyMemoEntry *entry = policymemo_lookup(policy_memo.names,
												   memo_name);

		if (entry != NULL)
			return policy_copy(entry->definition);
	}

	if (kind == POLICY_ALONE && !policy_readable(&relid, problem))
		return NULL;
	definition = policy_read(kind, name);
	if (definition != NULL)
		definition->relid = relid;
	if (definition != NULL && share && clock_unchanged(stamps, POLICY_NSTAMPS))
		policy_remember(memo_name, definition, stamps);
	return definition;
}

/*
 * The definition of a named query.  Errors: it does not exist, or its tags are
 * not valid.
 */
static Definition *
policy_find(const char *name)
{
	Definition *definition = policy_get(POLICY_OF_QUERY, name, NULL);

	if (definition != NULL && definition->problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", definition->problem),
				 errhint("Correct the tags of the named query or of its policy.")));
	if (definition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("named query \"%s\" does not exist", name),
				 errhint("Define it with cache_define().")));
	return definition;
}

Definition *
policy_find_policy(const char *name, const char **problem)
{
	Definition *definition;

	*problem = NULL;
	definition = policy_get(POLICY_ALONE, name, problem);
	if (definition != NULL)
		*problem = definition->problem;
	else if (*problem == NULL)
		*problem = psprintf("policy \"%s\" does not exist", name);
	return *problem == NULL ? definition : NULL;
}

void
policy_read_stamp(ClockStamp *stamp)
{
	uint64		newest_xid = 0;

	stamp->slot = clock_database_slot(MyDatabaseId, CLOCK_TAG_DEFINITIONS);
	(void) clock_read(stamp, 1, &newest_xid);
}

bool
policy_stamp_current(const ClockStamp *stamp)
{
	return clock_unchanged(stamp, 1);
}

void
policy_read_call(FunctionCallInfo fcinfo, LookupRequest *request)
{
	const Definition *definition;
	Terms		terms;
	char	   *name;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name must not be null"),
				 errhint("Give the name of a query defined with cache_define().")));

	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	definition = policy_find(name);
	lookup_default_terms(&terms);
	terms_refine(&terms, &definition->terms);
	lookup_make_request(request, KEY_FORM_JSON, definition->query,
						definition->query_len, &terms);
	request->name = name;
	request->nparams = params_read(fcinfo, 1, &request->types,
								   &request->params);
}
