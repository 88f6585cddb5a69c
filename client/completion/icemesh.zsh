#compdef icemesh icemesh-cc icemesh-c++
# Completion of icemesh(1) and icemesh-cc(1) for zsh.  Commands and options come from `icemesh help`, so nothing here has to
# follow them.

if [[ $service != icemesh ]]; then
	_precommand
	return
fi

local -a commands words_of
if (( CURRENT == 2 )); then
	commands=(${(f)"$(_call_program commands $words[1] help 2>/dev/null | sed -n 's/^  \([a-z]*\)  *\(.*\)/\1:\2/p')"})
	_describe command commands
	return
fi
# The words of the synopsis: options, and what stands there in small letters.
words_of=(${(f)"$(_call_program options $words[1] help $words[2] 2>/dev/null | sed -n '/^$/q; s/^usage://; s/^ *icemesh [a-z]*//; s/[][]//g; p' |
	tr ' |' '\n\n' | grep -E '^(--?)?[a-z][a-z0-9-]*$' | sort -u)"})
if [[ $words[2] == help ]]; then
	words_of=(${(f)"$(_call_program commands $words[1] help 2>/dev/null | sed -n 's/^  \([a-z]*\)  .*/\1/p')"})
fi
compadd -a words_of
_call_program options $words[1] help $words[2] 2>/dev/null | sed '/^$/q' | grep -qE 'FILE|COMPILER' && _files
