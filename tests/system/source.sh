#!/usr/bin/env bash
# Source mode: small programs that stress the include scanner, the view in the sandbox and every kind of output, each compiled by the plain
# compiler and over the mesh, compared byte for byte: objects, .d files, all other outputs, messages, exit status.
# limit: 300 s
. "$(dirname "$0")/../lan.sh"
. "$(dirname "$0")/../twice.sh"
lan_enter "$@"

# What holds times differs between two runs of the plain compiler, too: it can only be there.
forgive() {
	find . '(' -name '*.json' -o -name '*.opt-record.json.gz' ')' -exec sh -c 'echo times >"$1"' sh {} \;
}

write_template() {
	mkdir -p src inc inc2 deep/a/b 'sp ace' 'ünï' sys quote real gen out other/sub root/usr/include
	echo '#define H 1' >inc/h.h
	printf '#include "h.h"\n#include <stdio.h>\nint a = H;\nconst char *f(void) { return __FILE__; }\n' >src/a.c
	# computed
	printf '#define HDR "h.h"\n#include HDR\nint c = H;\n' >src/computed.c
	printf '#define HDR <h.h>\n#define HDR2 HDR\n#include HDR2\nint c = H;\n' >src/computed2.c
	printf '#define NAME(x) <x.h>\n#include NAME(h)\nint c = H;\n' >src/fcomputed.c
	printf '#define Q(x) #x\n#define X(x) Q(x)\n#include X(h.h)\nint c = H;\n' >src/strcomputed.c
	printf '#include HDR\nint c = H;\n' >src/cmdcomputed.c
	printf '#define FT_CONFIG_H <ft/config.h>\n#define FT_H <ft/h.h>\n' >inc/ftbuild.h
	mkdir inc/ft && echo '#define FTC 4' >inc/ft/config.h && printf '#include FT_CONFIG_H\n#define FTH FTC\n' >inc/ft/h.h
	printf '#include <ftbuild.h>\n#include FT_H\nint ft = FTH;\n' >src/ft.c
	# include_next
	printf '#include_next <n.h>\n#define N1 (N2 + 1)\n' >inc/n.h
	printf '#include_next <n.h>\n#define N2 (N3 + 1)\n' >inc2/n.h
	echo '#define N3 1' >sys/n.h
	printf '#include <n.h>\nint n = N1;\n' >src/next.c
	printf '#include_next <limits.h>\nint lim = INT_MAX;\n' >src/nextmain.c
	printf '#include <cstdlib>\n#include <cmath>\ndouble d(double x) { return std::abs(x) + std::sqrt(x); }\n' >src/next.cc
	# __has_include
	printf '#if __has_include("h.h")\n#include "h.h"\nint yes = H;\n#else\nint no;\n#endif\n#if __has_include(<nothere.h>)\nint bad;\n#endif\n' >src/has.c
	printf '#ifdef __has_include\n#if __has_include(<sys/epoll.h>) && !__has_include("later.h")\nint e;\n#endif\n#endif\n#ifdef __has_include_next\n#if __has_include_next(<stdio.h>)\nint hn;\n#endif\n#endif\n' >src/has2.c
	printf '#define W "h.h"\n#if __has_include(W)\nint yes;\n#endif\n' >src/hascomp.c
	# dots and links
	printf '#include "../inc/../inc/./h.h"\nint a = H;\nconst char *n = __FILE__;\n' >src/dots.c
	printf '#include "b/../../../inc/h.h"\nint a = H;\n' >deep/a/dots.c
	ln -s inc linkinc
	ln -s h.h inc/linked.h
	ln -s ../../inc/h.h deep/a/far.h
	ln -s "$PWD/inc/h.h" inc/absolute.h 2>/dev/null
	ln -s deep/a/b lnb
	printf '#include "linked.h"\nint a = H;\n' >src/linked.c
	printf '#include "far.h"\nint a = H;\n' >deep/a/far.c
	printf '#include "lnb/../x.h"\nint a = XH;\n' >throughlink.c
	echo '#define XH 9' >deep/a/x.h
	echo '#define XH 8' >x.h
	mkdir real/d && printf '#include "own.h"\n' >real/d/r.h && echo '#define OWN 1' >real/d/own.h
	ln -s ../real/d/r.h other/r.h && echo '#define OWN 2' >other/own.h
	printf '#include "other/r.h"\nint own = OWN;\n' >linkdir.c
	ln -s src/a.c srclink.c
	ln -s nowhere.h inc/dangling.h
	printf '#if __has_include("dangling.h")\nint bad;\n#endif\nint ok;\n' >src/dangling.c
	# shadowing
	mkdir quote/q same1 same2
	echo '#define S "quote"' >quote/shadow.h; echo '#define S "inc"' >inc/shadow.h; echo '#define S "src"' >src/shadow.h; echo '#define S "sys"' >sys/shadow.h
	printf '#include <shadow.h>\nconst char *s = S;\n' >src/angle.c
	printf '#include "shadow.h"\nconst char *s = S;\n' >src/quoted.c
	printf '#include "shadow.h"\nconst char *s = S;\n' >other/quoted.c
	printf '#include "c.h"\n' >same1/p.h; echo '#define C 1' >same1/c.h; printf '#undef C\n#include "c.h"\n' >same2/p.h; echo '#define C 2' >same2/c.h
	printf '#include "same1/p.h"\nint c1 = C;\n#include "same2/p.h"\nint c2 = C;\n' >twosame.c
	mkdir inc/stdio.d && echo 'int mine;' >'inc/stdio.d/x.h'
	mkdir sys/isdir.h && echo '#define ISDIR 5' >inc2/isdir.h && printf '#include <isdir.h>\nint i = ISDIR;\n' >src/isdir.c
	# names
	echo '#define SP 1' >'sp ace/s p.h'; printf '#include "s p.h"\nint s = SP;\n' >'sp ace/q.c'
	echo '#define UE 2' >'ünï/é.h'; printf '#include "é.h"\nint u = UE;\n' >'ünï/ü.c'
	printf '#include "we\\ird.h"\nint w = WE;\n' >src/weird.c; echo '#define WE 3' >'src/we\ird.h'
	# lexing
	printf '/* #include "no1.h"\n*/ #include "h.h" // #include "no2.h"\nconst char *s = "\\\n#include \\"no3.h\\"";\nint a = H;\n' >src/comment.c
	printf '#inc\\\nlude "h\\\n.h"\n%%: /* x */ include /* y */ <stdio.h> /* z */\nint a = H;\n' >src/splice.c
	printf '??=include "h.h"\nint a = H;\n' >src/trigraph.c
	printf '#include "h.h"\r\nint a = H;\r\n' >src/crlf.c
	printf 'const char *r = R"x(\n#include "no4.h"\n)x";\n#include "h.h"\nint a = H;\n' >src/raw.cc
	printf '#if 0\n#include "absent1.h"\nit'"'"'s #include MACRO\n#endif\n#ifdef NOPE\n#include <absent/2.h>\n#else\n#include "h.h"\n#endif\nint a = H;\n' >src/cond.c
	printf '#import "h.h"\n#import "h.h"\nint a = H;\n' >src/import.c
	# once, guards, cycles
	printf '#pragma once\n#define O1 1\nint once_v;\n' >inc/once.h
	ln inc/once.h inc/once_hard.h; ln -s once.h inc/once_soft.h
	printf '#include "once.h"\n#include "once_hard.h"\n#include "once_soft.h"\nint z = O1;\n' >src/once.c
	printf '#pragma once\nstatic int twice_v;\n' >inc/twice1.h; cp -p inc/twice1.h inc/twice2.h
	printf '#include "twice1.h"\n#include "twice2.h"\nint z = sizeof twice_v;\n' >src/twice.c
	cp inc/twice1.h inc/twice3.h; touch -d 2001-02-03 inc/twice3.h
	printf '#include "twice1.h"\n#include "twice3.h"\nint z = sizeof twice_v;\n' >src/twice3.c
	printf '#ifndef C1\n#define C1\n#include "cyc2.h"\nint cyc1;\n#endif\n' >inc/cyc1.h; printf '#include "cyc1.h"\n#ifndef C2\n#define C2\nint cyc2;\n#endif\n' >inc/cyc2.h
	printf '#include "cyc1.h"\n' >src/cycle.c
	printf '#include "self.c"\n' >src/self.c
	for i in 1 2 3 4 5; do : >inc/empty$i.h; echo "#include \"empty$i.h\""; done >src/empties.c; : >src/empty.c
	awk 'BEGIN { for (i = 1; i <= 20000; i++) print "static inline int big" i "(int x) { return x + " i "; }" }' >inc/big.h; printf '#include "big.h"\nint b = sizeof big7(1);\n' >src/big.c
	# places in the source
	printf '#include <assert.h>\n#line 50 "made up.y"\nvoid f(int x) { assert(x > 3); }\nconst char *n = __FILE__;\nint l = __LINE__;\n' >src/line.c
	printf '#include "inline.h"\nint m(int x) { return hf(x); }\n' >src/inline.c; printf '#include <assert.h>\nstatic inline int hf(int x) { assert(x); return __LINE__ + (int)sizeof __FILE__; }\n' >inc/inline.h
	# assembly
	printf 'blob bytes' >src/blob.bin; cp src/blob.bin .; printf '.set inc_sym, 3\n' >inc/some.inc; printf '.include "more.inc"\n' >inc/chain.inc; printf '.set m, 4\n' >inc/more.inc
	printf 'asm(".section .rodata\\nblob: .incbin \\"blob.bin\\"\\n.text");\nint x;\n' >src/incbin.c
	printf 'asm(".include \\"chain.inc\\"");\nint x;\n' >src/asminc.c
	printf '#define F "blob.bin"\nasm(".section .rodata\\n.incbin \\"" F "\\"\\n.text");\nint x;\n' >src/incbinmacro.c
	printf '#include "h.h"\n.globl s\ns: .long H\n.include "some.inc"\n.long inc_sym\n.incbin "blob.bin"\n' >src/asm.S
	printf '.globl t\nt: nop\n' >src/plain.s
	# dates
	printf 'const char *d = __DATE__;\n' >src/date.c; printf '#include "stamped.h"\n' >src/stamp.c; printf 'const char *t = __TIMESTAMP__;\n' >inc/stamped.h
	printf '/* __DATE__ and __TIME__ in words */\nint x;\n' >src/nodate.c
	printf '#define P(a, b) a##b\nconst char *d = P(__DA, TE__);\n' >src/pasted.c
	# messages
	printf 'int f(int x) { switch (x) { case 1: x++; /* fall through */ case 2: x++; } return x; }\nint g(int x) { switch (x) { case 1: x++; case 2: x++; } return x; }\n' >src/fall.c
	printf 'int f(int x) {\n\tif (x)\n\t\tx++;\n\t\tx--;\n\treturn x;\n}\n' >src/indent.c
	printf '#define BAD(x) ((x) / 0)\nint f(int x) { int unused; if (x = 3) return BAD(x); return "s" + y; }\n' >src/bad.c
	printf 'int f( { return 0 }\n#error stop\n' >src/err.c; printf '#include "nope.h"\n' >src/noinc.c; printf '#warning "wörning"\nint x;\n' >src/warn.c
	printf 'void f(void) { asm("bogus %%eax"); }\n' >src/badasm.c
	printf '#pragma GCC system_header\nstatic int unused_sys(void) { int u; return 1 / 0; }\n' >sys/quiet.h; printf '#include <quiet.h>\nint x;\n' >src/sysw.c
	printf 'static int helper(int x) { return x * 3; }\nint loop(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += helper(p[i]); return s; }\n' >src/loop.c
	printf 'template <class T> struct V { T x; typename T::type y; };\nV<int> v;\n' >src/tmpl.cc
	printf '#include <map>\n#include <string>\n#include <vector>\nstd::map<std::string, std::vector<int>> m;\nint sz() { return (int)m.size(); }\n' >src/lib.cc
	echo '#define ROOTED 6' >root/usr/include/rooted.h; printf '#include <rooted.h>\nint r = ROOTED;\n' >src/rooted.c
	printf '%s\n' '-Iinc -c src/a.c' '-o out/resp.o' >resp
	echo '#define G 1' >gen/g.h; printf '#include "g.h"\nint g = G;\n' >src/gen.c
	printf '#if __has_include("soon.h")\n#include "soon.h"\n#else\n#define SOON 0\n#endif\nint s = SOON;\n' >src/soon.c
	echo 'int nl;' | tr -d '\n' >src/nonl.c
	printf '\xef\xbb\xbf#include "h.h"\nint bom = H;\n' >src/bom.c
	printf 'int x;\0#include "h.h"\nint y;\n' >src/nul.c
	# programs and outputs of one's own
	mkdir tools && printf '#!/bin/sh\necho another assembler >&2\nexec /usr/bin/as "$@"\n' >tools/as && chmod +x tools/as
	printf '@interface A { int x; }\n- (int)x;\n@end\n@implementation A\n- (int)x { return x; }\n@end\n' >src/o.m
	ln -s target out/link; echo old >out/hard; ln out/hard out/hard2; echo old >out/kept; chmod 600 out/kept
}

