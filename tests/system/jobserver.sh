#!/usr/bin/env bash
# GNU make's jobserver: it reaches the compiler untouched, and link-time optimisation runs no more compilers at one time than there are local
# slots, nor than the jobserver has tokens, counted without a gap by tests/system/census.c; what it makes is the same.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

PARTS=-flto-partition=1to1

new_census() {
	truncate -s 0 "$W/src/census" && truncate -s 64K "$W/src/census" && chmod 666 "$W/src/census"
}

# The most compilers of link-time optimisation at one time, and how many there were.
most_at_once() {
	od -An -v -td4 -j 4 -N 4 "$W/src/census" | tr -d ' '
}

begun() {
	od -An -v -td4 -j 12 -N 4 "$W/src/census" | tr -d ' '
}

# at_most N FEWEST: so many at one time, and so many in all or more.
at_most() {
	echo "at once: $(most_at_once), begun: $(begun)"
	[ "$(most_at_once)" -le "$1" ] && [ "$(begun)" -ge "$2" ]
}

# A compiler that takes a token from the jobserver which MAKEFLAGS names, and gives it back.
write_taker() {
	mkdir -p "$W/src/bin"
	cat >"$W/src/bin/gcc" <<'Y'
#!/bin/bash
auth=${MAKEFLAGS##*--jobserver-auth=} auth=${auth%% *}
case $auth in
fifo:*) exec 8<>"${auth#fifo:}" 9>&8 ;;
*,*) eval "exec 8<&${auth%,*} 9>&${auth#*,}" || exit 3 ;;
*) exit 4 ;;
esac
# make may have set it not to block
until IFS= read -r -n 1 -u 8 token 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 1000 ] && sleep 0.01 || exit 5
done
printf %s "$token" >&9 || exit 6
echo "$auth" >"${@: -1}"
Y
	chmod +x "$W/src/bin/gcc"
	printf 'a.o:\n\t+$(CC) -c one.c -o $@\n.PHONY: a.o\n' >"$W/src/taker.mk"
	echo 'int x;' >"$W/src/one.c"
}

# take [VARIABLE=VALUE]...: such a compiler below make -j3; make says nothing of a lost token.
take() {
	said=$(on client env "$@" make -s -j3 -f taker.mk CC="icemesh-cc $W/src/bin/gcc" 2>&1) || { echo "$said"; return 1; }
	[ -z "$said" ] || { echo "$said"; return 1; }
	grep -qE '^(fifo:.*|[0-9]+,[0-9]+)$' a.o
}

# The descriptor of a fifo, as newer makes name it.
take_fifo() {
	[ -p tokens ] || mkfifo tokens
	# shellcheck disable=SC2094
	on client sh -c 'exec 7<>tokens; printf ++ >&7; MAKEFLAGS=" -j3 --jobserver-auth=fifo:tokens" icemesh-cc "$0" -c one.c -o a.o' "$W/src/bin/gcc" &&
		[ "$(cat a.o)" = fifo:tokens ]
}

# same FILE...: each is what gcc alone makes of it.
same() {
	local file
	for file; do
		cmp lto.ref "$file" || return 1
	done
}

# link WORDS...: through icemesh, on the client.
link() {
	rm -f lto.out
	on client icemesh-cc gcc -O2 "$@" "$PARTS" lto[0-9]*.o -o lto.out && same lto.out
}

# links MAKE-OPTIONS...: four links at one time.
links() {
	rm -f lto.out?
	on client make -s "$@" -f lto.mk CC='icemesh-cc gcc' && same lto.out1 lto.out2 lto.out3 lto.out4
}

# jobs_of [WORD]...: with how many threads clang would link.
# shellcheck disable=SC2120
jobs_of() {
	rm -f words
	on client icemesh-cc "$W/src/bin/clang" -flto=thin a.o -o a "$@" && tail -n 1 words
}

# The same while a slot is held.
jobs_beside() {
	on client flock /tmp/icemesh-slots/0 flock /tmp/icemesh-slots/1 icemesh-cc "$W/src/bin/clang" -flto=thin a.o -o a && tail -n 1 words
}

plan 16
[ -z "${LAN_LOOPBACK:-}" ] || bail "counting compilers needs an /etc of its own"
lan_up client
config client 'local_slots = 3'
cd "$W/src" || bail "no folder"
write_taker
for i in 0 1 2 3 4 5 6 7 8 9; do
	printf '__attribute__((noipa)) int part%d(int x, char *t)\n{\n\tfor (int i = 0; i < x; i++)\n\t\tt[i] += x * i %% %d;\n\treturn t[x];\n}\n' "$i" $((i + 3)) >"lto$i.c"
done
{
	for i in 0 1 2 3 4 5 6 7 8 9; do echo "int part$i(int, char *);"; done
	echo 'int main(int c, char **v) { return 0'
	for i in 0 1 2 3 4 5 6 7 8 9; do echo "+ part$i(c, v[0])"; done
	echo '; }'
} >lto10.c
gcc -O2 -flto -c lto[0-9]*.c || bail "no link-time optimisation"
gcc -O2 -flto "$PARTS" lto[0-9]*.o -o lto.ref 2>/dev/null || bail "no link-time optimisation"
printf 'all: 1 2 3 4\n1 2 3 4:\n\t+$(CC) -O2 -flto=auto %s %s -o lto.out$@\n.PHONY: 1 2 3 4\n' "$PARTS" "$(echo lto[0-9]*.o)" >lto.mk
cc -shared -fPIC -O1 -D_GNU_SOURCE -DCENSUS="\"$W/src/census\"" "$TREE/tests/system/census.c" -o census.so || bail "census"
echo "$W/src/census.so" >"$W/client/etc/ld.so.preload"

check "the compiler takes tokens of make's" take
check "and with a trace" take ICEMESH_TRACE="$W/src/trace"
check "of a fifo, too" take_fifo
new_census
on client gcc -O2 -flto=8 "$PARTS" lto[0-9]*.o -o lto.out || bail "gcc"
check "the census counts: gcc alone runs more than three" [ "$(most_at_once)" -gt 3 ]
for words in -flto=8 -flto=auto -flto=jobserver; do
	new_census
	check "$words: the same file" link "$words"
	check "$words: three at most" at_most 3 8
done
new_census
check "four links of a make without a limit" links -j16
check "three at one time for all of them" at_most 3 32
new_census
check "four links of make -j2" links -j2
check "two at one time, as make said" at_most 2 32

cat >bin/clang <<Y
#!/bin/sh
printf '%s\n' "\$@" >$W/src/words
Y
chmod +x bin/clang
check "clang's linker gets every free slot" [ "$(jobs_of)" = -Wl,-plugin-opt=jobs=3 ]
check "but no more than was asked for, and none that is in use" \
	eval '[ "$(jobs_of -Wl,--thinlto-jobs=2)" = -Wl,-plugin-opt=jobs=2 ] && [ "$(jobs_beside)" = -Wl,-plugin-opt=jobs=1 ]'
[ "${test_failed:-1}" = 0 ]
