/* client/trace: one line of JSON a compile, whatever bytes the names hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/trace.h"
#include "exec/job.h"

static struct account
sample(void)
{
	return (struct account){.file = "/src/a \"b\"\n.c",
	        .output = "/src/a.o",
	        .verdict = VERDICT_FALLBACK,
	        .reason = "peer-lost",
	        .text = "",
	        .mode = "preprocessed",
	        .peer = "box",
	        .job = 0x1f,
	        .exit = 1,
	        .bytes_out = 12,
	        .bytes_in = 34,
	        .ms = {1, 2, 3, 4, 5, 6, 21},
	        .retries = 2};
}

static void
test_line(void **state)
{
	struct account t = sample();
	struct node_id node = {{0xab}};
	struct buf b;

	(void)state;
	t.node = &node;
	buf_init(&b, 65536);
	trace_encode(&b, &t, 1700000000123);
	assert_string_equal(buf_text(&b),
	        "{\"time\":1700000000.123,\"file\":\"/src/a \\\"b\\\"\\n.c\","
	        "\"output\":\"/src/"
	        "a.o\",\"verdict\":\"fallback\",\"reason\":\"peer-lost\",\"text\":\"\",\"mode\":"
	        "\"preprocessed\","
	        "\"peer\":\"ab000000000000000000000000000000\",\"peer_name\":\"box\",\"toolchain\":"
	        "\"\",\"job\":\"000000000000001f\","
	        "\"exit\":1,\"bytes_out\":12,\"bytes_in\":34,\"ms\":{\"plan\":1,\"lease\":2,"
	        "\"send\":3,\"queue\":4,\"compile\":5,"
	        "\"receive\":6,\"total\":21},\"retries\":2,\"hedged\":false}\n");
	buf_reset(&b);
	t.hedged = true;
	trace_encode(&b, &t, 1700000000123);
	assert_non_null(strstr(buf_text(&b), "\"hedged\":true}\n"));
	buf_fini(&b);
}

static void
test_appends(void **state)
{
	char path[] = "/tmp/icemesh-trace-XXXXXX", text[4096];
	int fd = mkstemp(path);
	struct account t = sample();
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(trace_write(path, &t, 1), 0);
	assert_int_equal(trace_write(path, &t, 2), 0);
	n = read(fd, text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = 0;
	assert_ptr_equal(strchr(strchr(text, '\n') + 1, '\n'), text + n - 1);
	close(fd);
	unlink(path);
}

/* Nothing that the trace may be stops a compile: no folder, a full disk, a pipe that nobody reads or that is closed. */
static void
test_not_written(void **state)
{
	char dir[] = "/tmp/icemesh-trace-XXXXXX", pipe_path[64], byte;
	struct account t = sample();
	int fd;

	(void)state;
	assert_int_equal(trace_write("/nonexistent/trace", &t, 3), IM_ERR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(trace_write("/dev/full", &t, 3), IM_ERR_SYSTEM);
	assert_int_equal(errno, ENOSPC);
	assert_non_null(mkdtemp(dir));
	snprintf(pipe_path, sizeof pipe_path, "%s/pipe", dir);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_int_equal(trace_write(pipe_path, &t, 3), IM_ERR_SYSTEM);
	assert_int_equal(errno, ENXIO);
	fd = open(pipe_path, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(trace_write(pipe_path, &t, 3), 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	unlink(pipe_path);
	rmdir(dir);
}

#define WRITERS 16
#define LINES 40

/* Lines of parallel compiles, the longest that there can be, each stand alone. */
static void
test_parallel(void **state)
{
	char path[] = "/tmp/icemesh-trace-XXXXXX", name[JOB_PATH_MAX + 1], *line = NULL;
	struct account t = sample();
	size_t size = 0, lines = 0, expected;
	int fd = mkstemp(path), status;
	struct buf b;
	FILE *f;

	(void)state;
	assert_true(fd >= 0);
	memset(name, '\001', sizeof name - 1);
	name[sizeof name - 1] = 0;
	t.file = t.output = name;
	buf_init(&b, 1 << 20);
	trace_encode(&b, &t, 1000);
	expected = b.len;
	assert_true(expected > 12 * JOB_PATH_MAX);
	buf_fini(&b);
	for (int i = 0; i < WRITERS; i++) {
		if (fork() != 0)
			continue;
		for (int k = 0; k < LINES; k++)
			if (trace_write(path, &t, 1000) != 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	f = fdopen(fd, "r");
	assert_non_null(f);
	for (ssize_t n; (n = getline(&line, &size, f)) > 0; lines++) {
		assert_int_equal(n, expected);
		assert_memory_equal(line, "{\"time\":1.000,", 14);
	}
	assert_int_equal(lines, WRITERS * LINES);
	free(line);
	fclose(f);
	unlink(path);
}

static void
test_exit_not_known(void **state)
{
	struct account t = sample();
	struct buf b;

	(void)state;
	t.exit = -1;
	buf_init(&b, 65536);
	trace_encode(&b, &t, 1);
	assert_non_null(strstr(buf_text(&b), "\"exit\":null,"));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_line),
	        cmocka_unit_test(test_appends), cmocka_unit_test(test_not_written),
	        cmocka_unit_test(test_parallel), cmocka_unit_test(test_exit_not_known)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
