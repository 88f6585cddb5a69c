#!/usr/bin/env bash
# -march=native and its like: resolved here, each compiled by the plain compiler and over the mesh, compared byte for byte.  That an object does
# not depend on the peer's processor is shown by the command line of the compiler proper, which says it all and never "native".
# limit: 600 s
. "$(dirname "$0")/../lan.sh"
. "$(dirname "$0")/../twice.sh"
lan_enter "$@"

write_template() {
	cat >simd.c <<-'X'
		#include <immintrin.h>
		#ifdef __AVX2__
		int eight(const int *p) { __m256i v = _mm256_loadu_si256((const void *)p); return _mm256_extract_epi32(_mm256_add_epi32(v, v), 3); }
		#endif
		#ifdef __SSE4_2__
		int crc(int a, int b) { return (int)_mm_crc32_u32((unsigned)a, (unsigned)b); }
		#endif
		#ifdef __POPCNT__
		int bits(unsigned x) { return __builtin_popcount(x); }
		#endif
		float dot(const float *a, const float *b, int n) { float s = 0; for (int i = 0; i < n; i++) s += a[i] * b[i]; return s; }
		void add(float *a, const float *b, int n) { for (int i = 0; i < n; i++) a[i] += b[i]; }
	X
	cp simd.c simd.cc
	printf '#ifdef __AVX__\n\t.globl with\nwith: vzeroupper\n#endif\n\t.globl f\nf: ret\n' >asm.S
	echo '#include "nothere.h"' >noinclude.c
	printf 'int twice(int x) { return x + x; }\n' >plain.c
}

table() {
	local words
	while read -r words; do
		cat <<-X
			source \$CC -O2 -g $words -c simd.c
			source \$CXX -O0 -g $words -c simd.cc
			source \$CLANG -O2 -g $words -c simd.c
			source \$CLANGXX -O0 -g $words -c simd.cc
		X
	done <<-'X'
		-march=native
		-mtune=native
		-mno-avx -march=native -mtune=generic
		-march=native -march=x86-64
	X
	cat <<-'X'
		source $CC -O2 -g -mcpu=native -c simd.c
		source $CC -O2 -g -march=native -mcpu=native -c simd.c
		source $CC -O2 -march=native -frecord-gcc-switches -g3 -gsplit-dwarf -c simd.c -o s.o
		source $CC -O2 -march=native -flto -c simd.c -frandom-seed=1
		source $CC -O2 -march=native -flto -ffat-lto-objects -g -c simd.c -frandom-seed=1
		source $CC -O2 -march=native -save-temps=obj -MD -c simd.c -o s.o
		source $CC -O2 -march=native -S simd.c
		source $CC -march=native -c asm.S
		source $CC -O3 -march=native -fopt-info-vec -c simd.c
		source $CC -O2 -march=native -Wp,-DX=1 -Wall -Wextra -c simd.c -DY -DX=2
		source $CC -O2 -march=native -c noinclude.c; $CC -O2 -march=native --param l1-cache-size=7 -c simd.c
		source $CLANG -O2 -march=native -flto -c simd.c
		source $CLANG -O2 -march=native -emit-llvm -S simd.c -o s.ll
		source $CLANG -O2 -march=native -save-temps=obj -MD -c simd.c -o s.o
		source $CLANG -O2 -march=native -Xclang -target-feature -Xclang -avx2 -c simd.c
		source $CLANG -O2 -march=native -fno-integrated-as -c simd.c
		source $CLANG -O2 -march=native -target x86_64-linux-gnu -g -c simd.c
		source $CLANG -O2 -march=native -m32 -g -ffreestanding -c plain.c
		source $CC -O2 -march=native -m32 -g -c plain.c
		local $CLANG -march=native -c asm.S
		local $CLANG -O2 -mcpu=native -c simd.c
		local $CLANG -O2 --target=aarch64-linux-gnu -mcpu=native -c plain.c
		local $CLANG -O2 -march=nonsense -march=native --target=aarch64-linux-gnu -c plain.c
		local $CC -O2 -march=native -specs=/dev/null -c plain.c
		local $ARM -O2 -mcpu=native -c plain.c
		local $ARM -O2 -march=native -c plain.c
	X
}

twice_up
mapfile -t lines < <(table)
plan ${#lines[@]}
twice_run "${lines[@]}"
