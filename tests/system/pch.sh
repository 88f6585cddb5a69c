#!/usr/bin/env bash
# Use of precompiled headers, each compile by the plain compiler and over the mesh, compared byte for byte.
# limit: 600 s
. "$(dirname "$0")/../lan.sh"
. "$(dirname "$0")/../twice.sh"
lan_enter "$@"

write_template() {
	mkdir inc
	printf '#ifndef ALL\n#define ALL\n#include <stdio.h>\n#include <stdlib.h>\n#include "part.h"\n#endif\n' >all.h
	printf '#pragma once\n#define PART 3\nstatic inline int part(int x) { return x * PART; }\n' >part.h
	printf '#include <map>\n#include <string>\n#include <vector>\n' >all.hh
	printf '#include "all.h"\n#include "part.h"\nint a(int x) { printf("%%d", PART); return part(x) + __LINE__; }\n' >use.c
	printf '#include "all.h"\nint a(int x) { int unused; return part(x) + y; }\n' >bad.c
	printf 'int a(int x) { return part(x); }\n' >forced.c
	printf 'std::map<std::string, std::vector<int>> m;\nint f() { return (int)m.size(); }\n' >forced.cc
	printf '#define BEFORE\nint x;\n#include "all.h"\nint a(int y) { return part(y); }\n' >late.c
	cp all.h inc/in.h; cp part.h inc/part.h
	printf '#include <in.h>\nint a(int x) { return part(x); }\n' >angle.c
	printf 'const char *d = __DATE__;\n' >dated.h
}

table() {
	cat <<-'X'
		source gcc -g -O2 all.h; $CC -g -O2 -MD -Winvalid-pch -c use.c
		source gcc -g -O2 all.h; $CC -g -O2 -MD -Winvalid-pch -H -c use.c
		source gcc -g -O2 all.h; $CC -g -O1 -Winvalid-pch -c use.c
		source gcc -g -O2 all.h; $CC -g -O2 -DPART=4 -Winvalid-pch -c use.c
		source gcc -O2 all.h; $CC -O2 -Wall -c bad.c
		source gcc -g -O2 all.h; $CC -g -O2 -MMD -include all.h -Winvalid-pch -c forced.c
		source gcc -g -O2 all.h; $CC -g -O2 -include $PWD/all.h -Winvalid-pch -c forced.c
		source gcc -g all.h; $CC -g -Winvalid-pch -c late.c
		source gcc -g -Iinc inc/in.h; $CC -g -Iinc -MD -Winvalid-pch -c angle.c
		source g++ -g -O2 -x c++-header all.hh; $CXX -g -O2 -MD -include all.hh -Winvalid-pch -c forced.cc
		source g++ -g -O2 -x c++-header all.hh; $CXX -g -O2 -std=c++11 -include all.hh -Winvalid-pch -c forced.cc
		source gcc -g -O2 all.h; echo garbage >all.h.gch; $CC -g -O2 -Winvalid-pch -c use.c
		source gcc -g -O2 all.h; echo '#define PART 4' >part.h; $CC -g -O2 -Winvalid-pch -c use.c
		source gcc -g all.h; ln -s all.h lnk.h; ln -s all.h.gch lnk.h.gch; $CC -g -include lnk.h -Winvalid-pch -c forced.c
		source gcc -g all.h; $CC -g -c use.c -o 1.o; gcc -g -O1 all.h; $CC -g -c use.c -o 2.o; rm all.h.gch; $CC -g -c use.c -o 3.o
		source gcc -g -O2 -march=native all.h; $CC -g -O2 -march=native -Winvalid-pch -c use.c
		source gcc -g3 all.h; $CC -g3 -gsplit-dwarf -save-temps=obj -c use.c -o u.o
		local gcc -g -O2 all.h; mkdir d; mv all.h.gch d/; mv d all.h.gch; $CC -g -O2 -Winvalid-pch -c use.c
		local gcc -g -O2 all.h; rm all.h; $CC -g -O2 -Winvalid-pch -c use.c
		source clang -g -O2 -x c-header all.h -o all.h.gch; $CC -g -O2 -Winvalid-pch -c use.c
		local clang -g -O2 -x c-header all.h -o all.h.pch; $CLANG -g -O2 -include all.h -c forced.c
		local clang -g -O2 -x c-header all.h -o all.h.pch; $CLANG -g -O2 -include-pch all.h.pch -c forced.c
		local $CC -g -O2 all.h
	X
}

# Two of the same precompiled header differ (the plain compiler's, too).
forgive() {
	rm -rf ./*.gch inc/*.gch
}

twice_up
mapfile -t lines < <(table)
plan ${#lines[@]}
twice_run "${lines[@]}"
