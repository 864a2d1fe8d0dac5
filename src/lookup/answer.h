/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  Answers a request from L1, from L2, or by whoever executes for all.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_ANSWER_H
#define CACHE_ANSWER_H

#include "lookup/lookup.h"

/* What a request has come to so far. */
typedef struct Answer
{
	StatsCounter bypass;		/* a reason, or LOOKUP_NO_BYPASS */
	StoreStatus status;			/* of the last look */
	StoreResult found;			/* unless that is a miss */
	StatsCounter tier;			/* where it was found */
} Answer;

/* What to do next. */
typedef enum AnswerTurn
{
	ANSWER_SERVE,				/* what was found */
	ANSWER_BYPASS,				/* execute, and store nothing */
	ANSWER_LEAD,				/* execute, fill, and land the flight */
	ANSWER_ALONE,				/* execute and fill */
	ANSWER_AGAIN				/* a leader was waited for: take another turn */
} AnswerTurn;

/* Steps 1 to 5, after lookup_begin.  Errors: those of lookup_orient. */
extern void answer_look_up(Lookup *lookup, Answer *answer);

/*
 * Decide what to do after that; on a miss, steps 6 and 7: wait for whoever
 * executes the same, no longer than that is worth while, or become the leader
 * and look into L1 again, and L2.  After waiting the request was looked up once
 * more, and the caller is to take another turn.  What was found is released
 * unless it is to be served.  Errors: those of answer_look_up and of planning a
 * text.
 */
extern AnswerTurn answer_turn(Lookup *lookup, Answer *answer);

/* What was found is not going to be served. */
extern void answer_release(Answer *answer);

/* Step 5 alone; what is found stays as store_lookup says.  found may be NULL. */
extern StoreStatus answer_l1(Lookup *lookup, StoreResult *found);

/*
 * Step 9: store a result that took fill_us to make, if it may be.  payload is
 * NULL if it was too large to keep.  Instead of one in form KEY_FORM_SHADOW a
 * mark is stored.
 */
extern FlightOutcome answer_fill(Lookup *lookup, const char *payload, Size len,
								 int64 fill_us);

/* Count and log what a request came to. */
extern void answer_count_hit(const Lookup *lookup, const Answer *answer);
extern void answer_count_shadow_hit(const Lookup *lookup, const Answer *answer);
extern void answer_count_miss(const Lookup *lookup);
extern void answer_count_bypass(const Lookup *lookup, StatsCounter reason);

#endif							/* CACHE_ANSWER_H */