table() {
	cat <<-'X'
		source $CC -g -O2 -Iinc -MD -c src/a.c -o out/a.o
		source $CC -g3 -Iinc -MMD -MP -MT t -MF out/x.d -c src/a.c
		source $CXX -g -O2 -MD -c src/lib.cc
		source $CLANG -g -O2 -Iinc -MD -c src/a.c -o out/a.o
		source $CLANGXX -g -O2 -MD -c src/lib.cc
		source $ARM -g -Iinc -MD -c src/a.c
		source $CC -g -Iinc -c src/computed.c
		source $CC -g -Iinc -c src/computed2.c
		any $CC -Iinc -c src/fcomputed.c
		any $CC -Iinc -c src/strcomputed.c
		any $CC -g0 -Iinc "-DHDR=<h.h>" -c src/cmdcomputed.c
		source $CC -g -Iinc "-DHDR=\"h.h\"" -c src/cmdcomputed.c
		source $CC -g -Iinc -MD -c src/ft.c
		source $CC -g -Iinc -Iinc2 -isystem sys -MD -c src/next.c
		source $CC -g -isystem sys -Iinc2 -Iinc -MD -c src/next.c
		source $CLANG -g -Iinc -Iinc2 -isystem sys -MD -c src/next.c
		source $CC -g -c src/nextmain.c
		source $CXX -g -MD -c src/next.cc
		source $CLANGXX -g -MD -c src/next.cc
		source $CLANGXX -g -MD -c src/nextmain.c
		source $CC -g -Iinc -c src/has.c
		source $CC -g -c src/has.c
		source $CC -g -c src/has2.c
		any $CC -Iinc -c src/hascomp.c
		source $CC -g -MD -c src/dots.c
		source cd deep/a && $CC -g -MD -c dots.c
		source $CC -g -MD -Ideep/a/b/../../../inc -c src/a.c
		source $CC -g -MD -I$PWD/inc -c $PWD/src/a.c -o $PWD/out/a.o
		source $CC -g -MD -Ilinkinc -c src/a.c
		source $CC -g -MD -Ilinkinc/../inc -c src/a.c
		source $CC -g -MD -Iinc -c src/linked.c
		source $CLANG -g -MD -Iinc -c src/linked.c
		source $CC -g -MD -c deep/a/far.c
		source $CC -g -MD -c throughlink.c
		source $CLANG -g -MD -c throughlink.c
		source $CC -g -MD -c linkdir.c
		source $CC -g -MD -Iinc -c srclink.c
		source cd lnb && $CC -g -MD -I../../../inc -c ../dots.c
		source cd lnb && $CC -g -MD -c ../far.c -o ../../../out/f.o
		source $CC -g -Iinc -c src/dangling.c
		source $CC -g -Iinc -iquote quote -isystem sys -MD -c src/angle.c
		source $CC -g -Iinc -iquote quote -isystem sys -MD -c src/quoted.c
		source $CC -g -Iinc -iquote quote -isystem sys -MD -c other/quoted.c
		source $CC -g -idirafter inc -Iquote -MD -c src/angle.c
		source $CC -g -MD -c twosame.c
		source $CC -g -Iinc2 -Isys -MD -c src/isdir.c
		source $CC -g -Isys -Iinc2 -MD -c src/isdir.c
		source $CC -g "-Isp ace" -MD -c "sp ace/q.c" -o "sp ace/o o.o"
		source $CC -g -MD -c ünï/ü.c
		source $CC -g -MD -c 'src/weird.c'
		source $CC -g -Iinc -MD -c src/comment.c
		source $CC -g -Iinc -MD -c src/splice.c
		source $CC -g -std=c99 -Iinc -MD -c src/trigraph.c
		source $CC -g -Iinc -MD -c src/crlf.c
		source $CLANG -g -Iinc -MD -c src/crlf.c
		source $CXX -g -Iinc -MD -c src/raw.cc
		any $CC -Iinc -c src/cond.c
		source $CC -g -Iinc -MD -c src/import.c
		source $CC -g -Iinc -MD -c src/once.c
		source $CLANG -g -Iinc -MD -c src/once.c
		source $CC -g -Iinc -MD -c src/twice.c
		source $CLANG -g -Iinc -MD -c src/twice.c
		source $CC -g -Iinc -MD -c src/twice3.c
		source $CC -g -Iinc -MD -c src/cycle.c
		any $CC -c src/self.c
		source $CC -g -Iinc -MD -c src/empties.c
		source $CLANG -g -Iinc -MD -c src/empties.c
		source $CC -g -c src/empty.c
		source $CC -g -Iinc -c src/big.c
		source $CC -g -c src/line.c
		source $CC -g -Iinc -c src/inline.c
		source $CC -g -c $PWD/src/inline.c -Iinc -ffile-prefix-map=$PWD=/x
		source $CC -g -c src/incbin.c
		source $CLANG -g -c src/incbin.c
		source $CC -g -Iinc -c src/asminc.c
		any $CC -c src/incbinmacro.c
		source $CC -g -Iinc -c src/asm.S
		source $CC -c src/plain.s
		source $CC -c src/date.c
		source TZ=Asia/Tokyo $CC -c src/date.c
		source SOURCE_DATE_EPOCH=86400 $CC -c src/date.c
		local $CC -Iinc -c src/stamp.c
		local $CLANG -c src/date.c
		source $CC -c src/nodate.c
		source $CLANG -c src/nodate.c
		source $CC -c src/pasted.c
		source $CC -Wall -Wextra -c src/fall.c
		source $CC -Wall -g -c src/indent.c
		source $CC -Wall -Werror -c src/indent.c
		source $CLANG -Wall -Wextra -c src/fall.c
		source $CC -Wall -Wextra -c src/bad.c
		source $CC -fdiagnostics-color=always -Wall -c src/bad.c
		source $CLANG -fcolor-diagnostics -Wall -c src/bad.c
		source LC_ALL=C.UTF-8 $CC -Wall -c src/bad.c
		source LC_ALL=C $CC -Wall -c src/bad.c
		source LANG=C.UTF-8 $CC -Wall -c src/warn.c
		source $CC -c src/err.c
		source $CXX -c src/tmpl.cc
		source $CLANGXX -c src/tmpl.cc
		source $CC -MD -c src/noinc.c
		source $CC -Werror -c src/warn.c
		source echo old >out/b.o; $CC -c src/bad.c -o out/b.o
		source echo old >out/b.o; $CC -c src/badasm.c -MD -o out/b.o
		source echo old >out/b.o; $CLANG -c src/bad.c -o out/b.o
		source $CC -Wall -Wextra -isystem sys -c src/sysw.c
		source $CC -H -Iinc -c src/a.c
		source $CC -g -gsplit-dwarf -c src/loop.c
		source $CC -g -gsplit-dwarf -c src/loop.c -o out/l.o
		source $CLANG -g -gsplit-dwarf -c src/loop.c -o out/l.o
		source $CC -fstack-usage -O2 -c src/loop.c -o out/l.o
		source $CC -fcallgraph-info=su,da -O2 -c src/loop.c
		source $CC -frandom-seed=1 --coverage -O1 -c src/loop.c -o out/l.o
		source $CLANG --coverage -c src/loop.c -o out/l.o
		source $CC -save-temps=obj -g -Iinc -c src/a.c -o out/a.o
		source $CLANG -save-temps=obj -g -Iinc -c src/a.c -o out/a.o
		source $CLANG -ftime-trace -c src/loop.c -o out/l.o
		source $CLANG -fsave-optimization-record -O2 -c src/loop.c -o out/l.o
		source $CC -fsave-optimization-record -O2 -c src/loop.c -o out/l.o
		source $CC -fopt-info-vec -O3 -c src/loop.c
		any $CC -S -fverbose-asm -O2 -c src/loop.c -o out/l.s
		source $CC -include inc/h.h -imacros inc2/isdir.h -MD -c src/empty.c
		source $CC -include h.h -Iinc -g3 -c src/line.c
		source $CC --sysroot=root -g -MD -c src/rooted.c
		source $CC -nostdinc -Iinc -g -MD -c src/computed.c
		source CPATH=inc $CC -g -MD -c src/a.c
		source C_INCLUDE_PATH=inc::quote $CC -g -MD -c src/a.c
		source CPLUS_INCLUDE_PATH=inc $CXX -g -MD -c src/raw.cc
		source $CC -g @resp
		source $CC -g -c src/nonl.c
		source $CC -g -Iinc -c src/bom.c
		any $CC -Iinc -c src/nul.c
		source $CC -Igen -g -MD -c src/gen.c -o out/1.o; echo '#define G 2' >gen/g.h; $CC -Igen -g -MD -c src/gen.c -o out/2.o
		source $CC -Igen -g -c src/gen.c -o out/1.o; rm gen/g.h; $CC -Igen -g -c src/gen.c -o out/2.o
		source $CC -Igen -g -c src/soon.c -o out/1.o; echo '#define SOON 1' >gen/soon.h; $CC -Igen -g -c src/soon.c -o out/2.o; rm gen/soon.h; $CC -Igen -g -c src/soon.c -o out/3.o
		source $CC -Iinc -Ilate -g -c src/a.c -o out/1.o; mkdir late; echo '#define H 5' >late/h.h; $CC -Ilate -Iinc -g -c src/a.c -o out/2.o
		source $CC -Iinc -g -c src/linked.c -o out/1.o; echo '#define H 7' >inc/h7.h; ln -sf h7.h inc/linked.h; $CC -Iinc -g -c src/linked.c -o out/2.o
		local PATH=$PWD/tools:$PATH $CC -Iinc -c src/a.c
		source PATH=$PWD/inc:$PATH $CC -Iinc -c src/a.c
		source PATH=$PWD/tools:$PATH $CLANG -Iinc -c src/a.c
		local PWD=$PWD/src/.. $CC -g -Iinc -c src/a.c
		local PWD=$PWD/. $CLANG -g -Iinc -c src/a.c
		local umask 222; $CC -Iinc -c src/a.c
		any $CC -c src/o.m
		local echo 'int y;' | $CC -include /dev/stdin -c src/loop.c
		local ln -s /dev/stdin inc/in.h; echo '#include "in.h"' >src/in.c; echo 'int y;' | $CLANG -Iinc -c src/in.c
		local $CLANG -c src/bad.c -o out/link
		local $CLANG -MD -MF out/link -c src/loop.c
		local $CLANG -MD -MF out/hard -c src/loop.c
		source $CLANG -MD -MF out/kept -c src/loop.c
		source $CC -MD -MF out/hard -c src/loop.c
		source mv out/hard out/l.dwo; $CC -g -gsplit-dwarf -c src/loop.c -o out/l.o
		any $CC -x c-header inc/h.h -o inc/h.h.gch; $CC -Iinc -c src/a.c; rm inc/h.h.gch
	X
}

twice_up
mapfile -t lines < <(table)
plan ${#lines[@]}
twice_run "${lines[@]}"
