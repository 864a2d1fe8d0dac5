#!/bin/bash
# apps.sh: applications that know nothing of the cache, with it and without.
#
#	APPS			which (django node psycopg pgbouncer monitoring)
#	BREAK			a protection to take out (src/base/breakage.h), to see it noticed
#	KEEP=1			keep the directory
#
# Every application is a directory here.  It makes its initial data once, and then
# runs on a copy of that, first with cache.mode off, and again for each way of
# switching the cache on.  It writes down every answer it gets.  The answers
# must be the same, and some must have come from the cache.

set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/pgbouncer/bouncer.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
export LC_ALL=C PG_CONFIG PYTHONDONTWRITEBYTECODE=1
here=$(cd "$(dirname "$0")" && pwd)
apps=${APPS:-django node psycopg pgbouncer monitoring}
work=${CACHE_APPS_WORK:-}
python=/usr/bin/python3		# the one that Debian's modules are for

clean_up()
{
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}

# fetch_packages: what the application of node needs, into the copy; fetched
# from the registry of npm once, and kept in ${XDG_CACHE_HOME:-~/.cache}/cache-apps.
fetch_packages()
{
	local kept=${XDG_CACHE_HOME:-$HOME/.cache}/cache-apps
	if ! cmp -s "$here/node/package.json" "$kept/package.json" ||
			! [ -d "$kept/node_modules/pg-cursor" ]; then
		mkdir -p "$kept" && cp "$here/node/package.json" "$kept" &&
			npm install --prefix "$kept" --no-audit --no-fund --ignore-scripts --silent ||
			lib_die "npm cannot install the packages of $here/node/package.json"
	fi
	cp -R "$kept/node_modules" "$work/source/test/apps/node"
}

if [ "${1-}" != inside ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/cache-apps.XXXXXX") || exit 1
	trap clean_up EXIT
	trap 'exit 130' INT TERM
	lib_copy "$work"
	case " $apps " in
		*' node '*) fetch_packages ;;
	esac
	[ "$(id -u)" != 0 ] || chown -R postgres: "$work"
	lib_user env CACHE_APPS_WORK="$work" APPS="$apps" TMPDIR="$work" HOME="$work" \
		bash "$work/source/test/apps/apps.sh" inside
	exit
fi

export PGHOST=$work PGPORT=$LIB_PORT APP_BOUNCER_PORT=$BOUNCER_PORT
psql() { "$("$PG_CONFIG" --bindir)/psql" -X -q -At -v ON_ERROR_STOP=1 -U postgres "$@"; }
passed=0 failed=0

# count FILE: show and count the lines "ok - ..." and "not ok - ...".
count()
{
	cat "$1"
	passed=$((passed + $(grep -c '^ok - ' "$1")))
	failed=$((failed + $(grep -c '^not ok - ' "$1")))
}

# result NAME COMMAND...: one test.
result()
{
	local name=$1
	shift
	if "$@" >"$work/result" 2>&1; then
		echo "ok - $name$(sed -n '1s/^\(.*\)/: \1/p' "$work/result")"
		passed=$((passed + 1))
	else
		echo "not ok - $name"
		tail -20 "$work/result" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
}

# run APP COMMAND: fill it, or run it.
run()
{
	local app=$1
	shift
	cd "$here/$app" || exit 1
	case $app in
		node) node app.js "$@" ;;
		django)
			export PYTHONPATH=. DJANGO_SETTINGS_MODULE=settings
			if [ "${1-}" = fill ]; then
				"$python" -m django makemigrations -v 0 stories &&
					"$python" -m django migrate -v 0
			fi && "$python" app.py "$@" ;;
		*) "$python" app.py "$@" ;;
	esac
}

# fill APP: the initial data, in the database APP.
fill()
{
	psql -d postgres -c "CREATE DATABASE $1 OWNER app" &&
		psql -d "$1" -c 'CREATE EXTENSION cache' \
			-c 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements' &&
		(export APP_DATABASE=$1; run "$1" fill) && psql -d "$1" -c ANALYZE
}

# replay APP OUTPUT [SQL...]: run it on a copy of its initial data that is called
# app, after the SQL commands, which may refer to it.
replay()
{
	local app=$1 output=$2 command status=0
	shift 2
	psql -d postgres -c 'DROP DATABASE IF EXISTS app' -c "CREATE DATABASE app TEMPLATE $app OWNER app" \
		-c 'ALTER ROLE app RESET ALL' -c 'ALTER ROLE app_reader RESET ALL' 2>/dev/null || return 1
	for command in "$@"; do
		psql -d app -c "$command" >/dev/null || return 1
	done
	psql -d app -c 'SELECT cache_reset_stats()' >/dev/null
	[ "$app" != pgbouncer ] || bouncer_start "$work" app
	(export APP_DATABASE=app PGOPTIONS="${APP_OPTIONS:-}"; run "$app") >"$output" 2>"$output.errors" || status=1
	[ "$app" != pgbouncer ] || bouncer_stop "$work"
	[ $status = 0 ] || tail -20 "$output.errors"
	return $status
}

