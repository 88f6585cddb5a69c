#include "client/call.h"

#include <sys/stat.h>
#include "tests/unit/fake_toolchain.h"

static struct fake fake;
static struct fake_toolchain toolchain, stranger;
static char tarball[96], signature[128];

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)root;
	(void)fd;
	if (type == CONTROL_ROOT) {
		pack_map(&out->body, 2);
		pack_kbytes(&out->body, 1, toolchain.root.sign_pk, SIGN_PK_LEN);
		pack_ktext(&out->body, 2, "home");
	} else if (type == CONTROL_TOOLCHAINS) {
		out->with_file = true;
		pack_map(&out->file, 1);
		pack_uint(&out->file, 1);
		pack_array(&out->file, 1);
		pack_map(&out->file, 2);
		pack_kbytes(&out->file, 1, toolchain.digest.bytes, DIGEST_LEN);
		pack_kuint(&out->file, 2, 11);
	} else {
		_exit(9);
	}
}

static void
put_file(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static int
set_up(void **state)
{
	uint64_t now = (uint64_t)time(NULL);

	(void)state;
	fake_toolchain_make(&toolchain, 1, "a toolchain", now);
	fake_toolchain_make(&stranger, 2, "a toolchain", now);
	fake_start(&fake, handler);
	snprintf(tarball, sizeof tarball, "%s/t", fake.dir);
	snprintf(signature, sizeof signature, "%s.minisig", tarball);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(tarball);
	unlink(signature);
	fake_stop(&fake);
	buf_fini(&toolchain.text);
	buf_fini(&stranger.text);
	return 0;
}

static void
expect(const char *const *words, int status, const char *text)
{
	struct call c;
	int got = fake_call(&c, cmd_toolchain, words);

	if (got != status || strstr(status == CALL_DONE ? out_of(&c) : err_of(&c), text) == NULL) {
		print_error("exit %d\n%s%s", got, out_of(&c), err_of(&c));
		fail_msg("expected exit %d and: %s", status, text);
	}
	if (status == CALL_FAILED) /* one line */
		assert_ptr_equal(strchr(err_of(&c), '\n'), err_of(&c) + c.err.len - 1);
	call_fini(&c);
}

static void
test_verify(void **state)
{
	(void)state;
	expect(WORDS("toolchain", "verify", tarball), CALL_FAILED, "No such file");
	put_file(tarball, "a toolchain", 11);
	expect(WORDS("toolchain", "verify", tarball), CALL_FAILED, "there is no signature");
	put_file(signature, toolchain.text.data, toolchain.text.len);
	expect(WORDS("toolchain", "verify", tarball), CALL_DONE,
	        "signed by   alpha, a signer of mesh 'home'");
	expect(WORDS("toolchain", "verify", tarball, signature), CALL_DONE, ": good\n");
	put_file(tarball, "a toolchaim", 11);
	expect(WORDS("toolchain", "verify", tarball), CALL_FAILED,
	        "t: digest differs: the file was altered\n");
	put_file(signature, stranger.text.data, stranger.text.len);
	expect(WORDS("toolchain", "verify", tarball), CALL_FAILED, "signature by unknown key ");
	put_file(signature, "nonsense\n", 9);
	expect(WORDS("toolchain", "verify", tarball), CALL_FAILED, "no icemesh signature");
}

static void
test_list(void **state)
{
	(void)state;
	expect(WORDS("toolchain", "list"), CALL_DONE, "TOOLCHAIN ");
	expect(WORDS("toolchain", "list", "--json"), CALL_DONE, "[{\"digest\":\"");
}

static void
test_wrong_words(void **state)
{
	(void)state;
	expect(WORDS("toolchain"), CALL_USAGE, "say create, list or verify");
	expect(WORDS("toolchain", "sell"), CALL_USAGE, "unknown word 'sell'");
	expect(WORDS("toolchain", "verify"), CALL_USAGE, "name a tarball");
	expect(WORDS("toolchain", "create", "-o", "x", "a", "b"), CALL_USAGE,
	        "-o takes one compiler");
	expect(WORDS("toolchain", "create", "icemesh-no-such-cc"), CALL_FAILED,
	        "icemesh-no-such-cc: no such compiler in PATH");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_verify),
	        cmocka_unit_test(test_list), cmocka_unit_test(test_wrong_words)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
