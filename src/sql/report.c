/*-------------------------------------------------------------------------
 *
 * report.c
 *	  The SQL functions that show and reset statistics, and list the entries.
 *
 * Words.  Counters count for the whole server since the last reset.  Entries
 * are those of L1.  The statistics of a query are kept per database, user and
 * text.
 *
 * What is shown to whom.  Everybody may see the counters.  The text of a query
 * and its tags may contain data of the user who ran it, so they are shown only
 * to that user and to members of pg_read_all_stats.  Shared memory contains
 * texts of all databases.  A text of another database is shown only if it is
 * valid in the encoding of this one.
 *
 * Protocol and locks: none here.  Each module copies out what is asked for,
 * under its own locks.
 *
 * Tolerated races.  The columns of a row, and the rows of a listing, are not
 * read at the same instant.  A text of another database may be valid in this
 * one's encoding and yet mean other characters; these are shown.
 *
 * What this file must not do: reach into a structure of another module.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/qstats.h"
#include "base/stats.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "clock/clock.h"
#include "clock/prepared.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "redis/redis.h"
#include "store/flight.h"
#include "store/store.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#define REPORT_STATS_COLUMNS 27
#define REPORT_ENTRIES_COLUMNS 10
#define REPORT_QUERIES_COLUMNS 10

PGDLLEXPORT Datum cache_stats(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_entries(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_query_stats(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum cache_reset_stats(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(cache_stats);
PG_FUNCTION_INFO_V1(cache_entries);
PG_FUNCTION_INFO_V1(cache_query_stats);
PG_FUNCTION_INFO_V1(cache_reset_stats);

/* A listing that is being made. */
typedef struct ReportListing
{
	ReturnSetInfo *result;
	TimestampTz now;
	bool		all_users;		/* may see the texts of everyone */
} ReportListing;

/*
 * Raise an error if the function has another number of columns, because it is
 * of another version of the extension than the library.
 */
static void
report_check_columns(TupleDesc tupdesc, int columns)
{
	if (tupdesc->natts != columns)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension \"%s\" is of another version than its library",
						"cache"),
				 errhint("Run ALTER EXTENSION cache UPDATE in this database.")));
}

static double
report_ms(int64 us)
{
	return us / 1000.0;
}

static const char *
report_l2_state(RedisState state)
{
	switch (state)
	{
		case REDIS_OFF:
			return "off";
		case REDIS_CONNECTING:
			return "connecting";
		case REDIS_UP:
			return "up";
		case REDIS_DOWN:
			return "down";
	}
	elog(ERROR, "unrecognized state of L2: %d", (int) state);
	return NULL;				/* keep compiler quiet */
}

/*
 * The bypasses as a jsonb object, reason to count, and their sum.
 */
