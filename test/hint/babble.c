/*-------------------------------------------------------------------------
 *
 * babble.c
 *	  Random text that a scanner of SQL may trip over.
 *
 * Pieces are those that begin or end something, alone and combined, and some
 * to put between them.  The hint nocache is there only as one whole comment.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "babble.h"

static const char *const pieces[] = {
	/* quotes, and what may stand before and within them */
	"'", "'", "'", "''", "\"", "\"", "\"\"", "$", "$$", "$$", "$a$", "$a$",
	"$b", "$1", "$1$", "a$", "a$b$", "$\303\244$", "e'", "E'", "b'", "X'", "n'",
	"U&'", "u&\"", "u&", "e", "u", "\\", "\\'", "\\\\", "'\n'", "' \n '", "'--x\n'",
	"' --\n --\n '", "\n",
	/* comments, and what may be taken for them */
	"/*", "/*", "/*", "*/", "*/", "*/", "/", "*", "-", "--", "--", "/**/", "//*", "*/*",
	"/*/", "**/", "/*+", "/*+", "/* /* */ */", "/* ' */", "-- '\n", "/*+ nocache */",
	"/*+ nocache */", "/*+ cache(ttl=5, tags=a|\"b \"\" c\") */",
	/* inside of hints */
	"cache", "cache(", "CACHE (", "ttl", "ttl=", "=", "tags=", "|", "policy=", "(", ")", ",",
	"SeqScan(t)", "300", "\"a b\"",
	/* all else */
	" ", " ", " ", "\t", "\r", "\f", "\v", ";", "a", "b1", "_x", "\303\244", "1", "12", ".",
	"1.5", "1e5", "1e", "+", "<", "&", "@", "::", ":", "#", "[", "SELECT", "UESCAPE",
};

uint32
babble_random(uint64 *state, uint32 n)
{
	/* splitmix64 */
	uint64		z = (*state += UINT64CONST(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return (uint32) ((z ^ (z >> 31)) >> 32) % n;
}

int
babble(uint64 *state, uint32 npieces, char *text)
{
	uint32		n = babble_random(state, npieces + 1);
	int			len = 0;

	while (n-- > 0)
	{
		const char *piece = pieces[babble_random(state, lengthof(pieces))];
		int			piece_len = (int) strlen(piece);

		if (len + piece_len >= BABBLE_MAX)
			break;
		memcpy(text + len, piece, piece_len);
		len += piece_len;
	}
	text[len] = '\0';
	return len;
}
