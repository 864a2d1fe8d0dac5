/*-------------------------------------------------------------------------
 *
 * stop.c
 *	  Points where a test can stop a process.
 *
 * The order in which sessions come to do things is chance, and the orders that
 * matter are rare.  A test forces one by stopping a process at a point.  It
 * makes the file cache_stop/NAME.PID in the data directory; the process of that
 * id, when it next comes to the point of that name, renames the file, by adding
 * .reached, and waits until it is gone.  So a file stops once, and what it does
 * not name goes on.  What the file holds, if anything, is SQL that the process
 * then executes: an error at that point, a change, its own end.
 *
 * A stopped process can be canceled and terminated where interrupts are
 * allowed.  It waits by sleeping, without latch or lock, so that a point can be
 * anywhere but under an LWLock or in a critical section.
 *
 * What this file must not do: be in a library that is used.
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

/* Read the start of a file into a buffer, terminated. */
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
 * Stop here if a test wants it.  Errors: those of the SQL in the file, and, if
 * interrupts are allowed, being canceled or terminated.
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
