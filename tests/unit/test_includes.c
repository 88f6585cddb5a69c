/*
 * exec/includes: what is found in texts of every form, what is left undecided, and, against the
 * compiler, that nothing is missed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "exec/includes.h"
#include "tests/unit/scratch.h"

#define TREES 60 /* random trees for one run */

/* Found names as text: "a.h" <b.h> [data] $MACRO, in their order, then date, stamp, once, and
 * ?why. */
struct row {
	const char *text, *found;
};

static const struct row rows[] = {
        {"", ""},
        {"int x;\n", ""},
        {"#include \"a.h\"\n", "\"a.h\""},
        {"#include <a.h>", "<a.h>"},
        {"#include<a/b.h>//x\n", "<a/b.h>"},
        {"  \t#\t include\v\f\"a.h\" /* c */\n", "\"a.h\""},
        {"#include \"a.h\"\n#include \"a.h\"\n#include <a.h>\n", "\"a.h\" <a.h>"},
        {"#include_next <a.h>\n", "<a.h>"},
        {"#import \"a.h\"\n", "\"a.h\" once"},
        {"#embed \"a.bin\" limit(3)\n#embed <b.bin>\n", "\"a.bin\" <b.bin>"},
        {"#included \"a.h\"\n#include_nex <a.h>\n", ""},
        {"#if 0\n#include \"a.h\"\n#endif\n", "\"a.h\""},
        {"/* */ # /* x\n y */ include /**/ \"a.h\"\n", "\"a.h\""},
        {"#/*\n*//**/include/* \" */<a.h>\n", "<a.h>"},
        {"# // include\n include <a.h>\n", ""},
        {"#inc\\\nlude \"a\\\n.h\"\n", "\"a.h\""},
        {"#\\\r\ninclude \\\r\n <a.h>\r\n", "<a.h>"},
        {"#inc\\  \t\nlude <a.h>\n", "<a.h>"},
        {"\\\n#include <a.h>\n", "<a.h>"},
        {"#include \"a.h\"\r\n#include X\r\n", "\"a.h\" $X"},
        {"#include \"a.h\"\r#include <b.h>\r", "\"a.h\" <b.h>"},
        {"#include \"a\\\n\r.h\"\n", "\"a\" ?unusual line ends"},
        {"%:include \"a.h\"\n", "\"a.h\""},
        {"%\\\n:include \"a.h\"\n", "\"a.h\""},
        {"?\?=include \"a.h\"\n", "\"a.h\""},
        {"?\?=inc?\?/\nlude <a.h>\n", "<a.h>"},
        {"// what?\?/\n#include X\n", "$X"},
        {"int ab?\?/\n__DATE__;\n", "date"},
        {"__DA?\?/\nTE__;\n", "date"},
        {"#include \"a?\?/b.h\"\n", "\"a?\?/b.h\" \"a\\b.h\""},
        {"\xef\xbb\xbf#include X\n", "$X"},
        {"#include \" a b .h\"\n#include < c >\n", "\" a b .h\" < c >"},
        {"#include \"\xc3\xa4.h\"\n", "\"\xc3\xa4.h\""},
        {"#include \"dir\\a.h\"\n", "\"dir\\a.h\""},
        {"#include \"a\\\"b.h\"\n", "\"a\\\" ?unusual file name"},
        {"// #include \"a\\\"b.h\"\n", "\"a\\\""},
        {"#include \"\"\n#include <>\n", ""},
        {"#include \"a.h\n", "\"a.h\""},
        {"#include <a.h END\n", "?computed include"},
        {"\"#include <a.h>\";\n", "<a.h>"},
        /* Computed. */
        {"#include FT_H\n", "$FT_H"},
        {"#include FT_H /* c */ // d\n", "$FT_H"},
        {"# include_next \\\nFT_H", "$FT_H"},
        {"#include FT_H x\n", "?computed include"},
        {"#include F(x)\n", "?computed include"},
        {"#include F (x)\n", "?computed include"},
        {"#include __FILE__\n", "?computed include"},
        {"#include 7\n", "?computed include"},
        {"#include L\"a.h\"\n", "?computed include"},
        {"#include \xc3\xa4\n", "?computed include"},
        {"#include \\u00e4\n", "?computed include"},
        {"#include\n#include // x\n", ""},
        {"/*\n#include it here\n*/\n", ""},
        {"// #include it here\n x #include it here\n", ""},
        {"/* x */ #include F(x)\n", "?computed include"},
        {"/* x\n */ #include F(x)\n", "?computed include"},
        {"// x \\\n#include F(x)\n", ""},
        {"char c = '\"'; /*\n#include F(x)\n*/", ""},
        {"char *s = \"/*\";\n#include F(x)\n", "?computed include"},
        {"char *s = \"\\\"/*\";\n#include F(x)\n", "?computed include"},
        {"it's /*\n#include F(x)\n*/", "?computed include"},
        {"int i = 1'000; /*\n#include F(x)\n*/\n", "?computed include"},
        {"int i = 1'000; /* c */ /*\n#include F(x)\n*/\n", "?computed include"},
        {"int i = 1'000; /* c */\n/*\n#include F(x)\n*/\n", ""},
        {"int i = 0x1'0'0 + '\\'' + u8'a';\n/*\n#include F(x)\n*/\n", ""},
        {"s = R\"x(\"/*)x\";\n#include F(x)\n", "?computed include"},
        {"s = u8R\"(\n#include F(x)\n)\";\n", "?computed include"},
        {"s = \"ERROR\" /*\n#include F(x)\n*/;\n", ""},
        {"#include <a/*b.h>\n#include F(x)\n", "<a/*b.h> ?computed include"},
        {"#include <a//b.h>\n", "<a//b.h>"},
        /* __has_include */
        {"#if __has_include(<a.h>) && __has_include ( \"b.h\" )\n", "<a.h> \"b.h\""},
        {"#if __has_include_next(<a.h>) || __has_embed(\"x\" limit(1))\n", "<a.h> \"x\""},
        {"#if __has_include__(<a.h>)\n", "<a.h>"},
        {"#if __has_\\\ninclude(/* */<a.h>)\n", "<a.h>"},
        {"#if defined(__has_include) && !defined __has_include\n#ifdef __has_include\n", ""},
        {"#ifndef __has_include\n#define __has_include(x) 0\n#undef __has_include\n", ""},
        {"#if __has_include(X)\n", "?computed __has_include"},
        {"#if __has_include(<a.h END)\n", "?computed __has_include"},
        {"// __has_include(x)\n/* __has_include(x) */ \"__has_include(x)\"\n", ""},
        {"#define HAS(x) __has_include(x)\n", "?computed __has_include"},
        {"#define A_HAS_INCLUDE(x) __has_include(x)\n# define a_has_include __has_include\n", ""},
        {"#define A_HAS_INCLUDE(y) __has_include(x)\n", "?computed __has_include"},
        {"#define A_HAS_INCLUDE __has_include(x)\n", "?computed __has_include"},
        {"#if defined(A_HAS_INCLUDE) && A_HAS_INCLUDE(<a.h>)\n", "<a.h>"},
        {"#if A_HAS_INCLUDE(B)\n", "?computed __has_include"},
        {"bool x = has_include(file);\n", ""},
        {"___has_include(x) __has_includes(x)\n", ""},
        /* Assembly. */
        {"asm(\".incbin \\\"a.bin\\\"\\n.include \\\"b.s\\\"\");\n", "[a.bin] [b.s]"},
        {"asm(\"x: \\n\\t.incbin\\t\\\"a.bin\\\", 1, 2\");\n", "[a.bin]"},
        {"\t.incbin \"a.bin\"\n.INCLUDE \"b.s\"\n", "[a.bin] [b.s]"},
        {"asm(\".incbin \\\"a\\\\b\\\"\");\n", "?computed .incbin"},
        {"asm(\".incbin \" NAME);\n", "?computed .incbin"},
        {"asm(\".incbin \"\n \"\\\"a\\\"\");\n", "?computed .incbin"},
        {"asm(\".incbin \\\"\" NAME \"\\\"\");\n", "?computed .incbin"},
        {"asm(\".incbin %0\" : : \"i\"(x));\n", "?computed .incbin"},
        {"asm(\".inc\\\nbin \\\"a\\\"\");\n", "[a]"},
        {"  .incbin FILE\n", "?computed .incbin"},
        {"asm(R\"(.incbin \"a\")\");\n", "?computed .incbin"},
        {"struct s v = {.include = 1};\n  .include = 2;\n x.include(3); p->a .include (x);\n", ""},
        {"/* .include NAME */ // .incbin\n f(\"foo.include %s\", \".include\", 1);\n", ""},
        {"die(\"bad .include line\\n\"); die(\".include\\n\");\n", ""},
        /* Pragmas and modules. */
        {"#pragma once\n", "once"},
        {"_Pragma(\"once\")\n", "once"},
        {"#pragma GCC dependency \"a.y\"\n", "?pragma that names files"},
        {"_Pragma(\"GCC dependency \\\"a.y\\\"\")\n", "?pragma that names files"},
        {"DO_PRAGMA(GCC dependency \"a.y\")\n", "?pragma that names files"},
        {"#pragma GCC pch_preprocess \"a.gch\"\n", "?pragma that names files"},
        {"#pragma include_alias(\"a\", \"b\")\n", "?pragma that names files"},
        {"#pragma clang module import x\n", "?pragma that names files"},
        {"// #pragma GCC dependency \"a.y\"\n", ""},
        {"#pragma GCC poison x\n#pragma clang diagnostic push\n#pragma omp once\n", ""},
        {"import <a.h>;\n", "modules"},
        {"export import \"a.h\";\n", "modules"},
        {"import a.b:c;\n", "modules"},
        {"module;\n", "modules"},
        {"export module a [[x]];\n", "modules"},
        {"@import Foundation;\n", "modules"},
        {"import = 1; import(x);\n import(x);\n module->x; module *m;\nmodule::f();\n", ""},
        {"/*\n import <a.h>;\n module;\n*/\n", ""},
        /* Clocks. */
        {"char d[] = __DATE__ \" \" __TIME__;\n", "date"},
        {"#define NOW __TIMESTAMP__\n", "stamp"},
        {"x = __TI\\\nME__;\n", "date"},
        {"// __DATE__\n/* __TIME__ */ char *s = \"__TIMESTAMP__\"; X__DATE__; __DATE__X;\n", ""},
        {"R\"(x)\"; // __DATE__\n", "date"},
        /* Lines that name a source. */
        {"#line 7 \"a.y\"\n#line 8\n#line 9 \"<stdout>\"\n// #line 7 \"b.y\"\n", "[a.y]"},
};

