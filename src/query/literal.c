/*-------------------------------------------------------------------------
 *
 * literal.c
 *	  Literals that are times relative to the present.
 *
 * The input functions of dates and times accept 'now', 'today', 'tomorrow' and
 * 'yesterday'.  When PostgreSQL analyses
 *
 *	SELECT * FROM story WHERE day = 'today'
 *
 * the literal becomes a constant, which looks like any other date.  So if a
 * query has constants of such types, the text that they were just parsed from
 * is examined here.
 *
 * The text is parsed again, into a raw tree.  Its constants are the literals
 * as the input functions see them: escapes are resolved, and literals that are
 * continued in the next line are joined.  The input functions of arrays,
 * ranges and rows remove quotes and backslashes before they pass on their
 * parts.  So the words are searched for in the literal both as it is and
 * without these characters.  As in PostgreSQL's date parser, a word counts
 * only if no letter is next to it.  If a literal of another type contains such
 * a word, the query is refused as well; that costs no more than its caching.
 *
 * A time of day with time zone ('12:00 Europe/Berlin') is relative to the
 * present, too, if its offset is that of a zone, given by name or by the
 * setting: it is the offset that the zone has today.  An offset is taken to be
 * given only if a part of the literal has digits and a sign, and no letters.
 * (It may be a date that has the sign; a date settles the offset as well.)
 *
 * What this file must not do: know which types the constants are of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "query/literal.h"

/*
 * ASCII is enough: the more characters count as letters, the fewer words
 * match.
 */
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
 * A literal without quotes and backslashes.
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
 * Does some part of a literal have digits, but no offset?  That is, it has no
 * sign, or it has letters.
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
 * Does a cast convert a literal to one of the time types that have a keyword,
 * other than time with time zone?  Then an offset in it does not matter.
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

/*
 * Is there a relative time in a raw tree?  zoned: as in literal_is_relative.
 */
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
