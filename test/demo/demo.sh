#!/bin/bash
# demo.sh: build the extension, start a private PostgreSQL and a private Redis,
# load the Debian package index, and show what the cache does for costly queries:
# asked through cached_query, and as they are with cache.mode = auto.
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
asked=0 executed=0 auto_asked=0 auto_served=0
unset MAKEFLAGS MFLAGS MAKELEVEL

select='SELECT * FROM most_needed'
explain="EXPLAIN (ANALYZE, COSTS OFF) $select"
update="UPDATE package SET section = 'mine' WHERE name = 'libc6'"

# stop_previous: as the user whose servers they are; root trusts nobody's script.
stop_previous()
{
	[ -e "$work/stop" ] || return 0
	[ -O "$work" ] || { [ "$(id -u)" = 0 ] && [ "$(stat -c %U "$work")" = postgres ]; } ||
		lib_die "$work belongs to $(stat -c %U "$work"), who has to stop that demo"
	lib_user bash "$work/stop"
}

if [ "${1-}" != inside ]; then
	stop_previous
	[ "${1-}" != stop ] || exit 0
	lib_copy "$work"
	lib_user env TMPDIR="${TMPDIR:-/tmp}" PG_CONFIG="$PG_CONFIG" \
		bash "$work/source/test/demo/demo.sh" inside
	exit
fi

export PGHOST=$work PGPORT=$LIB_PORT PGDATABASE=demo PATH=$("$PG_CONFIG" --bindir):$PATH
psql() { command psql -X -q -v ON_ERROR_STOP=1 "$@"; }

