/* client/outputs: written as the compilers write them; hostile bytes never stand under the output's
 * name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/outputs.h"

#define OBJECT "\177ELF and the rest"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/icemesh-outputs-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	return chdir(dir);
}

static int
teardown(void **state)
{
	char command[192];

	(void)state;
	snprintf(command, sizeof command, "chmod 755 '%s' && rm -r '%s'", dir, dir);
	return chdir("/") != 0 || system(command) != 0;
}

static void
put(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
assert_content(const char *name, const char *text)
{
	char got[256] = "";
	int fd = open(name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof got - 1), (ssize_t)strlen(text));
	assert_string_equal(got, text);
	close(fd);
}

static void
assert_only(unsigned n)
{
	char command[64];

	snprintf(command, sizeof command, "test $(ls -A | wc -l) -eq %u", n);
	assert_int_equal(system(command), 0);
}

static int
make(const char *path, enum output_way way, const char *text, bool commit)
{
	struct job_output wanted = {.present = 1, .size = strlen(text)};
	struct output o;
	int r;

	digest_of(&wanted.digest, text, strlen(text));
	output_init(&o, path, way, true);
	r = output_open(&o, &wanted, 4096);
	if (r == 0)
		r = output_put(&o, text, 6);
	if (r == 0)
		r = output_put(&o, text + 6, strlen(text) - 6);
	if (r == 0)
		r = output_check(&o);
	if (r == 0 && commit)
		r = output_commit(&o);
	output_abort(&o);
	return r;
}

static void
test_new_file(void **state)
{
	struct stat st;

	(void)state;
	umask(027);
	assert_int_equal(output_way("a.o", FOR_GCC, false), OUTPUT_RENAME);
	assert_int_equal(make("a.o", OUTPUT_RENAME, OBJECT, true), 0);
	umask(022);
	assert_int_equal(stat("a.o", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_content("a.o", OBJECT);
	assert_only(1);
}

static void
test_gcc_object_replaces(void **state)
{
	struct stat st;

	(void)state;
	put("a.o", "old", 0600);
	assert_int_equal(link("a.o", "b.o"), 0);
	assert_int_equal(output_way("a.o", FOR_GCC, false), OUTPUT_RENAME);
	assert_int_equal(make("a.o", OUTPUT_RENAME, OBJECT, true), 0);
	assert_int_equal(stat("a.o", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_content("b.o", "old");
}

static void
test_written_through(void **state)
{
	struct stat st;

	(void)state;
	put("empty.o", "", 0600);
	assert_int_equal(output_way("empty.o", FOR_GCC, false), OUTPUT_WRITE);
	assert_int_equal(make("empty.o", OUTPUT_WRITE, OBJECT, true), 0);
	assert_int_equal(stat("empty.o", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(symlink("target.o", "link.o"), 0);
	assert_int_equal(output_way("link.o", FOR_GCC, false), OUTPUT_WRITE);
	assert_int_equal(make("link.o", OUTPUT_WRITE, OBJECT, true), 0);
	assert_content("target.o", OBJECT);
	put("a.s", "old", 0644);
	assert_int_equal(output_way("a.s", FOR_GCC, true), OUTPUT_WRITE);
	assert_int_equal(output_way("a.s", FOR_CLANG, false), OUTPUT_RENAME);
	assert_int_equal(output_way("a.s", FOR_CLANG, true), OUTPUT_WRITE);
	assert_int_equal(output_way("link.o", FOR_CLANG, false), OUTPUT_RENAME);
	assert_int_equal(output_way("link.o", FOR_CLANG, true), OUTPUT_NOT_OURS);
	assert_int_equal(output_way("empty.o", FOR_CLANG, false), OUTPUT_RENAME);
	assert_only(4);
}

static void
test_not_ours(void **state)
{
	(void)state;
	assert_int_equal(output_way("/dev/null", FOR_GCC, false), OUTPUT_NOT_OURS);
	assert_int_equal(output_way(".", FOR_GCC, false), OUTPUT_NOT_OURS);
	put("file", "x", 0644);
	assert_int_equal(output_way("file/a.o", FOR_GCC, false), OUTPUT_NOT_OURS);
	if (geteuid() != 0) {
		put("ro.o", "x", 0444);
		assert_int_equal(output_way("ro.o", FOR_GCC, false), OUTPUT_NOT_OURS);
	}
}

static void
test_links(void **state)
{
	(void)state;
	put("a.c", "int x;", 0644);
	put("a.o", "old", 0644);
	assert_int_equal(symlink("a.c", "soft.o"), 0);
	assert_int_equal(symlink("absent", "dangling.o"), 0);
	assert_int_equal(link("a.o", "hard.o"), 0);
	assert_false(output_linked("a.c"));
	assert_false(output_linked("absent"));
	assert_true(output_linked("a.o"));
	assert_true(output_linked("soft.o"));
	assert_true(output_is_source("soft.o", "a.c"));
	assert_false(output_is_source("dangling.o", "a.c"));
	assert_false(output_is_source("a.o", "a.c"));
	assert_false(output_is_source("soft.o", "absent"));
}

/* No file can be made in the folder, but the output there can be written. */
static void
test_closed_folder(void **state)
{
	struct output o;

	(void)state;
	put("a.o", "old", 0644);
	assert_int_equal(chmod(".", 0555), 0);
	if (geteuid() == 0 && seteuid(65534) != 0)
		skip();
	output_init(&o, "a.o", OUTPUT_RENAME, true);
	assert_int_equal(output_open(&o, &(struct job_output){.present = 1, .size = 4}, 10), 0);
	assert_int_equal(o.temp[0], 0);
	output_abort(&o);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_content("a.o", "old");
}

