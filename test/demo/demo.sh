#!/bin/bash
# demo.sh: build the extension, start a private PostgreSQL and a private Redis,
# load the Debian package index, and show what the cache does for costly queries.
#
#	demo.sh			run; a previous demo is stopped and replaced
#	demo.sh stop	stop the servers and remove everything
#
# Everything is kept in ${TMPDIR:-/tmp}/cache-demo.  test/setup.sh installs what
# is needed.

set -euo pipefail
source "$(dirname "$0")/../lib.sh"
export LC_ALL=C.UTF-8 PGTZ=UTC PGUSER=postgres

work=${TMPDIR:-/tmp}/cache-demo
runs=5						# hits are timed so often, the median is shown

if [ "${1-}" != inside ]; then
	[ ! -x "$work/stop" ] || "$work/stop"
	[ "${1-}" != stop ] || exit 0
	lib_copy "$work"
	lib_user env TMPDIR="${TMPDIR:-/tmp}" PG_CONFIG="$PG_CONFIG" \
		bash "$work/source/test/demo/demo.sh" inside
	exit
fi

export PGHOST=$work PGPORT=$LIB_PORT PGDATABASE=demo
psql() { command psql -X -q -v ON_ERROR_STOP=1 "$@"; }

# write_stop: the script that ends the demo.
write_stop()
{
	cat >"$work/stop" <<END
#!/bin/bash
# Stops the demo's servers and removes its directory.
source "$work/source/test/lib.sh"
PG_CONFIG=$PG_CONFIG
if [ "\$(id -u)" = 0 ]; then
	cd / && exec runuser -u "$(id -un)" -- "$work/stop"
fi
lib_postgres_stop "$work"
lib_redis_stop "$work"
rm -rf "$work"
END
	chmod +x "$work/stop"
}

# Redis has answered for every invalidation; only then is the second tier used.
wait_redis()
{
	local state
	for _ in $(seq 100); do
		state=$(psql -At -c "SELECT l2_state = 'up' AND l2_unsent = 0 FROM cache_stats")
		[ "$state" != t ] || return 0
		sleep 0.1
	done
	lib_die "the cache does not reach Redis: $(psql -At -c 'SELECT l2_state FROM cache_stats')"
}

# timed STEP STATEMENT: psql input that times a statement as the client sees
# it and keeps its answer in the file STEP.
timed()
{
	printf '\\echo %s\n\\o %s\n\\timing on\n%s;\n\\timing off\n\\o\n' \
		"$1" "$work/answer.$1" "$2"
}

# median STEP: of the times in the file timings.
median()
{
	awk -v step="$1" '$1 == step { getline; print $2 }' "$work/timings" | sort -n |
		awk '{ t[NR] = $1 } END { printf "%.2f", t[int((NR + 1) / 2)] }'
}

# counters: hits in shared memory, hits in Redis, executions.  The last is not
# the cache's own count: pg_stat_statements sees what runs inside cached_query.
counters()
{
	psql -At -F ' ' -c "
		SELECT l1_hits, l2_hits,
			(SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
				WHERE NOT toplevel AND query LIKE '%/* question */%')
		FROM cache_stats"
}

# question TITLE QUERY TAGS UPDATE: ask it in every way; add a line to the table.
question()
{
	local title=$1 query="/* question */ $2" tags=$3 update=$4 call i before after
	local truth="SELECT row_to_json(q) FROM ($2) q"
	call="SELECT cached_query(\$q\$$query\$q\$, 300, '$tags')"

	printf '\n%s\n' "$title"
	before=($(counters))
	{	# the first connection
		echo '\t on' '\a'
		for ((i = 0; i < 3; i++)); do timed uncached "$query"; done
		timed fill "$call"
		for ((i = 0; i < runs; i++)); do timed l1 "$call"; done
	} | psql >"$work/timings"
	echo "    answer        $(head -n 1 "$work/answer.l1" | cut -c 1-120)"

	echo "    $update"
	psql -c "$update"
	wait_redis
	{
		echo '\t on' '\a'
		timed update "$call"
	} | psql >>"$work/timings"
	echo "    answer        $(head -n 1 "$work/answer.update" | cut -c 1-120)"
	psql -At -c "$truth" >"$work/answer.truth"

	{	# a second connection; shared memory is emptied each time
		echo '\t on' '\a'
		for ((i = 0; i < runs; i++)); do
			echo "SELECT cache_flush('l1') \\g /dev/null"
			timed l2 "$call"
		done
	} | psql >>"$work/timings"
	after=($(counters))

	cmp -s "$work/answer.fill" "$work/answer.l1" &&
		cmp -s "$work/answer.update" "$work/answer.truth" &&
		cmp -s "$work/answer.update" "$work/answer.l2" ||
		lib_die "a cached answer differs from that of the query; see $work/answer.*"
	! cmp -s "$work/answer.l1" "$work/answer.update" ||
		lib_die "the answer did not change with the table"
	printf '%-30s %10s %10s %8s %8s %8s %6d %8d %8d %11d\n' "${title%%:*}" \
		"$(median uncached)" "$(median fill)" "$(median l1)" "$(median l2)" \
		"$(median update)" $((2 * runs + 2)) $((after[0] - before[0])) \
		$((after[1] - before[1])) $((after[2] - before[2])) >>"$work/table"
}

