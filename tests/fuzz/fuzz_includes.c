/*
 * Any text through the include scanner: well-formed lists without repetitions, and a text with
 * more behind it loses nothing.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "exec/includes.h"

static bool
holds(const struct buf *list, enum include_kind kind, const char *name, size_t len)
{
	enum include_kind other;
	size_t at = 0, other_len;
	unsigned found = 0;
	const char *p;

	while (includes_next(list->data, list->len, &at, &other, &p, &other_len))
		found += other == kind && other_len == len && memcmp(p, name, len) == 0;
	if (found > 1)
		abort();
	return found == 1;
}

/* Whatever is in `less` is in `more` too. */
static void
compare(const struct buf *less, const struct buf *more)
{
	enum include_kind kind;
	const char *name;
	size_t at = 0, len;

	while (includes_next(less->data, less->len, &at, &kind, &name, &len))
		if (len == 0 || !holds(more, kind, name, len))
			abort();
	if (at != less->len)
		abort();
}

static void
scan(const char *text, size_t len, struct includes *s, struct buf *list)
{
	buf_init(list, INCLUDES_LEN_MAX);
	if (includes_scan(s, text, len, list) != 0 || (s->flags & ~31u) != 0 ||
	        !(s->flags & INCLUDES_UNDECIDED) != (s->why == NULL))
		abort();
}

static void
look_up(const char *text, size_t len)
{
	bool undecided = false;
	struct buf list;

	buf_init(&list, INCLUDES_LEN_MAX);
	if (includes_define(text, len, "X", &list, &undecided) != 0)
		abort();
	compare(&list, &list);
	buf_fini(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char more[] = "\n/* #include <more> */\n// it's __DATE__\n";
	char *longer = malloc(size + sizeof more);
	struct includes s, t;
	struct buf list, longer_list;

	if (!longer)
		abort();
	if (size)
		memcpy(longer, data, size);
	memcpy(longer + size, more, sizeof more);
	scan((const char *)data, size, &s, &list);
	scan(longer, size + sizeof more - 1, &t, &longer_list);
	compare(&list, &list);
	/* What stood open at the end may be closed now, but nothing else changes. */
	if ((s.flags & ~t.flags & ~INCLUDES_UNDECIDED) != 0)
		abort();
	if (!(t.flags & INCLUDES_UNDECIDED) && !holds(&longer_list, INCLUDE_ANGLE, "more", 4))
		abort();
	if (size == 0 || data[size - 1] == '\n')
		compare(&list, &longer_list);
	look_up((const char *)data, size);
	buf_fini(&list);
	buf_fini(&longer_list);
	free(longer);
	return 0;
}

/* Pieces of everything that the scanner looks for. */
size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static const char *const samples[] = {
	        "#include \"a.h\"\n# include_next <b.h> // c\n%:import X\n?\?=embed <c.bin>\n",
	        "#inc\\\nlude /* x */ \"a\\\n.h\"\r\n#if __has_include(<a.h>) || "
	        "X_HAS_INCLUDE(\"b\")\n",
	        "asm(\".incbin \\\"a\\\"\\n\\t.include \\\"b\\\"\" NAME);\n.incbin \"c\"\n",
	        "#pragma once\n_Pragma(\"GCC dependency \\\"a\\\"\")\n#pragma pop_macro(\"X\")\n",
	        "import <a>;\nexport module b.c:d;\nmodule;\nchar *d = __DATE__ __TIME__ "
	        "__TIMESTAMP__;\n",
	        "#define X \"a.h\"\n#define X <b.h>\n#define X Y\n#define X(a) a\n#line 7 "
	        "\"a.y\"\n",
	        "R\"x(\n#include X\n)x\" 1'000 'a' \"/*\" /* \" */ u8'\\''; // \\\n#include F(x)\n",
	};
	size_t len;

	if (i >= sizeof samples / sizeof samples[0])
		return 0;
	len = strlen(samples[i]);
	memcpy(out, samples[i], len);
	return len;
}