static char said[65536];

static void
say(const char *before, const char *text, size_t len, const char *after)
{
	size_t at = strlen(said);

	snprintf(said + at, sizeof said - at, "%s%s%.*s%s", at ? " " : "", before, (int)len, text,
	        after);
}

static void
say_list(const struct buf *list)
{
	static const char *const before[] = {"", "\"", "<", "[", "$"}, *const after[] = {"", "\"",
	                                                                       ">", "]", ""};
	enum include_kind kind;
	size_t at = 0, len;
	const char *name;

	said[0] = 0;
	while (includes_next(list->data, list->len, &at, &kind, &name, &len))
		say(before[kind], name, len, after[kind]);
	assert_int_equal(at, list->len);
}

static const char *
scan(const char *text, size_t len)
{
	struct includes s;
	struct buf list;

	buf_init(&list, INCLUDES_LEN_MAX);
	assert_int_equal(includes_scan(&s, text, len, &list), 0);
	say_list(&list);
	if (s.flags & INCLUDES_DATE)
		say("date", "", 0, "");
	if (s.flags & INCLUDES_TIMESTAMP)
		say("stamp", "", 0, "");
	if (s.flags & INCLUDES_ONCE)
		say("once", "", 0, "");
	if (s.flags & INCLUDES_MODULES)
		say("modules", "", 0, "");
	assert_int_equal(!!(s.flags & INCLUDES_UNDECIDED), s.why != NULL);
	if (s.why)
		say("?", s.why, strlen(s.why), "");
	buf_fini(&list);
	return said;
}

