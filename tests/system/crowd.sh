#!/usr/bin/env bash
# Many daemons on one machine: all see all soon after they start, and an idle one costs next to nothing.
# CROWD_NODES=200 makes it a crowd; the kernel's tables of neighbours, which all network namespaces share, then need
# net.ipv4.neigh.default.gc_thresh3 and the same of ipv6 at 65536.
# limit: 900 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"
N=${CROWD_NODES:-16}
hosts=()
for i in $(seq "$N"); do hosts+=("n$i"); done

# What was measured; check() shows nothing of what went well.
note() {
	echo "# $*" >>"$W/notes"
}

start_all() {
	local host
	for host; do
		: >"$W/$host/out"
		# shellcheck disable=SC2016
		on_exec='exec' on "$host" sh -c 'echo $$ >"$0/pid"; exec icemeshd' "$W/$host" >"$W/$host/out" 2>>"$W/$host/log" </dev/null &
		disown
	done
	for host; do
		wait_until 30 test -s "$W/$host/out" || { echo "$host does not start"; return 1; }
	done
}

join_all() {
	local token host
	start_all "${hosts[@]}" || return 1
	on n1 icemesh init testmesh >/dev/null || return 1
	token=$(on n1 icemesh invite --uses "$N" | tail -n 1)
	for host in "${hosts[@]:1}"; do
		on "$host" icemesh join "$token" >"$W/$host/join" 2>&1 || touch "$W/$host/failed" &
		[ "$(jobs -r | wc -l)" -lt "$(nproc)" ] || wait -n
	done
	wait
	for host in "${hosts[@]}"; do
		[ ! -e "$W/$host/failed" ] || { cat "$W/$host/join"; return 1; }
	done
}

# They know the others from before: that is not what is asked for here.
start_anew() {
	local host
	for host in "${hosts[@]}"; do
		daemon_signal "$host" TERM
	done
	for host in "${hosts[@]}"; do
		wait_until 20 daemon_gone "$host" || return 1
		on "$host" rm -f /var/lib/icemesh/peers
	done
	start_all "${hosts[@]}"
	now_ms >"$W/started"
}

# Asks each nth host from the kth on.
some_see_all() {
	local i
	for ((i = $1; i < N; i += $2)); do
		wait_until 10 sees "${hosts[i]}" "$N" || echo "${hosts[i]} sees $(peers_seen "${hosts[i]}")"
	done
}

all_see_all() {
	local i seen cores
	cores=$(nproc)
	for ((i = 0; i < cores; i++)); do
		some_see_all "$i" "$cores" >"$W/blind$i" &
	done
	wait
	cat "$W"/blind*
	grep -q . "$W"/blind* && return 1
	seen=$(($(now_ms) - $(cat "$W/started")))
	note "all see all $seen ms after the last start, and after all were asked one after the other"
	[ "$N" -gt 50 ] || [ "$seen" -le 10000 ]
}

# Microseconds of CPU time that the processes have used.
cpu_of() {
	local pid ns rest sum=0
	for pid; do
		read -r ns rest <"/proc/$pid/schedstat" && sum=$((sum + ns / 1000))
	done
	echo "$sum"
}

# KiB in memory.
size_of() {
	awk '/^VmRSS/ { n += $2 } END { print n }' "/proc/$1/status"
}

largest() {
	local pid size most=0
	for pid; do
		size=$(size_of "$pid")
		[ "$size" -le "$most" ] || most=$size
	done
	echo "$most"
}

# IPv6 datagrams that a host has received.
by_ipv6() {
	on "$1" awk '$1 == "Udp6InDatagrams" { print $2 }' /proc/net/snmp6
}

none_by_ipv6() {
	local before
	before=$(by_ipv6 n2)
	wait_until 2 false
	[ "$(by_ipv6 n2)" = "$before" ]
}

one_family() {
	[ "$(by_ipv6 n2)" -gt 0 ] || { echo "nothing came by IPv6 at all"; return 1; }
	wait_until 60 none_by_ipv6 || { echo "beacons still come by both"; return 1; }
}

costs_little() {
	local daemons helpers before begin share size
	mapfile -t daemons < <(pgrep -x icemeshd)
	mapfile -t helpers < <(pgrep -x icemesh-exec)
	if [ ${#daemons[@]} != "$N" ] || [ ${#helpers[@]} != "$N" ]; then
		echo "${#daemons[@]} daemons, ${#helpers[@]} helpers"
		return 1
	fi
	wait_until 15 false # what is done at the start is over
	begin=$(now_ms)
	before=$(cpu_of "${daemons[@]}")
	wait_until 20 false
	share=$((($(cpu_of "${daemons[@]}") - before) * 10 / ($(now_ms) - begin) / N)) # of a core, in parts of 10,000
	size=$(($(largest "${daemons[@]}") + $(largest "${helpers[@]}")))
	note "an idle daemon of $N: 0.$(printf %04d "$share") of a core; at most $size KiB with its helper"
	[ "$share" -le 60 ] && [ "$size" -le 20480 ]
}

lan_up "${hosts[@]}"
plan 5
check "$N nodes join" join_all
check "all start at once" start_anew
check "all see all" all_see_all
check "beacons go by IPv4 alone when all hear them" one_family
check "an idle daemon costs little" costs_little
cat "$W/notes"
