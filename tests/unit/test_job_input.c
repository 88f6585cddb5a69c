/* A streamed input: blocks become a file in memory, which has to be what was announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "mesh/job_input.h"
#include "mesh/wire.h"

#define SIZE (WIRE_BLOCK_MAX + 1000)

static uint8_t text[SIZE];

static int
set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		text[i] = (uint8_t)(i * 7 + i / 251);
	return 0;
}

static int
block(struct job_stream *s, const void *p, size_t len)
{
	struct buf b;
	int err;

	buf_init(&b, 2 * WIRE_BLOCK_MAX);
	assert_int_equal(wire_block_encode(&b, p, len), 0);
	err = job_stream_block(s, b.data, b.len);
	buf_fini(&b);
	return err;
}

static void
test_stream(void **state)
{
	static uint8_t got[SIZE + 1];
	struct job_stream s;
	struct digest d;

	(void)state;
	digest_of(&d, text, SIZE);
	assert_int_equal(job_stream_begin(&s, SIZE), 0);
	assert_true(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(block(&s, text, WIRE_BLOCK_MAX), 0);
	assert_int_equal(block(&s, text, 0), 0);
	assert_int_equal(block(&s, text + WIRE_BLOCK_MAX, 1000), 0);
	assert_int_equal(s.size, SIZE);
	assert_int_equal(job_stream_end(&s, &d, SIZE), 0);
	assert_int_equal(read(s.fd, got, sizeof got), SIZE);
	assert_memory_equal(got, text, SIZE);
	close(s.fd);
}

static void
test_empty(void **state)
{
	struct job_stream s;
	struct digest d;

	(void)state;
	digest_of(&d, "", 0);
	assert_int_equal(job_stream_begin(&s, 0), 0);
	assert_int_equal(job_stream_end(&s, &d, 0), 0);
	close(s.fd);
}

static void
ends_with(size_t sent, const struct digest *d, uint64_t size, int err)
{
	struct job_stream s;

	assert_int_equal(job_stream_begin(&s, SIZE), 0);
	assert_int_equal(block(&s, text, sent), 0);
	assert_int_equal(job_stream_end(&s, d, size), err);
	close(s.fd);
}

static void
test_not_as_announced(void **state)
{
	struct digest d, other;

	(void)state;
	digest_of(&d, text, 100);
	other = d;
	other.bytes[31] ^= 1;
	ends_with(100, &d, 100, 0);
	ends_with(100, &other, 100, IM_ERR_DIGEST);
	ends_with(100, &d, 101, IM_ERR_DIGEST);
	ends_with(99, &d, 100, IM_ERR_DIGEST);
}

static void
test_limits(void **state)
{
	struct job_stream s;

	(void)state;
	assert_int_equal(job_stream_begin(&s, 1000), 0);
	assert_int_equal(block(&s, text, 999), 0);
	assert_int_equal(block(&s, text, 2), IM_ERR_LIMIT);
	assert_int_equal(s.size, 999);
	assert_int_equal(lseek(s.fd, 0, SEEK_END), 999);
	assert_int_equal(job_stream_block(&s, text, 3), IM_ERR_TRUNCATED);
	assert_int_equal(
	        job_stream_block(&s, (const uint8_t *)"\377\377\377\377x", 5), IM_ERR_LIMIT);
	assert_int_equal(
	        job_stream_block(&s, (const uint8_t *)"\0\0\0\1\377\377", 6), IM_ERR_FORMAT);
	assert_int_equal(block(&s, text, 1), 0);
	close(s.fd);
	s.fd = -1;
	s.max = 2000;
	assert_int_equal(block(&s, text, 1), IM_ERR_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_stream),
	        cmocka_unit_test(test_empty),
	        cmocka_unit_test(test_not_as_announced),
	        cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