static void
test_missing_folder(void **state)
{
	(void)state;
	assert_int_equal(make("none/a.o", OUTPUT_RENAME, OBJECT, true), IM_ERR_SYSTEM);
	assert_only(0);
}

static void
test_hostile(void **state)
{
	struct job_output wanted = {.present = 1, .size = 10};
	struct output o;

	(void)state;
	put("a.o", "old", 0644);
	output_init(&o, "a.o", OUTPUT_RENAME, true);
	assert_int_equal(output_open(&o, &(struct job_output){.present = 0}, 100), IM_ERR_FORMAT);
	assert_int_equal(output_open(&o, &wanted, 9), IM_ERR_LIMIT);
	assert_int_equal(output_open(&o, &wanted, 10), 0);
	assert_int_equal(output_put(&o, "#!/bin/sh", 9), IM_ERR_FORMAT);
	output_abort(&o);
	assert_int_equal(output_open(&o, &wanted, 10), 0);
	assert_int_equal(output_put(&o, "\177ELF5678901", 11), IM_ERR_LIMIT);
	output_abort(&o);
	assert_int_equal(output_open(&o, &wanted, 10), 0);
	assert_int_equal(output_put(&o, "\177ELF56", 6), 0);
	assert_int_equal(output_check(&o), IM_ERR_TRUNCATED);
	assert_int_equal(output_put(&o, "7890", 4), 0);
	assert_int_equal(output_check(&o), IM_ERR_DIGEST);
	output_abort(&o);
	assert_content("a.o", "old");
	assert_only(1);
}

static void
test_abort_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(make("a.o", OUTPUT_RENAME, OBJECT, false), 0);
	assert_only(0);
}

/* Somebody laid a link where the temporary file would be. */
static void
test_temporary_name_taken(void **state)
{
	char name[64];

	(void)state;
	put("victim", "precious", 0644);
	snprintf(name, sizeof name, ".icemesh-%ld-0", (long)getpid());
	assert_int_equal(symlink("victim", name), 0);
	assert_int_equal(make("a.o", OUTPUT_RENAME, OBJECT, true), 0);
	assert_content("victim", "precious");
	assert_content("a.o", OBJECT);
}

/* A write that a network file system reports only at close: the old file stays, no half file gets the name. */
static void
test_late_write_error(void **state)
{
	struct job_output wanted = {.present = 1, .size = strlen(OBJECT)};
	struct output o;

	(void)state;
	put("a.o", "old", 0644);
	digest_of(&wanted.digest, OBJECT, strlen(OBJECT));
	output_init(&o, "a.o", OUTPUT_RENAME, true);
	assert_int_equal(output_open(&o, &wanted, 4096), 0);
	assert_int_equal(output_put(&o, OBJECT, strlen(OBJECT)), 0);
	assert_int_equal(output_check(&o), 0);
	assert_int_equal(close(o.fd), 0); /* any further close of it fails */
	assert_int_equal(output_commit(&o), IM_ERR_SYSTEM);
	assert_content("a.o", "old");
	assert_only(1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_new_file), TEST(test_gcc_object_replaces),
	        TEST(test_written_through), TEST(test_not_ours), TEST(test_closed_folder),
	        TEST(test_missing_folder), TEST(test_hostile), TEST(test_abort_leaves_nothing),
	        TEST(test_late_write_error), TEST(test_links), TEST(test_temporary_name_taken)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
