#!/bin/bash
# check.sh: the one gate, run by "make check".
#
# Builds a private copy of the checkout with assertions, installs it into a
# private directory, and runs every kind of test against it.  A stage that
# fails does not keep the others from running.  One that has tested nothing fails,
# too, unless it says why; the last line names what was skipped.  Everything is
# removed at the end, whatever happens, but for KEEP=1, which leaves the directory.
#
# From the Makefile: PG_CONFIG, REGRESS, ISOLATION, PROVE_TESTS.
# ONLY="STAGE..." runs some stages only, those at the end of this file.
# BREAK takes a protection out, see src/base/breakage.h.

set -u
. "$(dirname "$0")/lib.sh"
export PG_CONFIG
unset LIBRARY_PATH MAKEFLAGS MFLAGS MAKELEVEL

# Ends whatever still runs in the work directory, and what that has started
# meanwhile.
kill_leftovers()
{
	local process found=1
	while [ -n "$found" ]; do
		found=
		for process in /proc/[0-9]*; do
			case $(readlink "$process/cwd" 2>/dev/null) in
				"$work"/*)
					found=1
					kill -KILL "${process#/proc/}" 2>/dev/null
					;;
			esac
		done
	done
}

clean_up()
{
	trap '' INT TERM
	[ -z "${child:-}" ] || kill -TERM "$child" 2>/dev/null
	kill_leftovers
	wait
	kill_leftovers
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}

# The first call: copy the checkout and go on in the copy, as a user who may
# run PostgreSQL.
outer()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/cache-check.XXXXXX") || exit 1
	trap clean_up EXIT
	trap 'exit 130' INT TERM
	lib_copy "$work"
	lib_user env HOME="$work" TMPDIR="$work" WORK="$work" "$work/source/test/check.sh" &
	child=$!
	wait "$child"
	local result=$?
	child=
	exit $result
}

# Stages.  Each prints what went wrong and fails, or sets passed to the number
# of its tests, or calls skip, or both.

# skip WHAT REASON: say so now, and in the last line.
skip()
{
	echo "    skipped: $1: $2"
	skipped="$skipped, $1 ($2)"
}

show()
{
	[ -s "$1" ] && sed 's/^/    /' "$1" | tail -n "${2:-60}"
}

# With assertions and stop points, and, to be looked at only, as users build it.
stage_build()
{
	cp -r "$work/source" "$work/plain" || return
	env -u LIBRARY_PATH make -s -C "$work/plain" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" COPT=-Werror \
		>"$work/plain.log" 2>&1 || { show "$work/plain.log"; return 1; }
	(lib_build "$work" -s COPT="-Werror -DUSE_ASSERT_CHECKING \
		-DCACHE_STOP_POINTS ${BREAK:+-DCACHE_BREAK_$BREAK}") || return
	ls "$CACHE_SO" "$CACHE_PLAIN_SO" >/dev/null || return
	# the script of version 1.0, to be updated from
	cp test/upgrade/cache--1.0.sql "$work/stage$("$PG_CONFIG" --sharedir)/extension/" || return
	passed=2
}

stage_server()
{
	(lib_postgres_start "$work" shared_preload_libraries=cache fsync=off autovacuum=off \
		max_prepared_transactions=10 log_line_prefix='%m [%p] %q%a ') || return
	passed=1
}

stage_lint()
{
	test/lint.sh >"$work/lint.log"
	local result=$?
	passed=$(grep -c '^ok' "$work/lint.log")
	[ $result = 0 ] || { grep -v '^ok' "$work/lint.log"; return 1; }
}

stage_format()
{
	if ! command -v pg_bsd_indent >/dev/null; then
		skip format 'there is no pg_bsd_indent'
		return
	fi
	test/indent.pl --check >"$work/format.log" 2>&1
	local result=$?
	passed=$(grep -c '^ok - ' "$work/format.log")
	[ $result = 0 ] || { grep -v '^ok - ' "$work/format.log"; return 1; }
}

# run_regress PROGRAM OUTPUT TESTS OPTION...
run_regress()
{
	local program=$1 output=$2 tests=$3
	shift 3
	mkdir -p "$output"
	# it may be recovering from a crash in another stage
	for _ in $(seq 30); do
		"$bindir/pg_isready" -q && break
		sleep 1
	done
	"$pgtest/$program" --bindir="$bindir" --outputdir="$output" "$@" $tests \
		>"$output/log" 2>&1
	local result=$?
	passed=$(grep -cE '(^ok +[0-9]+ |\.\.\. ok  )' "$output/log")
	[ "$passed" = "$(wc -w <<<"$tests")" ] || result=1
	if [ $result != 0 ]; then
		show "$output/log"
		show "$output/regression.diffs" 300
	fi
	return $result
}

stage_regress()
{
	run_regress regress/pg_regress "$work/regress" "$REGRESS" --inputdir=. \
		--dbname=contrib_regression
}

stage_isolation()
{
	run_regress isolation/pg_isolation_regress "$work/isolation" "$ISOLATION" \
		--inputdir=test/isolation --dbname=isolation_regression
}

# CONFORMANCE has more options for it.
stage_conformance()
{
	local log=$work/conformance.log short
	test/conformance/conformance.pl --require-hits --seconds="${CONFORMANCE_SECONDS:-60}" \
		${CONFORMANCE:-} >"$log" 2>&1
	local result=$?
	passed=$(grep -c '^ok - ' "$log")
	[ $result = 0 ] || { grep -v '^ok - ' "$log" >"$log.bad"; show "$log.bad" 300; }
	short=$(sed -n 's/^conformance: .* \([1-9][0-9]*\) of them cut short.*/\1/p' "$log")
	[ -z "$short" ] || skip 'part of conformance' "$short queries cut short for lack of time"
	return $result
}

