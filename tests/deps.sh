#!/bin/sh
# Installs what a build, the demo or the tests need and this machine lacks, through its package manager.
#   tests/deps.sh [--check] [build|demo|test|projects]     --check only reports; exit status 1 when something is missing
# Asks nothing (but sudo may ask for a password on a terminal).  When nothing is missing it says nothing.
set -u

# What it is found by | why it is wanted | its package for apt | dnf | pacman | zypper | emerge.  A "-" means: not packaged there, done without.
# Found by: a command, pc:NAME (pkg-config), file:PATH.
build='
cc|the C compiler|gcc|gcc|gcc|gcc|sys-devel/gcc
file:/usr/include/stdio.h|the C library to compile against|libc6-dev|glibc-devel|glibc|glibc-devel|sys-libs/glibc
ar|libraries|binutils|binutils|binutils|binutils|sys-devel/binutils
pkg-config|finds the libraries|pkg-config|pkgconf-pkg-config|pkgconf|pkg-config|virtual/pkgconfig
pc:libsodium|keys, signatures, encryption|libsodium-dev|libsodium-devel|libsodium|libsodium-devel|dev-libs/libsodium
pc:libevent_core|the event loop of the daemon|libevent-dev|libevent-devel|libevent|libevent-devel|dev-libs/libevent
pc:msgpack-c,msgpack|encoding of messages|libmsgpack-dev|msgpack-devel|msgpack-c|msgpack-c-devel|dev-libs/msgpack
pc:liblz4|compression|liblz4-dev|lz4-devel|lz4|liblz4-devel|app-arch/lz4
pc:libseccomp|system call filter of the sandbox|libseccomp-dev|libseccomp-devel|libseccomp|libseccomp-devel|sys-libs/libseccomp
pc:libarchive|toolchain tarballs|libarchive-dev|libarchive-devel|libarchive|libarchive-devel|app-arch/libarchive
'
demo='
bash|runs the demo and the tests|bash|bash|bash|bash|app-shells/bash
ip|networks between namespaces|iproute2|iproute|iproute2|iproute2|sys-apps/iproute2
unshare|namespaces|util-linux|util-linux|util-linux|util-linux|sys-apps/util-linux
jq|reads JSON output|jq|jq|jq|jq|app-misc/jq
'
test='
pc:cmocka|unit tests|libcmocka-dev|libcmocka-devel|cmocka|libcmocka-devel|dev-util/cmocka
c++|C++ over the mesh is tested|g++|gcc-c++|gcc|gcc-c++|sys-devel/gcc
clang|clang over the mesh is tested|clang|clang|clang|clang|llvm-core/clang
clang-format|make lint: layout of the code|clang-format|clang-tools-extra|clang|clang|llvm-core/clang
aarch64-linux-gnu-gcc|a cross compiler over the mesh is tested|gcc-aarch64-linux-gnu|gcc-aarch64-linux-gnu|aarch64-linux-gnu-gcc|cross-aarch64-gcc13|-
ctags|make lint: sizes of functions|universal-ctags|ctags|ctags|ctags|dev-util/ctags
mandoc|make lint: manual pages|mandoc|mandoc|mandoc|mandoc|app-text/mandoc
shellcheck|make lint: shell scripts|shellcheck|ShellCheck|shellcheck|ShellCheck|dev-util/shellcheck
minisign|signatures must verify with it|minisign|minisign|minisign|minisign|app-crypt/minisign
strace|what a build writes is watched|strace|strace|strace|strace|dev-debug/strace
ccache|a compiler cache before and behind the wrapper is tested|ccache|ccache|ccache|ccache|dev-util/ccache
cmake|as a launcher of cmake it is tested, and projects are built with it|cmake|cmake|cmake|cmake|dev-build/cmake
meson|the same with meson|meson|meson|meson|meson|dev-build/meson
ninja|what both of them write|ninja-build|ninja-build|ninja|ninja|dev-build/ninja
libtool|the same with libtool|libtool-bin|libtool|libtool|libtool|dev-build/libtool
dh|the Debian package is made and installed|debhelper|-|-|-|-
setpriv|tests as an ordinary user|util-linux|util-linux|util-linux|util-linux|sys-apps/util-linux
'
projects='
nasm|assembler files of dav1d|nasm|nasm|nasm|nasm|dev-lang/nasm
pc:gtest|tests of fmt|libgtest-dev|gtest-devel|gtest|gtest|dev-cpp/gtest
pc:gmock|tests of fmt|libgmock-dev|gmock-devel|gtest|gmock|dev-cpp/gtest
perl|writes tables of re2|perl|perl|perl|perl|dev-lang/perl
python3|writes tables of re2|python3|python3|python|python3|dev-lang/python
file:/usr/share/unicode/UnicodeData.txt|tables of re2 are made from it|unicode-data|-|-|-|-
bzip2|busybox comes packed with it|bzip2|bzip2|bzip2|bzip2|app-arch/bzip2
'

