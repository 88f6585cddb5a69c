/* A job's own tree: what is written, and what is seen to have changed. */
#include "exec/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "exec/findings.h"
#include "tests/unit/scratch.h"

static char cwd[PATH_MAX];
static int w;
static struct tree_entry entries[8];
static const char *outputs[] = {"/p/out/a.o"};
static struct job job;

static void
put_blob(struct tree_entry *e, const char *text)
{
	char hex[DIGEST_HEX_SIZE], path[128];

	e->size = strlen(text);
	e->mode = 0644;
	e->kind = TREE_FILE;
	digest_of(&e->digest, text, strlen(text));
	digest_hex(&e->digest, hex);
	mkdir("blobs", 0755);
	snprintf(path, sizeof(path), "blobs/%.2s", hex);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "blobs/%.2s/%s", hex, hex);
	assert_int_equal(scratch_text(path, text), 0);
}

/* /p/a.c and its twin /p/Z.c, /p/b.h with a time, /p/l -> a.c, the folder /q, all sorted; the output's folder as the sandbox makes it. */
static int
start(void **state)
{
	uint32_t at;

	(void)state;
	if (scratch_enter(cwd) != 0 || mkdir("w", 0755) != 0 || mkdir("w/tmp", 0755) != 0 ||
	        mkdir("w/dev", 0755) != 0)
		return -1;
	memset(entries, 0, sizeof(entries));
	entries[0] = (struct tree_entry){.path = "/p/Z.c", .kind = TREE_TWIN, .target = "/p/a.c"};
	put_blob(&entries[1], "int a;");
	entries[1].path = "/p/a.c";
	put_blob(&entries[2], "b");
	entries[2].path = "/p/b.h";
	entries[2].mtime_s = 1000;
	entries[3] = (struct tree_entry){.path = "/p/l", .kind = TREE_LINK, .target = "a.c"};
	entries[4] = (struct tree_entry){.path = "/q", .kind = TREE_FOLDER};
	job = (struct job){.cwd = "/p",
	        .mode = JOB_SOURCE,
	        .outputs = outputs,
	        .noutputs = 1,
	        .own = {.entries = entries, .n = 5}};
	w = open("w", O_RDONLY | O_DIRECTORY);
	return own_write(&job.own, w, &at) != 0 || mkdir("w/p/out", 0755) != 0;
}

static int
stop(void **state)
{
	(void)state;
	close(w);
	return scratch_leave(cwd);
}

/* Fails unless the findings are exactly these, in any order. */
static void
expect(const char *const *paths, unsigned n)
{
	struct buf b;
	enum finding what;
	const char *path;
	size_t at = 0;
	unsigned found = 0;

	buf_init(&b, FINDINGS_LEN_MAX);
	own_changes(&job, w, &b);
	while (findings_next((const char *)b.data, b.len, &at, &what, &path) == 1) {
		unsigned i = 0;

		assert_int_equal(what, FINDING_EXTRA);
		while (i < n && strcmp(paths[i], path) != 0)
			i++;
		if (i == n)
			fail_msg("%s is reported", path);
		found++;
	}
	assert_int_equal(found, n);
	buf_fini(&b);
}

static void
tree_is_written(void **state)
{
	struct stat a, z, b;
	char target[8] = "";

	(void)state;
	assert_int_equal(own_bytes(&job.own), 7);
	assert_int_equal(stat("w/p/a.c", &a), 0);
	assert_int_equal(stat("w/p/Z.c", &z), 0);
	assert_int_equal(a.st_ino, z.st_ino);
	assert_int_equal(a.st_mode & 07777, 0644);
	assert_int_equal(stat("w/p/b.h", &b), 0);
	assert_int_equal(b.st_mtime, 1000);
	assert_int_equal(readlink("w/p/l", target, sizeof(target)), 3);
	assert_memory_equal(target, "a.c", 3);
	assert_int_equal(stat("w/q", &b), 0);
	expect(NULL, 0);
}

