/*
 * Ten thousand forged beacons a second: how many signatures are checked for them, and what the true
 * ones come to meanwhile. The Makefile lets this file count the calls of key_verify.
 */
#include "fake_mesh.h"

#define MEMBERS 30
#define PER_MS 10
#define SECONDS 5
/* The budget of gossip/inbox.h, and what it starts with for members; that for newcomers is not to be
 * had by forging, since places with forgeries wait. */
#define CHECKS_MAX ((60 + 40) * SECONDS + 120)

static uint64_t checks;

int __real_key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes,
        size_t len, const uint8_t sig[SIGNATURE_LEN]);
int __wrap_key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes,
        size_t len, const uint8_t sig[SIGNATURE_LEN]);

int
__wrap_key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes,
        size_t len, const uint8_t sig[SIGNATURE_LEN])
{
	checks++;
	return __real_key_verify(sign_pk, domain, bytes, len, sig);
}

/* Some beacons to send in turn. */
struct shots {
	uint8_t bytes[256][BEACON_LEN_MAX];
	size_t len[256];
	struct endpoint from[256];
	unsigned n, at;
};

/* A mesh of members that have met, the first of which is looked at. */
static struct fake_mesh *
mesh(void)
{
	struct fake_mesh *f = fake_mesh_new();

	for (int i = 0; i < MEMBERS; i++)
		fake_node(f, 1);
	fake_run(f, 3000);
	assert_int_equal(gossip_count_up(f->nodes[0].g), MEMBERS - 1);
	return f;
}

/* n's beacon with a changed text, as if from `from`. */
static void
load_forged(struct shots *s, const struct fake_node *n, uint64_t boot, uint64_t seq,
        const struct endpoint *from)
{
	uint8_t *bytes = s->bytes[s->n];
	size_t len = fake_beacon(n, boot, seq, bytes);
	uint8_t *name = memmem(bytes, len, "forged", 6);

	assert_non_null(name);
	name[0] = 'F';
	s->from[s->n] = *from;
	s->len[s->n++] = len;
}

/* Time passes, the flood comes in at the first node, and 'late' joins after two seconds; returns
 * after how many ms it was there, or 0. */
static uint64_t
flood(struct fake_mesh *f, struct shots *s, struct fake_node *late)
{
	struct fake_node *me = &f->nodes[0];
	uint64_t seen = 0, own = 0;
	for (unsigned ms = 0; ms < SECONDS * 1000; ms++) {
		uint64_t before = checks;

		if (ms == 2000)
			fake_start(f, late, 1);
		for (unsigned i = 0; i < PER_MS; i++, s->at = (s->at + 1) % s->n)
			(void)!gossip_receive(me->g, s->bytes[s->at], s->len[s->at],
			        &s->from[s->at], true, f->now_ms);
		gossip_tick(me->g, f->now_ms);
		own += checks - before;
		f->now_ms++;
		if (ms % 5 == 0) /* the others, and what is sent */
			fake_run(f, 0);
		if (!seen && ms >= 2000 && fake_state(me, late) == MEMBER_UP)
			seen = ms - 1999;
	}
	print_message(
	        "%.1f checks/s, newcomer after %u ms\n", (double)own / SECONDS, (unsigned)seen);
	assert_true(own <= CHECKS_MAX);
	for (size_t i = 1; i < MEMBERS; i++)
		assert_int_equal(fake_state(me, &f->nodes[i]), MEMBER_UP);
	return seen;
}

/* Names of members, from an address of the forger's own. */
static void
a_forger_is_alone_with_its_address(void **state)
{
	struct fake_mesh *f = mesh();
	struct fake_node *late = fake_add(f, 1, false);
	struct shots *s = calloc(1, sizeof(*s));
	struct endpoint from = {4, {10, 9, 9, 9}, 1, 0};
	uint64_t before = 0;
	struct gossip_counts c;

	(void)state;
	for (uint64_t i = 0; i < 256; i++)
		load_forged(s, &f->nodes[1 + i % (MEMBERS - 1)], 1, 1000 + i, &from);
	assert_in_range(flood(f, s, late), 1, 500);
	gossip_counts(f->nodes[0].g, &c);
	before = c.bad_signature;
	assert_in_range(before, 1, 10); /* ever more rarely looked at */
	free(s);
	fake_mesh_free(f);
}

/* The same from the members' addresses, and claims of their restart from anywhere. */
static void
members_outlive_spoofed_addresses(void **state)
{
	struct fake_mesh *f = mesh();
	struct fake_node *late = fake_add(f, 1, false);
	struct shots *s = calloc(1, sizeof(*s));
	struct gossip_counts c;

	(void)state;
	for (uint64_t i = 0; i < 256; i++) {
		struct fake_node *n = &f->nodes[1 + i % (MEMBERS - 1)];

		load_forged(s, n, 1 + i % 2, 1000 + i, &n->at);
	}
	assert_in_range(flood(f, s, late), 1, 2000);
	gossip_counts(f->nodes[0].g, &c);
	assert_true(c.bad_signature > 10);
	free(s);
	fake_run(f, 90000); /* it ends, and all is as before */
	assert_int_equal(gossip_count_up(f->nodes[0].g), MEMBERS);
	assert_true(fake_view(&f->nodes[0], &f->nodes[1])->heard_ms + 2000 > f->now_ms);
	fake_mesh_free(f);
}

/* Keys made by the dozen, each a proper stranger, from one address. */
static void
strangers_take_turns_with_members(void **state)
{
	struct fake_mesh *f = mesh();
	struct fake_node *late = fake_add(f, 1, false), *n = NULL;
	struct shots *s = calloc(1, sizeof(*s));
	struct endpoint from = {4, {10, 9, 9, 9}, 1, 0};

	(void)state;
	for (uint64_t i = 0; i < 256; i++) {
		if (i % 2 == 0)
			n = i < 200 ? fake_add(f, 0, true) : n;
		s->len[s->n] = fake_beacon(n, 1, 1 + i, s->bytes[s->n]);
		s->from[s->n++] = from;
	}
	assert_in_range(flood(f, s, late), 1, 1000);
	free(s);
	fake_mesh_free(f);
}

/* Strangers' beacons from addresses that never come twice: the cost is bounded, and whoever
 * is really there comes in by and by, at the latest when it is over. */
static void
spoofed_strangers_cost_little(void **state)
{
	struct fake_mesh *f = mesh();
	struct fake_node *late = fake_add(f, 1, false);
	struct fake_node *n = fake_add(f, 0, false);
	struct shots *s = calloc(1, sizeof(*s));

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		struct endpoint from = {4, {10, 8, 1, (uint8_t)i}, 1, 0};

		load_forged(s, n, 1, 1 + i, &from);
	}
	(void)flood(f, s, late);
	free(s);
	fake_run(f, 5000);
	assert_int_equal(fake_state(&f->nodes[0], late), MEMBER_UP);
	fake_mesh_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_forger_is_alone_with_its_address),
	        cmocka_unit_test(members_outlive_spoofed_addresses),
	        cmocka_unit_test(strangers_take_turns_with_members),
	        cmocka_unit_test(spoofed_strangers_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
