#!/usr/bin/env bash
# Enrolment: who gets in, who does not and hears why; keys are made once.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

invite() {
	on "$@" | tail -n 1
}

keys() {
	on a sh -c "cd '$(state_dir a)' && sha256sum node.key root.key"
}

private_keys() {
	[ "$(on a sh -c "cd '$(state_dir a)' && stat -c %a node.key root.key" | sort -u)" = 600 ]
}

past() {
	[ "$(date +%s)" -ge "$1" ]
}

trust_of() {
	on "$1" icemesh peers --json | jq -r 'map(select(.this))[0].trust'
}

one_line() {
	[ "$("$@" 2>&1 >/dev/null | wc -l)" = 1 ]
}

plan 23
lan_up a b c d
for host in a b c d; do
	start_daemon $host || bail "icemeshd on $host"
done
check "init" on a icemesh init first
check "keys are readable by their owner alone" private_keys
before=$(keys)
check "a second init is refused" refuses 'already|in a mesh' on a icemesh init again
check "and says so in one line" one_line on a icemesh init again
check "keys survive a restart" eval "stop_daemon a && start_daemon a && [ \"\$(keys)\" = '$before' ]"

token=$(invite a icemesh invite)
check "a token is the last line of invite" grep -qE '^imx1-[a-z2-7]+@' <<<"$token"
check "join" on b icemesh join "$token"
check "the joiner sees the mesh" wait_until 5 sees b 2
check "a token is good for one use" refuses 'use|token' on c icemesh join "$token"
check "and leaves no membership" [ "$(on c icemesh status --json | jq -r '.mesh.id // ""')" = "" ]
soon=$(invite a icemesh invite --expires 1s) now=$(date +%s)
wait_until 5 past $((now + 3))
check "an expired token is refused" refuses 'expired|lifetime' on c icemesh join "$soon"
check "something that is no token" refuses 'token' on c icemesh join imx1-abcdef@10.77.0.1:9777
check "a damaged token" refuses 'token' on c icemesh join "$(invite a icemesh invite | sed 's/^imx1-./imx1-q/; s/.@/7@/')"

on d icemesh init second >/dev/null || bail "second mesh"
other=$(invite d icemesh invite)
check "a member of one mesh does not join another" refuses 'already|in a mesh|leave' on b icemesh join "$other"
wrong="${other%%@*}@10.77.0.1:9777"
check "a token for another mesh is refused by the joiner" refuses 'mesh' on c icemesh join "$wrong"
check "in one line" one_line on c icemesh join "$wrong"
check "the node that was asked logs the cause" logged a 'another mesh|other mesh'
check "and lives on" sees a 2
check "the good token still works" on c icemesh join "$(invite a icemesh invite)"
check "two members see three nodes" wait_until 5 sees b 3

check "leave" on c icemesh leave
check "the others notice at once" wait_until 2 sees a 2
check "the node key stays, and it may come again" eval 'on c icemesh join "$(invite a icemesh invite)" && wait_until 5 sees a 3'
