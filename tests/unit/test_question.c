#include "client/question.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"

extern char **environ;

/* What `sh -c script` answers, in a buffer of max bytes; what it is asked is the text of `input`. */
static int
ask(const char *script, int stream, const char *input, struct buf *out)
{
	char *argv[] = {"/bin/sh", "-c", (char *)(uintptr_t)script, NULL};
	struct question q = {.argv = argv, .environment = environ, .input = -1, .stream = stream};
	int r;

	if (input) {
		q.input = memfd_create("input", MFD_CLOEXEC);
		assert_int_equal(write(q.input, input, strlen(input)), (ssize_t)strlen(input));
		assert_int_equal(lseek(q.input, 0, SEEK_SET), 0);
	}
	buf_reset(out);
	r = question_ask(&q, out);
	if (input)
		close(q.input);
	buf_put_u8(out, 0);
	return r;
}

static void
answers(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(ask("echo one; echo two >&2", 1, NULL, &out), 0);
	assert_string_equal((char *)out.data, "one\n");
	assert_int_equal(ask("echo one; echo two >&2", 2, NULL, &out), 0);
	assert_string_equal((char *)out.data, "two\n");
	assert_int_equal(ask("cat; cat /dev/stdin", 1, "text", &out), 0);
	assert_string_equal((char *)out.data, "texttext");
	assert_int_equal(ask("cat", 1, NULL, &out), 0);
	assert_string_equal((char *)out.data, "");
	setenv("LC_ALL", "tlh", 1);
	assert_int_equal(ask("echo $LC_ALL", 1, NULL, &out), 0);
	assert_string_equal((char *)out.data, "C\n");
	buf_fini(&out);
}

static void
no_answers(void **state)
{
	char *argv[] = {"/nothing/there", NULL};
	struct question q = {.argv = argv, .environment = environ, .input = -1, .stream = 1};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(ask("exit 1", 1, NULL, &out), IM_ERR_SYSTEM);
	assert_int_equal(ask("kill -9 $$", 1, NULL, &out), IM_ERR_SYSTEM);
	assert_int_equal(ask("yes", 1, NULL, &out), IM_ERR_LIMIT);
	buf_fini(&out);
	buf_init(&out, 100);
	assert_int_equal(question_ask(&q, &out), IM_ERR_SYSTEM);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(no_answers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
