#!/usr/bin/env bash
# Everything as an ordinary user: daemons started by somebody without any privilege lend and use cores.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# Rootless, the whole LAN already belongs to an ordinary user.
become() {
	local host
	[ "$(wc -l </proc/self/uid_map)" = 1 ] && [ "$(awk '{ print $3 }' /proc/self/uid_map)" = 1 ] && return
	for host in client w1 w2; do
		chown -R 1500:1500 "$W/$host/home"
		chmod 1777 "$W/$host"
	done
	as=(setpriv --reuid 1500 --regid 1500 --clear-groups --inh-caps=-all)
}

nothing_of_root() {
	! on "$1" sh -c 'cat /proc/[0-9]*/status' | awk '/^Name:/ { name = $2 } /^Uid:/ && name ~ /icemesh/ && $2 == 0 { print name; bad = 1 } END { exit !bad }'
}

plan 6
lan_up client w1 w2
become
config client 'slots = 0'
check "three daemons of a user make a mesh" mesh_up client w1 w2
[ ${#as[@]} = 0 ] && skip "no process of icemesh is root's" "rootless" || check "no process of icemesh is root's" nothing_of_root w1
check "state is in the home folder" [ -f "$W/client/home/.local/state/icemesh/node.key" ]
write_sources "$W/src/local" 12
write_sources "$W/src/mesh" 12
chmod 777 "$W/src/mesh"
make -s -j2 -C "$W/src/local" || bail "local build"
check "the build runs on the workers" on client env ICEMESH_REMOTE=only ICEMESH_TRACE="$W/src/mesh/trace" make -s -j4 -C "$W/src/mesh" CC='icemesh-cc gcc'
check "all of it" [ "$(remote_share "$W/src/mesh/trace")" = 100 ]
check "every object has the code of the local one" "$TREE/tests/codecmp.sh" "$W/src/local" "$W/src/mesh"
