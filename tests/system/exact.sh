#!/usr/bin/env bash
# Command lines as build systems write them, each run by the plain compiler and by icemesh-cc in equal folders: every file (names, modes,
# contents), standard output, standard error and the exit status are the same, and the trace says once for each compile where it ran,
# and in which mode.
# An ordinary user's compiles through a daemon of the system, where this test is root's.
# limit: 300 s
. "$(dirname "$0")/../lan.sh"
. "$(dirname "$0")/../twice.sh"
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
	printf '#define Q(x) #x\n#define X(x) Q(x)\n#include X(inc/h.h)\nint odd = H;\n' >odd.c
	printf 'static int helper(int x) { return x + 1; }\nint lto(int x) { return helper(x); }\n' >lto.c
}

table() {
	cat <<-'X'
		source $CC -c a.c
		source $CC -c ./a.c -o ./././a2.o -DSTR="\"a  b'c\""
		source $CC -O2 -g -fPIC -c a.c -o "sp ace/x y.o"
		source cd sub && $CC -c b.c -o ../out/b.o
		source cd sub && $CC -c ../a.c -I.. -MD
		source $CC -c "$PWD/a.c" -o "$PWD/out/abs.o"
		any $CC -c sub/../a.c
		source $CC -c "sp ace/q u.c" -o "sp ace/o p.o" -MMD
		source $CC -c äö.c -MD
		source $CC -c "q'u\"o.c" -MD
		source $CC -c 'd$o#l.c' -MD -o 'z $z#.o'
		source $CC -MMD -MP -c a.c -o out/a.o
		source $CC -MD -MFdeps.mk -MT tgt -MQ 'a$b' -c a.c
		source $CC -Wp,-MMD,out/.a.d,-MP -c a.c -o out/a.o
		source $CC -Wp,-MD,out/.a.d,-MT,out/q.o -c a.c -o out/a.o
		local $CC -MF foo.d -c a.c
		local $CC -c a.c -MD -MF -
		local $CC -MD -MG -c noinc.c
		local $CC -M a.c
		any $CC -c a.c -MD -MF nodir/x.d
		source $CC -S a.c -o out/a.s -O2
		local $CC -c -S a.c
		source $CC -x c++ -c a.c
		source $CC -x c -c sub/a.cpp -MD
		source $CXX -c a.c
		source $CC -c pre.i
		source $CXX -c pre.ii
		local $CC -c a.c w.c
		local $CC -c
		local $CC -c missing.c -o out/x.o -MD
		source $CC -c noinc.c -MD
		source $CC -c err.c -MD -o out/e.o
		source $CC -Wall -c w.c
		source $CC -Wall -Werror -c w.c -o out/old.o
		source $CC @resp
		local $CC @nofile -c a.c
		source $CC -include stdio.h -imacros inc/h.h -c a.c -MD
		source $CC "-Iinc sp" -iquote "sp ace" -c sp.c -MMD
		source CPATH="inc sp" $CC -c sp.c -MD
		source $CC -O3 -g -gz -march=x86-64-v3 -pipe -Wall -Wextra -c a.c
		source $CC -g3 -c a.c
		source $CLANG -g -fdebug-macro -S a.c
		source $CC -flto -frandom-seed=1 -O2 -c lto.c
		source $CC -fsanitize=undefined,address -c a.c
		source $CLANG -fsanitize=undefined,address -c a.c
		source $CC -save-temps=obj -c a.c -o out/a.o
		source $CC -march=native -O2 -c a.c
		source $CC -gsplit-dwarf -g -c a.c
		local $CC -E -dM a.c
		any $CC -c main.c -o main.o && $CC main.o -o main && ./main
		local $CC -dumpmachine
		source $CC -c as.s
		local $CC -c a.c -o /dev/null
		local $CC -S a.c -o -
		source $CC -c a.c -o out/sym.o
		local $CC -c a.c -o sub
		local $CC -c a.c -o nodir/x.o
		any $CC -c a.c -o ./a.c
		any chmod 555 out; $CC -c a.c -o out/x.o; chmod 755 out
		any chmod 444 out/old.o; $CC -c a.c -o out/old.o
		source $CC -c a.c -o out/hard.o; wc -c <out/old.o >size
		source umask 077; $CC -c a.c -MD
		source $CC -c link.c -MD
		any cd lnsub && $CC -g -c b.c
		source cd lnsub && $CC -c ../a.c
		local d=$PWD; mkdir gone; cd gone; rmdir ../gone; $CC -c $d/a.c -o $d/x.o
		any d=$PWD; mkdir gone; cd gone; rmdir ../gone; $CC -c a.c
		any TMPDIR=/nonexistent $CC -c a.c
		any $CC -c $(for i in $(seq 3000); do echo -DVAR_$i=some_long_value_$i; done) a.c
		source SOURCE_DATE_EPOCH=86400 $CC -S date.c
		local touch -d 2020-01-01 stamp.c; $CC -S stamp.c
		source $CC -c multi.c -Wall
		source $CC -S pop.c
		source $CC -Wall -S pop.c
		source $CC -S poison.c
		source $CC -O2 -S builtins.c
		source $CC -O2 -S $PWD/builtins.c -ffile-prefix-map=$PWD=/src
		source $CC -S counter.c
		any $CC -S macros.c
		source $CC -S tri.c -std=c99
		source $CC -S crlf.c
		source $CC -S bom.c
		source $CXX -S raw.cc
		source $CC -c incbin.c
		local $CC -c asminc.c -Wa,-Isub
		any $CC pch.h && $CC -c usepch.c -o u.o && rm *.gch
		any $CC pch.h && mv pch.h x.h && $CC -include pch.h -c usepch2.c -o u.o; rm -f *.gch
		local GCC_EXEC_PREFIX=/nope/ $CC -c a.c
		local DEPENDENCIES_OUTPUT=dd $CC -c a.c
		source LC_ALL=C $CC -c err.c
		source GCC_COLORS='error=01;31' $CC -Wall -c w.c -fdiagnostics-color
		source $CXX -c x.cc -O2 -g -fPIC -std=gnu++17 -MMD -MP -MF out/x.d -o out/x.o
		any $CC -c sysw.c -isystem sysinc -Wall -Wextra
		any $CC -c fall.c -Wall -Wextra
		source $CC -c warnmac.c
		source $CC -c unusedm.c -Wunused-macros
		local $CC -c a.c -Wa,-adhln=lst
		source $CC -c a.c -fstack-usage
		local $CC -nope -c a.c
		any $CC -c a.c -Wno-unknown-thing
		any $CC -c a.c -Wl,-rpath,x
		local echo 'int x;' | $CC -c -x c - -o st.o
		any exec 0<&- 1>&- 2>&-; $CC -c a.c -MD
		any exec 1>&- 2>&-; $CC -c w.c -Wall
		local ICEMESH_REMOTE=never $CC -c a.c
		source ICEMESH_REMOTE=only $CC -c a.c
		local ICEMESH_SOCKET=/nonexistent $CC -c a.c
		source $CLANG -O2 -g -c a.c -o out/x.o -MD -MP
		source $CLANG -MD -MV -c 'sp ace/q u.c'
		source $CLANG -S builtins.c
		source $CLANG -S crlf.c
		source $CLANG -flto -c lto.c
		source $CLANGXX -c x.cc -O2 -std=c++20
		source $CLANG -Wdocumentation -c docs.c
		source $CLANG -Weverything -c unusedm.c
		source $CLANG -c incbin.c
		any $CLANG -x c-header pch.h -o pch.h.pch && $CLANG -include pch.h -c usepch2.c -o u.o; rm -f pch.h.pch
		source $CLANG -c a.c -o out/hard.o; wc -c <out/old.o >size
		source $ARM -O2 -g -c a.c -o out/x.o -MD
		source $ARM -S -O3 a.c
		text ICEMESH_MODE=preprocessed $CC -O2 -MD -c a.c -o out/a.o
		text ICEMESH_MODE=preprocessed $CXX -O2 -MMD -MP -c x.cc
		text ICEMESH_MODE=preprocessed $CC -O2 -S builtins.c
		text ICEMESH_MODE=preprocessed $CC -S tri.c -std=c99
		text ICEMESH_MODE=preprocessed $CC -S crlf.c
		text ICEMESH_MODE=preprocessed $CXX -S raw.cc
		text ICEMESH_MODE=preprocessed $CLANG -O2 -S builtins.c
		local ICEMESH_MODE=preprocessed $CC -c err.c
		local ICEMESH_MODE=preprocessed $CC -Wall -c w.c
		local ICEMESH_MODE=preprocessed $CC -g3 -c a.c
		local ICEMESH_MODE=preprocessed $CC -c a.c -fstack-usage
		local ICEMESH_MODE=preprocessed $CC -c as.s
		local ICEMESH_MODE=preprocessed $CC -S poison.c
		text $CC -c odd.c -MD
		local ICEMESH_MODE=source $CC -c odd.c -MD
		local $CC -c odd.c -gsplit-dwarf
	X
}

twice_up
mapfile -t lines < <(table)
plan ${#lines[@]}
twice_run "${lines[@]}"
