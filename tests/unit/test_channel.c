/* The sealed channel: what goes in comes out, in order, and nothing else does. */
#include "crypto/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/key.h"
#include "tests/unit/mangle.h"

struct pair {
	struct channel a, b;
};

static int
make_pair(void **state)
{
	uint8_t ab[32], ba[32], header[CHANNEL_HEADER_LEN];
	struct pair *p = aligned_alloc(_Alignof(struct pair), sizeof *p);

	if (p == NULL)
		return -1;
	memset(ab, 1, sizeof ab);
	memset(ba, 2, sizeof ba);
	channel_start_send(&p->a, ab, header);
	if (channel_start_recv(&p->b, ab, header) != 0)
		return -1;
	channel_start_send(&p->b, ba, header);
	if (channel_start_recv(&p->a, ba, header) != 0)
		return -1;
	*state = p;
	return 0;
}

static int
free_pair(void **state)
{
	free(*state);
	return 0;
}

/* Seals text on one end, opens it on the other, and holds the result against it. */
static void
pass(struct channel *from, struct channel *to, uint8_t type, const char *text)
{
	uint8_t plain[256];
	struct buf b;
	size_t n = 0;

	buf_init(&b, 1000);
	assert_int_equal(channel_seal(from, type, text, strlen(text), &b), 0);
	assert_int_equal(b.len, 4 + 1 + strlen(text) + CHANNEL_OVERHEAD);
	assert_int_equal(get_u32(b.data), b.len - 4);
	assert_int_equal(channel_open(to, b.data + 4, b.len - 4, plain, &n), 0);
	assert_int_equal(n, 1 + strlen(text));
	assert_int_equal(plain[0], type);
	assert_memory_equal(plain + 1, text, strlen(text));
	buf_fini(&b);
}

static void
test_both_ways(void **state)
{
	struct pair *p = *state;

	pass(&p->a, &p->b, 1, "first");
	pass(&p->b, &p->a, 255, "answer");
	pass(&p->a, &p->b, 2, "");
	pass(&p->a, &p->b, 3, "third");
}

static void
test_plain_text_does_not_show(void **state)
{
	static const char secret[] = "int main(void) { return 42; }";
	struct pair *p = *state;
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(channel_seal(&p->a, 1, secret, sizeof secret, &b), 0);
	assert_null(memmem(b.data, b.len, secret + 4, 4));
	buf_fini(&b);
}

static void
test_limits(void **state)
{
	struct pair *p = *state;
	uint8_t *big = calloc(1, CHANNEL_FRAME_MAX + 1), *plain = malloc(CHANNEL_MESSAGE_MAX);
	struct buf b;
	size_t n = 7;

	assert_true(big != NULL && plain != NULL);
	buf_init(&b, 2 * CHANNEL_FRAME_MAX);
	assert_int_equal(channel_seal(&p->a, 1, big, CHANNEL_MESSAGE_MAX, &b), IM_ERR_LIMIT);
	assert_int_equal(b.len, 0);
	assert_int_equal(channel_seal(&p->a, 1, big, CHANNEL_MESSAGE_MAX - 1, &b), 0);
	assert_int_equal(b.len, 4 + CHANNEL_FRAME_MAX);
	assert_int_equal(channel_open(&p->b, big, CHANNEL_FRAME_MAX + 1, plain, &n), IM_ERR_LIMIT);
	assert_int_equal(channel_open(&p->b, big, SIZE_MAX, plain, &n), IM_ERR_LIMIT);
	assert_int_equal(n, 7);
	assert_int_equal(channel_open(&p->b, b.data + 4, b.len - 4, plain, &n), 0);
	assert_int_equal(n, CHANNEL_MESSAGE_MAX);
	buf_fini(&b);
	buf_init(&b, 30);
	assert_int_equal(channel_seal(&p->a, 1, "123456789", 9, &b), IM_ERR_LIMIT);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
	pass(&p->a, &p->b, 1, "a frame that found no room was never counted");
	free(big);
	free(plain);
}

