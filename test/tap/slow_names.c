/*
 * slow_names.c
 *	  A look-up of the host slow.example takes ten minutes, whatever the signals, as
 *	  if name servers did not answer.  Other look-ups are as ever.  To be preloaded.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
			struct addrinfo **list)
{
	int			(*next) (const char *, const char *, const struct addrinfo *,
						 struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
	time_t		start = time(NULL);

	if (node == NULL || strcmp(node, "slow.example") != 0)
		return next(node, service, hints, list);
	/* the test waits for this file */
	close(open(getenv("SLOW_NAMES_ASKED"), O_CREAT | O_WRONLY, 0600));
	while (time(NULL) < start + 600)
		sleep(600);
	return EAI_AGAIN;
}
