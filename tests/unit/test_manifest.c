/* The manifest's text: what is printed is parsed back, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "exec/manifest.h"

#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "icemesh-toolchain 1\nplatform x86_64\ndriver /bin/cc\n"

static char why[256];

static int
parse(const char *text)
{
	struct manifest m;
	int r = manifest_parse(&m, text, strlen(text), why);

	if (r == 0)
		manifest_fini(&m);
	return r;
}

static void
text_survives(void **state)
{
	struct manifest_entry entries[] = {{.kind = MANIFEST_FOLDER, .mode = 0755, .path = "/a"},
	        {.kind = MANIFEST_FILE,
	                .mode = 0644,
	                .size = 5,
	                .digest = {{0xab}},
	                .path = "/a/b c%\xc3\xa9"},
	        {.kind = MANIFEST_LINK, .mode = 0777, .path = "/bin", .target = "usr/bin"}};
	struct manifest m = {.platform = "x86_64",
	                        .target = "x86_64-linux-gnu",
	                        .driver = "/usr/bin/my cc",
	                        .version = "gcc (x) 12",
	                        .libraries = "/opt/l",
	                        .entries = entries,
	                        .n = 3},
	                out;
	struct buf b, again;

	(void)state;
	buf_init(&b, MANIFEST_LEN_MAX);
	buf_init(&again, MANIFEST_LEN_MAX);
	assert_int_equal(manifest_print(&m, &b), 0);
	assert_int_equal(manifest_parse(&out, b.data, b.len, why), 0);
	assert_string_equal(out.driver, m.driver);
	assert_string_equal(out.version, m.version);
	assert_string_equal(out.libraries, m.libraries);
	assert_int_equal(out.n, 3);
	assert_int_equal(out.bytes, 5);
	assert_string_equal(out.entries[1].path, entries[1].path);
	assert_string_equal(out.entries[2].target, "usr/bin");
	assert_int_equal(manifest_print(&out, &again), 0);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	for (size_t len = 0; len + 1 < b.len; len++) {
		struct manifest part;

		/* Ends of lines in the list are ends of shorter manifests; everything else is torn. */
		if (manifest_parse(&part, b.data, len, why) == 0) {
			assert_int_equal(b.data[len - 1], '\n');
			manifest_fini(&part);
		}
	}
	manifest_fini(&out);
	buf_fini(&b);
	buf_fini(&again);
}

static void
bad_headers_are_refused(void **state)
{
	(void)state;
	assert_int_equal(parse(HEAD "\n"), 0);
	assert_int_equal(parse("icemesh-toolchain 2\nplatform x\ndriver /c\n\n"), IM_ERR_VERSION);
	assert_int_equal(parse(HEAD "color red\n\n"), IM_ERR_VERSION);
	assert_int_equal(parse(HEAD), IM_ERR_FORMAT);
	assert_int_equal(parse(HEAD "platform y\n\n"), IM_ERR_FORMAT);
	assert_int_equal(parse("icemesh-toolchain 1\nplatform x\n\n"), IM_ERR_FORMAT);
	assert_int_equal(parse("icemesh-toolchain 1\nplatform x\ndriver cc\n\n"), IM_ERR_FORMAT);
	assert_int_equal(parse(""), IM_ERR_FORMAT);
}

static void
bad_entries_are_refused(void **state)
{
	static const char *const bad[] = {"x 0755 0 - /a", "d 0755 0 - /a ", "d 0755 0 - /a b",
	        "d 0755 1 - /a", "d 0755 0 - /a%41", "d 0755 0 - /a%0", "d 0755 0 - /%00",
	        "d 0755 0 - /a%e9", "d 0755 0 - /a/../b", "d 0755 0 - a", "f 0755 01 " ZERO " /a",
	        "f 0700 1 " ZERO " /a", "f 0755 1 - /a", "f 0755 -1 " ZERO " /a", "l 0777 0 - /a",
	        "l 0777 0 - /a ../b", "l 0777 0 - /a x/../../b", "l 0777 0 - /a ",
	        "f 0755 1 " ZERO " /.icemesh/manifest", "d", "d 0755 0 - /"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), HEAD "\n%s\n", bad[i]);
		if (parse(text) == 0)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(parse(HEAD "\nl 0777 0 - /a/b ../c\n"), 0);
	assert_int_equal(parse(HEAD "\nl 0777 0 - /a /etc/passwd\n"), 0);
	assert_int_not_equal(parse(HEAD "\nl 0777 0 - /a /x\nl 0777 0 - /a/b y\n"), 0);
	assert_int_equal(parse(HEAD "\nd 0755 0 - /a\nl 0777 0 - /a/b y\n"), 0);
}

/* A small text must not become millions of folders, nor a tree too deep to be removed. */
static void
folders_are_bounded(void **state)
{
	static char text[128 * 1024];
	size_t len = strlen(HEAD "\n"), room = sizeof(text);
	char deep[97] = "";

	(void)state;
	for (size_t i = 0; i < 96; i++)
		deep[i] = "/a"[i % 2];
	snprintf(text, room, HEAD "\nd 0755 0 - %s/b\n", deep);
	assert_int_equal(parse(text), 0);
	snprintf(text, room, HEAD "\nd 0755 0 - %s/a/b\n", deep);
	assert_int_equal(parse(text), IM_ERR_LIMIT);
	memcpy(text, HEAD "\n", len + 1);
	for (int i = 0; i < 430; i++) {
		len += (size_t)snprintf(
		        text + len, room - len, "l 0777 0 - /%03d%s x\n", i, deep + 2);
		if (i == 399)
			assert_int_equal(parse(text), 0);
	}
	assert_int_equal(parse(text), IM_ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(text_survives),
	        cmocka_unit_test(bad_headers_are_refused),
	        cmocka_unit_test(bad_entries_are_refused), cmocka_unit_test(folders_are_bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
