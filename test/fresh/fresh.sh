#!/bin/bash
# fresh.sh: make demo and make check, from a clone, on machines that were just
# made: Debian roots by debootstrap, each in namespaces of its own, one for each
# of the states that state.sh knows.  Ends with a line for each state.
#
#	STATES		which ("minimal server client both majors upgrade indent
#			locale blank twice sudo")
#	ONLY		stages of make check (all)
#	KEEP=1		keep the roots
#
# Wants root and the network: packages come from where the machine's own apt
# gets Debian's.  Takes about ten minutes and 2 GB for a state, one at a time.  The
# clone has what is committed, no more.

set -u
. "$(dirname "$0")/../lib.sh"
suite=bookworm
states=${STATES:-minimal server client both majors upgrade indent locale blank twice sudo}
export LC_ALL=C

[ "$(id -u)" = 0 ] || lib_die "only root can make a root; try sudo make check-fresh"
git() { command git -c safe.directory='*' -C "$LIB_CHECKOUT" "$@"; }
git rev-parse -q --verify HEAD >/dev/null ||
	lib_die "$LIB_CHECKOUT is no clone of a git repository"
[ -z "$(git status --porcelain)" ] ||
	echo "fresh.sh: what is not committed in $LIB_CHECKOUT is not tested" >&2

# sources: apt's sources of Debian: label, address, suite, component.  Known only
# after an update.
sources()
{
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sed -n 's/^Debian //p'
}

# find_mirror: the first of them, not of security updates.
find_mirror()
{
	sources | awk '$1 == "Debian" { print $2; exit }'
}

mirror=$(find_mirror)
[ -n "$mirror" ] || { apt-get update -q && mirror=$(find_mirror); }
[ -n "$mirror" ] || lib_die "apt has no source of Debian's packages"

work=$(mktemp -d "${TMPDIR:-/tmp}/cache-fresh.XXXXXX") || exit 1
failed=
clean_up()
{
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $work"
	elif [ -n "$failed" ]; then
		rm -rf "${work:?}"/*/
		echo "logs: $work"
	else
		rm -rf "$work"
	fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# make_base: what every state begins with.
make_base()
{
	local include=make,git
	case $mirror in https:*) include=$include,ca-certificates ;; esac
	debootstrap --variant=minbase --include="$include" "$suite" "$work/base" "$mirror" \
		>"$work/debootstrap.log" 2>&1 || { tail "$work/debootstrap.log" >&2; return 1; }
	# with the same updates as this machine
	sources | awk -v suite="$suite" '$3 ~ "^" suite && !seen[$0]++ { print "deb", $2, $3, $4 }' \
		>"$work/sources"
	[ ! -s "$work/sources" ] || cp "$work/sources" "$work/base/etc/apt/sources.list"
	cp -L /etc/resolv.conf /etc/hosts "$work/base/etc/"
	apt-config dump | grep -i '^Acquire::[a-z:]*proxy' >"$work/base/etc/apt/apt.conf.d/proxy"
	mkdir "$work/base/fresh"
	cp "$(dirname "$0")/state.sh" "$work/base/fresh/"
	git bundle create -q "$work/base/fresh/cache.bundle" HEAD
}

# enter ROOT COMMAND...: runs it there, as process 1 of its own; what it starts
# ends with it, and so do the mounts.
enter()
{
	local root=$1
	shift
	unshare --mount --pid --ipc --fork --kill-child bash -e -c '
		root=$1 packages=$2
		shift 2
		mount -t proc proc "$root/proc"
		mount -t tmpfs -o mode=755 tmpfs "$root/dev"
		for device in null zero full random urandom tty; do
			touch "$root/dev/$device"
			mount --bind "/dev/$device" "$root/dev/$device"
		done
		mkdir "$root/dev/pts" "$root/dev/shm"
		mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		ln -s pts/ptmx "$root/dev/ptmx"
		ln -s /proc/self/fd "$root/dev/fd"
		for number in 0 1 2; do
			ln -s "/proc/self/fd/$number" "$root/dev/$(echo stdin stdout stderr |
				cut -d " " -f $((number + 1)))"
		done
		mount --bind "$packages" "$root/var/cache/apt/archives"
		cd "$root"
		exec chroot "$root" env -i HOME=/root USER=root \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
		' enter "$root" "$work/packages" "$@" </dev/null
}

echo "Making a minimal Debian $suite from $mirror ..."
make_base || lib_die "debootstrap failed"
mv "$work/base/var/cache/apt/archives" "$work/packages"	# fetched once for all
mkdir "$work/base/var/cache/apt/archives"

summary=
for state in $states; do
	echo "== $state"
	cp -a "$work/base" "$work/$state" || exit 1
	enter "$work/$state" SUITE="$suite" MIRROR="$mirror" ONLY="${ONLY:-}" \
		bash /fresh/state.sh "$state" >"$work/$state.log" 2>&1
	result=$?
	line=$(sed -n 's/^state.sh: //p' "$work/$state.log" | tail -n 1)
	if [ $result = 0 ]; then
		line="ok     $line"
	else
		failed="$failed $state"
		sed 's/^/    /' "$work/$state.log" | tail -n 60
		line="FAILED $line"
	fi
	echo "$line"
	summary="$summary$line"$'\n'
	[ -n "${KEEP:-}" ] || rm -rf "${work:?}/$state"
done
printf '\n%s' "$summary"
[ -z "$failed" ] || { echo "make check-fresh: FAILED:$failed"; exit 1; }
echo "make check-fresh: all well"
