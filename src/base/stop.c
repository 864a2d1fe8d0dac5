/*-------------------------------------------------------------------------
 *
 * stop.c
 *	  Points where a test can stop a process.
 *
 * The interleavings of sessions that matter for correctness are rare.  A test
 * forces one by stopping a backend at a named point.
 *
 * The test creates the file cache_stop/NAME.PID in the data directory.  When
 * the process PID next reaches the point NAME, it renames the file to
 * NAME.PID.reached and waits until the test removes it.  So a file stops a
 * process once, and processes and points that no file names are not stopped.
 * If the file is not empty, the process then executes its contents as SQL.
 * With that, a test can cause an error at that point, a change, or the
 * termination of the process.
 *
 * A stopped process can be canceled and terminated where interrupts are
 * allowed.  It waits by sleeping, without a latch or lock, so a stop point can
 * be anywhere except under an LWLock or in a critical section.
 *
 * What this file must not do: be part of a library in production.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/stop.h"

#ifdef CACHE_STOP_POINTS

#include <fcntl.h>
#include <unistd.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#define STOP_POLL_US 2000

/* Read the start of a file into a buffer, and terminate it. */
static void
stop_read(const char *path, char *text, size_t size)
{
	int			fd = open(path, O_RDONLY);
	ssize_t		len = fd >= 0 ? read(fd, text, size - 1) : -1;

	text[Max(len, 0)] = '\0';
	if (fd >= 0)
		close(fd);
}

/*
 * Stop here if a test has asked for it.  Errors: those of the SQL in the file,
 * and cancellation or termination if interrupts are allowed.
 */
void
stop_at(const char *name)
{
	char		path[64];
	char		reached[80];
	char		command[1024];

	snprintf(path, sizeof(path), "cache_stop/%s.%d", name, MyProcPid);
	snprintf(reached, sizeof(reached), "%s.reached", path);
	if (rename(path, reached) != 0)
		return;

	stop_read(reached, command, sizeof(command));
	while (access(reached, F_OK) == 0)
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(STOP_POLL_US);
	}
	if (command[0] == '\0')
		return;

	PushActiveSnapshot(GetTransactionSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(command, false, 0) < 0)
		elog(ERROR, "SPI_execute failed: %s", command);
	SPI_finish();
	PopActiveSnapshot();
	CHECK_FOR_INTERRUPTS();
}

#endif							/* CACHE_STOP_POINTS */