/* Every size around ChaCha20's blocks, and the largest: opened where the ciphertext stands. */
static void
test_in_place(void **state)
{
	static uint8_t body[CHANNEL_MESSAGE_MAX - 1];
	struct pair *p = *state;
	struct buf b;
	size_t n;

	random_bytes(body, sizeof(body));
	buf_init(&b, sizeof(body) + 100);
	for (size_t len = 0; len <= sizeof(body); len = len < 1100 ? len + 1 : 2 * len) {
		size_t now = 2 * len > sizeof(body) && len > 1100 ? sizeof(body) : len;

		buf_reset(&b);
		assert_int_equal(channel_seal(&p->a, 7, body, now, &b), 0);
		assert_int_equal(channel_open(&p->b, b.data + 4, b.len - 4, b.data + 5, &n), 0);
		assert_int_equal(n, now + 1);
		assert_int_equal(b.data[5], 7);
		assert_memory_equal(b.data + 6, body, now);
	}
	buf_fini(&b);
}

static void
test_replay_and_order(void **state)
{
	struct pair *p = *state;
	uint8_t plain[64];
	struct buf one, two;
	size_t n;

	buf_init(&one, 100);
	buf_init(&two, 100);
	assert_int_equal(channel_seal(&p->a, 1, "one", 3, &one), 0);
	assert_int_equal(channel_seal(&p->a, 1, "two", 3, &two), 0);
	assert_int_equal(channel_open(&p->b, two.data + 4, two.len - 4, plain, &n),
	        IM_ERR_SIGNATURE); /* too early */
	assert_int_equal(channel_open(&p->b, one.data + 4, one.len - 4, plain, &n), 0);
	assert_int_equal(channel_open(&p->b, one.data + 4, one.len - 4, plain, &n),
	        IM_ERR_SIGNATURE); /* again */
	assert_int_equal(channel_open(&p->a, two.data + 4, two.len - 4, plain, &n),
	        IM_ERR_SIGNATURE); /* sent back */
	assert_int_equal(channel_open(&p->b, two.data + 4, two.len - 4, plain, &n), 0);
	buf_fini(&one);
	buf_fini(&two);
}

static void
test_export_import(void **state)
{
	struct pair *p = *state;
	uint8_t bytes[CHANNEL_STATE_LEN];
	struct channel moved;

	pass(&p->a, &p->b, 1, "before");
	memset(&moved, 0x77, sizeof moved);
	channel_export(&p->a, bytes);
	channel_wipe(&p->a);
	channel_import(&moved, bytes);
	pass(&moved, &p->b, 1, "after");
	pass(&p->b, &moved, 2, "answer");
	channel_export(&moved, bytes);
	channel_import(&p->a, bytes);
	pass(&p->a, &p->b, 3, "back again");
	pass(&p->b, &p->a, 3, "both ways");
}

static void
test_wipe(void **state)
{
	struct pair *p = *state;
	struct channel zero;

	memset(&zero, 0, sizeof zero);
	channel_wipe(&p->a);
	assert_memory_equal(&p->a, &zero, sizeof zero);
}

static bool
opens(const uint8_t *bytes, size_t len, void *arg)
{
	uint8_t plain[64];
	size_t n = 0;

	return channel_open(arg, bytes, len, plain, &n) == 0 || n != 0;
}

static void
test_mangled(void **state)
{
	struct pair *p = *state;
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(channel_seal(&p->a, 1, "some message", 12, &b), 0);
	assert_int_equal(mangle_cut(opens, b.data + 4, b.len - 4, &p->b), 0);
	assert_int_equal(mangle_flip(opens, b.data + 4, b.len - 4, b.len - 4, &p->b), 0);
	assert_true(opens(b.data + 4, b.len - 4, &p->b)); /* none of them moved the stream on */
	buf_fini(&b);
}

static int
setup(void **state)
{
	(void)state;
	return crypto_start();
}

#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, make_pair, free_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        WITH_PAIR(test_both_ways),
	        WITH_PAIR(test_plain_text_does_not_show),
	        WITH_PAIR(test_limits),
	        WITH_PAIR(test_in_place),
	        WITH_PAIR(test_replay_and_order),
	        WITH_PAIR(test_export_import),
	        WITH_PAIR(test_wipe),
	        WITH_PAIR(test_mangled),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
