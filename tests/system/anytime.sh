#!/usr/bin/env bash
# A signal at any moment of a compile: while the compiler is packed, the input set is found, things are sent, the peer compiles, outputs come, a slot
# is waited for.  The wrapper dies of it, or had ended well; no process, no temporary file and no partial output is left, here or at the peer.
# limit: 400 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# strike MS SIGNAL SIGN COMMAND...: the command in a process group of its own, and after so many ms the signal, to it alone (1) or to the group (-1).
make_tools() {
	cat >"$W/strike.c" <<-'X'
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/wait.h>
		#include <time.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int status, ms = argc > 4 ? atoi(argv[1]) : 0;
			struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
			pid_t pid = fork();
			if (pid == 0) { setpgid(0, 0); execvp(argv[4], argv + 4); _exit(127); }
			setpgid(pid, pid);
			nanosleep(&t, NULL);
			kill(atoi(argv[3]) * pid, atoi(argv[2]));
			if (waitpid(pid, &status, 0) != pid) return 1;
			if (WIFSIGNALED(status)) printf("signal %d\n", WTERMSIG(status)); else printf("exit %d\n", WEXITSTATUS(status));
			return 0;
		}
	X
	gcc -O1 -o "$W/bin/strike" "$W/strike.c"
}

# Nothing of a compile runs on the client.
quiet() {
	! on client sh -c 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" "\n"' | grep -qE '^(icemesh-cc|pack|.*/cc1|.*/as|.*gcc)$'
}

idle() {
	[ "$(compilers_on w1)" = 0 ]
}

# clean STATUS SIGNAL: what must hold after a strike.
clean() {
	local left
	case $1 in
	"signal $2") left=$(find . -newer "$W/src/mark" -type f | grep -vx './out/a.o') ;;
	"exit 0") left=$(find . -newer "$W/src/mark" -type f ! -path './out*') && cmp out/a.o "$W/src/plain.o" || return 1 ;;
	*) echo "ended with $1"; return 1 ;;
	esac
	[ -z "${left:-}" ] || { echo "left: $left"; return 1; }
	[ ! -e out/a.o ] || cmp out/a.o "$W/src/plain.o" || return 1
	[ "$(find out -name '.*' | wc -l)" = 0 ] || { find out; return 1; }
	wait_until 2 quiet || { echo "something still runs here"; return 1; }
	wait_until 2 idle || { echo "something still runs there"; return 1; }
}

# sweep STRIKES SIGN COMMAND...: strikes later and later, by one signal after the other, at times only the process that SIGN says, until two compiles had ended before; as many
# strikes as said go into the time that a whole one takes now.
sweep() {
	local step=$1 signs=("$2" -1) ms=0 i=0 ended=0 status signals=(2 15 1 3)
	shift 2
	rm -rf out && mkdir out
	ms=$(now_ms)
	on client "$@" -O2 -c a.c -o out/a.o 2>"$W/src/err" || { cat "$W/src/err"; return 1; }
	step=$((($(now_ms) - ms) / step + 1)) ms=0
	while [ $ended -lt 2 ]; do
		rm -rf out && mkdir out
		touch "$W/src/mark"
		status=$(on client env ICEMESH_TRACE= "$W/bin/strike" $ms "${signals[i % 4]}" "${signs[i / 4 % 2]}" "$@" -O2 -c a.c -o out/a.o 2>"$W/src/err")
		clean "$status" "${signals[i % 4]}" >"$W/src/why" || { echo "after $ms ms, signal ${signals[i % 4]} to ${signs[i / 4 % 2]}: $(cat "$W/src/why" "$W/src/err")"; return 1; }
		[ "$status" != 'exit 0' ] || ended=$((ended + 1))
		ms=$((ms + step)) i=$((i + 1))
	done
	echo "$i strikes"
	[ $i -gt 6 ]
}

packing() {
	local i
	for i in 0 20 60 150 400 800; do
		ln -sf "$(command -v gcc)" "$W/bin/fresh-$i-gcc"
		rm -rf out && mkdir out
		touch "$W/src/mark"
		status=$(on client "$W/bin/strike" $i 15 1 icemesh-cc "$W/bin/fresh-$i-gcc" -O2 -c a.c -o out/a.o 2>/dev/null)
		clean "$status" 15 || { echo "after $i ms"; return 1; }
		echo "$i ms: $status"
	done
}

# The only slot is taken.
waiting() {
	local status slots
	slots=$(on client sh -c 'ls -d /run/lock/icemesh-slots /tmp/icemesh-slots* 2>/dev/null' | head -n 1)
	rm -rf out && mkdir out
	touch "$W/src/mark"
	on client flock "$slots/0" sh -c "echo >'$W/src/held'; ICEMESH_REMOTE=never '$W/bin/strike' 300 2 -1 icemesh-cc gcc -c a.c -o out/a.o" >"$W/src/said"
	status=$(cat "$W/src/said")
	[ "$status" = 'signal 2' ] && clean "$status" 2
}

plan 6
lan_up client w1
config client 'slots = 0' 'local_slots = 1'
mesh_up client w1 >/dev/null || bail "no mesh"
hide_compilers w1
make_tools
mkdir "$W/src/t" && cd "$W/src/t" || bail "no folder"
awk 'BEGIN { print "#include <stdio.h>"; for (i = 1; i <= 300; i++) print "int f" i "(int *p, int n) { int s = 0; for (int k = 0; k < n; k++) s += p[k] * (k ^ " i "); return s; }"
	print "static const int table[] = {"; for (i = 0; i < 60000; i++) print i % 997 ","; print "}; const int *use(int i) { return table + i; }" }' >a.c
gcc -O2 -c a.c -o "$W/src/plain.o"
echo 'int first;' >"$W/src/first.c"
wait_until 20 on client env ICEMESH_REMOTE=only icemesh-cc gcc -c "$W/src/first.c" -o /tmp/x.o 2>/dev/null || bail "no remote compile"
check "source mode" sweep 16 1 env ICEMESH_REMOTE=only icemesh-cc gcc
check "preprocessed mode" sweep 16 1 env ICEMESH_REMOTE=only ICEMESH_MODE=preprocessed icemesh-cc gcc
# A compiler that is killed alone leaves its children, here as anywhere.
check "here, with a trace" sweep 8 -1 env ICEMESH_REMOTE=never ICEMESH_TRACE=/dev/null icemesh-cc gcc
check "while the compiler is packed" packing
check "while a slot is waited for" waiting
check "the peer is well" eval '[ "$(on w1 icemesh status --json | jq .served.running)" = 0 ]'
