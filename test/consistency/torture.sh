#!/bin/bash
# torture.sh: the consistency checker on a private build and a private server.
#
#	SECONDS		how long (60)
#	SEED		which operations (1)
#	SESSIONS	how many sessions (9), besides the one with scripted races
#	BREAK		a protection to take out (src/base/breakage.h), one of those that
#			proof.sh runs this for
#
# With BREAK it stops once each form of reading has had a violation.  Fails if
# torture.pl does, or if the server failed an assertion or crashed.

set -u
length=${TORTURE_SECONDS:-60} seed=${SEED:-1} sessions=${SESSIONS:-9} break=${BREAK:-}
. "$(dirname "$0")/../lib.sh"
export LC_ALL=C PG_CONFIG
work=${CACHE_TORTURE_WORK:-$(mktemp -d "${TMPDIR:-/tmp}/cache-torture.XXXXXX")}

if [ "${1-}" != inside ]; then
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	lib_copy "$work"
	lib_user env CACHE_TORTURE_WORK="$work" TMPDIR="$work" TORTURE_SECONDS="$length" \
		SEED="$seed" SESSIONS="$sessions" BREAK="$break" \
		bash "$work/source/test/consistency/torture.sh" inside
	exit
fi

export PGHOST=$work PGPORT=$LIB_PORT PGUSER=postgres
trap 'lib_postgres_stop "$work"' EXIT
trap 'exit 130' INT TERM
(lib_build "$work" COPT="-DUSE_ASSERT_CHECKING ${break:+-DCACHE_BREAK_$break}") || exit 1
# commits take their time, so that there is something between them
(lib_postgres_start "$work" shared_preload_libraries=cache max_prepared_transactions=20 \
	max_locks_per_transaction=256 wal_sync_method=fdatasync commit_delay=200 \
	commit_siblings=2 shared_buffers=64MB restart_after_crash=off \
	log_line_prefix='%m [%p] %q%a ') || exit 1
nice "$work/source/test/consistency/torture.pl" --seed="$seed" --seconds="$length" \
	--sessions="$sessions" ${break:+--until-found}
result=$?
if grep -A 1 -E 'TRAP: |PANIC: |was terminated by signal' "$work/postgres.log"; then
	result=1
fi
exit $result
