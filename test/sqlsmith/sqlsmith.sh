#!/bin/bash
# sqlsmith.sh: random queries, looking for crashes and for wrong answers.
#
#	SECONDS		how long sqlsmith makes queries, and how long at most their
#			answers are compared afterwards (60)
#	SEED		which queries (1)
#	KEEP=1		keep the directory
#
# The database is the one that PostgreSQL's regression tests leave behind or, if
# their source is not to be had, that of the consistency checker.  Everything in
# it, the tests included, runs on a server with assertions that caches whatever it
# can.  sqlsmith's queries run as a user who is no superuser, lest they
# reconfigure the server or write files.

set -u
length=${FUZZ_SECONDS:-60} seed=${SEED:-1}
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../upstream/suites.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
export LC_ALL=C PG_CONFIG
work=${CACHE_FUZZ_WORK:-}

clean_up()
{
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}

if [ "${1-}" != inside ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/cache-fuzz.XXXXXX") || exit 1
	trap clean_up EXIT
	trap 'exit 130' INT TERM
	lib_copy "$work"
	(suites_copy "$work") || echo "Taking the database of the consistency checker instead."
	lib_user env CACHE_FUZZ_WORK="$work" TMPDIR="$work" FUZZ_SECONDS="$length" SEED="$seed" \
		bash "$work/source/test/sqlsmith/sqlsmith.sh" inside
	exit
fi

export PGHOST=$work PGPORT=$LIB_PORT PGUSER=postgres PGDATABASE=regression
psql() { "$("$PG_CONFIG" --bindir)/psql" -X -q -At -v ON_ERROR_STOP=1 "$@"; }

database()
{
	if [ -d "$work/upstream" ]; then
		suites_build "$work"
		suites_run "$work" parallel "$work/parallel" || return
		psql -c 'CREATE EXTENSION cache'
	else
		psql -d postgres -c 'CREATE DATABASE regression' &&
			psql -f "$work/source/test/consistency/schema.sql" >/dev/null
	fi || return
	# the tests' functions in C trust their callers
	psql <<-'END'
		CREATE ROLE fuzz LOGIN;
		GRANT pg_read_all_data, pg_write_all_data TO fuzz;
		DO $$
		DECLARE
			f regprocedure;
		BEGIN
			FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = prolang
				WHERE lanname = 'c' AND probin !~ 'cache$'
			LOOP
				EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', f);
			END LOOP;
		END$$;
	END
}

trap 'lib_postgres_stop "$work"' EXIT
trap 'exit 130' INT TERM
(lib_build "$work" COPT='-Werror -DUSE_ASSERT_CHECKING') || exit 1
(lib_postgres_start "$work" shared_preload_libraries=cache fsync=off \
	max_prepared_transactions=10 max_worker_processes=64 max_parallel_workers=64 \
	restart_after_crash=off log_line_prefix='%m [%p] %q%a ' \
	cache.mode=auto cache.min_cost=0) || exit 1
echo "Making the database ..."
database || lib_die "the database could not be made"
psql -c 'SELECT cache_reset_stats()' >/dev/null

echo "Running sqlsmith for $length s, seed $seed ..."
timeout -s INT "$length" sqlsmith --target="user=fuzz" --seed="$seed" --exclude-catalog \
	--dump-all-queries --verbose >"$work/queries" 2>"$work/sqlsmith.log"
statements=$(grep -c ';$' "$work/queries")
echo "$statements statements, error rate $(sed -n 's/^error rate: //p' "$work/sqlsmith.log" | tail -1); the most frequent:"
tac "$work/sqlsmith.log" | sed '/^queries: /q' | grep -E '^[0-9]+[[:space:]]' | sort -rn | head -5

status=0
if [ "$statements" -lt "$length" ]; then
	echo "sqlsmith ran only $statements statements:"
	tail -3 "$work/sqlsmith.log"
	status=1
fi
if [ -f "$work/data/postmaster.pid" ]; then
	psql -F ' ' -c "SELECT 'cache:', l1_hits, 'hits,', misses, 'misses,', fills, 'fills,',
		bypasses, 'bypasses', bypass_reasons FROM cache_stats"
	echo "Comparing answers ..."
	PGUSER=fuzz "$work/source/test/sqlsmith/answers.pl" --seconds="$length" "$work/queries" &&
		psql -c 'SELECT cache_verify()' >/dev/null || status=1
fi
if suites_crashes "$work/postgres.log"; then
	status=1
fi
if [ $status = 0 ]; then
	echo "fuzz: seed $seed: $statements statements, no crash, no wrong answer"
else
	echo "fuzz: seed $seed: $statements statements, FAILED"
fi
exit $status
