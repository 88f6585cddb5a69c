#include "mesh/join.h"

#include "tests/unit/node_talk.h"

static struct rig a, b;

struct outcome {
	unsigned calls, peers;
	int err;
	char why[256];
};

static void
on_done(void *arg, int err, unsigned peers, const char *why)
{
	struct outcome *o = arg;
	o->calls++;
	o->err = err;
	o->peers = peers;
	snprintf(o->why, sizeof o->why, "%s", why);
}

static void
open_pair(void)
{
	rig_open(&a, "a");
	rig_open(&b, "b");
	rig_init(&a);
}

static void
close_pair(void)
{
	rig_close(&b);
	rig_close(&a);
}

static void
token_with_host(struct token *t, const struct rig *host)
{
	rig_token(&a, 1, 3600, t);
	snprintf(t->hosts, sizeof t->hosts, "127.0.0.1:%u", host->port);
}

/* Joins at b; the outcome. */
static struct outcome
join(const struct token *t, const char *seeds)
{
	struct outcome o = {0};
	char why[256] = "";
	struct join *j = join_begin(&b.n, t, seeds, on_done, &o, why);
	if (!j)
		fail_msg("%s", why);
	assert_int_equal(o.calls, 0);
	UNTIL(o.calls);
	assert_int_equal(o.calls, 1);
	return o;
}

static void
test_member(void **state)
{
	(void)state;
	struct token t;
	open_pair();
	token_with_host(&t, &a);
	struct outcome o = join(&t, "");
	if (o.err)
		fail_msg("%s", o.why);
	assert_int_equal(o.peers, 1);
	assert_int_equal(identity_cert(b.n.identity)->roles, ROLE_WORKER);
	assert_non_null(rig_member(&b, &a));
	UNTIL(rig_member(&a, &b));
	assert_int_equal(rig_member(&a, &b)->trust, TRUST_MEMBER);
	close_pair();
}

static void
test_spare(void **state)
{
	(void)state;
	char seed[32];
	open_pair();
	snprintf(seed, sizeof seed, "127.0.0.1:%u", a.port);
	struct outcome o = join(NULL, seed);
	assert_int_equal(o.err, 0);
	assert_true(identity_in_mesh(b.n.identity));
	assert_null(identity_cert(b.n.identity));
	assert_string_equal(identity_mesh_name(b.n.identity), "test");
	close_pair();
}

static void
test_used_token(void **state)
{
	(void)state;
	struct token t;
	open_pair();
	token_with_host(&t, &a);
	t.secret[0] ^= 1;
	struct outcome o = join(&t, "");
	assert_int_equal(o.err, IM_ERR_REFUSED);
	assert_non_null(strstr(o.why, "secret is wrong"));
	assert_false(identity_in_mesh(b.n.identity));
	close_pair();
}

/* The token's host belongs to another mesh: it never sees the secret. */
static void
test_other_mesh(void **state)
{
	(void)state;
	struct rig other;
	struct token t;
	open_pair();
	rig_open(&other, "other");
	rig_init(&other);
	token_with_host(&t, &other);
	struct outcome o = join(&t, "");
	assert_true(o.err < 0);
	assert_non_null(strstr(o.why, "another mesh"));
	assert_false(identity_in_mesh(b.n.identity));
	rig_close(&other);
	close_pair();
}

/* The first address leads to a member that is not the issuer, the second to nothing, the third to the issuer. */
static void
test_tries_every_host(void **state)
{
	(void)state;
	struct rig member;
	struct token t;
	char seeds[64];
	open_pair();
	rig_open(&member, "member");
	rig_enrol(&a, &member);
	token_with_host(&t, &a);
	snprintf(seeds, sizeof seeds, "127.0.0.1:%u, 127.0.0.1:1", member.port);
	struct outcome o = join(&t, seeds);
	if (o.err)
		fail_msg("%s", o.why);
	assert_int_equal(o.peers, 2);
	rig_close(&member);
	close_pair();
}

static void
test_nobody_there(void **state)
{
	(void)state;
	struct token t;
	char why[256] = "";
	struct outcome o;
	open_pair();
	token_with_host(&t, &a);
	t.hosts[0] = 0;
	o = join(&t, "127.0.0.1:1");
	assert_int_equal(o.err, IM_ERR_CLOSED);
	assert_non_null(strstr(o.why, "could be reached"));
	o = join(&t, "");
	assert_non_null(strstr(o.why, "--seed"));
	assert_null(join_begin(&b.n, &t, "127.0.0.1:99999", on_done, &o, why));
	assert_non_null(strstr(why, "HOST:PORT"));
	close_pair();
}

static void
test_cancel(void **state)
{
	(void)state;
	struct token t;
	struct outcome o = {0};
	char why[256];
	open_pair();
	token_with_host(&t, &a);
	unsigned before = rig_open_fds();
	struct join *j = join_begin(&b.n, &t, "", on_done, &o, why);
	rig_spin();
	join_cancel(j);
	join_cancel(NULL);
	UNTIL(rig_open_fds() == before);
	assert_int_equal(o.calls, 0);
	close_pair();
}

/* The mesh is left while the new member still waits to see its peers. */
static void
test_left_meanwhile(void **state)
{
	(void)state;
	struct token t;
	struct outcome o = {0};
	char why[256];
	open_pair();
	token_with_host(&t, &a);
	assert_non_null(join_begin(&b.n, &t, "", on_done, &o, why));
	UNTIL(identity_cert(b.n.identity));
	assert_int_equal(o.calls, 0);
	assert_int_equal(identity_leave(b.n.identity), 0);
	mesh_changed(&b.n);
	UNTIL(o.calls);
	assert_int_equal(o.err, IM_ERR_CLOSED);
	close_pair();
}

/* While this one was under way, another command made the node a member elsewhere. */
static void
test_member_meanwhile(void **state)
{
	(void)state;
	struct token t;
	struct outcome o = {0};
	char why[256];
	open_pair();
	token_with_host(&t, &a);
	assert_non_null(join_begin(&b.n, &t, "", on_done, &o, why));
	assert_int_equal(identity_init(b.n.identity, "own"), 0);
	mesh_changed(&b.n);
	UNTIL(o.calls);
	assert_true(o.err < 0);
	assert_string_equal(identity_mesh_name(b.n.identity), "own");
	close_pair();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_member, rig_teardown),
	        cmocka_unit_test_teardown(test_spare, rig_teardown),
	        cmocka_unit_test_teardown(test_used_token, rig_teardown),
	        cmocka_unit_test_teardown(test_other_mesh, rig_teardown),
	        cmocka_unit_test_teardown(test_tries_every_host, rig_teardown),
	        cmocka_unit_test_teardown(test_nobody_there, rig_teardown),
	        cmocka_unit_test_teardown(test_cancel, rig_teardown),
	        cmocka_unit_test_teardown(test_left_meanwhile, rig_teardown),
	        cmocka_unit_test_teardown(test_member_meanwhile, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
