#!/usr/bin/env bash
# Headers come from a peer that has them: the first worker gets a C++ source's headers from the client, the second from the first; and
# when that one is dead, a third gets them from the second.  The objects equal the local one.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# traced FIELD: of the last compile.
traced() {
	tail -n 1 "$W/trace" | jq -r ".$1"
}

# served HOST FIELD: of its daemon.
served() {
	on "$1" icemesh status --json | jq ".served.$2"
}

# compile HOST SOURCE: there.
compile() {
	rm -f "$W/src/$1.o"
	# shellcheck disable=SC2016
	on client sh -c 'cd "$1" && ICEMESH_MODE=source ICEMESH_TRACE="$2" ICEMESH_PEER="$3" icemesh-cc g++ -O0 -c "$4" -o "$3.o"' \
		sh "$W/src" "$W/trace" "$@" || return 1
	[ "$(traced verdict)" = remote ]
}

same() {
	cmp "$W/src/local.o" "$W/src/$1.o"
}

plan 14
lan_up client w1 w2 w3
config client "slots = 0"
mesh_up client w1 w2 w3 || bail "no mesh of four"
printf '#include <map>\n#include <string>\n#include <iostream>\nstd::map<std::string, int> m;\nvoid f() { std::cout << m.size(); }\n' \
	>"$W/src/a.cc"
echo 'int x;' >"$W/src/x.cc"
(cd "$W/src" && g++ -O0 -c a.cc -o local.o) || bail "no local compiler"
for w in w1 w2 w3; do
	check "$w has the toolchain" wait_until 40 compile "$w" x.cc
done
check "the first worker compiles" compile w1 a.cc
first=$(traced bytes_out)
check "its object equals the local one" same w1
check "it had everything from the client" [ "$(served w1 fetched)" = 0 ]
check "the second worker compiles" compile w2 a.cc
second=$(traced bytes_out)
check "its object equals the local one" same w2
check "the headers came from the first" [ "$(served w2 fetched)" -gt 100000 ]
check "which says so" [ "$(served w1 lent)" = "$(served w2 fetched)" ]
check "the client sent little: $second instead of $first bytes" [ $((second * 4)) -lt "$first" ]
stop_daemon w1 KILL
check "the third worker compiles, with the first one dead" compile w3 a.cc
check "its object equals the local one" same w3
check "the headers came from the second" [ "$(served w3 fetched)" -gt 100000 ]
