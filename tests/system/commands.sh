#!/usr/bin/env bash
# The command lines of commands.txt, each run by the plain compiler and by icemesh-cc in a fresh tree at the same path: every file (names, types,
# modes, links, contents, written or left alone), standard output, standard error and the exit status are the same, or differ where the table says;
# and the trace says where each compile ran and why.
#
#     tests/system/commands.sh [PATTERN]      only the rows that match the extended regular expression
#     COMMANDS=plain tests/system/commands.sh both runs by the plain compiler: what the table forgives, and nothing else, differs by itself
#     COMMANDS=again tests/system/commands.sh the second of two runs by icemesh-cc is looked at: it may use what the first one left
#
# An ordinary user's compiles through a daemon of the system, where this test is root's.
# limit: 900 s
. "$(dirname "$0")/../lan.sh"
. "$(dirname "$0")/../twice.sh"
lan_enter "$@"
LANES=${LANES:-4} SLOTS=8 WRAPPER=icemesh-cc
[ "${COMMANDS:=}" != plain ] || WRAPPER=''

write_template() {
	mkdir inc inc2 sys src 'sp ace' 'sp ace/in c' 'ünï' out real prof root root/usr root/usr/include quote
	c_sources
	cxx_sources
	other_sources
	messages
	response_files
	printf '%s\n' 'CFLAGS = -g -O2 -MMD -MP -Iinc' 'CXXFLAGS = -g -O2 -MMD -MP' 'all: prog' 'objects: out/a.o out/main.o out/x.o' \
		'prog: out/a.o out/main.o out/x.o; $(CXX) -o $@ $^' 'out/%.o: %.c; $(CC) $(CFLAGS) -c -o $@ $<' \
		'out/%.o: %.cc; $(CXX) $(CXXFLAGS) -c -o $@ $<' >Makefile
	ln -s a.c link.c
	ln -s ../real/a.o out/link.o
	ln -s src lnsrc
	echo old >out/old.o
	ln out/old.o out/hard.o
	echo kept >out/kept.d
	chmod 640 out/old.o
	# A file that a compile wrote is known by its time.
	find . -exec touch -h -d '2020-01-02 03:04:05' {} +
}

c_sources() {
	printf '#include "h.h"\n#include <stdio.h>\n#include <string.h>\n#ifndef STR\n#define STR "none"\n#endif\nconst char *where(void) { return __FILE__ STR; }\nint a(const char *s) { return (int)strlen(s) + __LINE__ + H + printf("%%s\\n", where()); }\n' >a.c
	printf '#ifndef H_H\n#define H_H\n#define H 7\nstatic inline int twice(int x) { return x + x; }\n#endif\n' >inc/h.h
	printf 'int a(const char *s);\nint x(int n);\nint main(void) { return a("seven") < 0 || x(2) < 0; }\n' >main.c
	printf 'int one(void);\nint main(void) { return one() - 1; }\n' >two.c
	printf 'int one(void) { return 1; }\n' >one.c
	printf '#include "../inc/h.h"\nint b = H;\nconst char *f = __FILE__, *g = __BASE_FILE__;\n' >src/b.c
	printf 'static int helper(int x) { return x * 3; }\nint loop(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += helper(p[i]); return s; }\n' >loop.c
	printf 'int main(int argc, char **argv) { int s = 0; for (int i = 0; i < 50; i++) if (i %% 3 == argc) s += argv[0][0]; return s == 0; }\n' >hot.c
	: >empty.c
	printf 'int crlf(void)\r\n{\r\n\treturn __LINE__; \\\r\n}\r\n#include "h.h"\r\nint a = H;\r\n' >crlf.c
	printf '\xef\xbb\xbf#include "h.h"\nint bom = H;\n' >bom.c
	awk 'BEGIN { printf "int long_line[] = {"; for (i = 0; i < 9000; i++) printf " %d,", i; print " }; int after = bad;" }' >long.c
	printf 'const char *d = __DATE__;\n' >date.c
	printf 'const char *t = __TIME__;\nint n = sizeof __TIME__;\n' >time.c
	printf 'const char *t = __TIMESTAMP__;\n' >stamp.c
	printf 'int c0 = __COUNTER__, c1 = __COUNTER__;\n#include "h.h"\nint c2 = __COUNTER__, level = __INCLUDE_LEVEL__;\n' >counter.c
	printf '#define HDR "h.h"\n#include HDR\nint c = H;\n' >computed.c
	printf '#if __has_include("h.h")\n#include "h.h"\n#endif\n#if __has_include(<nothere.h>)\n#include <nothere.h>\n#endif\n#ifdef H\nint yes = H;\n#else\nint no;\n#endif\n' >has.c
	printf '#include_next <n.h>\n#define N1 (N2 + 1)\n' >inc/n.h; printf '#define N2 1\n' >inc2/n.h
	printf '#include <n.h>\nint n = N1;\n' >next.c
	printf '#pragma once\nint once_v = 1;\n' >inc/once.h; ln -s once.h inc/once_soft.h; ln inc/once.h inc/once_hard.h
	printf '#include "once.h"\n#include "once_soft.h"\n#include "once_hard.h"\n' >once.c
	printf '#include <rooted.h>\nint r = ROOTED;\n' >rooted.c; echo '#define ROOTED 6' >root/usr/include/rooted.h
	printf 'int v = VALUE;\nconst char *s = TEXT;\n' >defines.c
	printf '#include "q.h"\nint q = Q;\n' >quoted.c; echo '#define Q 1' >quote/q.h; echo '#define Q 2' >sys/q.h; echo '#define Q 3' >'sp ace/in c/q.h'
	local name
	for name in 'sp ace/q u.c' 'ünï/ü.c' 'd$o#l.c' './-dash.c' "q'u\"o.c" .hidden.c noext two.dots.c; do
		printf '#include <stddef.h>\nsize_t u(void) { return sizeof __FILE__; }\n' >"$name"
	done
	printf 'blob bytes' >blob.bin; printf 'asm(".section .rodata\\nblob: .incbin \\"blob.bin\\"\\n.text");\nint x;\n' >incbin.c
	printf 'asm(".include \\"some.inc\\"");\nint x;\n' >asminc.c; printf '.set inc_sym, 3\n' >some.inc; cp some.inc inc2/other.inc
	printf 'asm(".include \\"other.inc\\"");\nint x;\n' >asminc2.c
	printf '#define PCHM 1\n#include <stdlib.h>\n' >pch.h; printf '#include "pch.h"\nint k = PCHM;\n' >usepch.c
	printf 'void secret(int *p) { p[3] = 1; }\n' >san.c; printf 'fun:secret\n' >ignore.txt
}

