#include "client/absent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/inputs_rig.h"

#define KEY "folder?"

static uint64_t
hash_of(unsigned i)
{
	char name[32];

	return absent_hash(name, (size_t)snprintf(name, sizeof(name), "dir/name%u.h", i));
}

static void
hashes_differ(void **state)
{
	static const char *const names[] = {"a", "b", "ab", "ba", "a\0", "abcdefgh", "abcdefg",
	        "abcdefghi", "abcdefghabcdefgh", ""};
	static const size_t lens[] = {1, 1, 2, 2, 2, 8, 7, 9, 16, 0};

	(void)state;
	for (size_t i = 0; i < 10; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(
			        absent_hash(names[i], lens[i]) != absent_hash(names[k], lens[k]));
	assert_true(absent_hash("stdio.h", 7) == absent_hash("stdio.h.gch", 7));
}

/* As jobs do: each loads, finds some names missing, adds them. */
static void
names_stay_known(void **state)
{
	char key[] = KEY;
	struct absent a;

	(void)state;
	struct rig rig = {.fd = 0};
	assert_int_equal(rig_graph(&rig, 8u << 20), 0);
	for (unsigned i = 0; i < 3000; i += 3) {
		uint64_t some[3] = {hash_of(i), hash_of(i + 1), hash_of(i + 2)};

		absent_load(&a, rig.graph, key, sizeof(key));
		for (unsigned k = i > 700 ? i - 700 : 0; k < i; k++)
			assert_true(absent_has(&a, hash_of(k)));
		for (unsigned k = i; k < i + 10; k++)
			assert_false(absent_has(&a, hash_of(k)));
		assert_int_equal(absent_add(&a, rig.graph, key, sizeof(key), some, 3), 0);
	}
	absent_load(&a, rig.graph, key, sizeof(key));
	for (unsigned i = 0; i < 3000; i++)
		assert_true(absent_has(&a, hash_of(i)));
	/* each name was written a few times, not once for each job that came later */
	assert_true(rig_used(&rig) < 3000 * 400);
	key[0]++;
	absent_load(&a, rig.graph, key, sizeof(key));
	assert_false(absent_has(&a, hash_of(0)));
	graph_free(rig.graph);
	close(rig.fd);
}

static void
too_many_names_begin_anew(void **state)
{
	enum { MANY = 11000 };
	static uint64_t hashes[MANY];
	struct rig rig = {.fd = 0};
	char key[] = KEY;
	struct absent a;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		hashes[i] = hash_of(i);
	assert_int_equal(rig_graph(&rig, 8u << 20), 0);
	absent_load(&a, rig.graph, key, sizeof(key));
	assert_int_equal(absent_add(&a, rig.graph, key, sizeof(key), hashes, 8000), 0);
	absent_load(&a, rig.graph, key, sizeof(key));
	assert_true(absent_has(&a, hashes[0]));
	assert_int_equal(absent_add(&a, rig.graph, key, sizeof(key), hashes + 8000, 1500), 0);
	absent_load(&a, rig.graph, key, sizeof(key));
	assert_true(absent_has(&a, hashes[0]) && absent_has(&a, hashes[9000]));
	assert_int_equal(absent_add(&a, rig.graph, key, sizeof(key), hashes + 9500, 1500), 0);
	absent_load(&a, rig.graph, key, sizeof(key));
	assert_false(absent_has(&a, hashes[0]));
	assert_true(absent_has(&a, hashes[9500]) && absent_has(&a, hashes[MANY - 1]));
	assert_int_equal(absent_add(&a, rig.graph, key, sizeof(key), hashes, MANY), 0);
	graph_free(rig.graph);
	close(rig.fd);
}

static void
no_graph_knows_nothing(void **state)
{
	uint64_t hash = hash_of(1);
	char key[] = KEY;
	struct absent a;

	(void)state;
	absent_load(&a, NULL, key, sizeof(key));
	assert_false(absent_has(&a, hash));
	assert_int_equal(absent_add(&a, NULL, key, sizeof(key), &hash, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hashes_differ),
	        cmocka_unit_test(names_stay_known), cmocka_unit_test(too_many_names_begin_anew),
	        cmocka_unit_test(no_graph_knows_nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
