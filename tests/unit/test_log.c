/* Log lines: one write each, of bounded length, without control characters, and few of what strangers can cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "mesh/log.h"

static int saved = -1, file = -1;

static int
set_up(void **state)
{
	(void)state;
	file = memfd_create("log", MFD_CLOEXEC);
	saved = dup(STDERR_FILENO);
	return file < 0 || saved < 0 || dup2(file, STDERR_FILENO) < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(file);
	close(saved);
	return 0;
}

/* What was logged since, with standard error back in its place: a failing assertion has to be seen. */
static const char *
logged(void)
{
	static char text[65536];
	ssize_t n = pread(file, text, sizeof text - 1, 0);

	dup2(saved, STDERR_FILENO);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static void
test_levels(void **state)
{
	struct log l = {0};

	(void)state;
	log_info(&l, "port %d", 9777);
	log_warn(&l, "%s", "careful");
	log_debug(&l, "not seen");
	l.verbose = true;
	log_debug(&l, "seen");
	assert_string_equal(logged(),
	        "icemeshd: port 9777\nicemeshd: warning: careful\nicemeshd: debug: seen\n");
}

static void
test_control_characters(void **state)
{
	struct log l = {0};

	(void)state;
	log_info(&l, "a\nicemeshd: forged \033[31mred\177 \xc2\x9b"
	             "1m gr\xc3\xbc\xc3\x9f"
	             "e \xc2\xa7 \xc2");
	assert_string_equal(logged(), "icemeshd: a?icemeshd: forged ?[31mred? ?\x9b"
	                              "1m gr\xc3\xbc\xc3\x9f"
	                              "e \xc2\xa7 \xc2\n");
}

static void
test_long_line(void **state)
{
	struct log l = {0};
	char text[5000];
	size_t len;

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = 0;
	log_warn(&l, "%s", text);
	log_info(&l, "next");
	const char *out = logged();
	len = (size_t)(strchr(out, '\n') - out);
	assert_in_range(len, 1000, 1023);
	assert_string_equal(out + len, "\nicemeshd: next\n");
	for (size_t i = strlen("icemeshd: warning: "); i < len; i++)
		assert_int_equal(out[i], 'x');
}

static unsigned
count(const char *text, const char *word)
{
	unsigned n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

static void
test_hostile_lines_are_few(void **state)
{
	struct log l = {0};

	(void)state;
	for (uint64_t ms = 5000; ms < 6000; ms++)
		log_hostile(&l, ms, "line %d", (int)ms);
	log_hostile(&l, 6000, "next second");
	log_hostile(&l, 7000, "quiet now");
	const char *out = logged();
	assert_int_equal(count(out, "refused: line "), 20);
	assert_int_equal(count(out, "refused: 980 more lines"), 1);
	assert_int_equal(count(out, "more lines"), 1);
	assert_int_equal(count(out, "refused: next second"), 1);
	assert_int_equal(count(out, "refused: quiet now"), 1);
}

static void
test_told_lines_are_few(void **state)
{
	struct log l = {0};

	(void)state;
	for (uint64_t ms = 5000; ms < 6000; ms++) {
		log_told(&l, ms, "line %d", (int)ms);
		log_hostile(&l, ms, "line %d", (int)ms);
	}
	log_told(&l, 6000, "next second");
	const char *out = logged();
	assert_int_equal(count(out, "warning: line "), 20);
	assert_int_equal(count(out, "refused: line "), 20); /* neither takes the other's place */
	assert_int_equal(count(out, "warning: 980 more lines"), 1);
	assert_int_equal(count(out, "warning: next second"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_levels),
	        T(test_control_characters),
	        T(test_long_line),
	        T(test_hostile_lines_are_few),
	        T(test_told_lines_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
