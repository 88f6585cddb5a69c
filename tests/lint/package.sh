#!/usr/bin/env bash
# The packages say the version that Makefile says, want the libraries that tests/deps.sh wants, and their scripts are sound.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lan.sh

version() {
	sed -n 's/^VERSION = //p' Makefile
}

# same_version FOLDER: of the Debian changelog and the ebuild in it.
same_version() {
	[ "$(sed -n '1s/^icemesh (\(.*\)) .*/\1/p' "$1/debian/changelog")" = "$(version)" ] || { echo "debian/changelog: not $(version)"; return 1; }
	[ -e "$1/gentoo/sys-devel/icemesh/icemesh-$(version).ebuild" ] || { echo "no ebuild of $(version)"; return 1; }
}

# libraries COLUMN: their packages in tests/deps.sh, as apt (3) or emerge (7) has them.
libraries() {
	sed -n "/^build='/,/^'/p" tests/deps.sh | grep '^pc:' | cut -d'|' -f"$1"
}

# needs_named FOLDER: libsodium-dev and the rest in debian/control, dev-libs/libsodium and the rest twice in the ebuild.
needs_named() {
	local name bad=0 ebuild
	ebuild=$(echo "$1"/gentoo/sys-devel/icemesh/icemesh-*.ebuild)
	for name in $(libraries 3); do
		grep -qE "[ |]${name},?( |$)" "$1/debian/control" || { echo "debian/control lacks $name"; bad=1; }
	done
	for name in $(libraries 7); do
		[ "$(grep -cE "^	$name:=$" "$ebuild")" = 2 ] || { echo "DEPEND or RDEPEND of the ebuild lacks $name"; bad=1; }
	done
	return $bad
}

scripts_sound() {
	{
		find client/package -name '*.ebuild' -exec bash -n {} \; -exec shellcheck -s bash -S warning -e SC2034,SC2154 {} \;
		shellcheck -S warning client/package/debian/*.postrm
		shellcheck -s bash -S warning client/completion/icemesh.bash
	} 2>&1 | (! grep '')
}

# noticed CHECK FILE SED: with FILE altered so, CHECK fails.
noticed() {
	local dir status
	dir=$(mktemp -d) || return 1
	cp -R client/package/. "$dir"
	sed -i "$3" "$dir"/$2 && ! "$1" "$dir" >/dev/null
	status=$?
	rm -rf "$dir"
	return $status
}

plan 6
check "the packages have the version of Makefile" same_version client/package
check "another version is noticed" noticed same_version debian/changelog '1s/(/(9/'
check "the packages want every library" needs_named client/package
check "a missing one is noticed in debian/control" noticed needs_named debian/control 's/liblz4-dev, //'
check "and in the ebuild" noticed needs_named 'gentoo/sys-devel/icemesh/*.ebuild' '/RDEPEND/,$s/app-arch.lz4:=//'
check "scripts of packages and completions" scripts_sound
[ "${test_failed:-1}" = 0 ]
