#!/bin/bash
# lint.sh: what the compiler does not check about the sources.
#
# REGRESS and ISOLATION come from the Makefile; CACHE_SO names the built
# library, CACHE_PLAIN_SO one built as users do.  Prints one line per rule, "ok - RULE" or what breaks it.

set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
status=0

# The rooms of src/, in order: a file includes headers of its own room and of
# those before it.  What is in no room, at the top of src/, assembles them.
rooms='base text key clock query store redis lookup capture sql plain'

# rule NAME COMMAND: the rule is kept if the command prints nothing.
rule()
{
	local found
	if found=$($2 2>&1) && [ -z "$found" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "${found:-it could not be checked}" | sed 's/^/    /'
		status=1
	fi
}

words()
{
	printf '%s\n' $* | sed '/^$/d' | sort
}

# only_in A B: the words of list A that are not in list B.
only_in()
{
	comm -23 <(words "$1") <(words "$2")
}

# Names of those of the files that exist, without directory and suffix.
stems()
{
	local file
	for file in "$@"; do
		if [ -e "$file" ]; then
			basename "${file%.*}"
		fi
	done
}

# "includer included" for every header of ours that a file includes, without
# suffixes.
includes()
{
	local room
	for room in src $rooms; do
		grep -HoE '^#[ 	]*include "[a-z0-9_]+/[a-z0-9_]+\.h"' src/"${room#src}"/*.[ch]
	done | sed 's!^src/*!!; s!\.[ch]:.*"\(.*\)\.h".*! \1!' | sort -u |
		while read -r from to; do
			[ ! -e "src/$to.h" ] || [ "$from" = "$to" ] || echo "$from $to"
		done
}

room_order()
{
	only_in "$(cd src && printf '%s\n' */ | tr -d /)" "$rooms" | sed 's!.*!src/& is no room!'
	{ echo $rooms | tr ' ' '\n' | sed 's/^/room /'; includes | sed 's/^/include /'; } | awk '
		function place(file) { sub("/.*", "", file); return file in room ? room[file] : n + 1 }
		$1 == "room" { room[$2] = ++n }
		$1 == "include" && place($2) < place($3) {
			print "src/" $2 " includes " $3 ".h of a later room"
		}'
	[ -n "$(includes)" ] || echo 'no file includes another'
}

no_cycles()
{
	includes | tsort 2>&1 >/dev/null | sed 's/^tsort: //'
}

# Headers are named with their room.
rooms_named()
{
	local header
	for header in $(stems src/*/*.h); do
		grep -nE "^#[ 	]*include \"$header\.h\"" src/*.[ch] src/*/*.[ch]
	done
	true
}

redis_only()
{
	grep -l 'include [<"]hiredis' src/*.[ch] src/*/*.[ch] | grep -v '^src/redis/redis\.c$'
	true
}

messages_only()
{
	grep -nE 'CacheRegister(Relcache|Syscache)Callback' src/*.c src/*/*.c |
		grep -v '^src/base/messages\.c:'
	true
}

exports()
{
	[ -e "$CACHE_SO" ] || return
	nm -D --defined-only "$CACHE_SO" | awk '{ print $3 }' |
		grep -vE '^(cache_.*|pg_finfo_cache_.*|Pg_magic_func|_PG_init)$'
	true
}

# The one has stop points, and so proves that they would be found in the other.
no_stops()
{
	grep -qa 'cache_stop/' "$CACHE_SO" || echo "$CACHE_SO has no stop points"
	grep -aoE 'cache_stop/|stop_at' "$CACHE_PLAIN_SO" | sort -u | sed 's!^!a plain build has !'
}

tests_listed()
{
	[ -n "$REGRESS" ] && [ -n "$ISOLATION" ] || echo 'no tests are listed'
	only_in "$(stems sql/*.sql)" "$REGRESS" | sed 's!.*!sql/&.sql is not in REGRESS!'
	only_in "$REGRESS" "$(stems sql/*.sql)" | sed 's!.*!REGRESS has &, which is not in sql/!'
	only_in "$REGRESS" "$(stems expected/*.out)" | sed 's!.*!expected/&.out is missing!'
	only_in "$(stems expected/*.out | sed 's/_[0-9]$//' | sort -u)" "$REGRESS" |
		sed 's!.*!expected/&.out belongs to no test!'
	only_in "$(stems test/isolation/specs/*.spec)" "$ISOLATION" |
		sed 's!.*!specs/&.spec is not in ISOLATION!'
	only_in "$ISOLATION" "$(stems test/isolation/specs/*.spec)" |
		sed 's!.*!ISOLATION has &, which is not in test/isolation/specs/!'
	only_in "$ISOLATION" "$(stems test/isolation/expected/*.out)" |
		sed 's!.*!test/isolation/expected/&.out is missing!'
	only_in "$(stems test/isolation/expected/*.out | sed 's/_[0-9]$//' | sort -u)" "$ISOLATION" |
		sed 's!.*!test/isolation/expected/&.out belongs to no test!'
}

no_leftovers()
{
	grep -rnIwE 'TODO|FIXME|XXX' --exclude=lint.sh --exclude-dir=.git .
	true
}

no_version_tests()
{
	grep -n 'PG_VERSION_NUM' src/*.[ch] src/*/*.[ch] | grep -v '^src/base/compat\.[ch]:'
	true
}

settings_documented()
{
	local setting settings
	settings=$(grep -oE '"cache\.[a-z0-9_]+"' src/base/guc.c | tr -d '"' | sort -u)
	[ -n "$settings" ] || echo 'src/base/guc.c has no settings'
	for setting in $settings; do
		grep -qF "| \`$setting\` |" docs/reference.md ||
			echo "$setting is not in docs/reference.md"
	done
}

# Overloaded functions need as many comments as there are of them.
objects_commented()
{
	sed 's/@extschema@\.//g; s/CREATE OR REPLACE/CREATE/' src/cache--*.sql | awk '
		$1 == "CREATE" && $2 ~ /^(FUNCTION|PROCEDURE|AGGREGATE|TABLE|VIEW|TYPE|DOMAIN|SEQUENCE)$/ {
			name = $3; sub(/\(.*/, "", name); created[$2 " " name]++
		}
		$1 == "COMMENT" && $2 == "ON" {
			name = $4; sub(/\(.*/, "", name); commented[$3 " " name]++
		}
		END {
			if (length(created) == 0)
				print "there are no objects"
			for (object in created)
				if (commented[object] < created[object])
					print object " has no COMMENT"
		}'
}

rule 'files include only headers of their room or earlier ones' room_order
rule 'no files include each other' no_cycles
rule 'only messages.c registers callbacks for catalog invalidations' messages_only
rule 'only redis.c uses hiredis' redis_only
rule 'headers are named with their room' rooms_named
rule 'the library exports only what PostgreSQL looks up' exports
rule 'only a build for tests has stop points' no_stops
rule 'every test is listed and has an expected result' tests_listed
rule 'nothing is left to be done' no_leftovers
rule 'only compat.h looks at the version of PostgreSQL' no_version_tests
rule 'every setting is in the reference' settings_documented
rule 'every object has a comment' objects_commented
exit $status
