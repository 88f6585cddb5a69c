#!/usr/bin/env bash
# Compares the code of objects: tests/codecmp.sh FOLDER FOLDER, or FILE FILE.  Every .o of the first must be in the second, and the
# other way round.  Prints "N objects, N with the same code, N the same byte for byte" and the names of those that differ;
# exit status 1 when a code differs, an object is missing, or there is none at all.
#
# Same code: without debug information the objects are the same bytes, and so are their sections, relocations and symbols.  Where
# that is not so (names with a random part, of link-time optimisation), every allocated section and its relocations are compared.
# OBJCOPY and OBJDUMP name the tools, for other machines' objects.
set -u
objcopy=${OBJCOPY:-objcopy} objdump=${OBJDUMP:-objdump}
[ $# = 2 ] || { echo "usage: tests/codecmp.sh FOLDER FOLDER | FILE FILE" >&2; exit 2; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The allocated sections, their bytes, their relocations and the symbols with their places.
sections() {
	local part
	$objdump -hw "$1" | awk '/ALLOC/ { $1 = $6 = ""; print }'
	for part in $($objdump -hw "$1" | awk '/ALLOC/ && /CONTENTS/ { print $2 }' | sort -u); do
		$objdump -srw -j "$part" "$1" | tail -n +3
	done
}

same_code() {
	"$objcopy" --strip-debug "$1" "$work/a.o" && "$objcopy" --strip-debug "$2" "$work/b.o" || return 1
	cmp -s "$work/a.o" "$work/b.o" && return 0
	sections "$work/a.o" >"$work/a" && sections "$work/b.o" >"$work/b" && [ -s "$work/a" ] && cmp -s "$work/a" "$work/b"
}

list() {
	if [ -d "$1" ]; then
		(cd "$1" && find . -name '*.o' | sort)
	else
		echo
	fi
}

objects=0 same=0 equal=0 bad=0
while read -r name; do
	a=$1${name:+/$name} b=$2${name:+/$name}
	objects=$((objects + 1))
	if [ ! -e "$a" ] || [ ! -e "$b" ]; then
		echo "only in one: ${name:-$a}"
		bad=1
	elif cmp -s "$a" "$b"; then
		equal=$((equal + 1)) same=$((same + 1))
	elif same_code "$a" "$b"; then
		same=$((same + 1))
	else
		echo "code differs: ${name:-$a}"
		bad=1
	fi
done < <({ list "$1"; list "$2"; } | sort -u)
echo "$objects objects, $same with the same code, $equal the same byte for byte"
[ $bad = 0 ] && [ "$objects" -gt 0 ]
