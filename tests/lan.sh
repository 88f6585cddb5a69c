# shellcheck shell=bash
# A LAN on this machine, for system tests and the demo: hosts are namespaces on a private bridge, below one pid namespace, so that
# nothing can outlive the test that made it, however it ends.  To be sourced by a bash script:
#
#     . "$(dirname "$0")/../lan.sh"
#     lan_enter "$@"            from here on the script runs inside (it was started again there)
#     plan 3; lan_up a b c; mesh_up a b c
#     check "b sees everyone" on b icemesh peers
#
# As root or rootless (then in a user namespace).  Each host has its own name, network, /run, /tmp, /var/lib, /var/cache, /etc and
# process ids.  Nothing is mounted or made outside; $W is a tmpfs that all hosts see.
# With LAN_LOOPBACK=yes, and in the demo where namespaces are not allowed, hosts are folders and ports of 127.0.0.1 instead.
# Nothing here sleeps but wait_until.

declare -A host_pid=()
test_number=0 test_failed=0 said=''
as=() # put before every command of on(): setpriv ... for tests as an ordinary user

# Starts this script again inside the namespaces; ends with a skipped plan where there can be none.
lan_enter() {
	TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
	B=$(realpath "${B:-$TREE/build}")
	export TREE B
	if [ -z "${LAN_INSIDE:-}" ] && [ -z "${LAN_LOOPBACK:-}" ]; then
		local flags=(-m -n -u -i -p --fork --kill-child --mount-proc --propagation private)
		unshare "${flags[@]}" true 2>/dev/null || flags=(-U -r "${flags[@]}")
		if unshare "${flags[@]}" sh -c 'mount -t tmpfs none /mnt && ip link add br0 type bridge' 2>/dev/null; then
			LAN_INSIDE=yes exec unshare "${flags[@]}" -- bash "$0" "$@"
		fi
		LAN_LOOPBACK=${LAN_OR_LOOPBACK:-}
		[ -n "$LAN_LOOPBACK" ] || { echo "1..0 # SKIP this machine allows no network namespaces"; exit 0; }
	fi
	trap lan_down EXIT
	trap 'exit 130' INT TERM HUP
	unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME
	if [ -n "${LAN_LOOPBACK:-}" ]; then
		W=$(mktemp -d) && chmod 755 "$W"
	else
		lan_ground
	fi
	mkdir -p "$W/bin" "$W/src" && chmod 1777 "$W/src"
	# Copies: the tree may lie where the daemon's user cannot look, and may be built anew meanwhile.
	cp -P "$B/icemesh" "$B/icemesh-cc" "$B/icemesh-c++" "$B/icemesh-exec" "$B/icemeshd" "$W/bin/" || exit 1
	PATH=$W/bin:$PATH:/usr/sbin:/sbin
}

# The bridge, $W, and the /etc from which each host's is copied.
lan_ground() {
	local dir
	for dir in /mnt /srv /media /opt /tmp; do
		case "$TREE/ $B/" in *"$dir/"*) continue ;; esac
		[ ! -d "$dir" ] || break
	done
	W=$dir
	mount -t tmpfs -o mode=755 lan "$W"
	mkdir "$W/etc"
	cp -a /etc/. "$W/etc/" 2>/dev/null
	mkdir -p "$W/etc/icemesh"
	: >"$W/etc/icemesh/icemesh.conf"
	if ! grep -q '^icemesh:' "$W/etc/passwd"; then
		echo 'icemesh:x:877:877:icemesh:/var/lib/icemesh:/bin/false' >>"$W/etc/passwd"
		echo 'icemesh:x:877:' >>"$W/etc/group"
	fi
	ip link set lo up
	ip link add br0 type bridge mcast_snooping 0
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	ip link set br0 up
}

lan_down() {
	local status=$? host
	trap '' INT TERM HUP
	if [ $test_failed != 0 ] || { [ $status != 0 ] && [ $status != 130 ]; }; then
		for host in "${!host_pid[@]}"; do
			echo "--- icemeshd on $host" && tail -n 25 "$W/$host/log"
		done >&2 2>/dev/null
	fi
	if [ -n "${LAN_LOOPBACK:-}" ]; then
		for host in "${!host_pid[@]}"; do
			daemon_signal "$host" TERM 2>/dev/null
		done
		for host in "${!host_pid[@]}"; do
			wait_until 5 daemon_gone "$host" || daemon_signal "$host" KILL 2>/dev/null
		done
		rm -rf "$W"
	fi
	# Elsewhere this shell is process 1 of the namespace: the kernel ends the rest with it.
	exit $status
}

# lan_up NAME...: hosts 10.77.0.1, .2... in this order.
lan_up() {
	local name
	for name; do
		mkdir -p "$W/$name/home"
		if [ -n "${LAN_LOOPBACK:-}" ]; then
			host_loopback "$name"
		else
			host_namespace "$name"
		fi
	done
}

