#include "mesh/store.h"

#include "tests/unit/node_rig.h"

static struct rig a;

static void
reopen(void)
{
	char why[256];
	store_free(a.n.store);
	a.n.store = store_open(&a.n, why);
	if (!a.n.store)
		fail_msg("%s", why);
}

static void
put_file(const char *folder, const char *name)
{
	char path[FILES_PATH_SIZE];
	snprintf(path, sizeof path, "%s/%s/%s", a.n.config.store_dir, folder, name);
	assert_int_equal(files_write(path, "x", 1, 0600), 0);
}

static void
test_keeps_a_tarball(void **state)
{
	(void)state;
	struct digest d;
	struct buf text;
	char content[16] = "";
	int fd;
	rig_open(&a, "a");
	rig_init(&a);
	rig_tarball(&a, "tarball", 7, &d);
	buf_init(&text, SIGN_TEXT_MAX);
	for (int i = 0; i < 2; i++) {
		const struct toolchain *t = store_find(a.n.store, &d);
		assert_non_null(t);
		assert_true(t->tarball && !t->unpacked);
		assert_int_equal(t->size, 7);
		assert_string_equal(t->signer, "a");
		assert_int_equal(node_id_cmp(&t->signer_id, rig_id(&a)), 0);
		reopen();
	}
	assert_int_equal(store_tarball(a.n.store, &d, &fd), 0);
	assert_int_equal(read(fd, content, sizeof content), 7);
	assert_string_equal(content, "tarball");
	close(fd);
	assert_int_equal(store_signature(a.n.store, &d, &text), 0);
	assert_int_equal(rig_files(&a, "tmp"), 0);
	d.bytes[0] ^= 1;
	assert_int_equal(store_tarball(a.n.store, &d, &fd), IM_ERR_ABSENT);
	buf_fini(&text);
	rig_close(&a);
}

static void
test_transfer_that_ends_early(void **state)
{
	(void)state;
	rig_open(&a, "a");
	struct store_file *f = store_file_new(a.n.store, 4);
	assert_int_equal(store_file_add(f, "abc", 3), 0);
	assert_int_equal(store_file_add(f, "de", 2), IM_ERR_LIMIT);
	assert_int_equal(rig_files(&a, "tmp"), 1);
	store_file_drop(f);
	assert_int_equal(rig_files(&a, "tmp"), 0);
	/* and one whose daemon was killed */
	put_file("tmp", "17");
	reopen();
	assert_int_equal(rig_files(&a, "tmp"), 0);
	assert_int_equal(rig_files(&a, "tarballs"), 0);
	assert_null(store_at(a.n.store, 0));
	rig_close(&a);
}

static void
test_foreign_names(void **state)
{
	(void)state;
	rig_open(&a, "a");
	put_file("tarballs", "notes.txt");
	put_file("tarballs", "00112233.tar.lz4");
	put_file("tarballs",
	        "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff.tar.lz4");
	put_file("toolchains", "half");
	reopen();
	assert_null(store_at(a.n.store, 0));
	rig_close(&a);
}

/* The unpacked tree takes disk too; its manifest says how much. */
static void
test_trees_count(void **state)
{
	(void)state;
	static const char text[] =
	        "icemesh-toolchain 1\nplatform x\ndriver /c\n\nf 0755 123456 "
	        "0000000000000000000000000000000000000000000000000000000000000000 /c\n";
	struct digest d = {{7}};
	char hex[DIGEST_HEX_SIZE], folder[FILES_PATH_SIZE], path[FILES_PATH_SIZE];
	uint64_t bytes;
	unsigned n;
	rig_open(&a, "a");
	digest_hex(&d, hex);
	snprintf(path, sizeof path, "%s/toolchains/%s", a.n.config.store_dir, hex);
	assert_int_equal(files_path(folder, path, ".icemesh"), 0);
	assert_int_equal(files_mkdir(folder, 0755), 0);
	assert_int_equal(files_path(path, folder, "manifest"), 0);
	assert_int_equal(files_write(path, text, sizeof text - 1, 0644), 0);
	reopen();
	store_usage(a.n.store, &bytes, &n);
	assert_int_equal(n, 1);
	assert_true(bytes >= 123456 && bytes < 140000);
	rig_close(&a);
}