static Jsonb *
report_bypasses(const int64 *totals, int64 *sum)
{
	JsonbParseState *state = NULL;

	*sum = 0;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < STATS_NBYPASSES; i++)
	{
		int64		count = totals[STATS_BYPASS_FIRST + i];
		JsonbValue	value;

		if (count == 0)
			continue;
		*sum += count;

		value.type = jbvString;
		value.val.string.val = unconstify(char *, stats_bypass_name(i));
		value.val.string.len = strlen(stats_bypass_name(i));
		(void) pushJsonbValue(&state, WJB_KEY, &value);

		value.type = jbvNumeric;
		value.val.numeric = int64_to_numeric(count);
		(void) pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

Datum
cache_stats(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Datum		values[REPORT_STATS_COLUMNS];
	bool		nulls[REPORT_STATS_COLUMNS] = {false};
	int64		totals[STATS_NCOUNTERS];
	TimestampTz reset;
	RedisState	state = redis_state();
	Jsonb	   *reasons;
	int64		bypasses;
	int64		entries;
	int64		bytes;
	int64		hits;
	int64		requests;
	int			i = 0;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	report_check_columns(tupdesc, REPORT_STATS_COLUMNS);

	stats_read(totals, &reset);
	store_usage(&entries, &bytes);
	reasons = report_bypasses(totals, &bypasses);
	hits = totals[STATS_L1_HITS] + totals[STATS_L2_HITS];
	requests = hits + totals[STATS_MISSES];

	values[i++] = Int64GetDatum(totals[STATS_L1_HITS]);
	values[i++] = Int64GetDatum(totals[STATS_L2_HITS]);
	values[i++] = Int64GetDatum(totals[STATS_STALE_HITS]);
	values[i++] = Int64GetDatum(totals[STATS_MISSES]);
	nulls[i] = (requests == 0);
	values[i++] = Float8GetDatum(requests == 0 ? 0 : (double) hits / requests);
	values[i++] = Int64GetDatum(totals[STATS_FILLS]);
	values[i++] = Int64GetDatum(totals[STATS_FILLS_RACED]);
	values[i++] = Int64GetDatum(totals[STATS_FILLS_TOO_LARGE]);
	values[i++] = Int64GetDatum(totals[STATS_FILLS_UNPROVEN]);
	values[i++] = Int64GetDatum(totals[STATS_EVICTIONS]);
	values[i++] = Int64GetDatum(totals[STATS_EXPIRATIONS]);
	values[i++] = Int64GetDatum(totals[STATS_INVALIDATIONS]);
	values[i++] = Int64GetDatum(bypasses);
	values[i++] = JsonbPGetDatum(reasons);
	values[i++] = Int64GetDatum(totals[STATS_WAITS]);
	values[i++] = Int64GetDatum(totals[STATS_WAIT_TIMEOUTS]);
	values[i++] = Int64GetDatum(entries);
	values[i++] = Int64GetDatum(cache_l1_max_entries);
	values[i++] = Int64GetDatum(bytes);
	values[i++] = Int64GetDatum(cache_l1_memory * INT64CONST(1024));
	values[i++] = CStringGetTextDatum(report_l2_state(state));
	values[i++] = Int64GetDatum(redis_errors());
	values[i++] = Int64GetDatum(totals[STATS_L2_REJECTED]);
	values[i++] = Int64GetDatum(state == REDIS_OFF ? 0 : clock_count_unsent());
	values[i++] = Int64GetDatum(prepared_count());
	values[i++] = Float8GetDatum(report_ms(totals[STATS_TIME_SAVED_US]));
	values[i++] = TimestampTzGetDatum(reset);
	Assert(i == REPORT_STATS_COLUMNS);

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}

static void
report_begin_listing(ReportListing *listing, FunctionCallInfo fcinfo,
					 int columns)
{
	InitMaterializedSRF(fcinfo, 0);
	listing->result = (ReturnSetInfo *) fcinfo->resultinfo;
	listing->now = GetCurrentTimestamp();
	listing->all_users = has_privs_of_role(GetUserId(),
										   ROLE_PG_READ_ALL_STATS);
	report_check_columns(listing->result->setDesc, columns);
}

static void
report_put_row(ReportListing *listing, Datum *values, bool *nulls)
{
	tuplestore_putvalues(listing->result->setResult,
						 listing->result->setDesc, values, nulls);
}

/*
 * May the current user read the texts of this user?
 */
static bool
report_may_see(const ReportListing *listing, Oid user)
{
	return listing->all_users || user == GetUserId();
}

/*
 * The user who may read the text and tags of an entry.  Those of a named query
 * do not belong to the user who has called it.
 */
static Oid
report_owner(const KeyParts *key)
{
	return key->named ? InvalidOid : key->user;
}

/*
 * Is a text of the given database valid in this database's encoding?
 */
static bool
report_valid_here(Oid database, const char *text, Size len)
{
	return database == MyDatabaseId ||
		pg_verify_mbstr(GetDatabaseEncoding(), text, (int) len, true);
}

/*
 * The text of a query, or a placeholder if it cannot be shown.
 */
static Datum
report_query(const ReportListing *listing, Oid database, Oid user,
			 const char *query, Size len)
{
	if (!report_may_see(listing, user))
		return CStringGetTextDatum("<insufficient privilege>");
	if (!report_valid_here(database, query, len))
		return CStringGetTextDatum("<other encoding>");
	return PointerGetDatum(cstring_to_text_with_len(query, (int) len));
}

/*
 * The tags of an entry as text[]; *isnull if they cannot be shown.
 */
static Datum
report_tags(const ReportListing *listing, const KeyParts *key, bool *isnull)
{
	const char *end = key->tags + key->tags_len;
	Datum	   *tags;
	int			ntags = 0;

	*isnull = key->automatic || !report_may_see(listing, report_owner(key));
	if (*isnull)
		return (Datum) 0;

	/* no tag is shorter than its one byte and the zero after it */
	tags = palloc((key->tags_len / 2 + 1) * sizeof(Datum));
	for (const char *tag = key->tags; tag < end; tag += strlen(tag) + 1)
	{
		if (!report_valid_here(key->database, tag, strlen(tag)))
		{
			*isnull = true;
			return (Datum) 0;
		}
		tags[ntags++] = CStringGetTextDatum(tag);
	}
	return PointerGetDatum(construct_array(tags, ntags, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static Datum
report_interval(int64 us)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = us;
	return IntervalPGetDatum(interval);
}

static const char *
report_form(KeyForm form)
{
	switch (form)
	{
		case KEY_FORM_JSON:
			return "json";
		case KEY_FORM_ROWS:
			return "rows";
		case KEY_FORM_PLAIN:
			return "plain";
		case KEY_FORM_SHADOW:
			return "shadow";
	}
	return "?";
}

/*
 * One row of cache_entries; called by store_list.
 */
static void
report_entry(const StoreListing *entry, void *arg)
{
	ReportListing *listing = arg;
	const KeyParts *key = &entry->key;
	Datum		values[REPORT_ENTRIES_COLUMNS];
	bool		nulls[REPORT_ENTRIES_COLUMNS] = {false};
	int			i = 0;

	values[i++] = ObjectIdGetDatum(key->database);
	values[i++] = ObjectIdGetDatum(key->user);
	values[i++] = report_query(listing, key->database, report_owner(key),
							   key->query, key->query_len);
	values[i++] = CStringGetTextDatum(report_form(key->form));
	values[i] = report_tags(listing, key, &nulls[i]);
	i++;
	values[i++] = report_interval(listing->now - entry->times.created);
	values[i++] = report_interval(entry->times.expires - listing->now);
	values[i++] = Int64GetDatum((int64) entry->size);
	values[i++] = Int64GetDatum((int64) entry->hits);
	values[i++] = Float8GetDatum(report_ms(entry->times.fill_us));
	Assert(i == REPORT_ENTRIES_COLUMNS);

	report_put_row(listing, values, nulls);
}

Datum
cache_entries(PG_FUNCTION_ARGS)
{
	ReportListing listing;

	report_begin_listing(&listing, fcinfo, REPORT_ENTRIES_COLUMNS);
	store_list(report_entry, &listing);
	return (Datum) 0;
}

Datum
cache_query_stats(PG_FUNCTION_ARGS)
{
	ReportListing listing;

	report_begin_listing(&listing, fcinfo, REPORT_QUERIES_COLUMNS);
	for (int n = 0; n < cache_max_query_stats; n++)
	{
		QstatsListing query;
		Datum		values[REPORT_QUERIES_COLUMNS];
		bool		nulls[REPORT_QUERIES_COLUMNS] = {false};
		int			i = 0;

		CHECK_FOR_INTERRUPTS();

		/* leave out queries that were not called since the last reset */
		if (!qstats_read(n, &query) || query.calls == 0)
			continue;

		values[i++] = ObjectIdGetDatum(query.database);
		values[i++] = ObjectIdGetDatum(query.user);
		values[i++] = report_query(&listing, query.database, query.user,
								   query.query, strlen(query.query));
		values[i++] = Int64GetDatum(query.calls);
		values[i++] = Int64GetDatum(query.hits);
		values[i++] = Int64GetDatum(query.misses);
		values[i++] = Float8GetDatum(report_ms(query.fill_us));
		values[i++] = Int64GetDatum(query.bytes);
		values[i++] = Int64GetDatum(query.shadow_hits);
		values[i++] = Float8GetDatum(report_ms(query.shadow_saved_us));
		Assert(i == REPORT_QUERIES_COLUMNS);

		report_put_row(&listing, values, nulls);
	}
	return (Datum) 0;
}

Datum
cache_reset_stats(PG_FUNCTION_ARGS)
{
	stats_reset();
	qstats_reset();
	PG_RETURN_VOID();
}
