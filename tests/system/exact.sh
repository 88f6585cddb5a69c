#!/usr/bin/env bash
# Command lines as build systems write them, each run by the plain compiler and by icemesh-cc in equal folders: every file (names, modes,
# contents), standard output, standard error and the exit status are the same, and the trace says once for each compile where it ran.
# An ordinary user's compiles through a daemon of the system, where this test is root's.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# The folder in which each line runs.
write_template() {
	mkdir -p sub 'sp ace' inc 'inc sp' out real sysinc
	cat >a.c <<-'X'
		#include <stdio.h>
		#include <string.h>
		#include "inc/h.h"
		#ifndef STR
		#define STR "none"
		#endif
		const char *where(void) { return __FILE__ STR; }
		int count(const char *s) { return (int)strlen(s) + __LINE__ + H + printf("%s\n", where()); }
	X
	echo '#define H 7' >inc/h.h
	sed 's,inc/h.h,../inc/h.h,' a.c >sub/b.c
	cp sub/b.c sub/a.cpp
	printf '#include "sph.h"\nint s = SPH;\n' >sp.c
	echo '#define SPH 8' >'inc sp/sph.h'
	local name
	for name in 'sp ace/q u.c' 'äö.c' "q'u\"o.c" 'd$o#l.c'; do
		echo 'int u(void) { return 3; }' >"$name"
	done
	cat >x.cc <<-'X'
		#include <string>
		#include <vector>
		template <class T> T twice(T x) { return x + x; }
		std::vector<std::string> v;
		namespace { int hidden(int x) { return x * 3; } struct S { int a; virtual ~S() {} } s; }
		int add(const std::string &s) { v.push_back(twice(s)); try { if (hidden(2) > 5) throw 1; } catch (int e) { return e; } return (int)v.size(); }
	X
	echo 'int f(int a) { int unused; if (a = 3) return 1; return 0; }' >w.c
	echo 'int f( { return 0 }' >err.c
	echo '#include "nope.h"' >noinc.c
	echo 'const char *d = __DATE__;' >date.c
	printf 'const char *t = __TIMESTAMP__;\n' >stamp.c
	printf '#define IL __INCLUDE_LEVEL__\nstatic const char *hf = __FILE__, *hb = __BASE_FILE__;\nstatic int il = __INCLUDE_LEVEL__;\n' >inc/il.h
	cat >builtins.c <<-'X'
		#include "inc/il.h"
		int level = __INCLUDE_LEVEL__, il2 = IL; const char *b = __BASE_FILE__, *f = __FILE__; int *use(void) { return &il; }
		const char *g(void) { return level ? hb : hf; } int c1 = __COUNTER__, c2 = __COUNTER__;
	X
	printf '#if __COUNTER__ == 0\nint z = __COUNTER__;\n#endif\n' >counter.c
	cat >macros.c <<-'X'
		#define EMPTY
		#define HASH #
		#define STRG(...) #__VA_ARGS__
		#define XSTR(...) STRG(__VA_ARGS__)
		const char *m = STRG(a c  "d \n"   e);
		#define LATER 3
		EMPTY const char *h = XSTR(HASH include <x.h>);
		#undef linux
		#define linux 5
		int li = linux;
		#line 77 "other name.c"
		const char *ff = __FILE__; int ll = __LINE__;
		# 99 "third.c"
		const char *f3 = __FILE__; int l3 = __LINE__;
		#ident "my ident"
		#pragma push_macro("LATER")
		#undef LATER
		#define LATER 9
		int l9 = LATER;
		#pragma pop_macro("LATER")
		int l3b = LATER;
		_Pragma("pack(push,1)") struct pk { char a; int b; }; _Pragma("pack(pop)")
		int sz = sizeof(struct pk);
		#pragma GCC optimize ("O3")
		#pragma weak wk
		extern int wk; int *pw(void) { return &wk; }
		#define if while
		int wh(int x) { if (x > 3) x--; return x; }
		#undef if
		#
		int end = 1 /* comment
		 over lines */ + 2; // line \
		 continued
		const char *cc = "/* not comment */ // neither"; char apos = '"';
		#if __has_include(<stdio.h>) && __has_attribute(noreturn)
		int hi;
		#endif
		%:define DIG 4
		int dig = DIG;
	X
	printf 'int a??(3??) = { 1, 2, 3 };\n??=define TG 3\nint tg = TG; const char *s = "a??/n";\n' >tri.c
	printf 'int crlf(void)\r\n{\r\n\treturn __LINE__; \\\r\n}\r\n#define A 3 \\\r\n + 4\r\nint a = A;\r\n' >crlf.c
	printf '\xef\xbb\xbfint bom;' >bom.c
	cat >raw.cc <<-'X'
		const char *r = R"(
		#define X 1
		#include "nothing"
		??/ \
		 line "quotes" // not comment
		/* open
		# 44 "fake.c"
		)" "x"; const char *r2 = u8R"delim(a)" \
		b)delim";
		int l = __LINE__;
	X
	printf 'asm(".section .rodata\\nblob: .incbin \\"blob.bin\\"\\n.text");\nint x;\n' >incbin.c
	printf 'asm(".include \\"some.inc\\"");\nint x;\n' >asminc.c
	printf '.set foo, 3\n' >some.inc
	printf 'blobby' >blob.bin
	printf '.globl start\nstart: nop\n' >as.s
	gcc -E a.c >pre.i
	g++ -E x.cc >pre.ii
	printf -- '-c a.c -o "out/resp.o" @resp2\n' >resp
	printf -- '-DSTR=\\"r\\" -O1\n' >resp2
	printf '#define PCHM 1\n' >pch.h
	printf '#include "pch.h"\nint k = PCHM;\n' >usepch.c
	printf 'int k = PCHM;\n' >usepch2.c
	ln -s a.c link.c
	ln -s ../real/a.o out/sym.o
	ln -s sub lnsub
	echo old >out/old.o
	ln out/old.o out/hard.o
	chmod 600 out/old.o
	printf '#define MULTI x++; y++\nint d(void) { return sizeof __DATE__; }\nint f(int x, int y) { if (x) MULTI; return y; }\n' >multi.c
	printf 'int f(int x) { switch (x) { case 1: x++; /* fall through */ case 2: x++; } return x; }\n' >fall.c
	printf '/** \\param nope is not there */\nvoid docf(int x);\n' >docs.c
	printf '#define A 3\n#pragma push_macro("A")\n#undef A\nenum { A = 9 };\n#pragma pop_macro("A")\nint three = A;\n' >pop.c
	printf '#pragma GCC poison bad\nint bad;\n' >poison.c
	printf '#define NEVER 1\nint x;\n' >unusedm.c
	printf '#pragma GCC system_header\n#define SYSDIV(x) ((x)/0)\nstatic int unused_sys(void){int u;return 1;}\n' >sysinc/sys.h
	printf '#include <sys.h>\nint f(int x) { return SYSDIV(x) + x; }\n' >sysw.c
	printf '#warning "hello"\nint x;\n' >warnmac.c
	echo 'int main(void) { return 0; }' >main.c
	printf 'static int helper(int x) { return x + 1; }\nint lto(int x) { return helper(x); }\n' >lto.c
}

