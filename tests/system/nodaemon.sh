#!/usr/bin/env bash
# Without a daemon, and with one that knows nobody, a build succeeds and never runs more than local_slots compilers at once.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

most_at_once() {
	cat "$W/src/most"
}

build() {
	rm -f "$W"/src/mesh/*.o
	echo 0 >"$W/src/running"
	echo 0 >"$W/src/most"
	on client make -s -j64 -C "$W/src/mesh" CC="icemesh-cc $W/src/bin/gcc"
}

plan 8
lan_up client
config client 'local_slots = 2'
write_sources "$W/src/local" 40
write_sources "$W/src/mesh" 40
make -s -j4 -C "$W/src/local" || bail "local build"
# A compiler that counts how many of it run.
mkdir "$W/src/bin"
cat >"$W/src/bin/gcc" <<X
#!/bin/sh
count() {
	flock 9
	n=\$((\$(cat $W/src/running) + \$1))
	echo \$n >$W/src/running
	[ \$n -le \$(cat $W/src/most) ] || echo \$n >$W/src/most
	flock -u 9
}
exec 9>>$W/src/lock
count 1
$(command -v gcc) "\$@" 9>&-
status=\$?
count -1
exit \$status
X
chmod +x "$W/src/bin/gcc"

check "no daemon, make -j64" build
check "never more than local_slots compilers, and all of them used" [ "$(most_at_once)" = 2 ]
check "every object is the local one" "$TREE/tests/codecmp.sh" "$W/src/local" "$W/src/mesh"
check "no daemon, ICEMESH_REMOTE=only: a clear failure" refuses 'icemesh' on client env ICEMESH_REMOTE=only icemesh-cc gcc -c "$W/src/mesh/s1.c" -o "$W/src/x.o"

start_daemon client
check "a daemon without a mesh, make -j64" build
check "never more than local_slots compilers" [ "$(most_at_once)" -le 2 ]
on client icemesh init alone >/dev/null
check "a mesh of one, make -j64" build
check "never more than local_slots compilers then" [ "$(most_at_once)" -le 2 ]