check=
[ "${1:-}" != --check ] || { check=yes; shift; }
case ${1:-test} in
build) rows=$build ;;
demo) rows=$build$demo ;;
test) rows=$build$demo$test ;;
projects) rows=$build$demo$test$projects ;;
*) echo "usage: tests/deps.sh [--check] [build|demo|test|projects]" >&2; exit 2 ;;
esac

# The column of this machine's package manager; the commands are tried in this order.
manager=
for pair in apt-get:3 dnf:4 pacman:5 zypper:6 emerge:7; do
	if command -v "${pair%:*}" >/dev/null 2>&1; then
		manager=${pair%:*} column=${pair#*:}
		break
	fi
done

found() {
	case $1 in
	file:*) [ -e "${1#file:}" ] ;;
	pc:*)
		command -v pkg-config >/dev/null 2>&1 || return 1
		for name in $(echo "${1#pc:}" | tr , ' '); do
			pkg-config --exists "$name" && return 0
		done
		return 1 ;;
	*) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] ;;
	esac
}

# missing: sets $packages (of this manager) and $report.
missing() {
	packages='' report='' bare=''
	old_ifs=$IFS
	IFS='
'
	for row in $rows; do
		IFS=$old_ifs
		found "${row%%|*}" && continue
		package=$(echo "$row" | cut -d'|' -f"${column:-3}")
		[ "$package" != - ] || continue
		why=$(echo "$row" | cut -d'|' -f2)
		case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
		what=${row%%|*}
		case $what in pc:*) what="library ${what#pc:}" ;; file:*) what=${what#file:} ;; esac
		bare="$bare
  $what ($why)"
		report="$report
  $package: $why"
	done
	IFS=$old_ifs
}

missing
[ -n "$report" ] || exit 0
if [ -z "$manager" ]; then
	echo "Missing:$bare" >&2
	echo "No package manager that this script knows (apt, dnf, pacman, zypper, emerge): please install these and start again." >&2
	exit 1
fi
echo "Missing here, with the package that brings it:$report"
[ -z "$check" ] || exit 1

root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "Not root and no sudo: please have an administrator install$packages" >&2
		exit 1
	fi
	root=sudo
	[ -t 0 ] || root='sudo -n'
fi

apt() {
	$root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# $packages and $root are lists of words.
# shellcheck disable=SC2086
install() {
	case $manager in
	apt-get)
		# The package lists are fetched only when they are not there or too old to serve.
		set -- install --no-install-recommends $packages
		case $packages in *aarch64*) set -- "$@" libc6-dev-arm64-cross ;; esac
		apt "$@" || { apt update && apt "$@"; } ;;
	dnf) $root dnf -y install $packages ;;
	pacman) $root pacman -S --needed --noconfirm $packages || $root pacman -Sy --needed --noconfirm $packages ;;
	zypper) $root zypper --non-interactive install --no-recommends $packages ;;
	emerge) $root emerge --ask=n --noreplace $packages ;;
	esac
}

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo "Installing with $manager${root:+ (through sudo)}:$packages"
if ! install >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "$manager could not install:$packages" >&2
	exit 1
fi
missing
if [ -n "$report" ]; then
	echo "Still missing after the installation:$report" >&2
	exit 1
fi