host_namespace() {
	local name=$1 number=$((${#host_pid[@]} + 1)) pid
	cp -a "$W/etc" "$W/$name/etc"
	mkfifo "$W/$name/up"
	: >"$W/$name/log"
	# The host's first process: process ids as the test sees them are in /proc until the host gets its own.
	# shellcheck disable=SC2016
	unshare -m -n -u -i -p --fork --kill-child --propagation private -- sh -c '
		read -r pid rest </proc/self/stat
		mount -t proc proc /proc && hostname "$2" && mount --bind "$1/$2/etc" /etc || exit 1
		for dir in /run /tmp /var/lib /var/cache; do
			mount -t tmpfs -o mode=755 "$2" "$dir" || exit 1
		done
		chmod 1777 /tmp
		ip link set lo up
		echo "$pid" >"$1/$2/up"
		exec sleep infinity' sh "$W" "$name" </dev/null >/dev/null 2>"$W/$name/holder" &
	disown
	read -r pid <"$W/$name/up"
	host_pid[$name]=$pid
	ip link add "p$number" type veth peer name eth0 netns "$pid"
	ip link set "p$number" master br0 up
	on "$name" sh -c "ip link set eth0 up && ip addr add 10.77.0.$number/24 brd + dev eth0 && ip addr add fd77::$number/64 dev eth0 nodad &&
		ip route add default dev eth0"
	# The link carries traffic when the bridge says so.
	wait_until 5 link_forwards "p$number"
}

link_forwards() {
	bridge link show dev "$1" 2>/dev/null | grep -q 'state forwarding'
}

# A port that nobody has, for a host that is a folder.
host_loopback() {
	local name=$1 port=$((20000 + RANDOM % 20000))
	while grep -qi ":$(printf '%04x' "$port") " /proc/net/tcp /proc/net/udp; do
		port=$((port + 1))
	done
	host_pid[$name]=none
	mkdir -m 1777 "$W/$name/run"
	printf '%s\n' "name = $name" "listen = 127.0.0.1:$port" "group = off" "group6 = off" "state_dir = $W/$name/state" \
		"store_dir = $W/$name/store" "socket = $W/$name/run/socket" >"$W/$name/conf"
}

# config HOST LINE...: adds lines to the host's icemesh.conf.
config() {
	local file=$W/$1/etc/icemesh/icemesh.conf
	[ -z "${LAN_LOOPBACK:-}" ] || file=$W/$1/conf
	shift
	printf '%s\n' "$@" >>"$file"
}

# on HOST COMMAND...: runs it there, in this folder (in / when the host does not have it, as with a tree in /tmp).  With on_exec=exec, for the background, it replaces the shell.
on() {
	local name=$1
	shift
	if [ -n "${LAN_LOOPBACK:-}" ]; then
		${on_exec:-} env HOME="$W/$name/home" ICEMESH_CONFIG="$W/$name/conf" "$@"
	else
		# shellcheck disable=SC2016
		${on_exec:-} nsenter -t "${host_pid[$name]}" -m -n -u -i -p -r -- env HOME="$W/$name/home" sh -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$PWD" "${as[@]}" "$@"
	fi
}

# wait_until SECONDS COMMAND...: tries it every 50 ms.
wait_until() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# start_daemon HOST [OPTION...]: returns when it has said that it is ready.
start_daemon() {
	local name=$1
	shift
	: >"$W/$name/out"
	# shellcheck disable=SC2016
	on_exec='exec' on "$name" sh -c 'echo $$ >"$0/pid"; exec icemeshd "$@"' "$W/$name" "$@" >"$W/$name/out" 2>>"$W/$name/log" </dev/null &
	disown
	wait_until 10 test -s "$W/$name/out" || { echo "# icemeshd on $name did not start: $(tail -n 1 "$W/$name/log")"; return 1; }
}

daemon_signal() {
	on "$1" sh -c "kill -$2 $(cat "$W/$1/pid")"
}

daemon_gone() {
	! daemon_signal "$1" 0 2>/dev/null
}

# stop_daemon HOST [SIGNAL]: returns when it is gone.
stop_daemon() {
	daemon_signal "$1" "${2:-TERM}" && wait_until 5 daemon_gone "$1"
}

# The machine is gone: no packet leaves it any more, and every process of it is killed.
kill_host() {
	on "$1" ip link set eth0 down
	kill -KILL "${host_pid[$1]}"
	unset "host_pid[$1]"
}

# peers_seen HOST [STATE]: how many nodes it sees, itself included.
peers_seen() {
	on "$1" icemesh peers --json 2>/dev/null | jq --arg s "${2:-up}" 'map(select(.state == $s)) | length' 2>/dev/null || echo 0
}

sees() {
	[ "$(peers_seen "$1")" = "$2" ]
}

# mesh_up FIRST OTHER...: starts the daemons, makes a mesh at the first and joins the others; returns when each sees all.
mesh_up() {
	local first=$1 name token
	for name; do
		start_daemon "$name" || return 1
	done
	on "$first" icemesh init testmesh >"$W/init" 2>&1 || { cat "$W/init"; return 1; }
	shift
	[ $# -gt 0 ] || return 0
	token=$(on "$first" icemesh invite --uses $#  | tail -n 1)
	for name; do
		on "$name" icemesh join "$token" >"$W/join" 2>&1 || { cat "$W/join"; return 1; }
	done
	for name in "$first" "$@"; do
		wait_until 10 sees "$name" $(($# + 1)) || { echo "# $name sees $(peers_seen "$name") of $(($# + 1)) nodes"; return 1; }
	done
}

# Takes the compilers' own parts away from a host, so that only a toolchain that was sent there can compile.
hide_compilers() {
	local dir
	for dir in /usr/lib/gcc /usr/libexec/gcc /usr/lib/gcc-cross /usr/lib/llvm-*; do
		[ ! -d "$dir" ] || on "$1" mount -t tmpfs none "$dir"
	done
}

# state_dir HOST, store_dir HOST: where its daemon keeps things.
state_dir() {
	# shellcheck disable=SC2016
	on "$1" sh -c 'for dir in /var/lib/icemesh "$HOME/.local/state/icemesh"; do [ ! -d "$dir" ] || echo "$dir"; done' | tail -n 1
}

store_dir() {
	# shellcheck disable=SC2016
	on "$1" sh -c 'for dir in /var/cache/icemesh "$HOME/.cache/icemesh"; do [ ! -d "$dir" ] || echo "$dir"; done' | tail -n 1
}

# toolchains_of HOST: how many it could run.
toolchains_of() {
	on "$1" sh -c "ls '$(store_dir "$1")/toolchains' 2>/dev/null | wc -l"
}

# compilers_on HOST: how many compilers run there at this moment.
compilers_on() {
	on "$1" sh -c 'cat /proc/[0-9]*/comm 2>/dev/null | grep -cE "^(cc1|cc1plus|clang.*)$"'
}

# write_sources FOLDER N: N small C files with some weight, and a Makefile with all, clean.
write_sources() {
	local i
	mkdir -p "$1"
	for i in $(seq "$2"); do
		cat >"$1/s$i.c" <<-X
			#include <stdio.h>
			#include <stdlib.h>
			#include <string.h>
			#define STEP(n) if (x % (n + 2) == $i) { y += x * n; snprintf(text, sizeof text, "%d " #n, y); total += strlen(text); }
			#define TEN(n) STEP(n##0) STEP(n##1) STEP(n##2) STEP(n##3) STEP(n##4) STEP(n##5) STEP(n##6) STEP(n##7)
			int weigh$i(int x)
			{
			        char text[64];
			        int y = $i, total = 0;
			        TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9) TEN(11) TEN(12) TEN(13) TEN(14) TEN(15)
			        return total + abs(y);
			}
		X
	done
	printf 'CFLAGS = -O2 -g\nall: $(patsubst %%.c,%%.o,$(wildcard *.c))\n%%.o: %%.c\n\t$(CC) $(CFLAGS) -c $< -o $@\nclean:\n\trm -f *.o\n' >"$1/Makefile"
}

# copy_tree FOLDER: the sources of icemesh, without what was built.
copy_tree() {
	mkdir -p "$1"
	tar -C "$TREE" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$1" --no-same-owner -xf -
}

# submitted HOST WORD: a counter of `icemesh status --json`.
submitted() {
	on "$1" icemesh status --json | jq ".submitted.$2"
}

# remote_share TRACE: per cent of the compiles in a trace file that ran elsewhere, "not compiles" left aside.
remote_share() {
	jq -s 'map(select(.verdict == "remote" or .verdict == "fallback" or (.reason | IN("linking", "preprocess-only", "configure-probe") | not)))
		| if length == 0 then 0 else (map(select(.verdict == "remote")) | length) * 100 / length | floor end' "$1"
}

plan() {
	echo "1..$1"
}

# check NAME COMMAND...: one result in TAP; what a failing command said goes below it; $said holds it.
check() {
	local name=$1
	shift
	test_number=$((test_number + 1))
	if said=$("$@" 2>&1); then
		echo "ok $test_number - $name"
	else
		test_failed=$((test_failed + 1))
		echo "not ok $test_number - $name"
		sed 's/^/#   /' <<<"$said"
	fi
}

# skip NAME REASON
skip() {
	test_number=$((test_number + 1))
	echo "ok $test_number - $1 # SKIP $2"
}

# bail REASON: the rest cannot run.
bail() {
	test_failed=$((test_failed + 1))
	echo "Bail out! $1"
	exit 1
}

# says PATTERN COMMAND...: the command fails and its words match.
refuses() {
	local pattern=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "no failure: $*: $said"
		return 1
	fi
	grep -qiE -- "$pattern" <<<"$said" || { echo "expected /$pattern/, got: $said"; return 1; }
}

# logged HOST PATTERN: exactly the daemon's log has a line like it.
logged() {
	wait_until 3 grep -qiE -- "$2" "$W/$1/log" || { echo "no line like /$2/ in the log of $1:"; tail -n 5 "$W/$1/log"; return 1; }
}
