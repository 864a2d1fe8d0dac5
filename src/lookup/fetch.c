/*-------------------------------------------------------------------------
 *
 * fetch.c
 *	  Answers a request as a whole: looks it up, or executes it and fills.
 *
 * The steps are those of lookup.c.  answer.c takes all of them but step 8,
 * which is done here through SPI: lock the relations that the query reads,
 * take a snapshot, and execute into a payload.  The result is complete before
 * any of it is returned, so the followers of this flight never wait for a
 * client.
 *
 * Errors.  While the query runs, only two things are held: the flight, which
 * flight.c lands after an error, and the pin on the statement, which goes with
 * its memory.  A result that cannot be stored is returned all the same.
 *
 * What this file must not do: know from which SQL function a request comes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/breakage.h"
#include "base/guc.h"
#include "base/stop.h"
#include "lookup/answer.h"
#include "lookup/fetch.h"
#include "lookup/kept.h"
#include "lookup/watch.h"
#include "store/codec.h"

/* Where the rows of an execution go. */
typedef struct FetchTarget
{
	TupleDesc	expected;		/* or NULL */
	MemoryContext overflow;		/* for a tuplestore */
	FetchResult *result;
} FetchTarget;

static void
fetch_serve(const Lookup *lookup, const Answer *answer, FetchResult *result)
{
	result->payload = answer->found.payload;
	result->len = answer->found.len;
	result->tuplestore = NULL;
	result->pin = answer->found.pin;
	answer_count_hit(lookup, answer);
}

/*
 * Execute the statement of a request into a receiver.  Returns the
 * microseconds it took.  SPI takes the snapshot after it has locked the
 * relations that are read.  A snapshot from before that would be too old if
 * the lock had to wait for a TRUNCATE: the table would look empty, without the
 * rows that the same transaction has inserted after the TRUNCATE.
 */
static int64
fetch_execute(Lookup *lookup, CodecReceiver *receiver)
{
	SPIExecuteOptions options = {0};
	StatementPin *pin;
	Watch		watch;
	instr_time	start;
	instr_time	duration;
	volatile int rc = 0;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	pin = statement_pin(lookup->stmt);
	options.params = lookup->params;
	options.dest = codec_dest(receiver);
	watch_begin(&watch, lookup->stmt, lookup->request.query,
				lookup->request.terms.automatic, options.dest);
	options.read_only = BREAK_FRESH_SNAPSHOT;

	STOP_POINT("execute");
	INSTR_TIME_SET_CURRENT(start);
	watch_enter(&watch);
	PG_TRY();
	{
		rc = SPI_execute_plan_extended(lookup->stmt->plan, &options);
	}
	PG_FINALLY();
	{
		watch_forget(&watch);
	}
	PG_END_TRY();
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s",
			 SPI_result_code_string(rc));
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);

	lookup->unproven = watch.failed;
	if (lookup->stmt->unproven)
		statement_outdate_plan(lookup->stmt);
	statement_measure(lookup->stmt);
	statement_unpin(pin);
	SPI_finish();
	return (int64) INSTR_TIME_GET_MICROSEC(duration);
}

static void
fetch_take(CodecReceiver *receiver, FetchResult *result)
{
	result->payload = codec_payload(receiver, &result->len);
	result->tuplestore = codec_tuplestore(receiver);
	result->pin = NULL;
}

static CodecReceiver *
fetch_create_receiver(const Lookup *lookup, const FetchTarget *target)
{
	return codec_create_receiver(lookup->request.form,
								 lookup->request.terms.max_entry_size,
								 target->overflow, target->expected);
}

/*
 * Execute without looking up or storing.
 */
static void
fetch_bypass(Lookup *lookup, StatsCounter reason,
			 const FetchTarget *target)
{
	CodecReceiver *receiver = fetch_create_receiver(lookup, target);

	answer_count_bypass(lookup, reason);
	(void) fetch_execute(lookup, receiver);
	fetch_take(receiver, target->result);
}

/*
 * Steps 8 and 9.  A query can contain other requests.  Each execution leads at
 * most its own flight, and lands only that.
 */
static void
fetch_miss(Lookup *lookup, bool leads, const FetchTarget *target)
{
	FlightOutcome outcome;
	CodecReceiver *receiver = fetch_create_receiver(lookup, target);
	QstatsHandle qstats = lookup->stmt->qstats;
	const char *payload;
	int64		fill_us;
	Size		len;

	answer_count_miss(lookup);
	kept_renew(lookup->stmt);
	fill_us = fetch_execute(lookup, receiver);
	payload = codec_payload(receiver, &len);
	outcome = answer_fill(lookup, payload, len, fill_us);
	if (leads)
		flight_land(outcome);
	qstats_miss(qstats, fill_us, payload != NULL ? len : 0);
	fetch_take(receiver, target->result);
}

void
fetch(const LookupRequest *request, TupleDesc expected, MemoryContext overflow,
	  FetchResult *result)
{
	FetchTarget target = {expected, overflow, result};
	Lookup		lookup;
	Answer		answer;
	AnswerTurn	turn;

	if (watch_current != NULL && request->name != NULL)
		watch_note_name(request->name);
	lookup_begin(&lookup, request);
	answer_look_up(&lookup, &answer);
	do
	{
		if (expected != NULL)
			codec_check_rowtype(expected, lookup.stmt->result_desc);
		turn = answer_turn(&lookup, &answer);
	} while (turn == ANSWER_AGAIN);

	if (turn == ANSWER_SERVE)
		fetch_serve(&lookup, &answer, result);
	else if (turn == ANSWER_BYPASS)
		fetch_bypass(&lookup, answer.bypass, &target);
	else
		fetch_miss(&lookup, turn == ANSWER_LEAD, &target);
}

void
fetch_release(FetchResult *result)
{
	if (result->pin != NULL)
		block_unpin(result->pin);
	result->pin = NULL;
	result->payload = NULL;
}
