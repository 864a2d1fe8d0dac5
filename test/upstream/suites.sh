# suites.sh: PostgreSQL's own suites: where their source is, and how to run one.
#
# Sourced after test/lib.sh, not run.  The source is UPSTREAM_SOURCE, a tree that
# somebody has unpacked, or Debian's source package of the installed server.  That
# is found through the package sources of this machine, asked for source packages
# in a private apt directory, so that nothing of the machine's apt changes, and
# kept in ${XDG_CACHE_HOME:-~/.cache}/postgresql-source.
#
# Adds to a work directory
#	upstream/	the parts of the source that the suites need, and what is built of it
#	output/		what the suite that runs now writes

SUITES_TIMEOUT=1200		# seconds; a test may hang

# suites_version TREE: the version of PostgreSQL that a source tree is of.
suites_version()
{
	sed -n "s/^PACKAGE_VERSION='\(.*\)'/\1/p" "$1/configure"
}

# suites_apt DIRECTORY: make it a private apt directory, whose apt.conf knows the
# source packages of the machine's package sources.
suites_apt()
{
	local directory=$1 file
	mkdir -p "$directory/sources" "$directory/cache" "$directory/state/lists/partial"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		case $file in
			*.list)
				[ ! -e "$file" ] || sed -nE 's/^[ \t]*deb(-src)?([ \t])/deb-src\2/p' "$file" |
					sort -u >"$directory/sources/$(basename "$file")" ;;
			*.sources)
				sed -E 's/^Types:.*/Types: deb-src/I' "$file" \
					>"$directory/sources/$(basename "$file")" ;;
		esac
	done
	cat >"$directory/apt.conf" <<-END
		#clear APT::Update;
		Dir::State "$directory/state";
		Dir::Cache "$directory/cache";
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$directory/sources";
	END
	# a repository without sources is none of ours
	apt-get -c "$directory/apt.conf" update >"$directory/log" 2>&1 || true
}

# suites_nearest WANTED: the package versions on standard input, nearest to the
# wanted one first, the newer of two that are equally near.
suites_nearest()
{
	awk -v wanted="$1" '
		function minor(version)
		{
			sub(/^[0-9]+:/, "", version)
			sub(/^[^.]*\./, "", version)
			return version + 0
		}
		!seen[$1]++ {
			far = minor($1) - minor(wanted)
			print ($1 == wanted ? -1 : far < 0 ? -far : far), minor($1), $1
		}' | sort -k 1,1n -k 2,2nr | awk '{ print $3 }'
}

# suites_fetch CACHE: print the directory in the cache that holds the source of
# the installed server, or of the nearest version of the same major that is to be
# had, after fetching it if it is not there.
suites_fetch()
{
	local cache=$1 wanted package version private status=1
	wanted=$("$PG_CONFIG" --version | sed -E 's/.*\(Debian ([^ )]*)\).*/\1/; s/^PostgreSQL ([^ ]*).*/\1/')
	package=postgresql-${wanted%%.*}
	if [ -d "$cache/$package-$wanted" ]; then
		echo "$cache/$package-$wanted"
		return
	fi
	mkdir -p "$cache" || return
	private=$(mktemp -d "$cache/fetching.XXXXXX") || return
	suites_apt "$private"
	for version in $({ apt-cache -c "$private/apt.conf" showsrc --only-source "$package" 2>/dev/null |
			sed -n 's/^Version: //p'
			ls "$cache" | sed -n "s/^$package-//p"; } | suites_nearest "$wanted"); do
		if [ ! -d "$cache/$package-$version" ]; then
			(cd "$private" && apt-get -c apt.conf source "$package=$version") \
				>>"$private/log" 2>&1 &&
				mv "$private/$package"-*/ "$cache/$package-$version" || continue
		fi
		echo "$cache/$package-$version"
		status=0
		break
	done
	[ $status = 0 ] || tail -5 "$private/log" >&2
	rm -rf "$private"
	return $status
}

