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
LIB_MAJORS='15 16 17 18'	# of PostgreSQL, that the extension is for; oldest first
LIB_PORT=5432			# only names the socket
LIB_CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin	# of runuser; some ways to become root leave them out

# Nothing of the caller's reaches the private servers and their clients.
unset PGDATA PGDATABASE PGSERVICE PGHOSTADDR PGOPTIONS PGPASSWORD PGPASSFILE
unset VALKEY_URL L1_CACHE_MAX_SIZE L1_CACHE_DEFAULT_TTL
unset CACHE_TTL_USER_PROFILE CACHE_TTL_STORY_LISTING CACHE_TTL_SEARCH_RESULTS

lib_die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# lib_major PROGRAM: the major version that the pg_config or server says it is
# of.  Nothing if there is no such program.
lib_major()
{
	"$1" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9]*\).*/\1/p'
}

# lib_lacks PG_CONFIG: the Debian packages that are missing for building and
# testing with it: a server, and headers and test programs of the same major
# version.  libpq-dev has a pg_config, too, but no headers of a server, and its
# version is that of the newest client.
lib_lacks()
{
	local major bindir headers tests pgxs
	major=$(lib_major "$1")
	if [ -z "$major" ]; then	# it comes with the packages, or nobody knows
		major=$(sed -n 's!^/usr/lib/postgresql/\([0-9]*\)/bin/pg_config$!\1!p' <<<"$1")
		[ -n "$major" ] && echo "postgresql-$major postgresql-server-dev-$major"
		return
	fi
	bindir=$("$1" --bindir) headers=$("$1" --includedir-server) pgxs=$("$1" --pgxs)
	tests=$(dirname "$pgxs")/../test
	[ "$(lib_major "$bindir/postgres")" = "$major" ] &&
		[ -x "$bindir/initdb" ] && [ -x "$bindir/pg_ctl" ] && [ -x "$bindir/psql" ] ||
		echo "postgresql-$major"
	[ -f "$headers/postgres.h" ] && [ -f "$pgxs" ] &&
		grep -qsE "PG_MAJORVERSION_NUM $major\$" "$headers"/pg_config*.h &&
		[ -x "$tests/regress/pg_regress" ] &&
		[ -x "$tests/isolation/pg_isolation_regress" ] &&
		[ -f "$tests/perl/PostgreSQL/Test/Cluster.pm" ] ||
		echo "postgresql-server-dev-$major"
}

# lib_majors: those of LIB_MAJORS, newest first.
lib_majors()
{
	printf '%s\n' $LIB_MAJORS | sort -rn
}

# lib_pg_config: the pg_config to build and test with.  That which PG_CONFIG
# names, if it names one.  Else the first that lacks nothing, in PATH or among
# Debian's, newest first.
lib_pg_config()
{
	local candidate
	if [ "$PG_CONFIG" = pg_config ]; then
		for candidate in "$(command -v pg_config)" \
				$(printf '/usr/lib/postgresql/%s/bin/pg_config\n' $(lib_majors)); do
			if [[ -x $candidate && " $LIB_MAJORS " == *" $(lib_major "$candidate") "* &&
					-z $(lib_lacks "$candidate") ]]; then
				echo "$candidate"
				return
			fi
		done
	fi
	echo "$PG_CONFIG"
}

PG_CONFIG=$(lib_pg_config)

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
		chown -R postgres: "$work" || lib_die "root needs a user postgres who runs the servers"
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

# lib_tmpdir: where work directories go: TMPDIR, but for one that sockets, makefiles
# or that user could not live in.
lib_tmpdir()
{
	local dir=${TMPDIR:-/tmp}
	if [[ $dir == /* && $dir != *[^[:alnum:]_./+-]* && ${#dir} -lt 60 && -w $dir ]] &&
			lib_user test -w "$dir" 2>/dev/null; then
		echo "$dir"
	else
		echo /tmp
	fi
}

export TMPDIR
TMPDIR=$(lib_tmpdir)

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
