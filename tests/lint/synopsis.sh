#!/usr/bin/env bash
# The SYNOPSIS of each manual page is what the program prints for -h (icemesh-cc: without a word).
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lan.sh
B=$(realpath "${B:-build}")

# The words of the page's SYNOPSIS.
page_words() {
	mandoc -Tascii -O width=500 "$1" | sed 's/.\x08//g' | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'
}

# The words of the usage: from "usage:" to the first empty line or line that does not begin like the first.
program_words() {
	"$@" 2>&1 | awk -v name="$(basename "$1")" '
		/^usage:/ { on = 1; sub(/^usage: */, "") }
		on && index($0, name) != 1 { sub(/^ +/, ""); if (index($0, name) != 1) exit }
		on { print }' | tr -s ' \n' ' ' | sed 's/ $//'
}

agree() {
	local page=$1 a b
	shift
	[ -x "$1" ] || { echo "$1 is not built"; return 1; }
	a=$(page_words "$page") b=$(program_words "$@")
	[ -n "$a" ] && [ "$a" = "$b" ] || { printf 'page:    %s\nprogram: %s\n' "$a" "$b"; return 1; }
}

plan 4
check "icemesh(1)" agree man/icemesh.1 "$B/icemesh" help
check "icemesh-cc(1)" agree man/icemesh-cc.1 "$B/icemesh-cc"
check "icemeshd(8)" agree man/icemeshd.8 "$B/icemeshd" -h
other=$(mktemp)
printf '.Dd May 1, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm icemesh\n.Nd x\n.Sh SYNOPSIS\n.Nm icemesh\n.Ar other\n.Sh DESCRIPTION\n' >"$other"
check "a difference is noticed" eval "! agree '$other' '$B/icemesh' help >/dev/null"
rm -f "$other"
