#!/usr/bin/env bash
# The wrapper never takes itself for the compiler: masquerade folders in every shape, ccache before and behind it, scripts, launchers, and build
# systems.  Objects are those of the plain compiler, and each compile is in the trace once, where it was to run.
# limit: 400 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# here COMMAND: a shell on the client with the folders' names; the trace is new.
here() {
	: >"$W/src/trace"
	on client env CCACHE_DIR="$W/src/cache" ICEMESH_TRACE="$W/src/trace" masq="$masq" W="$W" dest="$dest" PATH="$plain" bash -c "cd $W/src/t && $1"
}

fresh() {
	rm -rf "$W/src/t" "$W/src/cache"
	cp -a "$W/src/template" "$W/src/t"
}

# where WORDS: verdicts of the trace's compiles, in order.
where() {
	local got
	got=$(jq -r 'if .verdict == "remote" then "remote" else "local" end' "$W/src/trace" | xargs)
	[ "$got" = "${1//,/ }" ] || { echo "wanted '$1', trace: $(cat "$W/src/trace")"; return 1; }
}

# makes WORDS COMMAND: it makes a.o as the plain compiler does, and the trace has so many compiles.
makes() {
	fresh
	here "$2" || { echo "status $?"; cat "$W/src/trace"; return 1; }
	cmp "$W/src/plain.o" "$W/src/t/a.o" && where "$1"
}

# fails STATUS COMMAND: it ends with this status, in one line.
fails() {
	local status lines
	fresh
	lines=$(here "$2" 2>&1)
	status=$?
	[ $status = "$1" ] && [ "$(wc -l <<<"$lines")" = 1 ] && grep -q '^icemesh-cc: ' <<<"$lines" || { echo "status $status: $lines"; return 1; }
}

# cached WORDS WORDS COMMAND: the second time the cache has it.
cached() {
	local got
	fresh
	if ! here "$3" || ! cmp "$W/src/plain.o" "$W/src/t/a.o" || ! where "${1#-}"; then return 1; fi
	rm "$W/src/t/a.o"
	if ! here "$3" || ! cmp "$W/src/plain.o" "$W/src/t/a.o" || ! where "${2#-}"; then return 1; fi
	got=$(here 'ccache --print-stats' | awk '/^(direct|preprocessed)_cache_hit/ { n += $2 } END { print n }')
	[ "$got" = 1 ] || { echo "$got hits"; here 'ccache --print-stats' | grep -v '[^0-9]0$'; return 1; }
}

# builds COMMAND: a build system's objects, with WRAP empty and with it set, are the same, and the compile itself ran at the peer.
builds() {
	fresh
	here "export WRAP= LAUNCH=; $1" || return 1
	rm -rf "$W/src/first" && mv "$W/src/t" "$W/src/first"
	fresh
	here "export WRAP='icemesh-cc ' LAUNCH=icemesh-cc; $1" || return 1
	(cd "$W/src/t" && find . -name '*.o' | sort | xargs sha256sum) >"$W/src/mesh.sums"
	(cd "$W/src/first" && find . -name '*.o' | sort | xargs sha256sum) | diff - "$W/src/mesh.sums" || return 1
	[ -s "$W/src/mesh.sums" ] && [ "$(jq -r 'select(.verdict == "remote") | .file' "$W/src/trace" | sort -u | xargs -n 1 basename | xargs)" = a.c ] ||
		{ cat "$W/src/trace"; return 1; }
}

