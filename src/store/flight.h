/*-------------------------------------------------------------------------
 *
 * flight.h
 *	  Single flight: one execution per key at a time, on this server.
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
	FLIGHT_FOLLOWER,			/* another backend leads: call flight_wait, or
								 * execute without being waited for */
	FLIGHT_LANDED,				/* the flight has landed: look up again */
	FLIGHT_ALONE				/* execute without being waited for */
} FlightRole;

/* How a flight ended, for its followers. */
typedef enum FlightOutcome
{
	FLIGHT_STORED,				/* the result is in the store */
	FLIGHT_FAILED,				/* no result: another backend should try */
	FLIGHT_UNSTORABLE			/* not stored, and on the same terms no other
								 * execution would be */
} FlightOutcome;

/* Identifies a flight. */
typedef struct FlightId
{
	uint64		hash;			/* the keyed hash of the key */
	uint64		check;			/* key_check() of the key */
} FlightId;

/*
 * State of a backend that needs a result, kept from one flight to the next.
 * The caller sets vain to zero before the first one.
 */
typedef struct FlightPass
{
	FlightId	id;
	const Terms *terms;
	int			place;			/* of the flight to wait for */
	uint32		serial;			/* of that place when the flight was found */
	int			vain;			/* failed leaders before this one, as far as
								 * known */
	bool		gave_up;		/* stopped waiting before the flight landed */
} FlightPass;

extern Size flight_shmem_size(void);
extern void flight_shmem_init(void);

/* Register the cleanup.  Called once, when the library is loaded. */
extern void flight_init(void);

/*
 * Become the leader of the execution for a key, or find its flight.  terms are
 * those that a result must meet to be stored.  They must stay valid as long as
 * the pass.
 */
extern FlightRole flight_join(const CacheKey *key, const Terms *terms,
							  FlightPass *pass);

/*
 * Wait for the flight to land, until deadline at most.  Returns FLIGHT_LEADER
 * if this backend has taken over, because the leader has led for patience_us
 * (less if others have failed before it) or is stuck.
 */
extern FlightRole flight_wait(FlightPass *pass, TimestampTz deadline,
							  int64 patience_us);

/*
 * Land the flight that this backend leads.  After an error, cancellation or
 * exit the flight lands as FLIGHT_FAILED without this call.
 */
extern void flight_land(FlightOutcome outcome);

/*
 * flight_expected_us returns how many microseconds executions for a key have
 * taken recently, or -1 if that is not known.  flight_note_execution reports
 * one more execution.  hash is that of the key.
 */
extern int64 flight_expected_us(uint64 hash);
extern void flight_note_execution(uint64 hash, int64 us);

extern void flight_verify(void);

#endif							/* CACHE_FLIGHT_H */