static void
test_full(void **state)
{
	(void)state;
	struct digest d = {{0}};
	rig_open(&a, "a");
	rig_init(&a);
	for (unsigned i = 0; i < STORE_TOOLCHAINS_MAX; i++) {
		memcpy(d.bytes, &i, sizeof i);
		assert_non_null(store_add(a.n.store, &d));
	}
	d.bytes[9] = 1;
	assert_null(store_add(a.n.store, &d));
	struct store_file *f = store_file_new(a.n.store, 4);
	assert_int_equal(store_file_keep(f, &d, "sig"), IM_ERR_LIMIT);
	assert_int_equal(rig_files(&a, "tarballs"), 0);
	assert_int_equal(rig_files(&a, "tmp"), 0);
	rig_close(&a);
}

static void
test_compilers(void **state)
{
	(void)state;
	struct digest d, e;
	rig_open(&a, "a");
	rig_init(&a);
	rig_tarball(&a, "one", 3, &d);
	rig_tarball(&a, "two", 3, &e);
	assert_int_equal(store_set_compiler(a.n.store, 1000, "/usr/bin/cc", &d, "wit", 3), 0);
	assert_int_equal(store_set_compiler(a.n.store, 1001, "/usr/bin/cc", &e, "", 0), 0);
	for (int i = 0; i < 2; i++) {
		const struct compiler *c = store_compiler(a.n.store, 1000, "/usr/bin/cc");
		assert_non_null(c);
		assert_true(digest_equal(&c->digest, &d));
		assert_int_equal(c->witness_len, 3);
		assert_memory_equal(c->witness, "wit", 3);
		c = store_compiler(a.n.store, 1001, "/usr/bin/cc"); /* another user's own */
		assert_true(digest_equal(&c->digest, &e));
		assert_null(store_compiler(a.n.store, 1002, "/usr/bin/cc"));
		assert_null(store_compiler(a.n.store, 1000, "/usr/bin/gcc"));
		assert_int_equal(store_compiler_of(a.n.store, &e)->uid, 1001);
		reopen();
	}
	assert_int_equal(store_set_compiler(a.n.store, 1000, "/usr/bin/cc", &e, "new", 3), 0);
	assert_true(digest_equal(&store_compiler(a.n.store, 1000, "/usr/bin/cc")->digest, &e));
	rig_close(&a);
}

/* An entry whose tarball is gone is forgotten; a damaged list is no reason not to start. */
static void
test_compilers_without_tarball(void **state)
{
	(void)state;
	struct digest d;
	char path[FILES_PATH_SIZE];
	rig_open(&a, "a");
	digest_of(&d, "gone", 4);
	assert_int_equal(store_set_compiler(a.n.store, 1, "/cc", &d, "w", 1), 0);
	reopen();
	assert_null(store_compiler(a.n.store, 1, "/cc"));
	assert_int_equal(files_path(path, a.n.config.state_dir, "compilers"), 0);
	assert_int_equal(files_write(path, "\x81\x01\xdd\xff\xff\xff\xff", 7, 0600), 0);
	reopen();
	assert_true(rig_logged("packed again"));
	rig_close(&a);
}

/* One user's many compilers push out his own oldest, never those of others. */
static void
test_share_of_a_user(void **state)
{
	(void)state;
	struct digest d;
	char path[32];
	rig_open(&a, "a");
	digest_of(&d, "x", 1);
	assert_int_equal(store_set_compiler(a.n.store, 1, "/cc", &d, "w", 1), 0);
	for (int i = 0; i < 2 * STORE_COMPILERS_MAX; i++) {
		snprintf(path, sizeof path, "/cc%d", i);
		if (i % 16 == 0 || i < 80)
			assert_int_equal(store_set_compiler(a.n.store, 2, path, &d, "w", 1), 0);
	}
	assert_non_null(store_compiler(a.n.store, 1, "/cc"));
	assert_null(store_compiler(a.n.store, 2, "/cc0"));
	assert_non_null(store_compiler(a.n.store, 2, "/cc1008"));
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_keeps_a_tarball, rig_teardown),
	        cmocka_unit_test_teardown(test_transfer_that_ends_early, rig_teardown),
	        cmocka_unit_test_teardown(test_foreign_names, rig_teardown),
	        cmocka_unit_test_teardown(test_trees_count, rig_teardown),
	        cmocka_unit_test_teardown(test_full, rig_teardown),
	        cmocka_unit_test_teardown(test_compilers, rig_teardown),
	        cmocka_unit_test_teardown(test_compilers_without_tarball, rig_teardown),
	        cmocka_unit_test_teardown(test_share_of_a_user, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