static void
impossible_ones_are_refused(void **state)
{
	struct tree_entry e = {.path = "/dev", .kind = TREE_LINK, .target = "x"};
	struct tree t = {.entries = &e, .n = 1};
	uint32_t at = 9;

	(void)state;
	assert_int_equal(own_write(&t, w, &at), IM_ERR_REFUSED);
	assert_int_equal(at, 0);
	put_blob(&e, "c");
	e.path = "/p/l/x"; /* below a link */
	assert_int_equal(own_write(&t, w, &at), IM_ERR_REFUSED);
	e.path = "/new";
	e.size = 2; /* not what the store has */
	assert_int_equal(own_write(&t, w, &at), IM_ERR_ABSENT);
	e.digest.bytes[0] ^= 1;
	assert_int_equal(own_write(&t, w, &at), IM_ERR_ABSENT);
}

static void
changes_are_told(void **state)
{
	static const char *const all[] = {"/p/a.c", "/p/Z.c", "/p/l", "/q", "/p/new", "/empty",
	        "/other/file", "/gone", "/p/replaced"};

	(void)state;
	assert_int_equal(scratch_text("w/p/out/a.o", "declared"), 0);
	assert_int_equal(scratch_text("w/tmp/cc1.s", "temporary"), 0);
	assert_int_equal(mkdir("w/tmp/folder", 0755), 0);
	assert_int_equal(scratch_text("w/tmp/folder/x", "temporary"), 0);
	assert_int_equal(scratch_text("w/dev/x", "x"), 0);
	expect(NULL, 0);
	assert_int_equal(scratch_text("w/p/a.c", "int b;"), 0); /* as long as before */
	expect(all, 2);
	assert_int_equal(unlink("w/p/l"), 0);
	assert_int_equal(symlink("b.h", "w/p/l"), 0);
	assert_int_equal(rmdir("w/q"), 0);
	assert_int_equal(scratch_text("w/p/new", ""), 0);
	assert_int_equal(mkdir("w/empty", 0755), 0);
	assert_int_equal(mkdir("w/other", 0755), 0);
	assert_int_equal(scratch_text("w/other/file", "x"), 0);
	expect(all, 7);
	/* What an overlay leaves where a lower file was removed; root of the machine may make one, too. */
	if (mknod("w/gone", S_IFCHR, 0) != 0)
		skip();
	expect(all, 8);
	assert_int_equal(symlink("/etc", "w/p/replaced"), 0);
	expect(all, 9);
}

/* A project below /tmp is looked at, whatever stands beside it is not. */
static void
projects_below_tmp_are_looked_at(void **state)
{
	static const char *const all[] = {"/tmp/p/a.su"};

	(void)state;
	job.cwd = "/tmp/p";
	assert_int_equal(mkdir("w/tmp/p", 0755), 0);
	assert_int_equal(scratch_text("w/tmp/p/a.su", "x"), 0);
	assert_int_equal(scratch_text("w/tmp/x", "x"), 0);
	expect(all, 1);
	job.cwd = "/tmp";
	expect((const char *const[]){"/tmp/p/a.su", "/tmp/x"}, 2);
}

static void
deep_folders_end(void **state)
{
	struct buf b;
	enum finding what;
	const char *path;
	size_t at = 0;
	int n = 0;

	(void)state;
	assert_int_equal(chdir("w"), 0);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdir("d", 0755), 0);
		assert_int_equal(chdir("d"), 0);
	}
	assert_int_equal(chdir(cwd), 0);
	buf_init(&b, FINDINGS_LEN_MAX);
	own_changes(&job, w, &b);
	while (findings_next((const char *)b.data, b.len, &at, &what, &path) == 1)
		n += what == FINDING_OVERFLOW;
	assert_int_equal(n, 1);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(tree_is_written, start, stop),
	        cmocka_unit_test_setup_teardown(impossible_ones_are_refused, start, stop),
	        cmocka_unit_test_setup_teardown(changes_are_told, start, stop),
	        cmocka_unit_test_setup_teardown(projects_below_tmp_are_looked_at, start, stop),
	        cmocka_unit_test_setup_teardown(deep_folders_end, start, stop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
