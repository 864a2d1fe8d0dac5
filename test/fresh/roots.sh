# roots.sh: Debian systems that were just made, each in namespaces of its own.
#
# Sourced after test/lib.sh, not run.  Wants root and the network: packages come
# from where the machine's own apt gets Debian's.  A clone made there has what is
# committed in the checkout, no more.
#
# Sets mirror.  Adds to a work directory
#	SUITE.base/		a minimal system of a suite, with make and git, and in /fresh
#				the checkout as a bundle and the scripts that run there
#	SUITE.packages/	packages, fetched once for all systems of the suite

[ "$(id -u)" = 0 ] || lib_die "only root can make a root; try sudo make"
git() { command git -c safe.directory='*' -C "$LIB_CHECKOUT" "$@"; }
git rev-parse -q --verify HEAD >/dev/null ||
	lib_die "$LIB_CHECKOUT is no clone of a git repository"
[ -z "$(git status --porcelain)" ] ||
	echo "$(basename "$0"): what is not committed in $LIB_CHECKOUT is not tested" >&2

# roots_work NAME: set work to a new directory, which goes at the end; but for KEEP=1,
# and for the logs if the caller has set failed.
roots_work()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX") || exit 1
	trap roots_clean_up EXIT
	trap 'exit 130' INT TERM
}

roots_clean_up()
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

# roots_sources: apt's sources of Debian: label, address, suite, component.  Known
# only after an update.
roots_sources()
{
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sed -n 's/^Debian //p'
}

# roots_mirror: the first of them, not of security updates.
roots_mirror()
{
	roots_sources | awk '$1 == "Debian" { print $2; exit }'
}

mirror=$(roots_mirror)
[ -n "$mirror" ] || { apt-get update -q && mirror=$(roots_mirror); }
[ -n "$mirror" ] || lib_die "apt has no source of Debian's packages"

# roots_make WORK SUITE SCRIPT...: make the base of a suite, unless it is there.
# A mirror may be a snapshot, whose lists are no longer valid by their dates.
roots_make()
{
	local work=$1 suite=$2 base=$1/$2.base include=make,git recipe
	shift 2
	[ ! -d "$base" ] || return 0
	case $mirror in https:*) include=$include,ca-certificates ;; esac
	recipe=/usr/share/debootstrap/scripts/$suite
	[ -e "$recipe" ] || recipe=/usr/share/debootstrap/scripts/sid
	echo "Making a minimal Debian $suite from $mirror ..."
	debootstrap --variant=minbase --include="$include" "$suite" "$base" "$mirror" "$recipe" \
		>"$work/$suite.debootstrap.log" 2>&1 ||
		{ tail "$work/$suite.debootstrap.log" >&2; rm -rf "$base"; return 1; }
	# with the same updates as this machine
	roots_sources | awk -v suite="$suite" '$3 ~ "^" suite && !seen[$0]++ {
			print "deb", $2, $3, $4
		}' >"$work/$suite.sources"
	[ ! -s "$work/$suite.sources" ] || cp "$work/$suite.sources" "$base/etc/apt/sources.list"
	mv "$base/var/cache/apt/archives" "$work/$suite.packages"
	mkdir "$base/var/cache/apt/archives" "$base/fresh"
	cp -L /etc/resolv.conf /etc/hosts "$base/etc/"
	apt-config dump | grep -i '^Acquire::[a-z:]*proxy' >"$base/etc/apt/apt.conf.d/proxy"
	echo 'Acquire::Check-Valid-Until "false";' >"$base/etc/apt/apt.conf.d/snapshot"
	cp "$LIB_CHECKOUT/test/fresh/system.sh" "$@" "$base/fresh/"
	git bundle create -q "$base/fresh/cache.bundle" HEAD
}

# roots_enter ROOT PACKAGES COMMAND...: runs it there, as process 1 of its own; what it starts
# ends with it, and so do the mounts.
roots_enter()
{
	local root=$1 packages=$2
	shift 2
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
		' roots_enter "$root" "$packages" "$@" </dev/null
}

