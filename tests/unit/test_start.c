#include "client/start.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char dir[64], program[128], folder[128], log_path[160], pid_path[128];

static int
start(const char *script, int wait_ms, char why[START_WHY_SIZE])
{
	FILE *f;
	int fd;

	fd = open(program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	return start_program(program, folder, wait_ms, why);
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/icemesh-test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(program, sizeof program, "%s/d", dir);
	snprintf(folder, sizeof folder, "%s/a/b", dir);
	snprintf(log_path, sizeof log_path, "%s/icemeshd.log", folder);
	snprintf(pid_path, sizeof pid_path, "%s/a", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	remove(log_path);
	remove(folder);
	remove(pid_path);
	remove(program);
	return remove(dir);
}

static void
test_ready(void **state)
{
	char why[START_WHY_SIZE], text[128];
	struct stat st;
	FILE *f;

	(void)state;
	assert_int_equal(start("echo hello; echo started >&2; echo 'icemeshd: ready on a socket'",
	                         10000, why),
	        0);
	f = fopen(log_path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof text, f));
	assert_string_equal(text, "started\n");
	fclose(f);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(log_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
test_failures(void **state)
{
	char why[START_WHY_SIZE], want[512];

	(void)state;
	assert_int_equal(start("echo 'port 9777 is taken' >&2; exit 1", 10000, why), IM_ERR_CLOSED);
	snprintf(want, sizeof want,
	        "icemeshd ended at its start: port 9777 is taken; its log is %s", log_path);
	assert_string_equal(why, want);
	assert_int_equal(start("exit 1", 10000, why),
	        IM_ERR_CLOSED); /* what stood in the log before is not its cause */
	assert_non_null(strstr(why, "it said nothing"));
	assert_int_equal(start("exec sleep 100", 50, why), IM_ERR_TIMEOUT);
	assert_non_null(strstr(why, "is not ready in time"));
	assert_int_equal(start_program("/nonexistent/icemeshd", folder, 1000, why), IM_ERR_SYSTEM);
	assert_non_null(strstr(why, "does not start: No such file"));
	assert_int_equal(start_program(program, "/dev/null/state", 1000, why), IM_ERR_SYSTEM);
	assert_non_null(strstr(why, "state_dir"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ready), cmocka_unit_test(test_failures)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
