#!/bin/bash
# upstream.sh: PostgreSQL's own tests with the library loaded.
#
#	SUITES			which (parallel serial isolation)
#	UPSTREAM_SETTINGS	settings besides those below, "name=value ...": cache.*
#				for the server with the library, others for both
#	UPSTREAM_SOURCE		an unpacked source of PostgreSQL, see suites.sh
#	KEEP=1			keep the directory
#
# Every suite runs on a server without the library and on one with it, built with
# assertions and told to cache whatever it can.  What passes without must pass
# with it.  What fails without, because the source is of another version or
# because of a setting, must give the same output.  If anything differs, the
# suite runs once more without the library: a test that then does not do what
# it did before says nothing, and is only reported.

set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/suites.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
export LC_ALL=C PG_CONFIG
suites=${SUITES:-parallel serial isolation}
settings="cache.mode=auto cache.min_cost=0 cache.explain=off${UPSTREAM_SETTINGS:+ $UPSTREAM_SETTINGS}"
work=${CACHE_UPSTREAM_WORK:-}
most_diffs=20			# after a crash there may be hundreds

clean_up()
{
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}

if [ "${1-}" != inside ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/cache-upstream.XXXXXX") || exit 1
	trap clean_up EXIT
	trap 'exit 130' INT TERM
	lib_copy "$work"
	suites_copy "$work"
	lib_user env CACHE_UPSTREAM_WORK="$work" TMPDIR="$work" \
		bash "$work/source/test/upstream/upstream.sh" inside
	exit
fi

export PGHOST=$work PGPORT=$LIB_PORT PGUSER=postgres
psql() { "$("$PG_CONFIG" --bindir)/psql" -X -q -At -v ON_ERROR_STOP=1 "$@"; }
failures=0 diffs=0 hits=0 mode=- summary=

fail()
{
	failures=$((failures + 1))
	echo "FAILED: $*"
}

# counters: the mode, hits, misses, fills and bypasses, after shared memory was
# recounted.
counters()
{
	psql -d postgres -c 'CREATE DATABASE cache_report TEMPLATE template0' &&
		psql -d cache_report -c 'CREATE EXTENSION cache' -c 'SELECT cache_verify()' >/dev/null &&
		psql -d cache_report -F ' ' \
			-c "SELECT coalesce(current_setting('cache.mode', true), '-'),
				l1_hits, misses, fills, bypasses, bypass_reasons FROM cache_stats()"
}

# run SIDE SUITE OUTPUT: on a new server, of side stock or cached.
run()
{
	local side=$1 suite=$2 output=$3 setting chosen=() seconds=$SECONDS
	for setting in $settings; do
		case $side:$setting in
			stock:cache.*) ;;
			*) chosen+=("$setting") ;;
		esac
	done
	[ "$side" = stock ] || chosen+=(shared_preload_libraries=cache)
	rm -rf "$work/data" "$work/postgres.log"
	# parallel plans get their workers, though the library has one of its own
	lib_postgres_start "$work" fsync=off max_prepared_transactions=10 \
		max_worker_processes=64 max_parallel_workers=64 restart_after_crash=off \
		log_line_prefix='%m [%p] %q%a ' "${chosen[@]}"
	suites_run "$work" "$suite" "$output" || fail "$suite: it does not end on the $side server"
	if [ "$side" = cached ]; then
		counters >"$output/counters" || {
			echo '- - - - -' >"$output/counters"
			fail "$suite: the counters cannot be read, or do not add up"
		}
	fi
	lib_postgres_stop "$work"
	cp "$work/postgres.log" "$output"
	echo $((SECONDS - seconds)) >"$output/seconds"
	if suites_crashes "$output/postgres.log" | head -40 | grep .; then
		fail "$suite: the $side server crashed"
	fi
}

# outcome OUTPUT TEST: ok, failed, or nothing
outcome()
{
	awk -v test="$2" '$1 == test { print $2 }' "$1/tests"
}

# same OUTPUT OUTPUT TEST: passes in both, or fails in both with the same output.
same()
{
	local one other
	one=$(outcome "$1" "$3") other=$(outcome "$2" "$3")
	[ "$one" = "$other" ] &&
		{ [ "$one" = ok ] || cmp -s "$1/results/$3.out" "$2/results/$3.out"; }
}

# compare SUITE: what the library has changed.
compare()
{
	local suite=$1 stock=$work/$1.stock cached=$work/$1.cached again=$work/$1.again test
	for test in $(awk '{ print $1 }' "$stock/tests"); do
		same "$stock" "$cached" "$test" && continue
		[ -d "$again" ] || run stock "$suite" "$again"
		echo "--- $suite, $test: $(outcome "$stock" "$test") without," \
			"$(outcome "$cached" "$test") with the library"
		diffs=$((diffs + 1))
		[ $diffs -gt $most_diffs ] ||
			diff -u "$stock/results/$test.out" "$cached/results/$test.out" | tail -n +3 | head -n 60
		if same "$stock" "$again" "$test"; then
			fail "$suite: $test"
		else
			echo "It varies without the library as well."
		fi
	done
	for test in $(awk '{ print $1 }' "$cached/tests"); do
		[ -n "$(outcome "$stock" "$test")" ] || fail "$suite: $test ran only with the library"
	done
}

trap 'lib_postgres_stop "$work"' EXIT
trap 'exit 130' INT TERM
lib_build "$work" COPT='-Werror -DUSE_ASSERT_CHECKING'
suites_build "$work"
format='%-10s %6s %8s %8s   %9s %9s %9s %9s   %8s\n'
for suite in $suites; do
	run stock "$suite" "$work/$suite.stock"
	run cached "$suite" "$work/$suite.cached"
	compare "$suite"
	read -r mode l1_hits misses fills bypasses reasons <"$work/$suite.cached/counters"
	[ "$l1_hits" = - ] || hits=$((hits + l1_hits))
	summary+=$(printf "$format" "$suite" "$(grep -c . "$work/$suite.stock/tests")" \
		"$(grep -c ' ok$' "$work/$suite.stock/tests")" \
		"$(grep -c ' ok$' "$work/$suite.cached/tests")" \
		"$l1_hits" "$misses" "$fills" "$bypasses" \
		"$(cat "$work/$suite.stock/seconds")+$(cat "$work/$suite.cached/seconds")")
	summary+=$'\n'
	echo "== $suite: bypasses ${reasons:-none}"
done
[ "$mode" != auto ] || [ $hits -gt 0 ] || fail "nothing was served from the cache"

echo
printf "$format" suite tests stock cached hits misses fills bypasses seconds
printf '%s' "$summary"
if [ $failures -gt 0 ]; then
	echo "check-upstream: FAILED: $failures differences; settings: $settings"
	exit 1
fi
echo "check-upstream: nothing that passes without the library fails with it; $hits hits; settings: $settings"
