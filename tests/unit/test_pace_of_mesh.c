/*
 * The pace of a whole mesh: what each node receives in a second, in peace and in storms. Signatures
 * are not checked here (the Makefile lets this file stand in for key_verify), only counted.
 */
#include "fake_mesh.h"

#define NODES 200
#define INTERVAL_MS 2000 /* of a mesh of that size */

static uint64_t verified;

int __wrap_key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes,
        size_t len, const uint8_t sig[SIGNATURE_LEN]);

int
__wrap_key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes,
        size_t len, const uint8_t sig[SIGNATURE_LEN])
{
	(void)sign_pk, (void)domain, (void)bytes, (void)len, (void)sig;
	verified++;
	return 0;
}

/* Beacons that the average node received in a second, over the next ms. */
static double
rate(struct fake_mesh *f, uint64_t ms)
{
	double sum = 0;

	for (size_t i = 0; i < f->n; i++)
		f->nodes[i].received = 0;
	fake_run(f, ms);
	for (size_t i = 0; i < f->n; i++)
		sum += f->nodes[i].received;
	return sum / (double)f->n * 1000 / (double)ms;
}

/* All start within a second. */
static struct fake_mesh *
storm(void)
{
	struct fake_mesh *f = fake_mesh_new();

	for (int i = 0; i < NODES; i++) {
		fake_node(f, 1);
		fake_run(f, 1000 / NODES);
	}
	return f;
}

static void
assert_complete(const struct fake_mesh *f)
{
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(gossip_count_up(f->nodes[i].g), f->n - 1);
}

static void
a_storm_of_hellos_is_weathered(void **state)
{
	struct fake_mesh *f = storm();
	double first = rate(f, 5000), later, checks;

	(void)state;
	assert_complete(f);
	verified = 0;
	later = rate(f, 20000);
	checks = (double)verified / NODES / 20;
	print_message("after the storm %.0f/s, then %.0f/s, %.0f checked\n", first, later, checks);
	assert_true(first < 140);
	assert_true(later > 80 && later < 120);
	assert_true(checks < 80);
	assert_complete(f);
	fake_mesh_free(f);
}

/* Each second another node starts anew: all answer, at no more than the usual pace. */
static void
newcomers_do_not_raise_the_pace(void **state)
{
	struct fake_mesh *f = storm();
	double sum = 0;

	(void)state;
	fake_run(f, 5000);
	for (unsigned i = 0; i < 20; i++) {
		fake_stop(&f->nodes[i * 7]);
		fake_start(f, &f->nodes[i * 7], 2);
		sum += rate(f, 1000);
	}
	print_message("with newcomers %.0f/s\n", sum / 20);
	assert_true(sum / 20 < 125);
	fake_run(f, 3 * INTERVAL_MS);
	assert_complete(f);
	fake_mesh_free(f);
}

/* All nodes become busy and idle five times a second. */
static void
edges_do_not_raise_the_pace(void **state)
{
	struct fake_mesh *f = storm();
	struct load l = {.slots = 4};
	double sum = 0;

	(void)state;
	fake_run(f, 5000);
	for (unsigned i = 0; i < 50; i++) {
		l.used = i % 2 ? 4 : 0;
		for (size_t k = 0; k < f->n; k++)
			gossip_load(f->nodes[k].g, &l, f->now_ms);
		sum += rate(f, 200);
	}
	print_message("with edges %.0f/s\n", sum / 50);
	assert_true(sum / 50 < 130);
	fake_mesh_free(f);
}

/* A node that builds looks at all once a second: the news of each are as fresh as the budget for all allows, wherever it stands in the
 * list. */
static void
whoever_looks_sees_all_alike(void **state)
{
	struct fake_mesh *f = storm();
	struct gossip *g = f->nodes[0].g;
	uint64_t oldest = 0;
	const struct member *m;

	(void)state;
	fake_run(f, 20000);
	for (unsigned s = 0; s < 60; s++) {
		uint64_t worst = 0;

		fake_run(f, 1000);
		for (size_t i = 0; (m = gossip_member(g, i)); i++)
			worst = f->now_ms - m->heard_ms > worst ? f->now_ms - m->heard_ms : worst;
		oldest = s >= 10 && worst > oldest ? worst : oldest;
	}
	print_message("the oldest news are %u ms old\n", (unsigned)oldest);
	assert_true(oldest < 4 * INTERVAL_MS);
	assert_complete(f);
	fake_mesh_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_storm_of_hellos_is_weathered),
	        cmocka_unit_test(newcomers_do_not_raise_the_pace),
	        cmocka_unit_test(edges_do_not_raise_the_pace),
	        cmocka_unit_test(whoever_looks_sees_all_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
