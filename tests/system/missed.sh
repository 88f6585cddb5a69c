#!/usr/bin/env bash
# The guard: a name that the peer's compile looked for in vain, and that stands here when its result comes, costs the result: the compile
# runs here, and the case is counted and logged with the name.  The file appears while the peer compiles: nothing else could be missed
# by will.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# slow NAME HEADER: a source that asks for the header and takes the compiler a while.
slow() {
	printf '#if __has_include("%s")\n#include "%s"\n#endif\n#ifndef LATE\n#define LATE 0\n#endif\nint late = LATE;\n' "$2" "$2"
	awk 'BEGIN { for (i = 1; i <= 150; i++) print "int f" i "(int *p, int n) { int s = 0; for (int k = 0; k < n; k++) s += p[k] * (k ^ " i "); return s; }" }'
} >"$W/src/$1"

served() {
	on "$1" icemesh status --json | jq -e ".served.$2" >/dev/null
}

# made_meanwhile SOURCE HEADER: compiles, and the header comes while the peer does.
made_meanwhile() {
	local pid status
	(cd "$W/src" && on client env ICEMESH_TRACE="$W/src/trace" icemesh-cc gcc -O2 -c "$1" -o mesh.o) &
	pid=$!
	wait_until 20 served w1 'running == 1' || { echo "the peer never ran it"; return 1; }
	echo '#define LATE 5' >"$W/src/$2"
	wait $pid
	status=$?
	(cd "$W/src" && gcc -O2 -c "$1" -o local.o) && [ $status = 0 ] && cmp "$W/src/local.o" "$W/src/mesh.o"
}

last_trace() {
	tail -n 1 "$W/src/trace" | jq -e "$1" >/dev/null || { tail -n 1 "$W/src/trace"; return 1; }
}

plan 7
lan_up client w1
config client 'slots = 0'
config w1 'slots = 2'
mesh_up client w1 >/dev/null || bail "no mesh"
hide_compilers w1
cd "$W/src" || bail "no folder"
slow slow.c late.h
slow 'slow 2.c' 'la te.h'
echo 'int first;' >first.c
wait_until 20 on client env ICEMESH_REMOTE=only icemesh-cc gcc -c first.c -o /tmp/x.o 2>/dev/null || bail "no remote compile"
check "the object is the one that is made here" made_meanwhile slow.c late.h
check "the trace says so with the name" last_trace '.verdict == "fallback" and .reason == "include-missed" and (.text | endswith("/src/late.h"))'
check "the daemon logs it with the name and the user" logged client 'warning: include-missed: .*/src/late\.h \(uid [0-9]+\)'
check "a name with a blank" made_meanwhile 'slow 2.c' 'la te.h'
check "is logged as well" logged client 'warning: include-missed: .*/src/la te\.h \(uid'
check "the daemon counts" eval '[ "$(on client icemesh status --json | jq ".submitted.by_reason.\"include-missed\"")" = 2 ]'
made_again() {
	(cd "$W/src" && on client env ICEMESH_TRACE="$W/src/trace" icemesh-cc gcc -O2 -c slow.c -o mesh.o) && cmp local2.o mesh.o && last_trace '.mode == "source"'
}
gcc -O2 -c slow.c -o local2.o
check "the next compile has the file and goes to the peer" made_again
