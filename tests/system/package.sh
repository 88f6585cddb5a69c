#!/usr/bin/env bash
# The packages are made, and work: Debian's is built by Debian's tools and installed on a copy of this machine that is thrown away;
# the ebuild's phases run with what they call put in its place.
# limit: 600 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

deb_tools() {
	for tool in dpkg-buildpackage dh dpkg-deb; do
		command -v $tool >/dev/null || return 1
	done
	perl -e 'use Debian::Debhelper::Sequence::installsysusers; ' 2>/dev/null || [ -e /usr/share/perl5/Debian/Debhelper/Sequence/installsysusers.pm ]
}

make_deb() {
	(cd "$W/src/src" && DEB_BUILD_OPTIONS='nocheck noopt' make deb B=b) || return 1
	mv "$W"/src/src/b/deb/icemesh_*.deb "$W/src/icemesh.deb"
}

# Every file that make install installs, but for OpenRC's script and what Debian has a place of its own for.
deb_contents() {
	local file bad=0
	dpkg-deb -c "$W/src/icemesh.deb" | awk '{ print $6 }' | sed 's,^\.,,; s,/$,,' >"$W/src/contents"
	for file in /usr/bin/icemesh /usr/bin/icemesh-cc /usr/bin/icemesh-c++ /usr/sbin/icemeshd /usr/libexec/icemesh/icemesh-exec \
		/usr/libexec/icemesh/bin/gcc /usr/lib/sysusers.d/icemesh.conf /etc/icemesh/icemesh.conf /usr/share/man/man1/icemesh-cc.1.gz \
		/usr/share/bash-completion/completions/icemesh /usr/share/zsh/vendor-completions/_icemesh; do
		grep -qxF "$file" "$W/src/contents" || { echo "$file is missing"; bad=1; }
	done
	grep -q 'systemd/system/icemeshd.service$' "$W/src/contents" || { echo "the unit is missing"; bad=1; }
	! grep -E '^/(etc/init\.d|usr/local|opt|home|var)' "$W/src/contents" || bad=1
	return $bad
}