# SEED says which operations, CONSISTENCY_SECONDS for how long.
stage_consistency()
{
	local log=$work/consistency.log
	test/consistency/torture.pl --seed="${SEED:-1}" \
		--seconds="${CONSISTENCY_SECONDS:-60}" >"$log" 2>&1
	local result=$?
	passed=$(grep -c '^ok - ' "$log")
	[ $result = 0 ] || show "$log" 300
	return $result
}

stage_tap()
{
	local tap=$work/tap result name reason
	[ -n "$PROVE_TESTS" ] || return 0		# prove would look for others
	mkdir -p "$tap/tmp_check"
	grep -E '^(extension|dynamic)_' "$work/data/postgresql.conf" >"$tap/conf"
	CACHE_TEST_CONF=$tap/conf TESTDIR=$tap TESTDATADIR=$tap/tmp_check \
	TESTLOGDIR=$tap/tmp_check/log PATH=$bindir:$PATH PGPORT=65432 \
	PG_REGRESS=$pgtest/regress/pg_regress \
		prove -I "$pgtest/perl" -I test/tap $PROVE_TESTS >"$tap/log" 2>&1
	result=$?
	passed=$(sed -n 's/^Files=.*Tests=\([0-9]*\).*/\1/p' "$tap/log")
	while read -r name reason; do
		skip "$name" "$reason"
	done < <(sed -n 's!^test/tap/\([^ ]*\)\.pl \.* skipped: !\1 !p' "$tap/log"
		for name in "$tap"/tmp_check/log/regress_log_*; do
			sed -nE "s/^(\[[^ ]* )?ok [0-9]+ # skip /${name##*/regress_log_} /p" "$name"
		done)
	if grep -hs 'TRAP: ' "$tap"/tmp_check/log/*.log; then
		result=1
	fi
	if [ $result != 0 ]; then
		show "$tap/log" 200
		for name in $(sed -n 's!^test/tap/\([^ ]*\)\.pl  *(Wstat.*!\1!p' "$tap/log"); do
			echo "    ... $name"
			show "$tap/tmp_check/log/regress_log_$name" 30
		done
	fi
	return $result
}

# What of src/ can do without a server.
stage_unit()
{
	local name result=0
	for name in evict hint shape; do
		if ! make -s -C "test/$name" check >"$work/unit.log" 2>&1 ||
				! grep -q '^ok' "$work/unit.log"; then
			show "$work/unit.log"
			result=1
		fi
		passed=$((passed + $(grep -c '^ok' "$work/unit.log")))
	done
	return $result
}

# What hints are found in agrees with what the server's scanner sees.
stage_scanner()
{
	local log=$work/scanner.log library=$work/source/test/hint/oracle.so
	make -s -C test/hint oracle.so >"$log" 2>&1 &&
		"$bindir/psql" -X -q -v ON_ERROR_STOP=1 -v library="$library" -d postgres \
			-f test/hint/oracle.sql >"$log" 2>&1 ||
		{ show "$log"; return 1; }
	passed=$(grep -c 'accepted' "$log")
}

# The tutorial, the SQL of the documentation, and the examples run from their
# first to their last line.
stage_story()
{
	local file

	passed=0
	"$bindir/createdb" story || return
	story_run story test/demo/story_platform.sql || return

	# README.md creates the tables of the guide
	"$bindir/createdb" docs && "$bindir/createdb" shop &&
		"$bindir/createuser" app && "$bindir/createuser" report || return
	for file in README.md docs/*.md; do
		awk '/^```sql$/ { on = 1; next } /^```$/ { on = 0 } on' "$file" \
			>"$work/docs.sql"
		[ -s "$work/docs.sql" ] || continue
		story_run docs "$work/docs.sql" || { echo "in $file"; return 1; }
	done

	# the demo's tables, with the packages that the examples name
	mkdir -p "$work/demo" &&
		printf '1\tann\t\\N\n' >"$work/demo/maintainer.copy" &&
		printf '%s\t%s\t1\t%s\t1\t%s\t-\n' 1 libc6 libs 100 2 bash shells 10 3 nginx httpd 20 \
			>"$work/demo/package.copy" &&
		printf '2\tdepends\t1\t1\tlibc6\t\\N\t1\n' >"$work/demo/dependency.copy" &&
		"$bindir/createdb" demo &&
		story_run demo "$PWD/test/demo/schema.sql" "$work/demo" || return
	for file in examples/*.sql; do
		story_run demo "$file" || return
	done
}

# story_run DATABASE SCRIPT [DIRECTORY]
story_run()
{
	(cd "${3:-.}" && "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -d "$1" -f "$2") \
		>"$work/story.log" 2>&1 ||
		{ show "$work/story.log"; return 1; }
	passed=$((passed + 1))
}

# The server survived all that.
stage_log()
{
	if grep -A 1 -E 'TRAP: |PANIC: |was terminated by signal' "$work/postgres.log"; then
		return 1
	fi
	grep -q 'ready to accept connections' "$work/postgres.log" || return
	passed=1
}

# Is a stage, or one that needs it, among ONLY?
wanted()
{
	local users=$1 word
	case $1 in
		build) users='build lint scanner regress isolation conformance consistency story tap' ;;
		server | log) users='server log scanner regress isolation conformance consistency story tap' ;;
	esac
	for word in ${ONLY:-$users}; do
		case " $users " in
			*" $word "*) return 0 ;;
		esac
	done
	return 1
}

# stage NAME [NEEDED...]: run it, unless a stage that it needs has failed.
stage()
{
	local name=$1 needed skipped_before=$skipped
	wanted "$name" || return
	shift
	for needed in "$@"; do
		case " $failed " in
			*" $needed "*)
				echo "== $name: not run, for $needed failed"
				failed="$failed $name"
				return ;;
		esac
	done
	echo "== $name"
	passed=0
	if ! "stage_$name"; then
		failed="$failed $name"
		echo "== $name FAILED"
	elif [ "${passed:-0}" = 0 ] && [ "$skipped" = "$skipped_before" ]; then
		failed="$failed $name"
		echo "== $name FAILED: it has tested nothing"
	fi
	[ "${passed:-0}" = 0 ] || summary="$summary, $name $passed"
	total=$((total + ${passed:-0}))
}

inner()
{
	work=$WORK
	bindir=$("$PG_CONFIG" --bindir)
	pgtest=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
	failed='' summary='' skipped='' total=0
	cd "$work/source" || exit 1
	unset PGDATABASE PGSERVICE PGOPTIONS PGPASSWORD PGHOSTADDR VALKEY_URL \
		L1_CACHE_MAX_SIZE L1_CACHE_DEFAULT_TTL
	export PGHOST=$work PGPORT=$LIB_PORT PGUSER=postgres LC_ALL=C
	export CACHE_SO=$work/source/cache.so CACHE_PLAIN_SO=$work/plain/cache.so
	trap 'exit 130' INT TERM

	stage format
	stage build
	stage lint
	stage unit
	stage server build
	stage scanner server
	stage regress build server
	stage isolation build server
	stage story build server
	stage conformance build server
	stage consistency build server
	stage tap build server
	stage log server
	lib_postgres_stop "$work"

	for name in ${ONLY:-}; do
		declare -F "stage_$name" >/dev/null || { echo "there is no stage $name"; failed="$failed $name"; }
	done
	summary="$total tests passed (${summary#, })${skipped:+; skipped: ${skipped#, }}"
	if [ -n "$failed" ]; then
		echo "make check: FAILED:$failed; $summary"
		exit 1
	fi
	echo "make check: $summary"
}

if [ -n "${WORK:-}" ]; then
	inner
else
	outer
fi
