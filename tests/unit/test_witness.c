/* A witness notices what happens to its files, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/witness.h"

static char dir[64], file[96], name[96], changed[4096];
static struct buf witness;

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
start(void **state)
{
	struct witness_file files[2] = {{file, 0}, {name, 1}};

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/icemesh-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(name, sizeof(name), "%s/link", dir);
	write_file(file, "one");
	assert_int_equal(symlink("file", name), 0);
	buf_init(&witness, WITNESS_LEN_MAX);
	changed[0] = '\0';
	return witness_make(files, 2, &witness);
}

static int
stop(void **state)
{
	(void)state;
	buf_fini(&witness);
	unlink(file);
	unlink(name);
	return rmdir(dir);
}

static int
check(void)
{
	return witness_check(witness.data, witness.len, changed, sizeof(changed));
}

static void
same_files_pass(void **state)
{
	(void)state;
	assert_int_equal(check(), 0);
	assert_int_equal(check(), 0);
}

static void
replaced_file_is_noticed(void **state)
{
	const struct timespec old[2] = {{1, 0}, {1, 0}};

	(void)state;
	write_file(file, "three");
	assert_int_equal(check(), IM_ERR_ABSENT);
	assert_string_equal(changed, file);
	assert_int_equal(utimensat(AT_FDCWD, file, old, 0), 0);
	assert_int_equal(check(), IM_ERR_ABSENT);
	unlink(file);
	assert_int_equal(check(), IM_ERR_ABSENT);
}

static void
turned_link_is_noticed(void **state)
{
	(void)state;
	assert_int_equal(unlink(name), 0);
	assert_int_equal(symlink("/bin/sh", name), 0);
	assert_int_equal(check(), IM_ERR_ABSENT);
	assert_string_equal(changed, name);
}

static void
damaged_witness_is_refused(void **state)
{
	struct witness_file absent = {"/no/such/file", 0};

	(void)state;
	for (size_t len = 0; len < witness.len; len++)
		assert_int_equal(
		        witness_check(witness.data, len, changed, sizeof(changed)), IM_ERR_FORMAT);
	assert_int_equal(witness_make(&absent, 1, &witness), IM_ERR_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(same_files_pass, start, stop),
	        cmocka_unit_test_setup_teardown(replaced_file_is_noticed, start, stop),
	        cmocka_unit_test_setup_teardown(turned_link_is_noticed, start, stop),
	        cmocka_unit_test_setup_teardown(damaged_witness_is_refused, start, stop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
