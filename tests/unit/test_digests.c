#include "mesh/digests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "crypto/key.h"

static struct digest
number(unsigned i)
{
	struct digest d = {{0}};
	memcpy(d.bytes + (i % 3) * 8, &i, sizeof i); /* alike but for a few bytes */
	return d;
}

/* Against an array that knows what the set should hold. */
static void
test_like_an_array(void **state)
{
	(void)state;
	enum { N = 3000 };
	static uint32_t where[N];
	struct digests s;
	bool fresh;
	digests_init(&s, N);
	memset(where, 0xff, sizeof where);
	for (unsigned step = 0; step < 20000; step++) {
		uint16_t r;
		random_bytes(&r, sizeof r);
		unsigned i = r % N;
		struct digest d = number(i + 1);
		assert_int_equal(digests_find(&s, &d), where[i]);
		if (where[i] != DIGESTS_NONE && step % 3 == 0) {
			digests_remove(&s, where[i]);
			where[i] = DIGESTS_NONE;
			continue;
		}
		uint32_t got = digests_add(&s, &d, &fresh);
		assert_int_equal(fresh, where[i] == DIGESTS_NONE);
		if (!fresh)
			assert_int_equal(got, where[i]);
		where[i] = got;
		assert_true(digest_equal(digests_at(&s, got), &d));
	}
	unsigned n = 0;
	for (unsigned i = 0; i < N; i++)
		n += where[i] != DIGESTS_NONE;
	assert_int_equal(s.n, n);
	digests_fini(&s);
}

static void
test_limit(void **state)
{
	(void)state;
	struct digests s;
	struct digest d = number(99);
	bool fresh;
	digests_init(&s, 3);
	assert_int_equal(digests_find(&s, &d), DIGESTS_NONE);
	for (unsigned i = 0; i < 3; i++) {
		struct digest x = number(i);
		assert_int_equal(digests_add(&s, &x, &fresh), i);
	}
	assert_int_equal(digests_add(&s, &d, &fresh), DIGESTS_NONE);
	digests_remove(&s, 1);
	assert_int_equal(digests_add(&s, &d, &fresh), 1); /* the number that came free */
	digests_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_like_an_array),
	        cmocka_unit_test(test_limit),
	};
	return crypto_start() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