write_template() {
	mkdir -p template/bin template/sub template/elsewhere
	cd template || return
	echo 'int f(int a) { return a + 1; }' >a.c
	printf '#!/bin/sh\nexec gcc "$@"\n' >bin/mycc
	printf '#!/bin/sh\nexec /usr/bin/gcc "$@"\n' >bin/gcc
	printf '#!/bin/sh\nPATH=${PATH#*:} exec gcc "$@"\n' >elsewhere/gcc
	chmod +x bin/* elsewhere/*
	printf 'cmake_minimum_required(VERSION 3.13)\nproject(x C)\nadd_library(x STATIC a.c)\n' >CMakeLists.txt
	printf "project('x', 'c')\nstatic_library('x', 'a.c')\n" >meson.build
	mkdir cache && ln -s "$(command -v ccache)" cache/gcc
	gcc -O2 -c a.c -o ../plain.o
	cd ..
}

dest=$W/src/dest
masq=$dest/libexec/icemesh/bin
plain=$W/bin:/usr/bin:/bin
table() {
	cat <<-'X'
		makes remote PATH=$masq:$PATH gcc -O2 -c a.c
		makes remote PATH=$masq:$PATH cc -O2 -c a.c
		makes remote PATH=$masq:$masq:$PATH gcc -O2 -c a.c
		makes remote PATH=$masq/:$masq//:$PATH gcc -O2 -c a.c
		makes remote ln -s $masq sub/link; PATH=$PWD/sub/link:$masq:$PATH gcc -O2 -c a.c
		makes remote cd sub; ln -s $masq here; PATH=../sub/here:$PATH gcc -O2 -c ../a.c -o ../a.o
		makes remote cd $masq; PATH=.:$PATH; gcc -O2 -c $W/src/t/a.c -o $W/src/t/a.o
		makes remote cd $masq; PATH=:$PATH; gcc -O2 -c $W/src/t/a.c -o $W/src/t/a.o
		makes remote cd $masq; PATH=$PATH:; ./gcc -O2 -c $W/src/t/a.c -o $W/src/t/a.o
		makes remote PATH=$masq:$PATH $masq/gcc -O2 -c a.c
		makes remote $masq/gcc -O2 -c a.c
		makes remote PATH=$PATH:$masq $masq/gcc -O2 -c a.c
		makes remote cp $dest/bin/icemesh-cc sub/; ln -s icemesh-cc sub/gcc; PATH=$masq:$PWD/sub:$PATH gcc -O2 -c a.c
		makes remote cp $dest/bin/icemesh-cc sub/; ln -s icemesh-cc sub/gcc; PATH=$PWD/sub:$masq:$PATH gcc -O2 -c a.c
		makes remote icemesh-cc -O2 -c a.c
		makes remote icemesh-cc gcc -O2 -c a.c
		makes remote icemesh-cc icemesh-cc gcc -O2 -c a.c
		makes remote icemesh-cc $dest/bin/icemesh-cc gcc -O2 -c a.c
		makes remote icemesh-cc $masq/gcc -O2 -c a.c
		makes remote icemesh-cc /usr/bin/gcc -O2 -c a.c
		makes remote v=$(realpath /usr/bin/gcc); icemesh-cc ${v##*/} -O2 -c a.c
		makes remote PATH=$masq:$PATH icemesh-cc gcc -O2 -c a.c
		makes remote ICEMESH_CC=gcc icemesh-cc -O2 -c a.c
		fails 110 ICEMESH_CC=icemesh-cc icemesh-cc -O2 -c a.c
		fails 110 rm bin/*; ln -s $dest/bin/icemesh-cc bin/cc; PATH=bin cc -c a.c
		fails 110 rm bin/*; ln -s $dest/bin/icemesh-cc bin/cc; PATH=bin; $dest/bin/icemesh-cc -c a.c
		fails 110 icemesh-cc nogcc -c a.c
		fails 110 ln -s $dest/bin/icemesh-cc sub/nogcc; ./sub/nogcc -c a.c
		fails 110 cp $dest/bin/icemesh-cc sub/gcc; PATH=$PWD/sub:$masq; gcc -c a.c
		makes local PATH=bin:$PATH icemesh-cc gcc -O2 -c a.c
		makes local icemesh-cc bin/mycc -O2 -c a.c
		makes local,local PATH=$masq:$PATH icemesh-cc bin/mycc -O2 -c a.c
		makes remote PATH=$PWD/elsewhere:$masq:$PATH gcc -O2 -c a.c
		makes local PATH=$masq:$PWD/elsewhere:$PATH gcc -O2 -c a.c
		cached remote - CCACHE_PREFIX=icemesh-cc ccache gcc -O2 -c a.c
		cached remote - CCACHE_NODIRECT=1 CCACHE_PREFIX=icemesh-cc ccache gcc -O2 -c a.c
		cached remote - CCACHE_DEPEND=1 CCACHE_PREFIX=icemesh-cc ccache gcc -O2 -MD -c a.c
		cached remote - PATH=$PWD/cache:$PATH CCACHE_PREFIX=icemesh-cc gcc -O2 -c a.c
		cached local,remote - PATH=$PWD/cache:$masq:$PATH CCACHE_PREFIX=icemesh-cc gcc -O2 -c a.c
		cached local,remote - PATH=$PWD/cache:$masq:$PATH gcc -O2 -c a.c
		cached local,remote local CCACHE_NODIRECT=1 PATH=$PWD/cache:$masq:$PATH gcc -O2 -c a.c
		cached remote - CCACHE_DEPEND=1 PATH=$PWD/cache:$masq:$PATH gcc -O2 -MD -c a.c
		cached local,remote - PATH=$masq:$PWD/cache:$PATH gcc -O2 -c a.c
		cached local,remote local CCACHE_NODIRECT=1 PATH=$masq:$PWD/cache:$PATH gcc -O2 -c a.c
		cached remote - CCACHE_DEPEND=1 PATH=$masq:$PWD/cache:$PATH gcc -O2 -MD -c a.c
		cached local,remote - PATH=$PWD/cache:$masq:$PATH icemesh-cc gcc -O2 -c a.c
		cached local,remote - PATH=$masq:$PWD/cache:$PATH icemesh-cc gcc -O2 -c a.c
		cached local,remote - PATH=$masq:$PWD/cache:$PATH ccache gcc -O2 -c a.c
		cached local,remote - icemesh-cc ccache gcc -O2 -c a.c
		builds cmake -G Ninja -S . -B b -DCMAKE_C_FLAGS=-O2 -DCMAKE_C_COMPILER_LAUNCHER=$LAUNCH >log 2>&1 && ninja -C b >>log 2>&1 || { cat log; exit 1; }
		builds PATH=${LAUNCH:+$masq:}$PATH cmake -S . -B b -DCMAKE_C_FLAGS=-O2 >log 2>&1 && PATH=${LAUNCH:+$masq:}$PATH make -C b >>log 2>&1 || { cat log; exit 1; }
		builds CC="${WRAP}gcc" meson setup b >log 2>&1 && ninja -C b >>log 2>&1 || { cat log; exit 1; }
		builds libtool --tag=CC --mode=compile ${WRAP}gcc -O2 -c a.c -o a.lo >log 2>&1 || { cat log; exit 1; }
		builds printf 'all:\n\t+$(CC) -O2 -c a.c\n' >Makefile; make -s -j3 CC="${WRAP}gcc"
	X
}

lan_up client w1
config client 'slots = 0'
config w1 'slots = 4'
mesh_up client w1 >/dev/null || bail "no mesh"
hide_compilers w1
make -s -C "$TREE" install B="$B" DESTDIR="$dest" PREFIX= SYSCONFDIR=/etc UNITDIR=/unit >/dev/null || bail "no installation"
cd "$W/src" || bail "no folder"
(write_template) || bail "no template"
# No line meets a peer that is only just being sent the compiler.
for compiler in /usr/bin/gcc /usr/bin/cc "/usr/bin/$(basename "$(realpath /usr/bin/gcc)")"; do
	wait_until 20 on client env ICEMESH_REMOTE=only icemesh-cc "$compiler" -c template/a.c -o /tmp/x.o 2>/dev/null || bail "no remote compile"
done
mapfile -t lines < <(table)
plan ${#lines[@]}
for line in "${lines[@]}"; do
	read -r kind first second rest <<<"$line"
	needed=gcc
	case $line in cached*) needed=ccache ;; *cmake*) needed=cmake ;; *meson*) needed=meson ;; *libtool*) needed=libtool ;; esac
	if ! command -v $needed >/dev/null; then
		skip "$line" "no $needed"
	elif [ "$kind" = cached ]; then
		check "$line" cached "$first" "$second" "$rest"
	elif [ "$kind" = builds ]; then
		check "$line" builds "${line#* }"
	else
		check "$line" "$kind" "$first" "${line#* * }"
	fi
done
