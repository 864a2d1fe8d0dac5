/*-------------------------------------------------------------------------
 *
 * measure.c
 *	  How long src/text/hint.c takes for a statement, in time of the processor.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "shim.h"
#include "text/hint.h"

/* A query of some 200 bytes. */
#define QUERY \
	"SELECT s.id, s.title, u.name FROM story s JOIN users u ON u.id = s.author_id" \
	" WHERE s.featured AND s.status = 'published' AND s.lang = $1" \
	" ORDER BY s.views DESC, s.id LIMIT 20 OFFSET $2 /*traceparent='00-01'*/"

#define HINTED "/*+ cache(ttl=300, tags=story|featured) */ " QUERY

static void
print_time(const char *what, const char *text, clock_t start, int rounds)
{
	printf("%-14s %6zu bytes %9.0f ns\n", what, strlen(text),
		   (clock() - start) * (1e9 / CLOCKS_PER_SEC) / rounds);
}

static void
measure(const char *text)
{
	int			rounds = (int) (20000000 / strlen(text));
	int			seen = 0;
	clock_t		start;

	start = clock();
	for (int i = 0; i < rounds; i++)
		seen += hint_possible(text, 0, 0);
	print_time("hint_possible", text, start, rounds);

	start = clock();
	for (int i = 0; i < rounds; i++)
	{
		Hint		hint;

		hint_find(text, 0, 0, &hint);
		seen += hint.verdict;
	}
	print_time("hint_find", text, start, rounds);
	shim_forget();

	start = clock();
	for (int i = 0; i < rounds; i++)
	{
		uint32		len;

		hint_strip(text, 0, 0, &len);
		seen += len;
	}
	print_time("hint_strip", text, start, rounds);
	shim_forget();

	/* what was measured was not optimized away */
	if (seen == 0)
		shim_fail("nothing was measured");
}

int
main(void)
{
	char	   *large = shim_alloc(10001);

	for (int len = (int) strlen(strcpy(large, HINTED " UNION ALL "));
		 len < 10000; len = (int) strlen(large))
		snprintf(large + len, 10001 - len, "%s\n\tUNION ALL\n", QUERY);

	measure(QUERY);
	measure(HINTED);
	measure(large);
	free(large);
	return 0;
}