# one PREFIX RESULT: runs $command in a fresh folder; what it did goes to $W/RESULT.
one() {
	local wrap=$1 result=$W/$2
	rm -rf "$W/src/t" "$result"
	mkdir "$result"
	cp -a "$W/src/template" "$W/src/t"
	# A relative $PWD and what an earlier line exported are not to matter.
	(cd "$W/src/t" && exec_user env CC="${wrap}gcc" CXX="${wrap}g++" CLANG="${wrap}clang" CLANGXX="${wrap}clang++" ARM="${wrap}aarch64-linux-gnu-gcc" \
		ICEMESH_TRACE="$W/src/trace" bash -c "$command") >"$result/out" 2>"$result/err" </dev/null
	echo $? >"$result/status"
	sed -i -E 's/cc[A-Za-z0-9]{6}\b/ccXXXXXX/g' "$result/err"
	(cd "$W/src/t" && find . -printf '%P %y %m %n %l\n' | sort) >"$result/list"
	mv "$W/src/t" "$result/tree"
}

exec_user() {
	on client umask_bash "$@"
}

# With -g objects have the same code; everything else is the same byte for byte.
compare() {
	local file tools='' bad=0
	case $command in *'$ARM'*) tools=aarch64-linux-gnu- ;; esac
	for file in out err status list; do
		diff "$W/plain/$file" "$W/mesh/$file" || bad=1
	done
	while read -r file; do
		cmp "$W/plain/tree/$file" "$W/mesh/tree/$file" && continue
		case $file:$command in
		*.o:*' -g'*)
			OBJCOPY=${tools}objcopy OBJDUMP=${tools}objdump "$TREE/tests/codecmp.sh" "$W/plain/tree/$file" "$W/mesh/tree/$file" && continue
			;;
		esac
		bad=1
	done < <(cd "$W/plain/tree" && find . -type f)
	return $bad
}

