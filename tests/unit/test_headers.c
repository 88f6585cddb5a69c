/* What command lines say about headers, and the question that is left for the compiler. */
#include "client/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"
#include "tests/unit/words.h"

/* Lists are joined by blanks; the question without its usual end. */
struct line {
	const char *line, *folders, *forced, *macros, *asked, *why;
	bool relative;
};

/* clang-format off */
static const struct line lines[] = {
	{.line = "gcc -c a.c -o a.o", .asked = "/cc"},
	{.line = "gcc -Ia -I b -isystem c -isystemd -iquote e -idirafter f -c a.c", .folders = "a b c d e f", .asked = "/cc"},
	{.line = "clang -cxx-isystem a -stdlib++-isystem b -c a.cc", .folders = "a b", .asked = "/cc"},
	{.line = "gcc --embed-dir=a -c a.c", .folders = "a", .asked = "/cc"},
	{.line = "gcc -include a.h -includeb.h -imacros c.h -c a.c", .forced = "a.h b.h c.h", .asked = "/cc"},
	{.line = "gcc -DA -D B=1 -DC=<x.h> -UD -c a.c", .macros = "A B=1 C=<x.h>", .asked = "/cc"},
	{.line = "gcc -Wp,-DA=1,-UB,-MD,a.d -c a.c", .macros = "A=1", .asked = "/cc"},
	{.line = "gcc -Wp,-D,A,-Ia,-I,b,-isystem,c,-include,d.h,-imacrose.h,-MP,-MTx -c a.c", .folders = "a b c", .forced = "d.h e.h", .macros = "A", .asked = "/cc"},
	{.line = "gcc -Wp,-undef -c a.c", .why = "option -Wp,-undef"},
	{.line = "gcc -Wp,-I- -c a.c", .why = "option -Wp,-I-"},
	{.line = "gcc -Wp,-I,=x -c a.c", .why = "option -Wp,-I,=x"},
	{.line = "gcc -Wp,-I -c a.c", .why = "option -Wp,-I"},
	{.line = "gcc -Wa,-I,a,-Ib,--noexecstack -c a.c", .folders = "a b", .asked = "/cc"},
	{.line = "gcc -O2 -g -ggdb -Wall -Werror -w -MMD -MF a.d -MQ x -fdiagnostics-color -frandom-seed=1 -ffile-prefix-map=/a=b -L. -lx -Wl,-x -c a.c", .asked = "/cc"},
	{.line = "gcc -save-temps=obj --coverage -fstack-usage -ftime-report -fprofile-arcs -gsplit-dwarf -g3 -c a.c", .asked = "/cc"},
	{.line = "gcc -m32 -std=c11 -nostdinc -fPIC -pthread -c a.c", .asked = "/cc -m32 -std=c11 -nostdinc -fPIC -pthread"},
	{.line = "clang -target x -stdlib=libc++ --gcc-toolchain=/t -nostdlibinc -c a.cc", .asked = "/cc -target x -stdlib=libc++ --gcc-toolchain=/t -nostdlibinc"},
	{.line = "gcc --sysroot=/s -isysroot /t -c a.c", .asked = "/cc --sysroot=/s -isysroot /t"},
	{.line = "gcc --sysroot=s -c a.c", .asked = "/cc --sysroot=s", .relative = true},
	{.line = "gcc --sysroot=/s -I=a -isystem $SYSROOT/b -Ic -c a.c", .folders = "c", .asked = "/cc --sysroot=/s -I=a -isystem $SYSROOT/b", .relative = true},
	{.line = "gcc -iprefix /p -iwithprefix a -c a.c", .asked = "/cc -iprefix /p -iwithprefix a", .relative = true},
	{.line = "gcc -I- -c a.c", .why = "option -I-"},
	{.line = "gcc -I - -c a.c", .why = "option -I"},
	{.line = "gcc -F x -c a.c", .why = "framework -F"},
	{.line = "clang -iframework x -c a.c", .why = "framework -iframework"},
	{.line = "gcc -remap -c a.c", .why = "option -remap"},
	{.line = "gcc --embed-dir==a -c a.c", .why = "option --embed-dir==a"},
	{.line = "gcc -Xpreprocessor -Ix -Xpreprocessor -DY=1,2 -c a.c", .folders = "x", .macros = "Y=1,2", .asked = "/cc"},
	{.line = "gcc -Xpreprocessor -I -Xpreprocessor x -c a.c", .why = "option -Xpreprocessor"},
	{.line = "gcc -Xpreprocessor -remap -c a.c", .why = "option -Xpreprocessor"},
	{.line = "gcc -Xassembler -Ix -Xassembler --noexecstack -c a.c", .folders = "x", .asked = "/cc"},
	{.line = "gcc -Xassembler -I -Xassembler x -c a.c", .why = "option -Xassembler"},
	{.line = "clang -Xclang -fno-x -c a.c", .asked = "/cc"},
	{.line = "clang -Xclang -I -Xclang x -c a.c", .why = "-Xclang -I"},
	{.line = "clang -include-pch x -c a.c", .why = "option -include-pch"},
	{.line = "clang -ivfsoverlay x -c a.c", .why = "option -ivfsoverlay"},
	{.line = "clang -fmodules -c a.c", .why = "option -fmodules"},
	{.line = "clang -working-directory x -c a.c", .why = "option -working-directory"},
	{.line = "gcc -wrapper x -c a.c", .why = "option -wrapper"},
	{.line = "gcc -B x -c a.c", .why = "option -B"},
	{.line = "gcc --no-such-option -c a.c", .why = "option --no-such-option"},
	{.line = "gcc -c a.c -I", .why = "option -I"},
	{.line = "gcc -c a.xyz", .why = "language of a.xyz"},
	{.line = "clang -I map -c a.c", .why = "header map map"},
	{.line = "gcc -I map -c a.c", .folders = "map", .asked = "/cc"},
};
/* clang-format on */