cd "$work"
write_stop
trap '[ $? = 0 ] || echo "The demo failed; logs are in $work.  make demo-stop ends it." >&2' EXIT
echo "Building the extension in $work ..."
lib_build "$work"

echo "Starting PostgreSQL and Redis, both reachable through $work only ..."
lib_redis_start "$work"
lib_postgres_start "$work" \
	shared_preload_libraries='cache,pg_stat_statements' \
	pg_stat_statements.track=all \
	cache.redis_url="unix://$work/redis.sock"

echo "Loading the Debian package index ..."
apt-cache dumpavail >index 2>/dev/null || true
[ -s index ] || cp /var/lib/dpkg/status index
perl source/test/demo/packages.pl . <index
createdb -T template0 demo
psql -f source/test/demo/schema.sql >load.log
rm -f index ./*.copy
psql -At -c "
	SELECT format('%s packages of %s maintainers with %s dependencies.',
		(SELECT count(*) FROM package), (SELECT count(*) FROM maintainer),
		(SELECT count(*) FROM dependency))"
wait_redis

question 'Who needs libc6: directly or through other packages, by section' "
	WITH RECURSIVE needs (id) AS (
		SELECT id FROM package WHERE name = 'libc6'
		UNION
		SELECT d.package_id FROM needs n JOIN dependency d ON d.depends_on = n.id
		WHERE d.kind IN ('depends', 'pre-depends'))
	SELECT section, count(*) AS packages, sum(installed_size) AS kb
	FROM needs JOIN package USING (id)
	GROUP BY section ORDER BY packages DESC, section" \
	'{package,dependency}' \
	"UPDATE package SET section = 'moved' WHERE section = 'libs'"

question 'Most depended-on: the first ten packages of each section' "
	SELECT * FROM (
		SELECT section, rank() OVER (PARTITION BY section ORDER BY count(*) DESC),
			p.name, count(*) AS dependents
		FROM dependency d JOIN package p ON p.id = d.depends_on
		GROUP BY p.id) ranked
	WHERE rank <= 10 ORDER BY section, rank, name" \
	'{package,dependency}' \
	"UPDATE package SET section = 'a new section' WHERE name = 'libc6'"

question 'Disk space by maintainer: the first twenty' "
	SELECT m.name, count(*) AS packages, sum(p.installed_size) AS kb,
		percentile_disc(0.5) WITHIN GROUP (ORDER BY p.installed_size) AS median_kb,
		round(100 * sum(p.installed_size) / sum(sum(p.installed_size)) OVER (), 2) AS percent
	FROM package p JOIN maintainer m ON m.id = p.maintainer_id
	GROUP BY m.id ORDER BY kb DESC, m.name LIMIT 20" \
	'{package,maintainer}' \
	"UPDATE package SET installed_size = installed_size + 200000000 WHERE name = 'bash'"

question 'Text search: packages about web servers, best first' "
	SELECT name, description,
		ts_rank(to_tsvector('english', description), to_tsquery('english', 'web & server')) AS rank
	FROM package
	WHERE to_tsvector('english', description) @@ to_tsquery('english', 'web & server')
	ORDER BY rank DESC, name LIMIT 25" \
	'{package}' \
	"UPDATE package SET description = 'web server web server' WHERE name = 'bash'"

cat <<END

Milliseconds as psql sees them (medians of several runs), and what happened to
the calls of cached_query: hits by tier as the cache counts them, executions as
pg_stat_statements counts them.

END
printf '%-30s %10s %10s %8s %8s %8s %6s %8s %8s %11s\n' query uncached \
	'first call' 'L1 hit' 'L2 hit' 'updated' calls 'L1 hits' 'L2 hits' executions
cat table
cat <<END

uncached    the query as it is
first call  cached_query() executes it and keeps the result
L1 hit      again: from shared memory
updated     after an UPDATE, whose trigger invalidated the result: executed again
L2 hit      from a second connection, after cache_flush('l1'): from Redis

SELECT * FROM cache_stats:
END
psql -x -c 'SELECT * FROM cache_stats'
cat <<END
The servers go on running.  Play with them:
    psql -h $work -U postgres demo
Stop them and remove everything:
    make demo-stop
END