# where_is WORD: what the trace has to say of each compile of the line.
where_is() {
	local lines
	[ "$1" != any ] || return 0
	lines=$(jq -r 'select((.reason | type) == "string") | if .verdict == "remote" then "remote" else "local" end' "$W/src/trace") || return 1
	[ "$(sort -u <<<"$lines")" = "$1" ] || { echo "wanted $1, trace:"; cat "$W/src/trace"; return 1; }
}

same() {
	one '' plain
	: >"$W/src/trace"
	chmod 666 "$W/src/trace"
	one 'icemesh-cc ' mesh
	compare && where_is "$1"
}

table() {
	cat <<-'X'
		remote $CC -c a.c
		remote $CC -c ./a.c -o ./././a2.o -DSTR="\"a  b'c\""
		remote $CC -O2 -g -fPIC -c a.c -o "sp ace/x y.o"
		remote cd sub && $CC -c b.c -o ../out/b.o
		remote cd sub && $CC -c ../a.c -I.. -MD
		remote $CC -c "$PWD/a.c" -o "$PWD/out/abs.o"
		any $CC -c sub/../a.c
		remote $CC -c "sp ace/q u.c" -o "sp ace/o p.o" -MMD
		remote $CC -c äö.c -MD
		remote $CC -c "q'u\"o.c" -MD
		remote $CC -c 'd$o#l.c' -MD -o 'z $z#.o'
		remote $CC -MMD -MP -c a.c -o out/a.o
		remote $CC -MD -MFdeps.mk -MT tgt -MQ 'a$b' -c a.c
		remote $CC -Wp,-MMD,out/.a.d,-MP -c a.c -o out/a.o
		remote $CC -Wp,-MD,out/.a.d,-MT,out/q.o -c a.c -o out/a.o
		local $CC -MF foo.d -c a.c
		local $CC -c a.c -MD -MF -
		local $CC -MD -MG -c noinc.c
		local $CC -M a.c
		any $CC -c a.c -MD -MF nodir/x.d
		remote $CC -S a.c -o out/a.s -O2
		local $CC -c -S a.c
		remote $CC -x c++ -c a.c
		remote $CC -x c -c sub/a.cpp -MD
		remote $CXX -c a.c
		remote $CC -c pre.i
		remote $CXX -c pre.ii
		local $CC -c a.c w.c
		local $CC -c
		local $CC -c missing.c -o out/x.o -MD
		local $CC -c noinc.c -MD
		local $CC -c err.c -MD -o out/e.o
		local $CC -Wall -c w.c
		local $CC -Wall -Werror -c w.c -o out/old.o
		remote $CC @resp
		local $CC @nofile -c a.c
		remote $CC -include stdio.h -imacros inc/h.h -c a.c -MD
		remote $CC "-Iinc sp" -iquote "sp ace" -c sp.c -MMD
		remote CPATH="inc sp" $CC -c sp.c -MD
		remote $CC -O3 -g -gz -march=x86-64-v3 -pipe -Wall -Wextra -c a.c
		local $CC -g3 -c a.c
		local $CLANG -g -fdebug-macro -S a.c
		remote $CC -flto -frandom-seed=1 -O2 -c lto.c
		remote $CC -fsanitize=undefined,address -c a.c
		local $CLANG -fsanitize=undefined,address -c a.c
		local $CC -save-temps=obj -c a.c -o out/a.o
		local $CC -march=native -O2 -c a.c
		local $CC -gsplit-dwarf -g -c a.c
		local $CC -E -dM a.c
		any $CC -c main.c -o main.o && $CC main.o -o main && ./main
		local $CC -dumpmachine
		local $CC -c as.s
		local $CC -c a.c -o /dev/null
		local $CC -S a.c -o -
		remote $CC -c a.c -o out/sym.o
		local $CC -c a.c -o sub
		local $CC -c a.c -o nodir/x.o
		any $CC -c a.c -o ./a.c
		any chmod 555 out; $CC -c a.c -o out/x.o; chmod 755 out
		any chmod 444 out/old.o; $CC -c a.c -o out/old.o
		remote $CC -c a.c -o out/hard.o; wc -c <out/old.o >size
		remote umask 077; $CC -c a.c -MD
		remote $CC -c link.c -MD
		any cd lnsub && $CC -g -c b.c
		local cd lnsub && $CC -c ../a.c
		local d=$PWD; mkdir gone; cd gone; rmdir ../gone; $CC -c $d/a.c -o $d/x.o
		any d=$PWD; mkdir gone; cd gone; rmdir ../gone; $CC -c a.c
		any TMPDIR=/nonexistent $CC -c a.c
		any $CC -c $(for i in $(seq 3000); do echo -DVAR_$i=some_long_value_$i; done) a.c
		remote SOURCE_DATE_EPOCH=86400 $CC -S date.c
		remote touch -d 2020-01-01 stamp.c; $CC -S stamp.c
		local $CC -c multi.c -Wall
		remote $CC -S pop.c
		local $CC -Wall -S pop.c
		local $CC -S poison.c
		remote $CC -O2 -S builtins.c
		remote $CC -O2 -S $PWD/builtins.c -ffile-prefix-map=$PWD=/src
		remote $CC -S counter.c
		any $CC -S macros.c
		remote $CC -S tri.c -std=c99
		remote $CC -S crlf.c
		remote $CC -S bom.c
		remote $CXX -S raw.cc
		local $CC -c incbin.c
		local $CC -c asminc.c -Wa,-Isub
		any $CC pch.h && $CC -c usepch.c -o u.o && rm *.gch
		any $CC pch.h && mv pch.h x.h && $CC -include pch.h -c usepch2.c -o u.o; rm -f *.gch
		local GCC_EXEC_PREFIX=/nope/ $CC -c a.c
		local DEPENDENCIES_OUTPUT=dd $CC -c a.c
		local LC_ALL=C $CC -c err.c
		local GCC_COLORS='error=01;31' $CC -Wall -c w.c -fdiagnostics-color
		remote $CXX -c x.cc -O2 -g -fPIC -std=gnu++17 -MMD -MP -MF out/x.d -o out/x.o
		any $CC -c sysw.c -isystem sysinc -Wall -Wextra
		any $CC -c fall.c -Wall -Wextra
		local $CC -c warnmac.c
		local $CC -c unusedm.c -Wunused-macros
		local $CC -c a.c -Wa,-adhln=lst
		local $CC -c a.c -fstack-usage
		local $CC -nope -c a.c
		any $CC -c a.c -Wno-unknown-thing
		any $CC -c a.c -Wl,-rpath,x
		local echo 'int x;' | $CC -c -x c - -o st.o
		any exec 0<&- 1>&- 2>&-; $CC -c a.c -MD
		any exec 1>&- 2>&-; $CC -c w.c -Wall
		local ICEMESH_REMOTE=never $CC -c a.c
		remote ICEMESH_REMOTE=only $CC -c a.c
		local ICEMESH_SOCKET=/nonexistent $CC -c a.c
		remote $CLANG -O2 -g -c a.c -o out/x.o -MD -MP
		remote $CLANG -MD -MV -c 'sp ace/q u.c'
		remote $CLANG -S builtins.c
		remote $CLANG -S crlf.c
		remote $CLANG -flto -c lto.c
		remote $CLANGXX -c x.cc -O2 -std=c++20
		local $CLANG -Wdocumentation -c docs.c
		local $CLANG -Weverything -c unusedm.c
		local $CLANG -c incbin.c
		any $CLANG -x c-header pch.h -o pch.h.pch && $CLANG -include pch.h -c usepch2.c -o u.o; rm -f pch.h.pch
		remote $CLANG -c a.c -o out/hard.o; wc -c <out/old.o >size
		remote $ARM -O2 -g -c a.c -o out/x.o -MD
		remote $ARM -S -O3 a.c
	X
}