static const char *
joined(const struct buf *b)
{
	static char text[4096];

	if (b->len > 0)
		memcpy(text, b->data, b->len);
	text[b->len ? b->len - 1 : 0] = 0;
	for (size_t i = 0; i + 1 < b->len; i++)
		if (!text[i])
			text[i] = ' ';
	return text;
}

static void
check(const struct line *l)
{
	enum option_compiler compiler = l->line[0] == 'c' ? FOR_CLANG : FOR_GCC;
	char why[HEADERS_WHY_SIZE] = "", asked[4096] = "";
	struct headers h;
	struct words w;
	struct args a;
	int r;

	words_split(&w, l->line);
	args_analyse(&a, w.argc, w.argv, compiler);
	headers_init(&h);
	r = headers_read(&h, &a, "/cc", why);
	print_message("%s\n", l->line);
	assert_int_equal(r, l->why ? IM_ERR_REFUSED : 0);
	assert_string_equal(why, l->why ? l->why : "");
	if (r == 0) {
		assert_string_equal(joined(&h.folders), l->folders ? l->folders : "");
		assert_string_equal(joined(&h.forced), l->forced ? l->forced : "");
		assert_string_equal(joined(&h.macros), l->macros ? l->macros : "");
		assert_int_equal(h.relative, l->relative);
		assert_string_equal(h.asked.at[h.asked.n - 1], "/dev/null");
		assert_string_equal(
		        h.asked.at[h.asked.n - 2], strstr(l->line, ".cc") ? "c++" : "c");
		h.asked.at[h.asked.n - 5] = NULL;
		assert_string_equal(
		        words_join((char **)(uintptr_t)h.asked.at, asked, sizeof(asked)), l->asked);
	}
	headers_fini(&h);
	args_fini(&a);
}

static void
all_lines(void **state)
{
	char cwd[PATH_MAX];

	(void)state;
	assert_int_equal(scratch_enter(cwd), 0);
	assert_int_equal(scratch_text("map", "a header map"), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check(&lines[i]);
	assert_int_equal(scratch_leave(cwd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
