# Completion of icemesh(1) and icemesh-cc(1) for fish.  Commands and options come from `icemesh help`, so nothing here has to
# follow them.

function __icemesh_commands
	icemesh help 2>/dev/null | string match -rg '^  ([a-z]+) +(.+)' | paste - - 2>/dev/null
end

# The synopsis of the command on the line.
function __icemesh_synopsis
	icemesh help (commandline -opc)[2] 2>/dev/null | sed '/^$/q; s/^usage://; s/^ *icemesh [a-z]*//; s/[][]//g'
end

# Its words: options, and what stands there in small letters.
function __icemesh_words
	__icemesh_synopsis | tr ' |' '\n\n' | string match -r '^(?:--?)?[a-z][a-z0-9-]*$' | sort -u
end

complete -c icemesh -f
complete -c icemesh -n 'test (count (commandline -opc)) = 1' -a '(__icemesh_commands)'
complete -c icemesh -n 'test (count (commandline -opc)) -ge 2' -a '(__icemesh_words)'
complete -c icemesh -n 'test (count (commandline -opc)) = 2; and test (commandline -opc)[2] = help' -a '(__icemesh_commands)'
complete -c icemesh -n 'test (count (commandline -opc)) -ge 2; and __icemesh_synopsis | string match -qr "FILE|COMPILER"' -F
complete -c icemesh-cc -x -a '(__fish_complete_subcommand)'
complete -c icemesh-c++ -x -a '(__fish_complete_subcommand)'
