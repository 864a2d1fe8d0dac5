# bouncer.sh: a private PgBouncer.
#
# Sourced after test/lib.sh, not run.  Its databases transaction and statement are
# the same one, in the pool mode of that name; its socket is in the work directory.

BOUNCER_PORT=6432		# only names the socket

# bouncer_start WORK DATABASE: with new connections to a database.
bouncer_start()
{
	local work=$1 database=$2
	printf '"%s" ""\n' app app_reader >"$work/bouncer.users"
	cat >"$work/bouncer.ini" <<-END
		[databases]
		transaction = host=$work port=$LIB_PORT dbname=$database pool_mode=transaction
		statement = host=$work port=$LIB_PORT dbname=$database pool_mode=statement
		[pgbouncer]
		unix_socket_dir = $work
		listen_port = $BOUNCER_PORT
		auth_type = trust
		auth_file = $work/bouncer.users
		logfile = $work/bouncer.log
		pidfile = $work/bouncer.pid
		default_pool_size = 2
		server_reset_query = DISCARD ALL
		server_reset_query_always = 1
	END
	/usr/sbin/pgbouncer -q -d "$work/bouncer.ini" || lib_die "PgBouncer did not start"
}

bouncer_stop()
{
	local pid
	[ -f "$1/bouncer.pid" ] || return 0
	pid=$(cat "$1/bouncer.pid")
	kill "$pid"
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
	done
	rm -f "$1/bouncer.pid"
}
