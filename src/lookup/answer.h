/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  Answers a request from L1, from L2, or by one execution for all.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_ANSWER_H
#define CACHE_ANSWER_H

#include "lookup/lookup.h"

/* The state of a request that is being answered. */
typedef struct Answer
{
	StatsCounter bypass;		/* a reason, or LOOKUP_NO_BYPASS */
	StoreStatus status;			/* of the latest look into a tier */
	StoreResult found;			/* its result, unless that is STORE_MISS */
	StatsCounter tier;			/* where it was found */
} Answer;

/* What the caller must do next. */
typedef enum AnswerTurn
{
	ANSWER_SERVE,				/* serve what was found */
	ANSWER_BYPASS,				/* execute, and store nothing */
	ANSWER_LEAD,				/* execute, fill, and land the flight */
	ANSWER_ALONE,				/* execute and fill */
	ANSWER_AGAIN				/* we have waited: call answer_turn again */
} AnswerTurn;

/* Steps 1 to 5, after lookup_begin.  Errors: those of lookup_orient. */
extern void answer_look_up(Lookup *lookup, Answer *answer);

/*
 * Decide what to do after answer_look_up.  On a miss this takes steps 6 and 7:
 * wait for the leader of the flight, no longer than that is worthwhile, or
 * become the leader and look into L1 again and into L2.  After waiting, the
 * request has been looked up once more, and the caller must call answer_turn
 * again.  A result that was found is released unless it is to be served.
 * Errors: those of answer_look_up and of planning a text.
 */
extern AnswerTurn answer_turn(Lookup *lookup, Answer *answer);

/* Release what was found without serving it. */
extern void answer_release(Answer *answer);

/* Step 5 alone, as store_lookup.  found may be NULL. */
extern StoreStatus answer_l1(Lookup *lookup, StoreResult *found);

/*
 * Step 9: store a result whose execution took fill_us, if it may be stored.
 * payload is NULL if the result was too large to keep.  For KEY_FORM_SHADOW,
 * only a mark is stored in place of the result.
 */
extern FlightOutcome answer_fill(Lookup *lookup, const char *payload, Size len,
								 int64 fill_us);

/* Count and log the outcome of a request. */
extern void answer_count_hit(const Lookup *lookup, const Answer *answer);
extern void answer_count_shadow_hit(const Lookup *lookup, const Answer *answer);
extern void answer_count_miss(const Lookup *lookup);
extern void answer_count_bypass(const Lookup *lookup, StatsCounter reason);

#endif							/* CACHE_ANSWER_H */