cxx_sources() {
	cat >x.cc <<-'X'
		#include <string>
		#include <vector>
		template <class T> T twice(T x) { return x + x; }
		std::vector<std::string> v;
		namespace { int hidden(int x) { return x * 3; } struct S { int a; virtual ~S() {} } s; }
		extern "C" int x(int n) { v.push_back(twice(std::string("s"))); try { if (hidden(n) > 5) throw 1; } catch (int e) { return e; } return (int)v.size(); }
	X
	printf 'namespace { struct P { int a; virtual ~P() {} virtual int f(); } p; int P::f() { return a; } }\nint *pp() { return &p.a; }\ntemplate <class T> T id(T t) { return t; }\ntemplate long id<long>(long);\n' >anon.cc
	printf 'const char *r = R"x(\n#include "no.h"\n)x";\nint l = __LINE__;\n' >raw.cc
	printf 'template <class T> struct V { T x; typename T::type y; };\nV<int> v;\n' >tmpl.cc
	printf 'export module mod;\nexport int answer() { return 42; }\n' >mod.cc
	printf 'import mod;\nint use() { return answer(); }\n' >usemod.cc
	printf '[[deprecated("use g")]] int f(); int f() { return 1; }\nint h() { return f(); }\n' >depr.cc
	printf '#include <coroutine>\n#include <concepts>\ntemplate <std::integral T> T half(T x) { return x / 2; }\nint c20(int x) { return half(x); }\n' >cxx20.cc
	cp anon.cc anon.cpp
	cp anon.cc anon.cxx
	cp anon.cc anon.C
}

other_sources() {
	gcc -E src/b.c >pre.i
	g++ -E anon.cc >pre.ii
	echo '#define H 9' >inc/asm.h; printf '#include "asm.h"\n.globl s\ns: .long H\n.include "some.inc"\n.incbin "blob.bin"\n' >asm.S
	printf '.globl t\nt: nop\n' >plain.s
	printf '.globl t\nt: bogus %%eax\n' >bad.s
	printf '.include "other.inc"\n.long inc_sym\n' >inc.s
	printf '#include "h.h"\n@interface A { int x; }\n- (int)x;\n@end\n@implementation A\n- (int)x { return x + H; }\n@end\n' >o.m
	cp o.m o.mm
}

