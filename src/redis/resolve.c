/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  Look up the address of a host, without being held up by it.
 *
 * The C library's look-up waits for name servers as long as it sees fit, and goes on
 * waiting when a signal arrives.  So a child process does it and writes the outcome to
 * a pipe.  The parent waits for the pipe as for any socket, and kills the child if it
 * takes too long, or as the parent is to end or to read its settings anew.
 *
 * The child has a copy of all that the parent has.  Before anything else it lets go of
 * shared memory and of the parent's signal handlers.  It leaves with _exit, and an
 * alarm ends it should the parent be gone.
 *
 * Locks.  The caller holds none.
 *
 * What this file must not do: raise an error itself.  An interrupt may; the child is
 * ended then, too.
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

/* A look-up may take that many seconds. */
#define RESOLVE_TIMEOUT 30

/* What the child has to say.  Small enough for a pipe to take it at once. */
typedef struct ResolveOutcome
{
	int			error;			/* of getaddrinfo, or 0 */
	char		address[RESOLVE_ADDRESS_LENGTH];
} ResolveOutcome;

/*
 * The child: look up, and tell.
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
 * Start the child, with the end of a pipe.  Returns its process id, or -1.
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
 * Wait until the pipe can be read.
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
 * Wait for the child and read its outcome.
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

/* The child is no longer needed. */
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
