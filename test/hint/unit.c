/*-------------------------------------------------------------------------
 *
 * unit.c
 *	  Tests of src/text/hint.c: what is known of single statements, and what must
 *	  hold for any text.
 *
 * Every text is copied into memory of just its size, so that a sanitizer
 * notices who reads beyond it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "babble.h"
#include "base/compat.h"
#include "parser/parser.h"
#include "shim.h"
#include "text/hint.h"
#include "text/tags.h"

#define ROUNDS 20000

/* check(what must hold) */
#define check(condition) \
	((condition) ? (void) 0 : fail(#condition))

/* The text that is looked at, for messages. */
static const char *subject;

static void fail(const char *message) __attribute__((noreturn));

static void
fail(const char *message)
{
	fprintf(stderr, "failed: %s\nfor: %s\n", message, subject);
	exit(1);
}

static void
expect(const char *found, const char *expected)
{
	if (strcmp(found, expected) == 0)
		return;
	fprintf(stderr, "failed:   %s\nfound:    %s\nexpected: %s\n", subject, found,
			expected);
	exit(1);
}

/* Text in memory of just its size. */
static char *
copy(const char *text)
{
	size_t		size = strlen(text) + 1;

	return memcpy(palloc(size), text, size);
}

/* Texts one after the other. */
static char *
join(const char *a, const char *b, const char *c)
{
	char	   *joined = palloc(strlen(a) + strlen(b) + strlen(c) + 1);

	strcpy(joined, a);
	strcat(joined, b);
	return strcat(joined, c);
}

/* What a hint says, in words. */
static char *
describe(const Hint *hint)
{
	static char text[4096];
	int			len = 0;

	switch (hint->verdict)
	{
		case HINT_NONE:
			return "none";
		case HINT_NOCACHE:
			return "nocache";
		case HINT_MALFORMED:
			snprintf(text, sizeof(text), "%s, at %d", hint->problem,
					 hint->position);
			return text;
		case HINT_CACHE:
			len = snprintf(text, sizeof(text), "cache");
			if (hint->terms.ttl != 0)
				len += snprintf(text + len, sizeof(text) - len, " ttl=%d",
								hint->terms.ttl);
			if (hint->terms.tags != NULL)
			{
				const char *end = hint->terms.tags + hint->terms.tags_len;

				len += snprintf(text + len, sizeof(text) - len, " tags");
				for (const char *tag = hint->terms.tags; tag < end; tag += strlen(tag) + 1)
					len += snprintf(text + len, sizeof(text) - len, "%c%s",
									tag == hint->terms.tags ? '=' : '|', tag);
			}
			if (hint->policy != NULL)
				len += snprintf(text + len, sizeof(text) - len, " policy=%s",
								hint->policy);
			return text;
	}
	return "";
}

static HintVerdict
find(const char *text, int location, int len, Hint *hint)
{
	memset(hint, 0x7f, sizeof(*hint));
	hint_find(text, location, len, hint);
	check(hint_possible(text, location, len) || hint->verdict == HINT_NONE);
	check((hint->terms.tags != NULL) == (hint->terms.tags_len > 0));
	check((hint->problem != NULL) == (hint->verdict == HINT_MALFORMED));
	if (hint->verdict != HINT_CACHE)
		check(hint->terms.ttl == 0 && hint->terms.tags == NULL && hint->policy == NULL);
	if (hint->verdict == HINT_MALFORMED)
		check(hint->position >= Max(location, 0) &&
			  hint->position <= (int) strlen(text));
	else
		check(hint->position == 0);
	return hint->verdict;
}

static HintVerdict
verdict(const char *text)
{
	Hint		hint;

	return find(copy(text), 0, 0, &hint);
}

static char *
strip(const char *text)
{
	uint32		len;
	char	   *stripped = hint_strip(copy(text), 0, 0, &len);

	check(len == strlen(stripped));
	check(len <= strlen(text));
	return stripped;
}

/* Texts and what comes of them. */
typedef struct Example
{
	const char *text;
	const char *expected;
} Example;

static void
found(const Example *examples, int n)
{
	Hint		hint;

	for (int i = 0; i < n; i++)
	{
		char	   *text = copy(examples[i].text);

		subject = text;
		find(text, 0, 0, &hint);
		expect(describe(&hint), examples[i].expected);
		find(text, -1, 7, &hint);
		expect(describe(&hint), examples[i].expected);

		/* what stands before and behind a statement is not its own */
		if (hint.verdict != HINT_MALFORMED && *text != '\0')
		{
			find(join("/*+ nocache */;'", text, "*/ ' /*+ nocache */"), 16,
				 (int) strlen(text), &hint);
			expect(describe(&hint), examples[i].expected);
		}
		shim_forget();
	}
}

static void
stripped(const Example *examples, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *text = examples[i].text;

		subject = text;
		expect(strip(text), examples[i].expected);
		expect(strip(examples[i].expected), examples[i].expected);
		if (*text != '\0')
		{
			uint32		len;

			expect(hint_strip(join("x ", text, " y"), 2, (int) strlen(text), &len),
				   examples[i].expected);
		}
		shim_forget();
	}
}

#define TTL "ttl must be a positive number of seconds, at "
#define CLOSE "a comma or closing parenthesis is expected, at "
#define OPTION "ttl, tags or policy is expected, at "

static void
test_hints(void)
{
	static const Example examples[] = {
		{"", "none"},
		{"SELECT 1", "none"},
		{"/*+ cache */ SELECT 1", "cache"},
		{"SELECT 1 /*+ cache */", "cache"},
		{"SELECT /*+cache*/ 1", "cache"},
		{"SELECT 1/*+ Cache\n*/;", "cache"},
		{"/*+ cache() */", "cache"},
		{"/*+ cache (\n) */", "cache"},
		{"/*+ cache(ttl=300, tags=story|featured) */",
		"cache ttl=300 tags=featured|story"},
		{"/*+\n\tCACHE\n(\nTTL\n=\n5\n,\nTags = b | a|b )\n*/", "cache ttl=5 tags=a|b"},
		{"/*+ cache(policy=trending) */", "cache policy=trending"},
		{"/*+ cache(policy=\"Odd \"\"one\"\"\", ttl=\"007\") */",
		"cache ttl=7 policy=Odd \"one\""},
		{"/*+ cache(tags=\"a b\"|\"c|(,=)\"|\"\"\"\") */", "cache tags=\"|a b|c|(,=)"},
		{"/*+ cache(tags=user:42|a/b|*|\303\244'\\) */", "cache tags=*|a/b|user:42|\303\244'\\"},
		{"/*+ cache(ttl=2147483647) */", "cache ttl=2147483647"},
		{"/*+ nocache */", "nocache"},
		{"/*+ NoCache */ SELECT 1", "nocache"},
		{"/*+ nocache(t) */", "nocache"},
		{"/*+ cache nocache */", "nocache"},
		{"/*+ nocache cache(ttl= */", "nocache"},
		{"/*+ cache(ttl=5) */ SELECT 1 /*+ nocache */", "nocache"},
		{"/*+ nocache */ SELECT 1 /*+ cache(ttl=5) */", "nocache"},
		{"/*+ cache(ttl=x, nocache) nocache */", "nocache"},
		{"/*+ cache cache nocache */", "nocache"},
	};

	found(examples, lengthof(examples));
	printf("ok - hints are found wherever a comment may be\n");
}

static void
test_malformed(void)
{
	static const Example examples[] = {
		{"/*+ cache(x) */", OPTION "10"},
		{"/*+ cache(t idx) */", OPTION "10"},
		{"/*+ cache(cost=5) */", OPTION "10"},
		{"/*+ cache(ttl2=5) */", OPTION "10"},
		{"/*+ cache(tt=5) */", OPTION "10"},
		{"/*+ cache(\"ttl\"=5) */", OPTION "10"},
		{"/*+ cache(ttl=5,) */", OPTION "16"},
		{"/*+ cache(,ttl=5) */", OPTION "10"},
		{"/*+ cache( */", OPTION "11"},
		{"/*+ cache(*/", OPTION "10"},
		{"/*+ cache(ttl=5 */", CLOSE "16"},
		{"/*+ cache(ttl=5 nocache */", CLOSE "16"},
		{"/*+ cache(ttl=5 ttl=6) */", CLOSE "16"},
		{"/*+ cache(ttl=5|6) */", CLOSE "15"},
		{"/*+ cache(ttl=5=6) */", CLOSE "15"},
		{"/*+ cache(tags=\"a\"b) */", CLOSE "18"},
		{"/*+ cache(tags=a(b)) */", CLOSE "16"},
		{"/*+ cache(policy=a|b) */", CLOSE "18"},
		{"/*+ cache(ttl) */", "= is expected after the name of an option, at 13"},
		{"/*+ cache(ttl 5) */", "= is expected after the name of an option, at 14"},
		{"/*+ cache(ttl=5, TTL=5) */", "an option is given twice, at 17"},
		{"/*+ cache(tags=a, tags=b) */", "an option is given twice, at 18"},
		{"/*+ cache(policy=a,policy=a) */", "an option is given twice, at 19"},
		{"/*+ cache(ttl=) */", TTL "14"},
		{"/*+ cache(ttl=0) */", TTL "14"},
		{"/*+ cache(ttl=-5) */", TTL "14"},
		{"/*+ cache(ttl=+5) */", TTL "14"},
		{"/*+ cache(ttl=5s) */", TTL "14"},
		{"/*+ cache(ttl=1.5) */", TTL "14"},
		{"/*+ cache(ttl=\"\") */", TTL "14"},
		{"/*+ cache(ttl=2147483648) */", "ttl is too large, at 14"},
		{"/*+ cache(ttl=99999999999999999999999999) */", "ttl is too large, at 14"},
		{"/*+ cache(tags=) */", "a tag must not be empty, at 15"},
		{"/*+ cache(tags= ) */", "a tag must not be empty, at 16"},
		{"/*+ cache(tags=a|) */", "a tag must not be empty, at 17"},
		{"/*+ cache(tags=|a) */", "a tag must not be empty, at 15"},
		{"/*+ cache(tags=a||b) */", "a tag must not be empty, at 17"},
		{"/*+ cache(tags=a|\"\") */", "a tag must not be empty, at 17"},
		{"/*+ cache(policy=) */", "policy must not be empty, at 17"},
		{"/*+ cache(policy=\"\") */", "policy must not be empty, at 17"},
		{"/*+ cache(tags=\"a) */", "a quote is not closed, at 15"},
		{"/*+ cache(tags=a|\"b\"\") */", "a quote is not closed, at 17"},
		{"/*+ cache=on */", "cache and nocache take no value, at 9"},
		{"/*+ nocache = off */", "cache and nocache take no value, at 12"},
		{"/*+ cache cache */", "cache is given twice, at 10"},
		{"/*+ cache(ttl=5) cache(ttl=5) */", "cache is given twice, at 17"},
		{"/*+ cache */ SELECT 1 /*+ cache */", "cache is given twice, at 26"},
		{"/*+ cache(ttl=x) cache(y) */ /*+ cache */", TTL "14"},
	};

	found(examples, lengthof(examples));
	printf("ok - what is malformed is told, and where\n");
}

static void
test_others(void)
{
	static const Example examples[] = {
		{"/*+ SeqScan(t) cache(ttl=5) Leading((a b)) */", "cache ttl=5"},
		{"/*+ SeqScan(t)cache(ttl=5)Leading((a b)) */", "cache ttl=5"},
		{"/*+ SeqScan (cache) Set(x nocache) */", "none"},
		{"/*+ Rows(a b #10) Set(random_page_cost 2.0) cache */", "cache"},
		{"/*+ IndexScan(t \")\" nocache) cache */", "cache"},
		{"/*+ IndexScan(\"nocache */", "none"},
		{"/*+ Leading((a nocache) */", "none"},
		{"/*+ \"nocache\" \"cache\"\"\" */", "none"},
		{"/*+ ) cache ) */", "cache"},
		{"/*+ append, cache, parallel */", "cache"},
		{"/*+ cached cache2 cache_ my.cache nocaches a:nocache */", "none"},
		{"/*+ mode=nocache x = nocache y|nocache */", "none"},
		{"/*+ = cache */", "cache"},
		{"/*+ SeqScan(t) */ SELECT 1 /*+ cache */", "cache"},
		{"/*+ cache */ SELECT 1 /*+ SeqScan(t) */", "cache"},
		{"/*+*/ /*++*/ /*+ */", "none"},
		{"/*+ no cache */", "cache"},
		{"/*+ cache /* nocache */ */", "cache"},
		{"/*+ cache(/*x*/ttl/*=*/=/*(*/5/**/) */", "cache ttl=5"},
		{"/*+ cache/* */(ttl=5) */", "cache ttl=5"},
		{"/*+ SeqScan(t /* ) nocache */) */", "none"},
		{"/*+ no/**/cache */", "cache"},
	};

	found(examples, lengthof(examples));
	printf("ok - hints of others are skipped\n");
}

/* What scan.l says is no comment, or not one with a hint. */
static void
test_not_comments(void)
{
	static const Example examples[] = {
		{"/* cache */", "none"},
		{"/* + nocache */", "none"},
		{"/**+ nocache */", "none"},
		{"/*/*+ nocache */*/", "none"},
		{"/* /* */ /*+ nocache */ */", "none"},
		{"/*/*/*/ nocache */ */ /*+ cache */", "none"},
		{"/*/**//*+ nocache */*/ /*+ cache */", "cache"},
		{"/***/ /*+ cache */", "cache"},
		{"/*+ nocache", "none"},
		{"/*+ nocache *", "none"},
		{"/*+ nocache /* */", "none"},
		{"/*+/", "none"},
		{"-- /*+ nocache */", "none"},
		{"--/*+ nocache */\n/*+ cache */", "cache"},
		{"--/*+ nocache */\r/*+ cache */", "cache"},
		{"-- /*\n/*+ cache */", "cache"},
		{"/* -- */ /*+ cache */", "cache"},
		{"- - /*+ cache */", "cache"},
		{"SELECT 1 --/*+ nocache */", "none"},
		{"+--/*+ nocache */", "none"},
		{"SELECT a<-/*+ cache */1", "cache"},
		{"SELECT a*/*+ cache */1", "cache"},
		{"SELECT 4//*+ cache */2", "cache"},
		{"SELECT ' /*+ nocache */ '", "none"},
		{"SELECT ''' /*+ nocache */ '", "none"},
		{"SELECT '' /*+ cache */ ''", "cache"},
		{"SELECT '\\' /*+ cache */", "cache"},
		{"SELECT '\\\\' /*+ cache */", "cache"},
		{"SELECT E'\\' /*+ nocache */ '", "none"},
		{"SELECT e'\\\\' /*+ cache */", "cache"},
		{"SELECT e'\\\\\\' /*+ nocache */ '", "none"},
		{"SELECT e''' /*+ nocache */ '", "none"},
		{"SELECT ae'\\' /*+ cache */", "cache"},
		{"SELECT e1'\\' /*+ cache */", "cache"},
		{"SELECT 1 e'\\' /*+ nocache */'", "none"},
		{"SELECT $$$$e'\\' /*+ nocache */'", "none"},
		{"SELECT \"\"e'\\' /*+ nocache */'", "none"},
		{"SELECT U&'\\' /*+ cache */", "cache"},
		{"SELECT U&'''/*+ nocache */'", "none"},
		{"SELECT u&\"\"\"/*+ nocache */\"", "none"},
		{"SELECT u&/*+ cache */'", "cache"},
		{"SELECT N'/*+ nocache */'", "none"},
		{"SELECT n'\\' /*+ cache */", "cache"},
		{"SELECT B'/*+ nocache */', X'/*+ nocache */'", "none"},
		{"SELECT B'0''/*+ nocache */'", "none"},
		{"SELECT B'0\\' /*+ cache */", "cache"},
		{"SELECT 'a'\n'/*+ nocache */'", "none"},
		{"SELECT e'a'\n'\\' /*+ nocache */'", "none"},
		{"SELECT e'a' '\\' /*+ cache */", "cache"},
		{"SELECT e'a' -- '\n --'\n '\\' /*+ nocache */'", "none"},
		{"SELECT e'a' /* */\n '\\' /*+ cache */", "cache"},
		{"SELECT e'a'\n/* */ '\\' /*+ cache */", "cache"},
		{"SELECT e'a'\r\n'\\' /*+ nocache */'", "none"},
		{"SELECT e'a'\r'\\' /*+ nocache */'", "none"},
		{"SELECT e'a' - -\n '\\' /*+ cache */", "cache"},
		{"SELECT X'0'\n'/*+ nocache */'", "none"},
		{"SELECT '/*+ nocache */", "none"},
		{"SELECT \"/*+ nocache */\"", "none"},
		{"SELECT \"\"\"/*+ nocache */\"", "none"},
		{"SELECT \"a'\" /*+ cache */", "cache"},
		{"SELECT \"\\\" /*+ cache */", "cache"},
		{"SELECT \"/*+ nocache */", "none"},
		{"SELECT $$ /*+ nocache */ $$", "none"},
		{"SELECT $$ ' $$ /*+ cache */", "cache"},
		{"SELECT $a$ $$ /*+ nocache */ $a $ $b$ $a$ /*+ cache */", "cache"},
		{"SELECT $a$ $a$a$ /*+ nocache */", "nocache"},
		{"SELECT $a$ $b$a$ /*+ cache */", "cache"},
		{"SELECT $a$ $A$ /*+ nocache */", "none"},
		{"SELECT $$$ /*+ nocache */ $$", "none"},
		{"SELECT $\303\244_1$ /*+ nocache */ $\303\244_1$", "none"},
		{"SELECT $1$ /*+ nocache */ $1$", "nocache"},
		{"SELECT $1$$ /*+ nocache */ $$", "none"},
		{"SELECT $1 /*+ cache */, $2", "cache"},
		{"SELECT a$$ /*+ cache */, b$$", "cache"},
		{"SELECT a$b$ /*+ cache */, c$b$", "cache"},
		{"SELECT \303\244$$ /*+ cache */, b$$", "cache"},
		{"SELECT _$$ /*+ cache */, b$$", "cache"},
		{"SELECT 1$$ /*+ nocache */ $$", "none"},
		{"SELECT $ /*+ cache */ $", "cache"},
		{"SELECT $a /*+ cache */ $a", "cache"},
		{"SELECT $$ /*+ nocache */ $", "none"},
		{"SELECT $$/*+ nocache */", "none"},
		{"SELECT 1; /*+ cache */", "cache"},
	};
	static const Example nonconforming[] = {
		{"SELECT '\\' /*+ nocache */ '", "none"},
		{"SELECT '\\\\' /*+ cache */", "cache"},
		{"SELECT 'a'\n'\\' /*+ nocache */'", "none"},
		{"SELECT N'\\' /*+ nocache */'", "none"},
		{"SELECT B'0\\' /*+ cache */", "cache"},
		{"SELECT B'0''\\' /*+ nocache */'", "none"},
		{"SELECT $$\\$$ /*+ cache */", "cache"},
		{"SELECT \"\\\" /*+ cache */", "cache"},
	};

	found(examples, lengthof(examples));
	standard_conforming_strings = false;
	found(nonconforming, lengthof(nonconforming));
	standard_conforming_strings = true;
	printf("ok - what is quoted or nested is no hint\n");
}

static void
test_strip(void)
{
	static const Example examples[] = {
		{"", ""},
		{" \n", ""},
		{";", ""},
		{"/* */ ; -- x", ""},
		{"SELECT 1", "SELECT 1"},
		{"\n SELECT\t\r\n\f 1 ; /* */ ;\n", "SELECT 1"},
		{"/* a */SELECT/**/1/* b */", "SELECT 1"},
		{"/*+ cache(ttl=5) */ SELECT 1 -- c", "SELECT 1"},
		{"SELECT 1\n/*traceparent='00-ab-cd-01'*/", "SELECT 1"},
		{"SELECT 1 -- a\n+ 2 -- b\r, 3", "SELECT 1 + 2 , 3"},
		{"SELECT 1; SELECT 2;", "SELECT 1; SELECT 2"},
		{";;SELECT 1", ";;SELECT 1"},
		{"SELECT - -1, -/**/-1, -\n-1", "SELECT - -1, - -1, - -1"},
		{"SELECT a/**/.b", "SELECT a .b"},
		{"SELECT 4//* */2", "SELECT 4/ 2"},
		{"SELECT @/*x*/-1", "SELECT @ -1"},
		{"SELECT 'a  b', \" -- \", $$ /* */ $$", "SELECT 'a  b', \" -- \", $$ /* */ $$"},
		{"SELECT 'a;' ;", "SELECT 'a;'"},
		{"SELECT 'a' 'b'", "SELECT 'a' 'b'"},
		{"SELECT 'a'\n'b'", "SELECT 'a'\n'b'"},
		{"SELECT 'a'  --  c\n  'b'", "SELECT 'a'  --  c\n  'b'"},
		{"SELECT 'a' /* */\n 'b'", "SELECT 'a' 'b'"},
		{"SELECT 'a'\n/* */ 'b'", "SELECT 'a' 'b'"},
		{"SELECT 'a'\n\"b\"", "SELECT 'a' \"b\""},
		{"SELECT 'a'\nE'b'", "SELECT 'a' E'b'"},
		{"SELECT E'a'\n'\\'  '", "SELECT E'a'\n'\\'  '"},
		{"SELECT E 'a'", "SELECT E 'a'"},
		{"SELECT U& 'a'", "SELECT U& 'a'"},
		{"SELECT U&'a'  UESCAPE\n'!'", "SELECT U&'a' UESCAPE '!'"},
		{"SELECT a  $$b$$", "SELECT a $$b$$"},
		{"SELECT 1.  .5", "SELECT 1. .5"},
		{"SELECT 'a  ;", "SELECT 'a  ;"},
		{"SELECT  1  /*  ;", "SELECT 1 /*  ;"},
		{"SELECT  $a$  ;  ", "SELECT $a$  ;  "},
		{"SELECT 1\v, 2", COMPAT_VERTICAL_TAB_IS_SPACE ? "SELECT 1 , 2" : "SELECT 1\v, 2"},
		{"SELECT 1\302\240, 2", "SELECT 1\302\240, 2"},
	};

	stripped(examples, lengthof(examples));
	printf("ok - stripping leaves tokens and quoted text as they are\n");
}

/* Slices that do not end within the string, and comments cut by them. */
static void
test_slices(void)
{
	static const char text[] = "SELECT 1; /*+ cache */";
	uint32		len;
	Hint		hint;

	subject = text;
	check(find(text, 9, 0, &hint) == HINT_CACHE);
	check(find(text, 9, 13, &hint) == HINT_CACHE);
	check(find(text, 9, 12, &hint) == HINT_NONE);
	check(find(text, 9, 1000000, &hint) == HINT_CACHE);
	check(find(text, 9, PG_INT32_MAX, &hint) == HINT_CACHE);
	check(find(text, 11, 0, &hint) == HINT_NONE);
	check(find(text, 0, 8, &hint) == HINT_NONE);
	check(find(text, -1, 8, &hint) == HINT_CACHE);
	check(find(text, 22, 0, &hint) == HINT_NONE);
	check(find(text, 22, PG_INT32_MAX, &hint) == HINT_NONE);
	check(!hint_possible(text, 0, 9));
	check(!hint_possible(text, 0, 12));
	check(hint_possible(text, 0, 13));
	check(!hint_possible(text, 11, 0));
	check(!hint_possible("+ */ *+ /+ /*", 0, 0));
	check(strcmp(hint_strip(text, 9, 0, &len), "") == 0 && len == 0);
	check(strcmp(hint_strip(text, 22, 5, &len), "") == 0 && len == 0);
	check(strcmp(hint_strip(text, 0, 8, &len), "SELECT 1") == 0 && len == 8);
	shim_forget();
	printf("ok - only the slice of a statement is looked at\n");
}

/*
 * Nothing before the statement is read: with thousands of statements in one
 * string, that would be most of the work.
 */
static void
test_far_slices(void)
{
	static const char statement[] = "SELECT 1 /*+ cache */; SELECT 2";
	int			before = (int) sysconf(_SC_PAGESIZE);
	char	   *text = mmap(NULL, 2 * before, PROT_READ | PROT_WRITE,
							MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32		len;
	Hint		hint;

	subject = statement;
	check(text != MAP_FAILED);
	memcpy(text + before, statement, sizeof(statement));
	check(mprotect(text, before, PROT_NONE) == 0);
	check(find(text, before, 21, &hint) == HINT_CACHE);
	check(find(text, before + 22, 0, &hint) == HINT_NONE);
	check(strcmp(hint_strip(text, before, 21, &len), "SELECT 1") == 0);
	check(munmap(text, 2 * before) == 0);
	shim_forget();
	printf("ok - what is before a statement is not read\n");
}

/* A statement that is said to begin at its first token. */
static void
reach(const char *text, const char *token, int len, int want_start, int want_len)
{
	int			location = (int) (strstr(text, token) - text);

	subject = text;
	hint_reach_back(text, &location, &len);
	check(location == want_start && len == want_len);
}

static void
test_reach_back(void)
{
	reach("/*+ cache */ SELECT 1", "SELECT", 0, 0, 0);
	reach("/*+ cache */ SELECT 1;", "SELECT", 8, 0, 21);
	reach("SELECT 0;/*+ cache */ SELECT 1", "SELECT 1", 8, 9, 21);
	reach("SELECT ';'; -- ;\n/*+ a ; */ SELECT 1", "SELECT 1", 8, 11, 25);
	reach("SELECT $$;/*+ cache */ $$; SELECT 1", "SELECT 1", 8, 26, 9);
	/* nothing to be had */
	reach("SELECT 0; SELECT 1", "SELECT 1", 8, 10, 8);
	reach("SELECT 0 /* cache */; SELECT 1", "SELECT 1", 8, 22, 8);
	reach("SELECT 1", "SELECT", 0, 0, 0);
	printf("ok - a statement reaches back to the end of the one before\n");
}

/* As many tags as a result may carry, and one more. */
static void
test_many_tags(void)
{
	char		text[TAGS_MAX * 8 + 100];
	int			len = snprintf(text, sizeof(text), "/*+ cache(tags=t0");
	Hint		hint;

	for (int i = 1; i < TAGS_MAX; i++)
		len += snprintf(text + len, sizeof(text) - len, "|t%d", i);
	subject = text;
	snprintf(text + len, sizeof(text) - len, ") */");
	check(find(text, 0, 0, &hint) == HINT_CACHE);
	snprintf(text + len, sizeof(text) - len, "|x) */");
	check(find(text, 0, 0, &hint) == HINT_MALFORMED);
	check(strcmp(hint.problem, "there are too many tags") == 0);
	check(hint.position == len + 1);
	shim_forget();
	printf("ok - there may be %d tags\n", TAGS_MAX);
}

/* Put text between quotes, with what is special in it escaped. */
static char *
quoted(const char *open, const char *text, const char *special,
	   const char *close)
{
	char	   *result = palloc(strlen(open) + 2 * strlen(text) + strlen(close) + 1);
	char	   *next = result + strlen(open);

	strcpy(result, open);
	for (; *text != '\0'; text++)
	{
		if (strchr(special, *text) != NULL)
			*next++ = *text;
		*next++ = *text;
	}
	strcpy(next, close);
	return result;
}

/* A text that is all quoted: no hints, and nothing to strip. */
static void
check_quoted(const char *text)
{
	subject = text;
	check(verdict(text) == HINT_NONE);
	expect(strip(text), text);
	check(verdict(join("/*+ cache */", text, "/*+ nocache */")) == HINT_NOCACHE);
}

/* What must hold for any text. */
static void
check_text(const char *text, const char *around)
{
	char	   *bare = strip(text);
	char	   *longer;
	Hint		hint;
	Hint		same;

	subject = text;
	expect(strip(bare), bare);
	check(verdict(bare) == HINT_NONE);

	/* comments before and, where nothing is open, behind make no difference */
	expect(strip(join("/* /* ' */ $$ */", text, "")), bare);
	expect(strip(join(" -- /* ' \n", text, "")), bare);
	check(verdict(join("/*+ nocache */", text, "")) == HINT_NOCACHE);
	longer = join(text, "\n/*+ nocache */", "");
	if (verdict(text) != HINT_NOCACHE && verdict(longer) == HINT_NOCACHE)
	{
		expect(strip(longer), bare);
		expect(strip(join(bare, " ; /* x */ -- y", "")), bare);
	}

	/* nor does what stands around a slice */
	find(copy(text), 0, 0, &hint);
	if (*text != '\0')
	{
		uint32		len;
		char	   *whole = join(around, text, around);

		find(whole, (int) strlen(around), (int) strlen(text), &same);
		hint.position += hint.verdict == HINT_MALFORMED ? (int) strlen(around) : 0;
		check(strcmp(strcpy(palloc(4096), describe(&hint)), describe(&same)) == 0);
		expect(hint_strip(whole, (int) strlen(around), (int) strlen(text), &len), bare);
	}
}

static void
test_any_text(void)
{
	uint64		state = 1;
	char		text[BABBLE_MAX];
	char		around[BABBLE_MAX];
	long		verdicts[HINT_MALFORMED + 1] = {0};

	for (int round = 0; round < ROUNDS; round++)
	{
		babble(&state, 20, text);
		babble(&state, 3, around);

		standard_conforming_strings = true;
		verdicts[verdict(text)]++;
		check_text(text, around);
		check_quoted(quoted("'", text, "'", "'"));
		check_quoted(quoted("u&'", text, "'", "'"));
		check_quoted(quoted("E'", text, "'\\", "'"));
		check_quoted(quoted("\"", text, "\"", "\""));
		if (strstr(text, "$c") == NULL)
			check_quoted(quoted("$c$", text, "", "$c$"));
		if (strpbrk(text, "\n\r") == NULL)
			check(verdict(join("--", text, "")) == HINT_NONE);

		/* a hint of our own around random text, too */
		check_text(join("/*+ cache(", text, ")*/"), around);

		standard_conforming_strings = false;
		check_text(text, around);
		check_quoted(quoted("'", text, "'\\", "'"));
		standard_conforming_strings = true;
		shim_forget();
	}

	/* the texts were such as to say something */
	for (int i = 0; i <= HINT_MALFORMED; i++)
		check(verdicts[i] > ROUNDS / 1000);
	printf("ok - %d random texts: no hints in quotes, stripping is final\n", ROUNDS);
}

int
main(void)
{
	test_hints();
	test_malformed();
	test_others();
	test_not_comments();
	test_strip();
	test_slices();
	test_far_slices();
	test_reach_back();
	test_many_tags();
	test_any_text();
	return 0;
}