# hits NAME: is the cache in order, and have there been any?
hits()
{
	psql -d app -c 'SELECT cache_verify()' >/dev/null && psql -d app -c "
		SELECT format('%s hits, %s misses, %s bypasses %s', l1_hits, misses, bypasses, bypass_reasons)
		FROM cache_stats" && [ "$(psql -d app -c 'SELECT l1_hits > 0 FROM cache_stats')" = t ]
}

# same NAME APP: are its answers those without the cache?
same()
{
	"$python" "$here/compare.py" "$1" "$work/$2.off" "$work/$2.got" >"$work/compared" 2>&1 ||
		grep -q '^not ok' "$work/compared" || echo "not ok - $1: no comparison" >>"$work/compared"
	count "$work/compared"
}

# compared APP WAY [SQL...]: with the cache switched on by the SQL commands.
compared()
{
	local app=$1 way=$2
	shift 2
	result "$app, $way: runs to its end" replay "$app" "$work/$app.got" "$@"
	same "$app, $way" "$app"
	result "$app, $way: served from the cache" hits
}

auto="ALTER ROLE app SET cache.mode = 'auto'; ALTER ROLE app_reader SET cache.mode = 'auto'"
all='ALTER ROLE app SET cache.min_cost = 0; ALTER ROLE app_reader SET cache.min_cost = 0'

# application APP: all of it, except for what shows only with other settings.
application()
{
	local app=$1
	result "$app: initial data" fill "$app"
	result "$app, off: runs to its end" replay "$app" "$work/$app.off"
	result "$app, off: nothing served" test "$(psql -d app -c 'SELECT l1_hits FROM cache_stats')" = 0
	compared "$app" 'auto by role' "$auto"
	APP_CONN_MAX_AGE=600 compared "$app" 'auto by role, min_cost 0' "$auto" "$all"
	case $app in
		pgbouncer)
			compared "$app" 'auto by database' "ALTER DATABASE app SET cache.mode = 'auto'" \
				'ALTER DATABASE app SET cache.min_cost = 0' ;;
		*)
			APP_OPTIONS='-c cache.mode=auto -c cache.min_cost=0' compared "$app" 'auto by options' ;;
	esac
}

# monitoring: the other libraries, loaded in either order.
monitoring()
{
	local order track
	for order in cache,pg_stat_statements,auto_explain auto_explain,pg_stat_statements,cache; do
		lib_postgres_stop "$work"
		rm -rf "$work/data"
		start shared_preload_libraries="$order" log_destination=jsonlog logging_collector=on \
			log_directory="$work" log_filename=explained.log \
			auto_explain.log_min_duration=-1 auto_explain.log_analyze=on auto_explain.log_verbose=on \
			auto_explain.log_nested_statements=on auto_explain.log_format=json
		result "$order: initial data" fill monitoring
		for track in top all; do
			monitored "$order, track $track" "ALTER ROLE app SET pg_stat_statements.track = '$track'"
		done
	done
}

# monitored NAME SQL
monitored()
{
	local name=$1 track=$2 way explain='ALTER ROLE app SET auto_explain.log_min_duration = 0'
	result "$name, off: runs to its end" replay monitoring "$work/monitoring.off" "$track"
	for way in auto shadow; do
		result "$name, $way: runs to its end" replay monitoring "$work/monitoring.got" "$track" \
			"ALTER ROLE app SET cache.mode = '$way'" "$all"
		same "$name, $way" monitoring
	done
	: >"$work/explained.json"		# what was logged before
	result "$name, explained: runs to its end" replay monitoring "$work/monitoring.got" "$track" \
		"$auto" "$all" "$explain"
	same "$name, explained" monitoring
	result "$name, explained: served from the cache" hits
	result "$name, explained: plans" "$python" "$here/monitoring/plans.py" "$work/explained.json" hits
}

# start SETTING=VALUE...: a server, with the roles of the applications.
start()
{
	lib_postgres_start "$work" fsync=off restart_after_crash=off "$@"
	psql -d postgres -c 'CREATE ROLE app LOGIN' -c 'CREATE ROLE app_reader LOGIN' -c 'GRANT app_reader TO app'
}

trap 'bouncer_stop "$work"; lib_postgres_stop "$work"' EXIT
trap 'exit 130' INT TERM
lib_build "$work" COPT="-Werror -DUSE_ASSERT_CHECKING ${BREAK:+-DCACHE_BREAK_$BREAK}"
start shared_preload_libraries=cache,pg_stat_statements
for app in $apps; do
	case $app in
		monitoring) monitoring ;;
		*) application "$app" ;;
	esac
done

if [ $failed -gt 0 ]; then
	echo "check-apps: FAILED: $failed of $((passed + failed)) tests"
	exit 1
fi
echo "check-apps: $passed tests passed"
