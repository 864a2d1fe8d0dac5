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

typedef enum FlightRole
{
	FLIGHT_LEADER,				/* execute, then call flight_land */
	FLIGHT_LANDED,				/* waited for the leader: look again */
	FLIGHT_ALONE				/* execute without being waited for */
} FlightRole;

/* How a flight ended, for those who waited. */
typedef enum FlightOutcome
{
	FLIGHT_STORED,				/* the result is in the store */
	FLIGHT_FAILED,				/* no result: another one should try */
	FLIGHT_UNSTORABLE			/* waiting for another try is pointless */
} FlightOutcome;

extern Size flight_shmem_size(void);
extern void flight_shmem_init(void);

/* Register the cleanup; called once, as the library is loaded. */
extern void flight_init(void);

/*
 * Lead the execution for a key hash, or wait for whoever does, until deadline
 * at most; a deadline in the past never waits.  *waited is set if it waited,
 * *timed_out if it stopped waiting before the leader was done.  Two keys of
 * one hash wait for each other needlessly and harmlessly.
 */
extern FlightRole flight_join(uint64 hash, TimestampTz deadline, bool *waited,
							  bool *timed_out);

/* The leader is done.  An error, cancel or exit lands it as FLIGHT_FAILED. */
extern void flight_land(FlightOutcome outcome);

extern void flight_verify(void);

#endif							/* CACHE_FLIGHT_H */
