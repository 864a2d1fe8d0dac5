#!/bin/bash
# bench.sh: how fast a hit is, next to what bounds it and what it replaces.
#
# Every subject is measured by pgbench with 4 clients over a unix socket, by the
# simple protocol and with prepared statements, in rounds that alternate between
# the subjects; the table shows medians.  Compare the ratios, which hold from
# machine to machine, rather than the rates, which do not.
#
#	DURATION	seconds for each subject, protocol and round (5)
#	ROUNDS		rounds (3)
#	CLIENTS		clients (4)
#
# pgpool-II and redis-benchmark take part if they are installed.

set -euo pipefail
source "$(dirname "$0")/../lib.sh"
export LC_ALL=C.UTF-8 PGTZ=UTC PGUSER=postgres

DURATION=${DURATION:-5} ROUNDS=${ROUNDS:-3} CLIENTS=${CLIENTS:-4}
work=${CACHE_BENCH_WORK:-$(mktemp -d "${TMPDIR:-/tmp}/cache-bench.XXXXXX")}

if [ "${1-}" != inside ]; then
	trap 'rm -rf "$work"' EXIT
	lib_copy "$work"
	lib_user env CACHE_BENCH_WORK="$work" PG_CONFIG="$PG_CONFIG" DURATION="$DURATION" \
		ROUNDS="$ROUNDS" CLIENTS="$CLIENTS" bash "$work/source/test/bench/bench.sh" inside
	exit
fi

export PGHOST=$work PGPORT=$LIB_PORT PGDATABASE=bench
pgpool_port=9999
psql() { command psql -X -q -v ON_ERROR_STOP=1 "$@"; }

finish()
{
	pgpool_stop || true
	lib_postgres_stop "$work"
	lib_redis_stop "$work"
}

# has PROGRAM
has() { PATH=$PATH:/usr/sbin command -v "$1" >/dev/null; }

pgpool_start()
{
	cat >"$work/pgpool.conf" <<-END
		backend_clustering_mode = 'streaming_replication'
		backend_hostname0 = '$work'
		backend_port0 = $LIB_PORT
		backend_weight0 = 1
		backend_flag0 = 'ALWAYS_PRIMARY'
		listen_addresses = ''
		port = $pgpool_port
		socket_dir = '$work'
		pcp_socket_dir = '$work'
		pcp_listen_addresses = ''
		wd_ipc_socket_dir = '$work'
		pid_file_name = '$work/pgpool.pid'
		logdir = '$work'
		work_dir = '$work'
		enable_pool_hba = off
		num_init_children = $((CLIENTS + 2))
		sr_check_period = 0
		memory_cache_enabled = on
		memqcache_method = 'shmem'
		memqcache_expire = 0
		memqcache_oiddir = '$work/oiddir'
	END
	mkdir -p "$work/oiddir"
	touch "$work/pool_passwd" "$work/pcp.conf" "$work/pool_hba.conf"
	(PATH=$PATH:/usr/sbin exec pgpool -n -f "$work/pgpool.conf" -a "$work/pool_hba.conf" \
		-F "$work/pcp.conf") >"$work/pgpool.log" 2>&1 &
	for _ in $(seq 50); do
		PGPORT=$pgpool_port psql -c 'SELECT 1' >/dev/null 2>&1 && return
		sleep 0.2
	done
	tail -5 "$work/pgpool.log" >&2
	lib_die "pgpool-II did not start"
}

pgpool_stop()
{
	[ ! -f "$work/pgpool.pid" ] || kill "$(tr -d '\0' <"$work/pgpool.pid")"
}

# measure SUBJECT PROTOCOL: transactions per second, added to the file rates.
measure()
{
	local port=$LIB_PORT script=$1 mode=off tps
	case $1 in
		pgpool) port=$pgpool_port script=uncached ;;
		plain) mode=auto script=uncached ;;
		key_auto) mode=auto script=key ;;
	esac
	tps=$(PGPORT=$port PGOPTIONS="-c cache.mode=$mode" pgbench -n -c "$CLIENTS" -j 2 -T "$DURATION" -M "$2" \
		-f "$work/$script.sql" 2>>"$work/pgbench.log" |
		sed -n 's/^tps = \([0-9.]*\).*/\1/p')
	[ -n "$tps" ] || { tail -5 "$work/pgbench.log" >&2; lib_die "pgbench failed for $1"; }
	echo "$1 $2 $tps" >>"$work/rates"
}

# measure_redis: GET of a value as large as the cached result.
measure_redis()
{
	"$redis_benchmark" -s "$work/redis.sock" -c "$CLIENTS" -d 1200 -t set,get \
		-n $((DURATION * 40000)) --csv 2>/dev/null |
		awk -F '"' '$2 ~ /^GET/ { print "redis simple", $4 }' >>"$work/rates"
}

# median SUBJECT PROTOCOL: of its rates, 0 if there are none.
median()
{
	awk -v s="$1" -v p="$2" '$1 == s && $2 == p { print $3 }' "$work/rates" | sort -n |
		awk '{ r[NR] = $1 } END { print NR ? r[int((NR + 1) / 2)] : 0 }'
}

