/*-------------------------------------------------------------------------
 *
 * flight.h
 *	  Single flight: one execution per key on a server at a time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include "datatype/timestamp.h"
#include "key/key.h"
#include "text/terms.h"

typedef enum FlightRole
{
	FLIGHT_LEADER,				/* execute, then call flight_land */
	FLIGHT_FOLLOWER,			/* another one leads: call flight_wait, or
								 * execute without being waited for */
	FLIGHT_LANDED,				/* waited for the leader: look again */
	FLIGHT_ALONE				/* execute without being waited for */
} FlightRole;

/* How a flight ended, for those who waited. */
typedef enum FlightOutcome
{
	FLIGHT_STORED,				/* the result is in the store */
	FLIGHT_FAILED,				/* no result: another one should try */
	FLIGHT_UNSTORABLE			/* on the same terms, waiting for another try
								 * is pointless */
} FlightOutcome;

/* What finds a flight. */
typedef struct FlightId
{
	uint64		hash;			/* of the key, keyed */
	uint64		check;			/* key_check() of it */
} FlightId;

/*
 * How someone comes to fly; kept from one flight to the next.  Of it, vain has to
 * be zero at first.
 */
typedef struct FlightPass
{
	FlightId	id;
	const Terms *terms;
	int			place;			/* of the flight that is waited for */
	uint32		serial;			/* of that */
	int			vain;			/* leaders that have come to nothing before
								 * this one, as far as is known */
	bool		gave_up;		/* it stopped waiting before there was a
								 * landing */
} FlightPass;

extern Size flight_shmem_size(void);
extern void flight_shmem_init(void);

/* Register the cleanup; called once, as the library is loaded. */
extern void flight_init(void);

/*
 * Lead the execution for a key, or find who does.  terms: those a result has to
 * meet to be stored; they stay while there is a pass.
 */
extern FlightRole flight_join(const CacheKey *key, const Terms *terms,
							  FlightPass *pass);

/*
 * Wait for the leader until deadline at most, or lead in its place once it has
 * led for patience_us (less if it is not the first), or cannot go on.
 */
extern FlightRole flight_wait(FlightPass *pass, TimestampTz deadline,
							  int64 patience_us);

/* The leader is done.  An error, cancel or exit lands it as FLIGHT_FAILED. */
extern void flight_land(FlightOutcome outcome);

/*
 * The microseconds that executions for a key have taken lately, or -1 if none
 * is remembered; and one more execution.  hash: of the key.
 */
extern int64 flight_expected_us(uint64 hash);
extern void flight_note_execution(uint64 hash, int64 us);

extern void flight_verify(void);

#endif							/* CACHE_FLIGHT_H */