# suites_copy WORK: put what the suites need into upstream/, and say what it is.
suites_copy()
{
	local work=$1 tree server
	tree=${UPSTREAM_SOURCE:-$(suites_fetch "${XDG_CACHE_HOME:-$HOME/.cache}/postgresql-source")} &&
		[ -f "$tree/src/test/regress/parallel_schedule" ] ||
		lib_die "there is no source of PostgreSQL; name an unpacked tree with UPSTREAM_SOURCE"
	mkdir "$work/upstream"
	cp -r "$tree/configure" "$tree/src/test/regress" "$tree/src/test/isolation" \
		"$tree/contrib/spi" "$work/upstream"
	chmod -R u+w "$work/upstream"
	[ "$(id -u)" != 0 ] || chown -R postgres: "$work/upstream"

	server=$("$PG_CONFIG" --version | awk '{ print $2 }')
	echo "Suites of PostgreSQL $(suites_version "$tree"), on a server $server."
	[ "$(suites_version "$tree")" = "$server" ] ||
		echo "The source of $server itself is not there, so some tests may fail on a stock server."
}

# The rest runs as the user who runs the server.

# suites_build WORK: the shared objects that the tests load.
suites_build()
{
	local work=$1 name file flags
	for name in regress refint autoinc; do
		file=$work/upstream/spi/$name.c
		[ "$name" != regress ] || file=$work/upstream/regress/regress.c
		flags=
		[ "$name" != refint ] || flags=-DREFINT_VERBOSE
		env -u LIBRARY_PATH gcc -O2 -w -fPIC -shared $flags \
			-I"$("$PG_CONFIG" --includedir-server)" -o "$work/upstream/$name.so" "$file" \
			2>"$work/build.log" ||
			{ tail -20 "$work/build.log" >&2; lib_die "cannot build $name.c"; }
	done
}

# suites_run WORK SUITE OUTPUT: run it on the server of the work directory.
# OUTPUT becomes a directory with the results and with a file "tests": a line
# "NAME ok" or "NAME failed" for every test.  Fails if the suite does not end.
suites_run()
{
	local work=$1 suite=$2 output=$3 bindir programs command schedule status=0
	bindir=$("$PG_CONFIG" --bindir)
	programs=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
	schedule=$work/upstream/regress/parallel_schedule
	case $suite in
		parallel) command=(--max-concurrent-tests=20 --schedule="$schedule") ;;
		serial) command=(--max-connections=1 --schedule="$schedule") ;;
	esac
	case $suite in
		parallel | serial)
			command=("$programs/regress/pg_regress" --inputdir="$work/upstream/regress"
				--dlpath="$work/upstream" "${command[@]}") ;;
		isolation)
			command=("$programs/isolation/pg_isolation_regress"
				--inputdir="$work/upstream/isolation"
				--schedule="$work/upstream/isolation/isolation_schedule") ;;
		*)
			lib_die "there is no suite $suite" ;;
	esac
	rm -rf "$output" "$work/output" && mkdir "$work/output"
	(cd "$work/output" && timeout $SUITES_TIMEOUT "${command[@]}" --bindir="$bindir" \
		--outputdir="$work/output" --host="$work" --port="$LIB_PORT" --user=postgres) \
		>"$work/output/log" 2>&1 || status=$?
	awk '/ \.\.\. (ok|FAILED|failed)/ {
			print $1 == "test" ? $2 : $1, / \.\.\. ok/ ? "ok" : "failed"
		}
		/^(not )?ok +[0-9]+ +[-+] / {
			print $1 == "ok" ? $4 " ok" : $5 " failed"
		}' "$work/output/log" >"$work/output/tests"
	mv "$work/output" "$output"
	[ -s "$output/tests" ] || { tail -5 "$output/log" >&2; lib_die "the suite $suite did not run"; }
	[ $status != 124 ]
}

# suites_crashes LOG: print what the server log tells of crashes, if anything.
suites_crashes()
{
	grep -A 3 -E 'TRAP: |PANIC: |was terminated by signal' "$1"
}
