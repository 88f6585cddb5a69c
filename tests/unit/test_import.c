#include "mesh/import.h"

#include <sys/mman.h>
#include "tests/unit/node_rig.h"

static struct rig a;

struct outcome {
	unsigned calls;
	int err;
	struct digest d;
	char sig[SIGN_TEXT_MAX], why[256];
};

static void
on_done(void *arg, int err, const struct digest *d, const char *sig, const char *why)
{
	struct outcome *o = arg;
	o->calls++;
	o->err = err;
	if (d)
		o->d = *d;
	snprintf(o->sig, sizeof o->sig, "%s", sig ? sig : "");
	snprintf(o->why, sizeof o->why, "%s", why);
}

static int
memory(size_t len)
{
	uint8_t *bytes = calloc(1, len);
	memset(bytes, 7, len);
	int fd = files_memory("x", bytes, len);
	assert_true(fd >= 0);
	assert_true(lseek(fd, 0, SEEK_END) >= 0); /* the importer goes to the start itself */
	free(bytes);
	return fd;
}

static void
test_import(void **state)
{
	(void)state;
	struct outcome o = {0};
	struct signature sig;
	char why[256];
	rig_open(&a, "a");
	rig_init(&a);
	unsigned before = rig_open_fds();
	assert_non_null(import_begin(&a.n, 12345, memory(3 << 20), on_done, &o, why));
	assert_int_equal(o.calls, 0); /* never before it returns */
	UNTIL(o.calls == 1);
	assert_int_equal(o.err, 0);
	assert_int_equal(store_find(a.n.store, &o.d)->size, 3 << 20);
	assert_int_equal(sign_check(&sig, o.sig, strlen(o.sig),
	                         identity_conn(a.n.identity)->root_pk, wall_seconds()),
	        0);
	assert_true(digest_equal(&sig.digest, &o.d));
	assert_int_equal(rig_files(&a, "tmp"), 0);
	assert_int_equal(rig_open_fds(), before);
	rig_close(&a);
}

static void
test_cancel(void **state)
{
	(void)state;
	struct outcome o = {0};
	char why[256];
	rig_open(&a, "a");
	rig_init(&a);
	unsigned before = rig_open_fds();
	struct import *i = import_begin(&a.n, 0, memory(8 << 20), on_done, &o, why);
	rig_spin();
	if (o.calls == 0)
		import_cancel(i);
	assert_int_equal(rig_files(&a, "tmp"), 0);
	assert_int_equal(rig_open_fds(), before);
	rig_close(&a);
}

/* A pipe, another user's file on disk, a node without certificate: refused at once, the descriptor is closed. */
static void
test_refused(void **state)
{
	(void)state;
	struct outcome o = {0};
	char why[256] = "", path[FILES_PATH_SIZE];
	int pair[2];
	rig_open(&a, "a");
	unsigned before = rig_open_fds();
	assert_null(import_begin(&a.n, 0, memory(1), on_done, &o, why));
	assert_non_null(strstr(why, "certificate"));
	rig_init(&a);
	assert_int_equal(pipe(pair), 0);
	assert_null(import_begin(&a.n, 0, pair[0], on_done, &o, why));
	assert_non_null(strstr(why, "memory"));
	close(pair[1]);
	snprintf(path, sizeof path, "%s/file", a.dir);
	assert_int_equal(files_write(path, "x", 1, 0644), 0);
	/* of a file system whose reads may wait only our own files count */
	assert_null(import_begin(
	        &a.n, geteuid() + 1, open("/proc/self/status", O_RDONLY), on_done, &o, why));
	assert_int_equal(rig_open_fds(), before);
	assert_non_null(import_begin(&a.n, geteuid(), open(path, O_RDONLY), on_done, &o, why));
	UNTIL(o.calls == 1);
	assert_int_equal(o.err, 0);
	rig_close(&a);
}

static void
test_unreadable(void **state)
{
	(void)state;
	struct outcome o = {0};
	char why[256], path[FILES_PATH_SIZE];
	rig_open(&a, "a");
	rig_init(&a);
	snprintf(path, sizeof path, "%s/file", a.dir);
	assert_non_null(import_begin(
	        &a.n, geteuid(), open(path, O_WRONLY | O_CREAT, 0600), on_done, &o, why));
	UNTIL(o.calls == 1);
	assert_int_equal(o.err, IM_ERR_SYSTEM);
	assert_non_null(strstr(o.why, "copied"));
	assert_int_equal(rig_files(&a, "tmp"), 0);
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_import, rig_teardown),
	        cmocka_unit_test_teardown(test_cancel, rig_teardown),
	        cmocka_unit_test_teardown(test_refused, rig_teardown),
	        cmocka_unit_test_teardown(test_unreadable, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
