#!/bin/bash
# lint.sh: what the compiler does not check about the sources.
#
# REGRESS, ISOLATION and OBJS come from the Makefile; CACHE_SO names the built
# library, CACHE_PLAIN_SO one built as users do.  Prints one line per rule, "ok - RULE" or what breaks it.

set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
status=0

# Which floor a file of src/ is on.  It includes headers of its own floor and
# of those below.
floors='
guc 0  stop 0  lexer 0  hint 0  tags 0  body 0  key 0  settings 0  codec 0  template 0  fact 0
params 0  url 0  stable 0  ddl 0  compat 0  breakage 0
clock 1  store 1  block 1  evict 1  flight 1  redis 1  stats 1  qstats 1  admit 1
prepared 1
invalidate 2  relation 2  relstats 2  told 2  depend 2  narrow 2  statement 2
policy 2  l2 2  fetch 2  lookup 2
sql 3  trigger 3  attach 3  track 3  worker 3  report 3
define 3  admin 3  plan 3  serve 3  scan 3  explain 3
shmem 4  cache 4'

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

# "includer included" for every header of ours that a file includes.
includes()
{
	grep -HE '^#[ 	]*include "[a-z0-9_]+\.h"' src/*.[ch] |
		sed 's!^src/!!; s/\.[ch]:.*"\(.*\)\.h".*/ \1/' | sort -u |
		while read -r from to; do
			[ ! -e "src/$to.h" ] || [ "$from" = "$to" ] || echo "$from $to"
		done
}

floor_order()
{
	{ echo $floors | xargs -n 2 echo floor; stems src/*.[ch] | sort -u | sed 's/^/file /'
	  includes | sed 's/^/include /'; } | awk '
		$1 == "floor" { floor[$2] = $3 }
		$1 == "file" && !($2 in floor) { print "src/" $2 " has no floor" }
		$1 == "include" && floor[$2] < floor[$3] {
			print "src/" $2 " is on floor " floor[$2] " and includes " $3 ".h of floor " floor[$3]
		}'
}

no_cycles()
{
	includes | tsort 2>&1 >/dev/null | sed 's/^tsort: //'
}

redis_only()
{
	grep -l 'include [<"]hiredis' src/*.[ch] | grep -v '^src/redis\.c$'
	true
}

all_linked()
{
	only_in "$(printf '%s\n' src/*.c)" "${OBJS//.o/.c}" |
		sed 's!$! is not in OBJS!'
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
	only_in "$(stems sql/*.sql)" "$REGRESS" | sed 's!.*!sql/&.sql is not in REGRESS!'
	only_in "$REGRESS" "$(stems sql/*.sql)" | sed 's!.*!REGRESS has &, which is not in sql/!'
	only_in "$REGRESS" "$(stems expected/*.out)" | sed 's!.*!expected/&.out is missing!'
	only_in "$(stems expected/*.out | sed 's/_[0-9]$//')" "$REGRESS" |
		sed 's!.*!expected/&.out belongs to no test!'
	only_in "$(stems test/isolation/specs/*.spec)" "$ISOLATION" |
		sed 's!.*!specs/&.spec is not in ISOLATION!'
	only_in "$ISOLATION" "$(stems test/isolation/specs/*.spec)" |
		sed 's!.*!ISOLATION has &, which is not in test/isolation/specs/!'
	only_in "$ISOLATION" "$(stems test/isolation/expected/*.out)" |
		sed 's!.*!test/isolation/expected/&.out is missing!'
	only_in "$(stems test/isolation/expected/*.out | sed 's/_[0-9]$//')" "$ISOLATION" |
		sed 's!.*!test/isolation/expected/&.out belongs to no test!'
}

no_leftovers()
{
	grep -rnIwE 'TODO|FIXME|XXX' --exclude=lint.sh --exclude-dir=.git .
	true
}

no_version_tests()
{
	grep -n 'PG_VERSION_NUM' src/*.[ch] | grep -v '^src/compat\.h:'
	true
}

settings_documented()
{
	[ -e src/guc.c ] && [ -e README.md ] || return
	for setting in $(grep -oE '"cache\.[a-z0-9_]+"' src/guc.c | tr -d '"' | sort -u); do
		grep -qwF "$setting" README.md || echo "$setting is not in README.md"
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
			for (object in created)
				if (commented[object] < created[object])
					print object " has no COMMENT"
		}'
}

rule 'files include only headers of their floor or lower ones' floor_order
rule 'no files include each other' no_cycles
rule 'only redis.c uses hiredis' redis_only
rule 'every source file is built' all_linked
rule 'the library exports only what PostgreSQL looks up' exports
rule 'only a build for tests has stop points' no_stops
rule 'every test is listed and has an expected result' tests_listed
rule 'nothing is left to be done' no_leftovers
rule 'only compat.h looks at the version of PostgreSQL' no_version_tests
rule 'every setting is in README.md' settings_documented
rule 'every object has a comment' objects_commented
exit $status
