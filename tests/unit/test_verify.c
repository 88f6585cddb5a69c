#include "client/verify.h"

#include "tests/unit/fake_toolchain.h"

#define NOW 1800000000

static const char content[] = "a toolchain";

static int
check(const char *bytes, const struct fake_toolchain *t, const uint8_t *root_pk, uint64_t now,
        char why[VERIFY_WHY_SIZE])
{
	struct verify v = {(const char *)t->text.data, t->text.len, root_pk, "home", now};
	int fd = memfd_create("content", MFD_CLOEXEC), err;
	struct signature s;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	err = verify_toolchain(fd, &v, &s, why);
	if (err == 0) {
		assert_true(digest_equal(&s.digest, &t->digest));
		assert_string_equal(s.signer.name, "alpha");
	}
	close(fd);
	return err;
}

static void
test_good(void **state)
{
	struct fake_toolchain t;
	char why[VERIFY_WHY_SIZE];

	(void)state;
	fake_toolchain_make(&t, 1, content, NOW);
	assert_int_equal(check(content, &t, t.root.sign_pk, NOW, why), 0);
	buf_fini(&t.text);
}

static void
test_altered(void **state)
{
	struct fake_toolchain t;
	char why[VERIFY_WHY_SIZE];

	(void)state;
	fake_toolchain_make(&t, 1, content, NOW);
	assert_int_equal(check("a toolchaim", &t, t.root.sign_pk, NOW, why), IM_ERR_DIGEST);
	assert_string_equal(why, "digest differs: the file was altered");
	assert_int_equal(
	        check("a toolchain and more", &t, t.root.sign_pk, NOW, why), IM_ERR_DIGEST);
	assert_int_equal(check("a tool", &t, t.root.sign_pk, NOW, why), IM_ERR_DIGEST);
	assert_string_equal(why, "digest differs: the file was cut off after 6 of 11 bytes");
	buf_fini(&t.text);
}

static void
test_signature(void **state)
{
	struct fake_toolchain t, other;
	char why[VERIFY_WHY_SIZE], *global;

	(void)state;
	fake_toolchain_make(&t, 1, content, NOW);
	fake_toolchain_make(&other, 2, content, NOW);
	assert_int_equal(check(content, &t, other.root.sign_pk, NOW, why), IM_ERR_UNKNOWN_KEY);
	assert_memory_equal(why, "signature by unknown key ", 25);
	assert_non_null(strstr(why, ": no member of mesh 'home'"));
	assert_int_equal(check(content, &t, t.root.sign_pk, NOW + 5000, why), IM_ERR_EXPIRED);
	assert_non_null(strstr(why, "outside its lifetime"));
	global = (char *)&t.text.data[t.text.len - 20]; /* a base64 digit: it stays one */
	*global = *global == 'A' ? 'B' : 'A';
	assert_int_equal(check(content, &t, t.root.sign_pk, NOW, why), IM_ERR_SIGNATURE);
	assert_non_null(strstr(why, "does not verify"));
	t.text.len = 40;
	assert_int_equal(check(content, &t, t.root.sign_pk, NOW, why), IM_ERR_FORMAT);
	assert_non_null(strstr(why, "no icemesh signature"));
	buf_fini(&t.text);
	buf_fini(&other.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good),
	        cmocka_unit_test(test_altered), cmocka_unit_test(test_signature)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
