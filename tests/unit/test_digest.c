/* BLAKE2b-256 in one go, in pieces and from a descriptor; its text form. */
#include "crypto/digest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "crypto/key.h"

static const char empty_hex[] = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";
static const char abc_hex[] = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";

static void
test_known_values(void **state)
{
	struct digest d;
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	digest_of(&d, NULL, 0);
	digest_hex(&d, hex);
	assert_string_equal(hex, empty_hex);
	digest_of(&d, "abc", 3);
	digest_hex(&d, hex);
	assert_string_equal(hex, abc_hex);
}

static void
test_pieces(void **state)
{
	struct digest_stream s;
	struct digest one, two;
	uint8_t bytes[1000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	digest_of(&one, bytes, sizeof bytes);
	digest_begin(&s);
	for (i = 0; i < sizeof bytes; i += 40)
		digest_add(&s, bytes + i, 40);
	digest_add(&s, NULL, 0);
	digest_end(&s, &two);
	assert_true(digest_equal(&one, &two));
	bytes[500] ^= 1;
	digest_of(&two, bytes, sizeof bytes);
	assert_false(digest_equal(&one, &two));
}

static void
test_descriptor(void **state)
{
	struct digest one, two;
	size_t len = 200001;
	uint8_t *bytes = malloc(len);
	uint64_t size = 0;
	int fd = memfd_create("test_digest", MFD_CLOEXEC);

	(void)state;
	assert_non_null(bytes);
	assert_true(fd >= 0);
	memset(bytes, 'x', len);
	assert_int_equal(write(fd, bytes, len), len);
	digest_of(&one, bytes, len);
	assert_int_equal(digest_of_fd(&two, &size, fd),
	        0); /* from offset 0, although the file stands at its end */
	assert_int_equal(size, len);
	assert_true(digest_equal(&one, &two));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), len);
	close(fd);
	size = 5;
	assert_int_equal(digest_of_fd(&two, &size, fd), IM_ERR_SYSTEM);
	assert_int_equal(errno, EBADF);
	assert_int_equal(size, 5);
	assert_true(digest_equal(&one, &two));
	free(bytes);
}

static void
test_text(void **state)
{
	struct digest d, want;
	char hex[DIGEST_HEX_SIZE + 1] = {0};

	(void)state;
	digest_of(&want, "abc", 3);
	assert_int_equal(digest_from_hex(&d, abc_hex), 0);
	assert_true(digest_equal(&d, &want));
	memcpy(hex, abc_hex, sizeof abc_hex);
	hex[0] = 'B'; /* the same value, another name */
	assert_int_equal(digest_from_hex(&d, hex), IM_ERR_FORMAT);
	hex[0] = 'g';
	assert_int_equal(digest_from_hex(&d, hex), IM_ERR_FORMAT);
	hex[0] = 'b';
	hex[64] = '0';
	assert_int_equal(digest_from_hex(&d, hex), IM_ERR_FORMAT);
	hex[63] = '\0';
	assert_int_equal(digest_from_hex(&d, hex), IM_ERR_FORMAT);
	assert_int_equal(digest_from_hex(&d, ""), IM_ERR_FORMAT);
	assert_true(digest_equal(&d, &want));
}

static int
setup(void **state)
{
	(void)state;
	return crypto_start();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_known_values),
	        cmocka_unit_test(test_pieces),
	        cmocka_unit_test(test_descriptor),
	        cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
