/* client/input: what a preprocessor writes is kept in blocks, digested, and its end understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client/input.h"
#include "crypto/key.h"

extern char **environ;

/* Runs a shell script as the preprocessor to its end. */
static void
run(struct input *in, const char *script, bool watch_dates)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};

	assert_int_equal(input_start(in, argv, environ, watch_dates), 0);
	while (in->state == INPUT_RUNNING) {
		struct pollfd p[2] = {
		        {.fd = in->out_fd, .events = POLLIN}, {.fd = in->err_fd, .events = POLLIN}};
		poll(p, 2, 5); /* the time is for the process to end behind its pipes */
		input_read(in);
	}
}

static void
assert_text(const struct input *in, const char *text, size_t len)
{
	static uint8_t raw[WIRE_BLOCK_MAX];
	struct digest d;
	size_t at = 0, n;

	assert_int_equal(in->size, len);
	for (size_t i = 0; i < in->nblocks; i++) {
		assert_int_equal(
		        wire_block_decode(in->blocks[i].data, in->blocks[i].len, raw, &n), 0);
		assert_true(at + n <= len);
		assert_memory_equal(raw, text + at, n);
		at += n;
	}
	assert_int_equal(at, len);
	digest_of(&d, text, len);
	assert_true(digest_equal(&d, &in->digest));
}

static void
test_text(void **state)
{
	static char zeros[300000];
	struct input in;

	(void)state;
	input_init(&in);
	run(&in, "printf hello", true);
	assert_int_equal(in.state, INPUT_READY);
	assert_text(&in, "hello", 5);
	/* the next run replaces it */
	run(&in, "head -c 300000 /dev/zero", true);
	assert_int_equal(in.state, INPUT_READY);
	assert_text(&in, zeros, sizeof zeros);
	assert_int_equal(in.nblocks, 3);
	run(&in, "true", true);
	assert_int_equal(in.state, INPUT_READY);
	assert_text(&in, "", 0);
	input_fini(&in);
}

static void
test_ends(void **state)
{
	struct input in;

	(void)state;
	input_init(&in);
	run(&in, "echo x; exit 3", false);
	assert_int_equal(in.state, INPUT_FAILED);
	run(&in, "kill -9 $$", false);
	assert_int_equal(in.state, INPUT_FAILED);
	run(&in, "echo x; echo warning >&2", false);
	assert_int_equal(in.state, INPUT_TALKED);
	run(&in, "echo __DATE__", false);
	assert_int_equal(in.state, INPUT_READY);
	input_fini(&in);
}

static void
test_dates_stop_it(void **state)
{
	struct input in;

	(void)state;
	input_init(&in);
	run(&in, "echo __DATE__", true);
	assert_int_equal(in.state, INPUT_DATED);
	/* across the border of two blocks; the endless rest is not waited for */
	run(&in, "head -c 131068 /dev/zero; printf __TIME__; cat /dev/zero", true);
	assert_int_equal(in.state, INPUT_DATED);
	assert_int_equal(in.child.pid, 0);
	input_fini(&in);
}

static void
test_file(void **state)
{
	char path[] = "/tmp/icemesh-input-XXXXXX";
	int fd = mkstemp(path);
	struct input in;

	(void)state;
	assert_int_equal(write(fd, "abc", 3), 3);
	close(fd);
	input_init(&in);
	assert_int_equal(input_start_file(&in, path), 0);
	for (int i = 0; i < 5; i++)
		input_read(&in);
	assert_int_equal(in.state, INPUT_READY);
	assert_text(&in, "abc", 3);
	unlink(path);
	assert_int_equal(input_start_file(&in, path), IM_ERR_SYSTEM);
	input_fini(&in);
}

static void
test_no_program(void **state)
{
	char *argv[] = {(char *)"/nonexistent/cc", NULL};
	struct input in;

	(void)state;
	input_init(&in);
	assert_int_equal(input_start(&in, argv, environ, false), IM_ERR_SYSTEM);
	input_fini(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_ends),
	        cmocka_unit_test(test_dates_stop_it), cmocka_unit_test(test_file),
	        cmocka_unit_test(test_no_program)};

	alarm(60);
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
