#!/usr/bin/env bash
# What a manual page lists, it lists whole: configuration keys, reasons for local compiles, exit statuses, icemesh-exec's forms.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lan.sh
B=$(realpath "${B:-build}")

# stands PAGE PATTERN WORD...: an item of the page for each word; PATTERN has %s for it. No word at all is a failure, too.
stands() {
	local page=$1 pattern=$2 word status=0
	shift 2
	[ $# -gt 0 ] || { echo "nothing to look for"; return 1; }
	for word; do
		grep -Eq "${pattern//%s/$word}" "$page" || { echo "$page lacks $word"; status=1; }
	done
	return $status
}

# The same words on both sides: each line of the page's SYNOPSIS is one of the usage.
exec_forms() {
	local page program
	page=$(mandoc -Tascii -O width=500 man/icemesh-exec.8 | sed 's/.\x08//g' | sed -n '/^SYNOPSIS/,/^DESCRIPTION/{/^ /p;}' | sed 's/^ *//')
	program=$("$B/icemesh-exec" -h 2>&1 | sed 's/^usage://; s/^ *//')
	[ -n "$page" ] && [ "$page" = "$program" ] || { printf 'page:\n%s\nprogram:\n%s\n' "$page" "$program"; return 1; }
}

# Every command's own -h is its part of the whole.
command_forms() {
	local whole one line status=0
	whole=$("$B/icemesh" -h)
	for one in init invite join leave pause resume peers status why jobs toolchain doctor help; do
		while read -r line; do
			grep -qF -- "$line" <<<"$whole" || { echo "icemesh $one -h: $line"; status=1; }
		done < <("$B/icemesh" "$one" -h | sed -n 's/^usage://p; /^ \{7\}/p')
	done
	return $status
}

# known_reasons LIST FILE...: the reason words that code gives are in the list, whose words stand between commas.
known_reasons() {
	local words=,$1, word status=0 found=0
	while read -r word; do
		found=$((found + 1))
		[[ $words = *,$word,* ]] || { echo "no reason of the list: $word"; status=1; }
	done < <(cat "${@:2}" | tr '\n\t' '  ' | grep -oE '\b(give_up\(s,|(stay_here|decline|answer_local|want_local|local|reason_set|hinder|hinder_word)\()[^;"]*"[a-z][^"]*"' |
		sed 's/.*"\(.*\)"$/\1/; s/ .*//' | sort -u)
	[ $found -ge 10 ] || { echo "only $found words are found"; status=1; }
	return $status
}

mapfile -t keys < <(sed -n 's/^[[:space:]]*{ *"\([a-z0-9_]*\)", KIND_.*/\1/p' mesh/config.c)
mapfile -t reasons < <(sed -n 's/^[[:space:]]*{ *"\([a-z-]*\)".*/\1/p' exec/reason.c)
mapfile -t statuses < <(sed -n 's/^[[:space:]]*EXIT_STATUS_[A-Z_]* = \(11[0-9]\),.*/\1/p' client/exit.h)
list=$(IFS=,; echo "${reasons[*]}")
plan 8
check "icemesh.conf(5) has every key" stands man/icemesh.conf.5 '^\.It Cm (.* )?%s( |$)' "${keys[@]}"
check "icemesh-cc(1) has every reason" stands man/icemesh-cc.1 '^\.It %s$' "${reasons[@]}"
check "icemesh-cc(1) has every exit status" stands man/icemesh-cc.1 '^\.It %s$' "${statuses[@]}"
check "a missing one is noticed" eval '! stands man/icemesh-cc.1 "^\.It %s$" no-such-reason >/dev/null'
check "every reason that is given is in the list" known_reasons "$list" client/*.c exec/*.c mesh/*.c
check "one that is not is noticed" eval '! known_reasons "${list/,busy/}" client/*.c exec/*.c mesh/*.c >/dev/null'
check "icemesh-exec(8)" exec_forms
check "each command's own -h" command_forms
[ "${test_failed:-1}" = 0 ]
