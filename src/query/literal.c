/*-------------------------------------------------------------------------
 *
 * literal.c
 *	  Literals that are times relative to the present.
 *
 * The types of dates and times read 'now', 'today', 'tomorrow' and 'yesterday'.
 * The analysis of a query makes a constant of such a literal, which looks like
 * any other.  So where a query has constants of these types, the text that they
 * were just parsed from is looked at.
 *
 * The text is parsed again, into a raw tree, whose constants are the literals as
 * input functions see them: escapes are resolved, and literals that go on in the
 * next line are joined.  The input functions of arrays, ranges and rows take quotes and
 * backslashes out before they hand on what is between; so the words are
 * searched for with these taken out as well.  A word is one if no letter
 * stands at either side of it, as the date parser has it.  A literal of another type
 * that has such a word costs no more than the caching of its query.
 *
 * A time of day with time zone is relative as well if its offset is that of a
 * zone, by its name or by the setting: it is the offset that the zone has today.
 * Only what consists of digits, signs and the like, with a sign among them, is
 * taken to give an offset (or a date, which settles the offset as well).
 *
 * What this file must not do: know which types of constants there are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "query/literal.h"

/* ASCII is enough: what the server takes for more letters makes less words. */
static bool
literal_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
literal_has_word(const char *literal)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

	for (const char *c = literal; *c != '\0'; c++)
	{
		if (c > literal && literal_is_letter(c[-1]))
			continue;
		for (int i = 0; i < (int) lengthof(words); i++)
		{
			size_t		len = strlen(words[i]);

			if (pg_strncasecmp(c, words[i], len) == 0 &&
				!literal_is_letter(c[len]))
				return true;
		}
	}
	return false;
}

/*
 * A literal without its quotes and backslashes.
 */
static char *
literal_unquote(const char *literal)
{
	char	   *plain = palloc(strlen(literal) + 1);
	char	   *to = plain;

	for (const char *from = literal; *from != '\0'; from++)
	{
		if (*from != '"' && *from != '\\')
			*to++ = *from;
	}
	*to = '\0';
	return plain;
}

/*
 * Is there a part with a digit and without a sign, or with a letter?
 */
static bool
literal_lacks_offset(const char *literal)
{
	static const char *const separators = ",;{}()[]\"\\";

	while (*literal != '\0')
	{
		size_t		len = strcspn(literal, separators);
		bool		digit = false;
		bool		sign = false;
		bool		other = false;

		for (const char *c = literal; c < literal + len; c++)
		{
			digit |= *c >= '0' && *c <= '9';
			sign |= *c == '+' || *c == '-';
			other |= literal_is_letter(*c) || IS_HIGHBIT_SET(*c);
		}
		if (digit && (!sign || other))
			return true;
		literal += len + (literal[len] != '\0');
	}
	return false;
}

/*
 * Is a cast one of a literal to a type of dates and times that has a keyword, and no
 * time zone of its own?
 */
static bool
literal_is_unzoned(const TypeCast *cast)
{
	static const char *const types[] = {"time", "timestamp", "timestamptz", "interval"};
	const List *names = cast->typeName->names;

	if (!IsA(cast->arg, A_Const) || cast->typeName->arrayBounds != NIL ||
		list_length(names) != 2 ||
		strcmp(strVal(linitial(names)), "pg_catalog") != 0)
		return false;
	for (int i = 0; i < (int) lengthof(types); i++)
	{
		if (strcmp(strVal(lsecond(names)), types[i]) == 0)
			return true;
	}
	return false;
}

/* zoned: whether the time zone matters. */
static bool
literal_walker(Node *node, bool *zoned)
{
	bool		unzoned = false;

	CHECK_FOR_INTERRUPTS();
	if (node == NULL)
		return false;
	if (IsA(node, TypeCast) && literal_is_unzoned((TypeCast *) node))
		return literal_walker(((TypeCast *) node)->arg, &unzoned);
	if (IsA(node, A_Const))
	{
		A_Const    *constant = (A_Const *) node;
		const char *literal;

		if (constant->isnull || !IsA(&constant->val, String))
			return false;
		literal = constant->val.sval.sval;
		return literal_has_word(literal) ||
			literal_has_word(literal_unquote(literal)) ||
			(*zoned && literal_lacks_offset(literal));
	}
	return raw_expression_tree_walker(node, literal_walker, zoned);
}

bool
literal_is_relative(const char *text, bool zoned)
{
	ListCell   *lc;

	foreach(lc, raw_parser(text, RAW_PARSE_DEFAULT))
	{
		Node	   *statement = lfirst_node(RawStmt, lc)->stmt;

		if (!IsA(statement, SelectStmt) || literal_walker(statement, &zoned))
			return true;
	}
	return false;
}
