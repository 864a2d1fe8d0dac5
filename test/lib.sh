# lib.sh: what the scripts in test/ share: stepping down from root, a private
# copy of the checkout, a private build, a private PostgreSQL, a private Redis.
#
# Sourced, not run.  Nothing here installs anything system-wide or listens on a
# network port: a server is reached through the socket in its own directory.
# A "work directory" is laid out as
#	source/		copy of the checkout
#	stage/		make install DESTDIR=stage
#	data/		PostgreSQL's, log in postgres.log, socket in the work directory
#	redis.sock	Redis', log in redis.log

: "${PG_CONFIG:=pg_config}"
LIB_PORT=5432			# only names the socket
LIB_CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Nothing of the caller's reaches the private servers and their clients.
unset PGDATA PGDATABASE PGSERVICE PGHOSTADDR PGOPTIONS PGPASSWORD PGPASSFILE
unset VALKEY_URL L1_CACHE_MAX_SIZE L1_CACHE_DEFAULT_TTL

lib_die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# lib_copy WORK: a fresh work directory with a copy of the checkout, without
# what was built in it, owned by whoever will run the servers.
lib_copy()
{
	local work=$1

	# PostgreSQL's and Redis' limit for the name of a socket is 107 bytes
	[ ${#work} -lt 85 ] || lib_die "the path $work is too long for a socket; set TMPDIR"
	rm -rf "$work" && mkdir -m 700 "$work" && mkdir "$work/source" ||
		lib_die "cannot replace $work; does it belong to another user?"
	tar -C "$LIB_CHECKOUT" -cf - --exclude=./.git --exclude='*.o' --exclude='*.so' \
		--exclude='*.bc' --exclude='*.d' --exclude=./tmp_check . | tar -C "$work/source" -xf -
	if [ "$(id -u)" = 0 ]; then
		chown -R postgres: "$work"
		lib_user test -w "$work" || lib_die "the user postgres cannot reach $work; set TMPDIR"
	fi
}

# lib_user COMMAND...: run it as a user who may run PostgreSQL.
lib_user()
{
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# The rest runs as that user.

# lib_build WORK [MAKE ARGUMENTS]: build source/ and install it into stage/.
lib_build()
{
	local work=$1
	shift
	# a LIBRARY_PATH from the environment gets into PostgreSQL's makefiles
	env -u LIBRARY_PATH make -s -C "$work/source" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" "$@" \
		>"$work/build.log" 2>&1 &&
		env -u LIBRARY_PATH make -s -C "$work/source" PG_CONFIG="$PG_CONFIG" "$@" install \
			DESTDIR="$work/stage" >>"$work/build.log" 2>&1 ||
		{ tail -20 "$work/build.log" >&2; lib_die "the build failed"; }
}

# lib_postgres_start WORK [SETTING=VALUE...]: a new cluster, superuser postgres,
# that finds the extension in stage/.
lib_postgres_start()
{
	local work=$1 bindir version setting
	bindir=$("$PG_CONFIG" --bindir)
	version=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
	shift
	"$bindir/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --no-locale -N \
		>"$work/initdb.log" 2>&1 ||
		{ tail -5 "$work/initdb.log" >&2; lib_die "initdb failed"; }
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$work'"
		echo "port = $LIB_PORT"
		if [ "$version" -ge 18 ]; then
			echo "extension_control_path = '$work/stage$("$PG_CONFIG" --sharedir):\$system'"
		else
			echo "extension_destdir = '$work/stage'"	# of Debian's packages
		fi
		echo "dynamic_library_path = '$work/stage$("$PG_CONFIG" --pkglibdir):\$libdir'"
		for setting in "$@"; do
			echo "${setting%%=*} = '${setting#*=}'"
		done
	} >>"$work/data/postgresql.conf"
	"$bindir/pg_ctl" -D "$work/data" -l "$work/postgres.log" -w start >/dev/null ||
		{ tail -20 "$work/postgres.log" >&2; lib_die "PostgreSQL did not start"; }
}

lib_postgres_stop()
{
	if [ -f "$1/data/postmaster.pid" ]; then
		"$("$PG_CONFIG" --bindir)/pg_ctl" -D "$1/data" -m fast -w stop >/dev/null
	fi
}

# lib_redis PROGRAM: Redis' or Valkey's server, cli or benchmark, as installed.
lib_redis()
{
	command -v "redis-$1" || command -v "valkey-$1" ||
		lib_die "neither redis-$1 nor valkey-$1 is installed"
}

# lib_redis_start WORK: a Redis that keeps nothing on disk.
lib_redis_start()
{
	local work=$1 server cli
	server=$(lib_redis server) && cli=$(lib_redis cli) || exit 1
	(cd "$work" && "$server" --port 0 --unixsocket "$work/redis.sock" --save '' \
		--daemonize yes --logfile "$work/redis.log" --dir "$work") >/dev/null
	for _ in $(seq 50); do
		"$cli" -s "$work/redis.sock" ping >/dev/null 2>&1 && return
		sleep 0.1
	done
	lib_die "Redis did not start; see $work/redis.log"
}

lib_redis_stop()
{
	if [ -S "$1/redis.sock" ]; then
		"$(lib_redis cli)" -s "$1/redis.sock" shutdown nosave >/dev/null 2>&1 || true
	fi
}
