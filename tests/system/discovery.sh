#!/usr/bin/env bash
# Nodes find each other, and notice who goes: by multicast of either kind, by seeds alone, and again after a restart.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# seen_within MS HOST COUNT
seen_within() {
	local begin
	begin=$(now_ms)
	wait_until 10 sees "$2" "$3" || { echo "$2 sees $(peers_seen "$2"), not $3"; return 1; }
	[ $(($(now_ms) - begin)) -le "$1" ] || { echo "took $(($(now_ms) - begin)) ms"; return 1; }
}

listed() {
	[ "$(on "$1" icemesh peers --json | jq length)" = "$2" ]
}

# restart HOST LINE...: with more configuration.
restart() {
	stop_daemon "$1" && config "$@" && start_daemon "$1"
}

plan 13
lan_up a b c
mesh_up a b c || bail "no mesh of three"
check "stopped by SIGTERM: it says goodbye" stop_daemon c
check "and is gone at once" seen_within 700 a 2
check "it starts again" start_daemon c
check "seen by the first within 2 s" seen_within 2000 a 3
check "seen by the second" seen_within 500 b 3
check "it sees both" seen_within 2000 c 3
check "killed: it stays no longer than a few intervals" eval 'stop_daemon c KILL && seen_within 9000 a 2'
check "and is listed no more" wait_until 20 listed a 2
start_daemon c

check "IPv6 multicast alone" eval 'for host in a b c; do restart $host "group = off"; done; seen_within 3000 a 3'
check "IPv4 multicast alone" eval 'for host in a b c; do restart $host "group = 239.255.97.77:9777" "group6 = off"; done; seen_within 3000 a 3'
check "no multicast: the table on disk is enough after a restart" \
	eval 'for host in a b c; do restart $host "group = off"; done; for host in a b c; do seen_within 3000 $host 3 || exit 1; done'

for host in a b c; do
	stop_daemon $host
	on $host rm -rf "$(state_dir $host)" 
done
config b "seeds = 10.77.0.1"
config c "seeds = 10.77.0.1:9777"
check "no multicast, no table, only seeds: a mesh" mesh_up a b c
check "those who know one node learn of the others" seen_within 3000 b 3