messages() {
	printf 'int f(int a) { int unused; if (a = 3) return 1; return 0; }\n' >warn.c
	printf 'int f( { return 0 }\n' >err.c
	printf '#include "h.h"\n#error "no way"\nint x;\n' >hash.c
	printf '#warning "wörning"\nint x;\n' >hashwarn.c
	printf '#include "nope.h"\nint x;\n' >noinc.c
	printf 'int g(int);\nint f(int x) { return g(x, 1) + undeclared; }\nstruct s { int a; };\nint h(struct s *p) { return p->b; }\n' >notes.c
	printf 'void f(void) { asm("bogus %%eax"); }\n' >badasm.c
	printf '__attribute__((deprecated("use g"))) int f(void);\nint h(void) { return f(); }\n' >depr.c
	printf '#include <stdio.h>\nvoid f(const char *s) { printf(s); printf("%%d %%s\\n", "a", 1); }\n' >format.c
	printf '#pragma GCC system_header\nstatic int quiet(void) { int u; return 1 / 0; }\n' >sys/quiet.h; printf '#include <quiet.h>\nint x;\n' >sysw.c
	printf '#include "h.h"\n#pragma message "said"\n#pragma unknown thing\n_Static_assert(H == 8, "seven");\n' >pragma.c
	printf '#include "inner.h"\n' >outer.c; printf '#include "innermost.h"\n' >inc/inner.h; printf 'int f(void) { return missing; }\n' >inc/innermost.h
	printf 'int f(int x) {\n\tif (x)\n\t\tx++;\n\t\tx--;\n\treturn x;\n}\n' >indent.c
	printf 'int f(void) { return "ü" + ñ; } // ü\n' >utf8.c
	printf 'int f(void) { char s[] = "\xff\xfe"; return s[0] + y; }\n' >latin.c
	printf 'int f(int *p) { int a[4]; a[5] = 1; if (!p) return *p; return a[5]; }\n' >bounds.c
}

response_files() {
	printf '%s\n' '-g -Iinc' '-c a.c -o out/resp.o' >resp
	printf '%s\n' '-c a.c @resp3' >resp2; printf '%s\n' '-Iinc -DSTR="\"in resp3\""' >resp3
	printf '%s\n' "-DSTR='\"single quoted\"' \"-Iinc\" -DB=a\\ b -c a.c" >respquote
	printf '' >respempty; printf '@resploop -c a.c\n' >resploop
}

# ---- what follows runs on the client, as the user, in lanes at one time ----

mask() {
	sed -i -E "$@"
}

# forgive_words WORDS: takes out what the words of the table's second column name.
forgive_words() {
	local word file temps='s,[^ ]*\bcc[A-Za-z0-9]{6}\b,ccXXXXXX,g; s/-[0-9a-f]{6}\.(o|s|c|i|sh|bc)\b/-XXXXXX.\1/g'
	for word in $1; do
		file=tree/${word#*=}
		case $word in
		temps) mask "$temps" out err ;;
		temps=*) mask "$temps" "$file" ;;
		clock=*) mask 's/[0-9]{2}:[0-9]{2}:[0-9]{2}/HH:MM:SS/g' "$file" ;;
		pointers=*) zcat "$file" >unpacked && mask 's/"0x[0-9a-f]+"/"0xN"/g' unpacked && mv unpacked "$file" ;;
		events=*) jq -c '.traceEvents[] | [.name, .args.detail?]' "$file" | sort >events && mv events "$file" ;;
		debug=*) objcopy --strip-debug "$file" ;;
		need=*) ;;
		*) echo "no such word: $word, run $BASHPID" >>err ;;
		esac
	done
}

# once FOLDER WORDS COMMAND [WRAPPER]: runs the command in a fresh tree, which then is FOLDER/tree, beside out, err, status, list.
once() {
	local ICE=${4:-} LINKS='' ICEXX=c++ prelude=:
	if [ -n "$ICE" ]; then
		# shellcheck disable=SC2016
		prelude='for c in cc c++ gcc g++ gcc-12 clang clang++; do eval "$c() { icemesh-cc $c \"\$@\"; }"; done; unset c'
		LINKS=$W/src/links: ICEXX=icemesh-c++
	fi
	rm -rf t "$1"
	mkdir "$1"
	cp -a "$W/src/template" t
	(cd t && ICE=$ICE ICEXX=$ICEXX LINKS=$LINKS OWN=$W/src/own exec timeout 100 bash -c "$prelude; $3") >"$1/out" 2>"$1/err" </dev/null
	echo $? >"$1/status"
	(cd t && find . '(' ! -type d -newermt 2020-06-01 -printf 'new ' -o -printf 'old ' ')' -printf '%P %y %m %n %l\n' | sort -k 2) >"$1/list"
	mv t "$1/tree"
	(cd "$1" && forgive_words "$2")
}

