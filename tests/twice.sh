# shellcheck shell=bash
# Runs command lines twice in equal folders, by the plain compiler and by icemesh-cc, and compares everything: files (names, modes, contents), standard
# output, standard error, exit status.  To be sourced after lan.sh; the folder in which a line runs is a copy of $W/src/template.
#
#     command='$CC -c a.c'; same source       $CC, $CXX, $CLANG, $CLANGXX, $ARM are the compilers; the word says where it must have run:
#                                             source, text (preprocessed mode), remote (either), local, any
# What must differ (the times in -ftime-trace) is taken out by a function `forgive` if the test defines one.

# one PREFIX RESULT: runs $command in a fresh folder; what it did goes to $W/RESULT.
one() {
	local wrap=$1 result=$W/$2
	rm -rf "$W/src/t" "$result"
	mkdir "$result"
	cp -a "$W/src/template" "$W/src/t"
	# A relative $PWD and what an earlier line exported are not to matter.
	(cd "$W/src/t" && exec_user env CC="${wrap}gcc" CXX="${wrap}g++" CLANG="${wrap}clang" CLANGXX="${wrap}clang++" ARM="${wrap}aarch64-linux-gnu-gcc" \
		ICEMESH_TRACE="$W/src/trace" bash -c "$command") >"$result/out" 2>"$result/err" </dev/null
	echo $? >"$result/status"
	sed -i -E 's/cc[A-Za-z0-9]{6}\b/ccXXXXXX/g' "$result/err"
	(cd "$W/src/t" && find . -printf '%P %y %m %n %l\n' | sort) >"$result/list"
	! declare -F forgive >/dev/null || (cd "$W/src/t" && forgive)
	mv "$W/src/t" "$result/tree"
}

exec_user() {
	on client umask_bash "$@"
}

# Everything is the same byte for byte.
compare() {
	local file bad=0
	for file in out err status list; do
		diff "$W/plain/$file" "$W/mesh/$file" || bad=1
	done
	while IFS= read -r -d '' file; do
		cmp "$W/plain/tree/$file" "$W/mesh/tree/$file" || bad=1
	done < <(cd "$W/plain/tree" && find . -type f -print0)
	return $bad
}

# where_is WORD: what the trace has to say of each compile of the line.
where_is() {
	local lines
	case $1 in
	any) return 0 ;;
	remote) lines=$(jq -r '.verdict | if . == "remote" then . else "local" end' "$W/src/trace") ;;
	*) lines=$(jq -r 'if .verdict != "remote" then "local" elif .mode == "source" then "source" else "text" end' "$W/src/trace") ;;
	esac
	[ "$(sort -u <<<"$lines")" = "$1" ] || { echo "wanted $1, trace:"; cat "$W/src/trace"; return 1; }
}

same() {
	one '' plain
	: >"$W/src/trace"
	chmod 666 "$W/src/trace"
	one 'icemesh-cc ' mesh
	compare && where_is "$1"
}


# A client and a worker without a compiler; the template, made by write_template; toolchains are brought first, so that no line meets a peer
# that is only just being sent one.
twice_up() {
	local compiler
	lan_up client w1
	config client 'slots = 0'
	config w1 "slots = ${SLOTS:-4}"
	mesh_up client w1 >/dev/null || bail "no mesh"
	hide_compilers w1
	printf '#!/bin/sh\numask 022\nexec "$@"\n' >"$W/bin/umask_bash"
	chmod +x "$W/bin/umask_bash"
	mkdir "$W/src/template"
	(cd "$W/src/template" && write_template && echo 'int first;' >first.c)
	if [ "$(awk 'NR == 1 { print $3 }' /proc/self/uid_map)" != 1 ]; then
		chown -R 1500:1500 "$W/src/template"
		# shellcheck disable=SC2034
		as=(setpriv --reuid 1500 --regid 1500 --clear-groups --inh-caps=-all)
	fi
	for compiler in ${COMPILERS:-gcc g++ clang clang++ aarch64-linux-gnu-gcc}; do
		! command -v $compiler >/dev/null ||
			(cd "$W/src/template" && wait_until 20 on client env ICEMESH_REMOTE=only icemesh-cc $compiler -c first.c -o /tmp/x.o 2>/dev/null)
	done
	rm "$W/src/template/first.c"
}

# twice_run "WORD COMMAND"...: a check for each.
twice_run() {
	local line needed
	for line; do
		command=${line#* }
		case $command in
		*CLANG*) needed=clang ;;
		*ARM*) needed=aarch64-linux-gnu-gcc ;;
		*) needed=gcc ;;
		esac
		if command -v $needed >/dev/null; then
			check "$line" same "${line%% *}"
		else
			skip "$line" "no $needed"
		fi
	done
}