# in_copy COMMAND...: on this machine's files, where what is written goes elsewhere.
in_copy() {
	chroot "$W/copy/root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

make_copy() {
	mkdir -p "$W/copy"
	mount -t tmpfs copy "$W/copy" && mkdir "$W/copy/upper" "$W/copy/work" "$W/copy/root" &&
		mount -t overlay overlay -o "lowerdir=/,upperdir=$W/copy/upper,workdir=$W/copy/work" "$W/copy/root" &&
		mount -t proc proc "$W/copy/root/proc" && mount --bind /dev "$W/copy/root/dev" && mount -t tmpfs -o mode=755 run "$W/copy/root/run" &&
		mkdir -m 1777 "$W/copy/root/run/lock" && in_copy rm -rf /etc/icemesh && in_copy dpkg -s dpkg
}

install_deb() {
	cp "$W/src/icemesh.deb" "$W/copy/root/icemesh.deb"
	in_copy env DEBIAN_FRONTEND=noninteractive dpkg -i /icemesh.deb
}

# Nothing runs or will run by itself, and the daemon has its user.
waits_for_people() {
	in_copy getent passwd icemesh || return 1
	! in_copy sh -c 'ls /etc/systemd/system/*.wants/icemeshd.service' 2>/dev/null || return 1
	! pgrep -x icemeshd
}

deb_programs() {
	in_copy icemeshd -n && in_copy icemesh --version && echo 'int x;' >"$W/copy/root/x.c" &&
		in_copy sh -c 'cd / && PATH=/usr/libexec/icemesh/bin:$PATH gcc -c x.c' && [ -s "$W/copy/root/x.o" ] &&
		in_copy ldd /usr/bin/icemesh-cc | grep libsodium
}

deb_daemon() {
	in_copy sh -c 'icemeshd >/out 2>/err & echo $! >/pid'
	wait_until 10 test -s "$W/copy/root/out" || { cat "$W/copy/root/err"; return 1; }
	in_copy icemesh init packed && in_copy sh -c '[ "$(stat -c %U /proc/$(cat /pid))" = icemesh ]' && [ "$(in_copy icemesh peers --json | jq length)" = 1 ]
	local status=$?
	in_copy sh -c 'kill $(cat /pid)'
	wait_until 5 daemon_of_copy_gone || return 1
	return $status
}

daemon_of_copy_gone() {
	! in_copy sh -c 'kill -0 $(cat /pid)' 2>/dev/null
}

purge_deb() {
	local said
	said=$(in_copy env DEBIAN_FRONTEND=noninteractive dpkg -P icemesh 2>&1) || { echo "$said"; return 1; }
	grep -q 'root.key' <<<"$said" && in_copy test -e /var/lib/icemesh/root.key || { echo "the root key is lost: $said"; return 1; }
	! in_copy sh -c 'ls -d /usr/bin/icemesh* /usr/sbin/icemesh* /usr/libexec/icemesh /etc/icemesh /var/cache/icemesh' 2>/dev/null
}

# phases COMMAND...: in a shell that has read the ebuild, with a stand-in for each function of Portage and its eclasses.
phases() {
	(
		set -e
		inherit() { :; }
		use() { [ "$1" = clang ]; }
		die() { echo "died: $*"; exit 1; }
		tc-getCC() { echo "${CC:-gcc}"; }
		tc-getAR() { echo ar; }
		tc-getPKG_CONFIG() { echo pkg-config; }
		systemd_get_systemunitdir() { echo /usr/lib/systemd/system; }
		emake() { make -s -j2 "$@"; }
		insinto() { into=$1; }
		doins() { mkdir -p "$ED$into" && cp "$@" "$ED$into"; }
		P=icemesh-$(make -s -f - version <<<'include Makefile
version: ; @echo $(VERSION)')
		PF=$P CHOST=x86_64-pc-linux-gnu EPREFIX='' D=$W/src/image/ ED=$W/src/image CFLAGS=-O0
		export CFLAGS
		# shellcheck disable=SC1090
		. client/package/gentoo/sys-devel/icemesh/"$P.ebuild"
		"$@"
	)
}

compile_and_install() {
	cd "$W/src/src" && make -s clean && phases src_compile && phases src_install
}

ebuild_contents() {
	local file bad=0
	for file in usr/bin/icemesh-cc usr/sbin/icemeshd usr/libexec/icemesh/icemesh-exec usr/libexec/icemesh/bin/x86_64-pc-linux-gnu-gcc \
		usr/libexec/icemesh/bin/g++ etc/init.d/icemeshd etc/icemesh/icemesh.conf usr/lib/systemd/system/icemeshd.service usr/share/man/man8/icemeshd.8; do
		[ -e "$W/src/image/$file" ] || { echo "$file is missing"; bad=1; }
	done
	[ ! -e "$W/src/image/usr/local" ] || bad=1
	ldd "$W/src/image/usr/bin/icemesh-cc" | grep libsodium || { echo "icemesh-cc is static"; bad=1; }
	"$W/src/image/usr/sbin/icemeshd" -n -c "$W/src/image/etc/icemesh/icemesh.conf" || bad=1
	return $bad
}

plan 9
copy_tree "$W/src/src"
deb='make deb|what it holds|a copy of this machine takes it|nothing runs that nobody started|its programs compile|its daemon makes a mesh as the user icemesh|purged: the root key stays, all else goes'
IFS='|' read -ra names <<<"$deb"
calls=(make_deb deb_contents 'make_copy && install_deb' waits_for_people deb_programs deb_daemon purge_deb)
for i in "${!names[@]}"; do
	if ! deb_tools; then
		skip "Debian: ${names[i]}" "no debhelper"
	elif [ "$i" -gt 1 ] && [ "$(awk 'NR == 1 { print $3 }' /proc/self/uid_map)" = 1 ]; then
		skip "Debian: ${names[i]}" "rootless"
	else
		check "Debian: ${names[i]}" eval "${calls[i]}"
	fi
done
check "Gentoo: the ebuild compiles and installs" compile_and_install
check "Gentoo: what it holds" ebuild_contents
