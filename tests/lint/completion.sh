#!/usr/bin/env bash
# Shells complete every command that `icemesh help` lists and every option of its synopsis: the files in client/completion/ ask that
# command, and this notices when they no longer understand what it says.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lan.sh
B=$(realpath "${B:-build}")
PATH=$B:$PATH
HOME=$(mktemp -d) && export HOME
trap 'rm -rf "$HOME"' EXIT
. client/completion/icemesh.bash

# in_bash WORD...: what is offered for the last word.
in_bash() {
	# shellcheck disable=SC2034
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_icemesh
	[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}

in_fish() {
	fish --no-config -c "source client/completion/icemesh.fish; complete -C '$*'" | cut -f1 | sort
}

commands() {
	icemesh help | sed -n 's/^usage://; /^$/q; p' | awk '$2 ~ /^[a-z]/ { print $2 }' | sort -u
}

# same SHELL: the commands are the program's, and an option that a synopsis has is offered behind its command.
same() {
	local command option said bad=0
	[ "$(in_"$1" icemesh '' | grep -v '^-')" = "$(commands)" ] || { echo "commands: $(in_"$1" icemesh '')"; bad=1; }
	for command in $(commands); do
		said=$(in_"$1" icemesh "$command" -)$(in_"$1" icemesh "$command" --)
		for option in $(icemesh help "$command" | sed '/^$/q' | grep -oE '\[--?[a-z]+' | tr -d '['); do
			grep -qF -- "$option" <<<"$said" || { echo "icemesh $command: $option is not offered"; bad=1; }
		done
	done
	return $bad
}

# offers "WORD..." WORD...: in bash, exactly these for the last of the first words.
offers() {
	local line said
	mapfile -d ' ' -t line <<<"$1 "
	unset 'line[-1]'
	shift
	said=$(in_bash "${line[@]}" | tr '\n' ' ')
	[ "$said" = "$*${1:+ }" ] || { echo "offered: $said"; return 1; }
}

# The same completion, but for one option.
without_seed() {
	(
		eval "$(declare -f _icemesh_words | sed '1s/.*/whole_words()/')"
		_icemesh_words() {
			whole_words "$@" | grep -v seed
		}
		same bash
	) | grep -q 'icemesh join: --seed is not offered'
}

plan 8
check "bash: every command and option" same bash
check "bash: a beginning" offers 'icemesh stat' status
check "bash: the values of an option" offers 'icemesh invite --role ' member signer
check "bash: subcommands, only at their place" offers 'icemesh toolchain list ' --json
check "bash: nothing else where a value must stand" offers 'icemesh invite --uses '
check "a missing option is noticed" without_seed
if command -v fish >/dev/null; then
	check "fish: every command and option" same fish
else
	skip "fish: every command and option" "no fish"
fi
if command -v zsh >/dev/null; then
	check "zsh: the file is read" zsh -n client/completion/icemesh.zsh
else
	skip "zsh: the file is read" "no zsh"
fi
[ "${test_failed:-1}" = 0 ]