# verdicts: what the trace says, in order, repetitions once.
verdicts() {
	jq -r 'if .verdict == "remote" and .mode == "source" then "remote" elif .verdict == "remote" then "text"
		else .verdict + ":" + (.reason | split(" ")[0]) end' trace | uniq | paste -s -d ' '
}

# row WANT WORDS COMMAND: fails and says why.
row() {
	local file bad=0 ICEMESH_TRACE=$PWD/trace
	export ICEMESH_TRACE
	once plain "$2" "$3"
	: >trace
	[ "$COMMANDS" != again ] || once mesh "$2" "$3" "$WRAPPER"
	: >trace
	once mesh "$2" "$3" "$WRAPPER"
	for file in status out err list; do
		diff "plain/$file" "mesh/$file" >differs || { echo "$file differs:"; head -n 40 differs; bad=1; }
	done
	diff -r --no-dereference plain/tree mesh/tree || bad=1
	if [ "$1" != any ] && [ -n "$WRAPPER" ] && [ "$(verdicts)" != "$1" ]; then
		echo "wanted $1, got $(verdicts); trace:"
		cat trace
		bad=1
	fi
	return $bad
}

# lane NUMBER: takes rows until none is left; leaves the words of those that fail in said/ROW.
lane() {
	local n want words command
	umask 022
	cd "$W/src/lane$1" || return 1
	while IFS='|' read -r n want words command; do
		mkdir "$W/src/taken/$n" 2>/dev/null || continue
		want=${want# } want=${want% } command=${command# }
		row "$want" "$words" "$command" >said 2>&1 </dev/null || cp said "$W/src/said/$n"
		: >"$W/src/done/$n"
	done <"$W/src/rows"
}

# ---- here again ----

# lacks WORDS COMMAND: says which compiler is not on this machine.
lacks() {
	local word
	for word in gcc-12 clang clang++; do
		case " $2 " in *[\ \;\(\"/]"$word "*) command -v $word >/dev/null || { echo "$word"; return; } ;; esac
	done
	case $1 in *need=objc*) case "$(gcc -print-prog-name=cc1obj)" in /*) ;; *) echo "gcc for Objective-C" ;; esac ;; esac
}

# said_nothing N: row N ran and failed in nothing.
said_nothing() {
	[ -e "$W/src/done/$1" ] || { echo "did not run"; return 1; }
	[ ! -e "$W/src/said/$1" ] || { cat "$W/src/said/$1"; return 1; }
}

run_lanes() {
	local i lanes=() code
	mkdir "$W/src/taken" "$W/src/done" "$W/src/said"
	for i in $(seq "$LANES"); do
		mkdir "$W/src/lane$i"
	done
	chmod 1777 "$W"/src/{taken,done,said,lane*}
	code=$(declare -f mask forgive_words once verdicts row lane)
	for i in $(seq "$LANES"); do
		on client env W="$W" WRAPPER="$WRAPPER" COMMANDS="$COMMANDS" bash -c "$code; lane $i" &
		lanes+=($!)
	done
	wait "${lanes[@]}"
}

mkdir "$W/src/links"
for name in cc c++ gcc g++ clang clang++; do
	ln -s "$W/bin/icemesh-cc" "$W/src/links/$name"
done
ln -s "$(command -v gcc)" "$W/src/own"
COMPILERS="cc c++ gcc g++ gcc-12 clang clang++ $W/src/own"
twice_up
table=$TREE/tests/system/commands.txt
grep -nE '^[a-z]' "$table" | sed -E 's/^([0-9]+):/\1|/' | grep -E -- "${1:-}" >"$W/src/rows"
plan "$(wc -l <"$W/src/rows")"
run_lanes
while IFS='|' read -r n want words command; do
	missing=$(lacks "$words" "$command")
	if [ -n "$missing" ]; then
		skip "$want|$words|$command" "no $missing"
	else
		check "$want|$words|$command" said_nothing "$n"
	fi
done <"$W/src/rows"