# row SUBJECT TITLE: a line of the table.
row()
{
	echo "$(median "$1" simple) $(median "$1" prepared)" \
		"$(median select_1 simple) $(median select_1 prepared)" \
		"$(median constant simple) $(median constant prepared)" |
		awk -v title="$2" '
			function ratio(a, b) { return a && b ? sprintf("%.3f", a / b) : "-" }
			function rate(a) { return a ? sprintf("%.0f", a) : "-" }
			{ printf "%-36s %9s %9s   %7s %7s   %7s %7s\n", title, rate($1), rate($2),
				ratio($1, $3), ratio($2, $4), ratio($1, $5), ratio($2, $6) }'
}

cd "$work"
trap finish EXIT
echo "Building without assertions and starting PostgreSQL in $work ..."
lib_build "$work"
lib_postgres_start "$work" shared_preload_libraries=cache shared_buffers=256MB \
	fsync=off autovacuum=off
createdb -T template0 bench

# Ten rows of about 100 bytes each, for a sort of 200 000.
query='SELECT id, title, score, made, listed FROM item ORDER BY score DESC, id LIMIT 10'
psql <<END
CREATE EXTENSION cache;
CREATE TABLE item AS
	SELECT i AS id, 'Item ' || i || ' ' || repeat(md5(i::text), 2) AS title,
		i::bigint * 7919 % 1000003 AS score,
		timestamptz '2026-01-01' + i * interval '1 minute' AS made, i % 3 = 0 AS listed
	FROM generate_series(1, 200000) i;
ALTER TABLE item ADD PRIMARY KEY (id);
VACUUM ANALYZE item;
END
psql -At -c "SELECT row_to_json(q) FROM ($query) q" >rows
sed 's/[\\"]/\\&/g; s/.*/"&",/' rows >rows.h
gcc -O2 -fPIC -shared -w -I. -I"$("$PG_CONFIG" --includedir-server)" -o constant.so \
	source/test/bench/constant.c
psql -c "CREATE FUNCTION constant_rows() RETURNS SETOF json
	AS '$work/constant' LANGUAGE C STABLE"

echo 'SELECT 1;' >select_1.sql
echo 'SELECT constant_rows();' >constant.sql
psql -At -c "SELECT 'VALUES ' || string_agg(format('(%s, %L, %s::bigint, %L::timestamptz, %L::bool)',
	id, title, score, made, listed), ', ' ORDER BY score DESC, id) || ';' FROM ($query) q" >values.sql
echo "SELECT cached_query('$query', 3600, '{item}');" >hit.sql
echo "$query;" >uncached.sql
printf '%s\n' '\set id random(1, 200000)' 'SELECT title FROM item WHERE id = :id;' >key.sql
for script in constant hit hit; do
	psql -At -f "$script.sql" | cmp - rows || lib_die "$script.sql has another result"
done
psql -At -f uncached.sql >plain_rows
for script in values uncached uncached; do
	PGOPTIONS='-c cache.mode=auto' psql -At -f "$script.sql" | cmp - plain_rows ||
		lib_die "$script.sql has another result"
done

subjects=(select_1 constant values hit plain uncached key key_auto)
if has pgpool; then
	pgpool_start
	subjects+=(pgpool)
fi
redis_benchmark=$(lib_redis benchmark 2>/dev/null) || redis_benchmark=
[ -z "$redis_benchmark" ] || lib_redis_start "$work"

echo "Measuring: $ROUNDS rounds of ${#subjects[@]} subjects, 2 protocols, $DURATION s each ..."
for ((i = 0; i < ROUNDS; i++)); do
	for subject in "${subjects[@]}"; do
		measure "$subject" simple
		measure "$subject" prepared
	done
	[ -z "$redis_benchmark" ] || measure_redis
done

cat <<END

Answers per second ($CLIENTS clients, medians of $ROUNDS rounds), and how they compare
with SELECT 1 and with a C function that returns the same ten rows from a
constant. The result is $(wc -c <rows) bytes in $(wc -l <rows) rows.

                                         simple  prepared    to SELECT 1      to constant
                                                            simple  prep.    simple  prep.
END
row select_1 'SELECT 1'
row constant 'C function, constant rows'
row values 'the same rows as VALUES'
row hit 'cached_query, hit'
row plain 'the query, cache.mode = auto, hit'
row uncached 'the query, not cached'
row key 'look-up by primary key'
row key_auto 'the same, cache.mode = auto'
if has pgpool; then
	row pgpool 'pgpool-II query cache'
else
	echo 'pgpool-II query cache                not installed'
fi
if [ -n "$redis_benchmark" ]; then
	row redis 'Redis GET of 1.2 kB (no SQL)'
else
	echo 'Redis GET of 1.2 kB (no SQL)         not installed'
fi
psql -At -F ' ' -c "SELECT 'cache:', l1_hits, 'hits,', misses, 'misses,', bypasses, 'bypasses' FROM cache_stats"

# compare SUBJECT BASE TEXT
compare()
{
	echo "$(median "$1" simple) $(median "$2" simple) $(median "$1" prepared) $(median "$2" prepared)" |
		awk -v text="$3" '{ if ($2 && $4) printf "%-52s %.3f simple, %.3f prepared\n", text, $1 / $2, $3 / $4 }'
}
compare plain values 'plain hit to the rows as VALUES:'
compare plain pgpool 'plain hit to pgpool-II:'
compare key_auto key 'look-up by primary key, mode auto to off:'