lan_up client w1
config client 'slots = 0'
config w1 'slots = 4'
mesh_up client w1 >/dev/null || bail "no mesh"
hide_compilers w1
printf '#!/bin/sh\numask 022\nexec "$@"\n' >"$W/bin/umask_bash"
chmod +x "$W/bin/umask_bash"
mkdir "$W/src/template"
(cd "$W/src/template" && write_template)
if [ "$(awk 'NR == 1 { print $3 }' /proc/self/uid_map)" != 1 ]; then
	chown -R 1500:1500 "$W/src/template"
	# shellcheck disable=SC2034
	as=(setpriv --reuid 1500 --regid 1500 --clear-groups --inh-caps=-all)
fi
mapfile -t lines < <(table)
# Toolchains first, so that no line meets a peer that is only just being sent one.
for compiler in gcc g++ clang clang++ aarch64-linux-gnu-gcc; do
	! command -v $compiler >/dev/null || (cd "$W/src/template" && wait_until 20 on client env ICEMESH_REMOTE=only icemesh-cc $compiler -c lto.c -o /tmp/x.o 2>/dev/null)
done
plan ${#lines[@]}
for line in "${lines[@]}"; do
	command=${line#* }
	case $command in
	*CLANG*) needed=clang ;;
	*ARM*) needed=aarch64-linux-gnu-gcc ;;
	*) needed=gcc ;;
	esac
	if command -v $needed >/dev/null; then
		check "$line" same "${line%% *}"
	else
		skip "$line" "no $needed"
	fi
done
