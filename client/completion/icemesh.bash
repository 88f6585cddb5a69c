# shellcheck shell=bash
# Completion of icemesh(1) and icemesh-cc(1) for bash.  Commands, options and their values come from `icemesh help`, so nothing
# here has to follow them.

# What the synopsis allows at this place: one word a line, with @files where a file's name fits.
# "$1": the command so far, "" before it is written; "$2": the word behind it; "$3": the one before the cursor.
_icemesh_words() {
	"${COMP_WORDS[0]}" help 2>/dev/null | awk -v command="$1" -v second="$2" -v last="$3" '
		function say(word,  i, n, part) {
			if (word ~ /^(FILE|SIGFILE|COMPILER)$/)
				print "@files"
			if (word == "COMMAND")
				for (i in seen)
					print i
			n = split(word, part, "|")
			for (i = 1; i <= n; i++)
				if (part[i] ~ /^(--?)?[a-z][a-z0-9-]*$/)
					print part[i]
		}
		$0 == "" { exit }
		{ sub(/^usage:/, ""); seen[$2] }
		command == "" { print $2; next }
		$2 != command || second ~ /^[a-z]/ && $3 ~ /^[a-z]+$/ && $3 != second { next }
		{
			for (i = 3; i < NF; i++)
				if (last ~ /^-/ && $i == "[" last && $(i + 1) !~ /^\[/) {
					value = $(i + 1)
					sub(/\].*/, "", value)
					say(value)
					valued = 1
				}
			lines[++n] = $0
		}
		END {
			for (i = 1; i <= n && !valued; i++) {
				count = split(lines[i], word, " ")
				for (k = 3; k <= count; k++) {
					# A value stands only behind its option, and a word without brackets only at its own place.
					if (word[k - 1] ~ /^\[--?[a-z]+$/ || word[k] ~ /^[a-z]/ && second != "")
						continue
					plain = word[k]
					gsub(/[][]/, "", plain)
					say(plain)
				}
			}
		}' | sort -u
}

_icemesh() {
	local current=${COMP_WORDS[COMP_CWORD]} words second=
	[ "$COMP_CWORD" -le 2 ] || second=${COMP_WORDS[2]}
	if [ "$COMP_CWORD" = 1 ]; then
		words=$(_icemesh_words '' '' '')
	else
		words=$(_icemesh_words "${COMP_WORDS[1]}" "$second" "${COMP_WORDS[COMP_CWORD - 1]}")
	fi
	case $words in
	*@files*)
		words=${words//@files/}
		compopt -o filenames -o default 2>/dev/null ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _icemesh icemesh

# The wrapper stands before a command, as sudo does: what bash-completion has for such is used where it is there.
if declare -F _comp_command >/dev/null; then
	complete -F _comp_command icemesh-cc icemesh-c++
elif declare -F _command >/dev/null; then
	complete -F _command icemesh-cc icemesh-c++
else
	complete -c -o default icemesh-cc icemesh-c++
fi
