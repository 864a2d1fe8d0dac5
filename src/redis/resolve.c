/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  Resolve a host name without being blocked by it.
 *
 * getaddrinfo waits for name servers as long as it likes, and continues to
 * wait when a signal arrives.  So a child process calls it and writes the
 * outcome to a pipe.  The parent waits for the pipe as it does for any socket.
 * It kills the child if the look-up takes too long, and when the parent has to
 * shut down or to reload its settings.
 *
 * The child starts with a copy of all that the parent has.  Before it does
 * anything else, it detaches from shared memory and resets the parent's signal
 * handlers.  It exits with _exit, so no exit callback of the parent runs.  An
 * alarm kills it if the parent is gone.
 *
 * Locks.  The caller holds none.
 *
 * What this file must not do: raise an error, except when an interrupt is
 * handled.  The child is killed in that case, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "postmaster/fork_process.h"
#include "postmaster/interrupt.h"
#include "redis/resolve.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "storage/pg_shmem.h"
#include "utils/wait_event.h"

/* Maximum duration of a look-up, in seconds. */
#define RESOLVE_TIMEOUT 30

/*
 * What the child reports.  It is small enough to be written to a pipe without
 * blocking.
 */
typedef struct ResolveOutcome
{
	int			error;			/* from getaddrinfo or getnameinfo, or 0 */
	char		address[RESOLVE_ADDRESS_LENGTH];
} ResolveOutcome;

/*
 * The child: resolve the host and report the outcome.
 */
static void
resolve_child(const char *host, unsigned int which, int fd)
{
	struct addrinfo hints = {0};
	struct addrinfo *list = NULL;
	ResolveOutcome outcome = {0};

	hints.ai_socktype = SOCK_STREAM;
	outcome.error = getaddrinfo(host, NULL, &hints, &list);
	if (outcome.error == 0)
	{
		struct addrinfo *chosen;
		unsigned int n = 0;

		for (chosen = list; chosen != NULL; chosen = chosen->ai_next)
			n++;
		n = which % n;
		for (chosen = list; n > 0; chosen = chosen->ai_next)
			n--;
		outcome.error = getnameinfo(chosen->ai_addr, chosen->ai_addrlen,
									outcome.address, sizeof(outcome.address),
									NULL, 0, NI_NUMERICHOST);
	}
	(void) !write(fd, &outcome, sizeof(outcome));
}

/*
 * Start the child, which writes to the pipe.  Returns its process id, or -1.
 */
static pid_t
resolve_start(const char *host, unsigned int which, const int *ends)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE
	};
	sigset_t	before;
	pid_t		pid;

	sigprocmask(SIG_BLOCK, &BlockSig, &before);
	pid = fork_process();
	if (pid == 0)
	{
		PGSharedMemoryDetach();
		for (int i = 0; i < (int) lengthof(signals); i++)
			pqsignal(signals[i], SIG_DFL);
		sigemptyset(&before);
		sigprocmask(SIG_SETMASK, &before, NULL);
		alarm(RESOLVE_TIMEOUT);
		close(ends[0]);
		resolve_child(host, which, ends[1]);
		_exit(0);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/*
 * Wait until the pipe can be read.  Returns what went wrong, or NULL.
 */
static const char *
resolve_wait(int fd)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	for (;;)
	{
		instr_time	elapsed;
		long		left;
		int			events;

		if (ShutdownRequestPending)
			return "shutting down";
		if (ConfigReloadPending)
			return "settings have changed";
		INSTR_TIME_SET_CURRENT(elapsed);
		INSTR_TIME_SUBTRACT(elapsed, start);
		left = RESOLVE_TIMEOUT * 1000L - (long) INSTR_TIME_GET_MILLISEC(elapsed);
		if (left <= 0)
			return "looking up the host timed out";
		events = WaitLatchOrSocket(MyLatch,
								   WL_LATCH_SET | WL_TIMEOUT |
								   WL_EXIT_ON_PM_DEATH | WL_SOCKET_READABLE,
								   fd, left, PG_WAIT_EXTENSION);
		if (events & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
		if (events & WL_SOCKET_READABLE)
			return NULL;
	}
}

/*
 * Wait for the child and read its report.  Returns what went wrong, or NULL.
 */
static const char *
resolve_read(int fd, char *address)
{
	const char *problem = resolve_wait(fd);
	ResolveOutcome outcome;

	if (problem != NULL)
		return problem;
	if (read(fd, &outcome, sizeof(outcome)) != sizeof(outcome))
		return "looking up the host failed";
	if (outcome.error != 0)
		return gai_strerror(outcome.error);
	strlcpy(address, outcome.address, RESOLVE_ADDRESS_LENGTH);
	return NULL;
}

/* Kill the child if it still runs, and reap it. */
static void
resolve_end(pid_t pid)
{
	(void) kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

const char *
resolve_host(const char *host, unsigned int which, char *address)
{
	const char *volatile problem = NULL;
	int			ends[2];
	pid_t		pid;

	if (!AcquireExternalFD())
		return "too many open files";
	if (pipe(ends) != 0)
	{
		ReleaseExternalFD();
		return "too many open files";
	}
	pid = resolve_start(host, which, ends);
	close(ends[1]);
	PG_TRY();
	{
		problem = pid < 0 ? "could not start a process to look up the host" :
			resolve_read(ends[0], address);
	}
	PG_FINALLY();
	{
		if (pid > 0)
			resolve_end(pid);
		close(ends[0]);
		ReleaseExternalFD();
	}
	PG_END_TRY();
	return problem;
}