# write_stop: the script that ends the demo.
write_stop()
{
	cat >"$work/stop" <<END
#!/bin/bash
# Stops the demo's servers and removes its directory.
source "$work/source/test/lib.sh"
PG_CONFIG=$PG_CONFIG
if [ "\$(id -u)" = 0 ] && [ "$(id -u)" != 0 ]; then
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

# connection [MODE]: runs what timed prints in a connection of its own.
connection()
{
	PGOPTIONS="-c cache.mode=${1:-off}" psql -A -t >>"$work/timings"
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

# same STEP STEP, different STEP STEP: the answers.
same()
{
	cmp -s "$work/answer.$1" "$work/answer.$2" ||
		lib_die "the answers answer.$1 and answer.$2 in $work differ"
}

different()
{
	! cmp -s "$work/answer.$1" "$work/answer.$2" ||
		lib_die "the answer has not changed with the table"
}

# first_row STEP
first_row()
{
	local row
	row=$(head -n 1 "$work/answer.$1")
	[ ${#row} -le 80 ] || row="${row:0:77}..."
	printf '%s\n' "$row"
}

# question TITLE QUERY TAGS UPDATE: ask it in every way; add a line to the table.
question()
{
	local title=$1 query tags=$3 update=$4 call i before between after
	query="/* question */$(tr -s '[:space:]' ' ' <<<"$2")"
	call="SELECT cached_query(\$q\$$query\$q\$, NULL, '$tags')"

	printf '\n%s\n' "$title"
	: >"$work/timings"
	before=($(counters))
	{
		for ((i = 0; i < 3; i++)); do timed uncached "$query"; done
		timed fill "$call"
		for ((i = 0; i < runs; i++)); do timed l1 "$call"; done
	} | connection
	between=($(counters))
	{	# the query again, as it is; what is asked for twice is kept
		timed learned "$query"
		timed learned "$query"
		for ((i = 0; i < runs; i++)); do timed auto "$query"; done
	} | connection auto
	auto_asked=$((auto_asked + runs + 2))
	auto_served=$((auto_served + $(psql -At -c 'SELECT l1_hits FROM cache_stats') - between[0]))
	same fill l1
	same uncached auto
	echo "    first row  $(first_row fill)"

	echo "    then       $update"
	psql -c "$update"
	wait_redis
	{
		timed update "$call"
		timed truth "$query"
		timed json "SELECT row_to_json(q) FROM ($2) q"
	} | connection
	timed auto_update "$query" | connection auto
	{	# a connection that finds nothing in shared memory
		for ((i = 0; i < runs; i++)); do
			echo "SELECT cache_flush('l1') \\g /dev/null"
			timed l2 "$call"
		done
	} | connection
	after=($(counters))
	same update json
	same update l2
	same truth auto_update
	different uncached truth
	different l1 update
	echo "    first row  $(first_row update)"

	asked=$((asked + 2 * runs + 2))
	executed=$((executed + after[2] - before[2]))
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${title%%:*}" "$(median uncached)" \
		"$(median fill)" "$(median l1)" "$(median auto)" "$(median update)" \
		"$(median l2)" >>"$work/results"
}

# bars: of the first and the third time in the file results, to scale.
bars()
{
	awk -F '\t' '
		{ title[NR] = $1; slow[NR] = $2; fast[NR] = $4; if ($2 > most) most = $2 }
		function bar(time,  text)
		{
			while (length(text) < int(50 * time / most + 0.5)) text = text "#"
			return text
		}
		END {
			for (i = 1; i <= NR; i++) {
				printf "%-24s  without  %8.2f ms |%s\n", title[i], slow[i], bar(slow[i])
				printf "%-24s  with     %8.2f ms |%s  %d times faster\n", "",
					fast[i], bar(fast[i]), slow[i] / (fast[i] > 0 ? fast[i] : 0.01)
			}
		}' "$work/results"
}

table()
{
	printf '%-24s %9s %11s %8s %9s %9s %8s %13s\n' question uncached 'first call' 'L1 hit' \
		'auto hit' updated 'L2 hit' 'times faster'
	awk -F '\t' '{
		printf "%-24s %9s %11s %8s %9s %9s %8s %13d\n", $1, $2, $3, $4, $5, $6, $7,
			$2 / ($4 > 0 ? $4 : 0.01)
	}' "$work/results"
}

# statements: for the visitor to type.  Sees first that they do what is said of
# them, and takes back the change.
statements()
{
	local first again
	psql -c "ALTER DATABASE demo SET cache.mode = 'auto'"
	psql -At -c "$select" -c "$select" >/dev/null
	if ! grep -q 'Cache Status: hit' <<<"$(psql -At -c "$select" -c "$explain")"; then
		# a small index makes for cheap queries
		psql -c 'ALTER DATABASE demo SET cache.min_cost = 0'
	fi
	first=$(psql -At -c "$select" -c "$explain")
	again=$(psql -At -c "$update" -c "$select" -c "$explain")
	grep -q 'Cache Status: hit' <<<"$first" && grep -q 'Cache Status: hit' <<<"$again" &&
		! grep -q '^mine|libc6|' <<<"$first" && grep -q '^mine|libc6|' <<<"$again" ||
		lib_die "the statements to try do not do what they should: $first $again"
	psql -c "UPDATE package SET section = 'libs' WHERE name = 'libc6'"
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
	cache.redis_url="unix://$work/redis.sock" \
	cache.l2_timeout=1000

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
cat <<END

Four questions about them.  Each is asked plainly, through cached_query, and unchanged with
cache.mode = auto.  Then a table that it reads changes, and it is asked again.
END

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

statements
cat <<END


Time until psql has the answer, without the cache and with it:

$(bars)

The same in figures: milliseconds, medians of several runs.

$(table)

uncached      the query as it is, without the cache
first call    SELECT cached_query('the query') executes it and keeps the result
L1 hit        the same again: from shared memory
auto hit      the query as it is, unchanged, with cache.mode = auto: from shared memory
updated       cached_query after an UPDATE, which invalidated the result: executed again
L2 hit        from a connection that finds nothing in shared memory: from Redis
times faster  uncached / L1 hit

Of $asked calls of cached_query $executed executed the query, as pg_stat_statements counts; of $auto_asked unchanged
SELECTs $auto_served were hits.  Every answer was compared with what the query itself says at that time.

The servers go on running; see for yourself:

    psql -h $work -U postgres demo

and type there, for instance, these three.  EXPLAIN shows a hit, and how old the result is.  Type
the first two again after the third: the new answer is there at once.

    $select;
    $explain;
    $update;

The scripts in examples/ run there as well: psql -h $work -U postgres -f examples/plain.sql demo

make demo-stop stops the servers and removes everything.
END