/* In memory of exactly its length, so that a sanitizer sees a read past the end. */
static const char *
scan_exact(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	scan(copy, len);
	free(copy);
	return said;
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(scan_exact(rows[i].text, strlen(rows[i].text)), rows[i].found) != 0)
			fail_msg("%s\nfound %s\nnot   %s", rows[i].text, said, rows[i].found);
}

/* Cut anywhere, a text is still read within its bounds. */
static void
test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t len = strlen(rows[i].text); len > 0; len--)
			scan_exact(rows[i].text, len - 1);
}

static void
test_zero_bytes(void **state)
{
	static const char text[] = "\0#\0include\0\"a.h\"\0\n\0#include X\0\n";

	(void)state;
	assert_string_equal(scan(text, sizeof text - 1), "\"a.h\" $X");
}

static void
test_limits(void **state)
{
	size_t len = 10000, name = 4096;
	char *text = malloc(200000);
	struct includes s;
	struct buf list;

	(void)state;
	assert_non_null(text);
	len = (size_t)snprintf(text, 8192, "#include \"%0*d\"\n", (int)name, 0);
	assert_int_equal(strlen(scan(text, len)), name + 2);
	len = (size_t)snprintf(text, 8192, "#include \"%0*d\"\n", (int)name + 1, 0);
	assert_string_equal(scan(text, len), "?unusual file name");
	len = 0;
	for (int i = 0; i < 5000; i++)
		len += (size_t)snprintf(text + len, 32, "#include <%d>\n", i);
	assert_string_equal(scan(text, len), "?too many names");
	buf_init(&list, 8);
	buf_put(&list, "xy", 2);
	assert_int_equal(includes_scan(&s, "#include <abcd>\n", 16, &list), 0);
	assert_int_equal(s.flags, INCLUDES_UNDECIDED);
	assert_int_equal(list.len, 2);
	assert_int_equal(includes_scan(&s, "#include <abc>\n", 15, &list), 0);
	assert_int_equal(s.flags, 0);
	assert_memory_equal(list.data, "xy\2\0\3abc", 8);
	buf_fini(&list);
	free(text);
}

