/* Asking programs: their answers, their failures, their silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "exec/query.h"

static int
run(const char *script, size_t max, char *out, size_t size)
{
	const char *words[] = {"/bin/sh", "-c", script, NULL};
	struct buf b;
	int r;

	buf_init(&b, max);
	r = query_run(words, 0, &b);
	if (r == 0 && size > b.len) {
		memcpy(out, b.data, b.len);
		out[b.len] = '\0';
	}
	buf_fini(&b);
	return r;
}

static void
answers_come_back(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(run("echo one; echo two; echo three >&2", 256, text, sizeof(text)), 0);
	assert_string_equal(text, "one\ntwo\n");
	assert_int_equal(run("pwd; echo \"$LC_ALL\"; cat", 256, text, sizeof(text)), 0);
	assert_string_equal(text, "/\nC\n");
}

static void
failures_are_told(void **state)
{
	const char *absent[] = {"/no/such/program", NULL};
	struct buf b;
	char text[8];

	(void)state;
	assert_int_equal(run("exit 3", 64, text, sizeof(text)), IM_ERR_REFUSED);
	assert_int_equal(run("kill -9 $$", 64, text, sizeof(text)), IM_ERR_REFUSED);
	assert_int_equal(run("yes", 64, text, sizeof(text)), IM_ERR_LIMIT);
	buf_init(&b, 64);
	assert_int_equal(query_run(absent, 0, &b), IM_ERR_REFUSED);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(answers_come_back), cmocka_unit_test(failures_are_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