/* Texts made to keep the scanner busy end soon. */
static void
test_busy(void **state)
{
	static const char *const pieces[] = {"#/*", "#//", "#/**/", "/**/a", "1'", "# ", "\\ ",
	        "has_include", "#include <", "%:%:", "?\?/\n", ".include \"",
	        "#define A_HAS_INCLUDE(x) __has_include", "\n#include X //", "\n#/*\n", "_Pragma(",
	        "import", "__DATE__", "GCC dependency \""};
	size_t len = 400000;
	char *text = malloc(len + 64);
	clock_t begin = clock();

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		for (size_t at = 0; at < len; at += strlen(pieces[i]))
			memcpy(text + at, pieces[i], strlen(pieces[i]));
		scan(text, len);
	}
	assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
	free(text);
}

static const struct row defines[] = {
        {"int X;\n", ""},
        {"#define X \"a.h\"\n", "\"a.h\""},
        {"#define X <a/b-c.h>\n", "<a/b-c.h>"},
        {"#define X Y\n#define Y \"a.h\"\n", "$Y"},
        {"#define X \"a.h\"\n#define X <b.h>\n", "\"a.h\" <b.h>"},
        {" # define\tX /* c */ \"a.h\" // d\n", "\"a.h\""},
        {"%:define X \"a.h\"", "\"a.h\""},
        {"?\?=define X \"a.h\"\n", "\"a.h\""},
        {"#def\\\nine X \\\r\n\"a.h\"\r\n", "\"a.h\""},
        {"#define X\n#define X /* */\n", ""},
        {"#define XY \"a.h\"\n#define Y X\n#undef X\n", ""},
        {"#define X\"a.h\"\n", "\"a.h\""},
        {"#define X(a) \"a.h\"\n", "?"},
        {"#define X (a)\n", "?"},
        {"#define X Y(a)\n", "?"},
        {"#define X Y Z\n", "?"},
        {"#define X \"a\" \"b\"\n", "?"},
        {"#define X \"a\\\"b\"\n", "?"},
        {"#define X L\"a\"\n", "?"},
        {"#define X <a b.h>\n", "?"},
        {"#define X <a\n", "?"},
        {"#define X <sys/linux/a.h>\n", "?"},
        {"#define X __FILE__\n", "?"},
        {"#define X 7\n", "?"},
        {"/*\n#define X(a) b\n*/\n", ""},
        {"#pragma pop_macro(\"X\")\n", "?"},
        {"_Pragma(\"pop_macro(\\\"X\\\")\")\n", "?"},
        {"#pragma pop_macro(\"Y\") X\n#pragma push_macro(\"X\")\n", ""},
        {"_Pragma(STR(pop_macro(\"X\")))\n", "?"},
};

static const char *
define(const char *text, size_t len, const char *name)
{
	bool undecided = false;
	struct buf list;

	buf_init(&list, INCLUDES_LEN_MAX);
	assert_int_equal(includes_define(text, len, name, &list, &undecided), 0);
	say_list(&list);
	if (undecided)
		say("?", "", 0, "");
	buf_fini(&list);
	return said;
}

static void
test_defines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof defines / sizeof defines[0]; i++)
		if (strcmp(define(defines[i].text, strlen(defines[i].text), "X"),
		            defines[i].found) != 0)
			fail_msg("%s\nfound %s\nnot   %s", defines[i].text, said, defines[i].found);
}

static void
test_walk_malformed(void **state)
{
	static const char *const lists[] = {"\0\0\1a", "\5\0\1a", "\1\0\0a", "\1\0\2a", "\1\1\0a"};
	enum include_kind kind;
	size_t at, len;
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		assert_false(includes_next(lists[i], 4, (at = 0, &at), &kind, &name, &len));
	assert_true(includes_next("\1\0\1a", 4, (at = 0, &at), &kind, &name, &len));
	assert_false(includes_next("\1\0\1a", 4, &at, &kind, &name, &len));
	assert_false(includes_next("\1\0\1a", 4, (at = 5, &at), &kind, &name, &len));
}

/* --- against the compiler --- */

static uint64_t
draw(uint64_t *rng, uint64_t n)
{
	*rng = *rng * 6364136223846793005u + 1442695040888963407u;
	return (*rng >> 33) % n;
}

/* Noise that may stand between two tokens of a directive, and lines between directives. */
static const char *const gaps[] = {" ", "\t", "/**/", " /* x\n#include */ ", "\\\n", "\\ \n ",
        "\\\r\n", "/* '\" */", "?\?/\n"};
static const char *const noise[] = {"/* it's\n", "*/\n", "// x \\\n", "// \" ' /*\n",
        "char *s = \"/*\";\n", "#if 0\n", "#if 1\n", "#endif\n", "int i = 'x'; /* c */\n", "it's\n",
        "\"\n", "#else\n", "#define E\n", "#define M <h4.h>\n", "#define N M\n",
        "#define F(x) <x>\n", "#undef M\n", "R\"(\n", ")\"\n", "x = 1'0; /*\n", "a?\?/\n", "\r\n",
        "#pragma once\n", "L'\\''\n", "#define P \"h6.h\"\n", "# /*\n", "%:if 1\n",
        "#error it's /*\n", "\\\n"};
static const char *const operands[] = {"\"h0.h\"", "<h1.h>", "\"h\\\n2.h\"", "<h3?\?/\n.h>", "M",
        "N", "F(h5.h)", "P", "\"h7.h\" x", "<h8.h>//", "\"./h9.h\"", "<h1.h"};
static const char *const words[] = {"#include", "#inc\\\nlude", "%:include", "?\?=include",
        "#include_next", "# include", "#\\\ninclude", "#import", "#if __has_include", " #include",
        "#/* */include"};

#define PICK(rng, list) (list)[draw(rng, sizeof(list) / sizeof((list)[0]))]

static void
make_text(uint64_t *rng, char *text, size_t size)
{
	size_t len = 0;

	for (uint64_t n = 1 + draw(rng, 12); n > 0; n--)
		if (draw(rng, 2))
			len += (size_t)snprintf(text + len, size - len, "%s", PICK(rng, noise));
		else
			len += (size_t)snprintf(text + len, size - len, "%s%s%s\n",
			        PICK(rng, words), PICK(rng, gaps), PICK(rng, operands));
}

/* True when the name is in the list, or a macro of the list stands for it, or it is not decided. */
static bool
knows(const char *text, const char *name)
{
	static const char *const macros[] = {"M", "N", "P"};
	char *list = strdup(scan_exact(text, strlen(text)));
	bool known = strchr(list, '?') || strstr(list, name);
	char macro[8];

	for (size_t i = 0; i < 3 && !known; i++) {
		snprintf(macro, sizeof macro, "$%s", macros[i]);
		if (!strstr(list, macro))
			continue;
		define(text, strlen(text), macros[i]);
		known = strstr(said, name) || strchr(said, '?') ||
		        (i == 1 && (define(text, strlen(text), "M"),
		                           strstr(said, name) || strchr(said, '?')));
	}
	free(list);
	return known;
}

/* What the compiler says with -M of main.c, as one text; errors in the source do not matter. */
static void
ask_compiler(const char *compiler, char *answer, size_t size)
{
	char command[256];
	size_t len;
	FILE *f;

	snprintf(command, sizeof command, "%s -w -M -I. main.c 2>/dev/null", compiler);
	f = popen(command, "re");
	assert_non_null(f);
	len = fread(answer, 1, size - 1, f);
	answer[len] = 0;
	pclose(f);
	snprintf(command, sizeof command, "%s -w -H -E -I. main.c 2>&1 >/dev/null | grep '^[.]'",
	        compiler);
	f = popen(command, "re");
	assert_non_null(f);
	answer[len += fread(answer + len, 1, size - 1 - len, f)] = 0;
	pclose(f);
}

static void
test_compiler(void **state)
{
	static const char *const compilers[] = {"gcc -std=gnu11 -xc", "gcc -std=c99 -xc",
	        "gcc -std=gnu90 -xc", "gcc -std=gnu++17 -xc++", "gcc -std=c++11 -xc++",
	        "clang -std=gnu11 -xc", "clang -std=c11 -xc", "clang -std=c++14 -xc++"};
	const char *given = getenv("ICEMESH_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL), rng = seed;
	static char text[16384], answer[65536];
	char cwd[PATH_MAX], name[16];
	unsigned opened = 0;

	(void)state;
	printf("seed %llu (ICEMESH_TEST_SEED)\n", (unsigned long long)seed);
	assert_int_equal(scratch_enter(cwd), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "h%d.h", i);
		assert_int_equal(scratch_text(name, ""), 0);
	}
	for (int i = 0; i < TREES; i++) {
		const char *o = PICK(&rng, compilers);
		make_text(&rng, text, sizeof text);
		assert_int_equal(scratch_text("main.c", text), 0);
		ask_compiler(o, answer, sizeof answer);
		for (int k = 0; k < 10; k++) {
			snprintf(name, sizeof name, "h%d.h", k);
			if (!strstr(answer, name))
				continue;
			opened++;
			if (!knows(text, name))
				fail_msg("%s opens %s of\n%s\nfound %s", o, name, text,
				        scan(text, strlen(text)));
		}
	}
	assert_int_equal(scratch_leave(cwd), 0);
	if (opened == 0)
		skip(); /* no gcc here */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_rows),
	        cmocka_unit_test(test_cut),
	        cmocka_unit_test(test_zero_bytes),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_busy),
	        cmocka_unit_test(test_defines),
	        cmocka_unit_test(test_walk_malformed),
	        cmocka_unit_test(test_compiler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
