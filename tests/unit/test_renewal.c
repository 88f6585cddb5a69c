/* A certificate past half of its lifetime is renewed by the node that holds the root key; others ask it. */
#include "tests/unit/node_rig.h"

#include "mesh/renewal.h"

#define DAY 86400ULL

/* Puts a certificate of that age on the node, as a member that has been in the mesh for so long has. */
static void
age_cert(struct rig *issuer, struct rig *r, uint64_t days)
{
	struct key root;
	struct buf cert;
	char path[FILES_PATH_SIZE];
	struct cert c = *identity_cert(r->n.identity);
	assert_int_equal(files_path(path, issuer->n.config.state_dir, "root.key"), 0);
	assert_int_equal(key_load(&root, path), 0);
	c.not_before = wall_seconds() - days * DAY;
	c.not_after = c.not_before + 30 * DAY;
	buf_init(&cert, CERT_LEN_MAX);
	assert_int_equal(cert_issue(&c, &root, &cert), 0);
	assert_int_equal(identity_take_cert(r->n.identity, cert.data, cert.len), 0);
	buf_fini(&cert);
	key_wipe(&root);
}

static bool
fresh(struct rig *r)
{
	return identity_cert(r->n.identity)->not_after > wall_seconds() + 29 * DAY;
}

static void
test_issuer(void **state)
{
	(void)state;
	struct rig a;
	rig_open(&a, "a");
	rig_init(&a);
	struct renewal *r = renewal_new(&a.n);
	assert_non_null(r);
	age_cert(&a, &a, 14);
	renewal_look(r);
	assert_false(fresh(&a)); /* not yet half of its life */
	age_cert(&a, &a, 16);
	renewal_look(r);
	assert_true(fresh(&a));
	renewal_free(r);
	rig_close(&a);
}

static void
test_member(void **state)
{
	(void)state;
	struct rig a, b;
	rig_open(&a, "a");
	rig_open(&b, "b");
	rig_init(&a);
	rig_enrol(&a, &b);
	struct renewal *r = renewal_new(&b.n);
	assert_non_null(r);
	age_cert(&a, &b, 20);
	assert_false(fresh(&b));
	uint32_t roles = identity_cert(b.n.identity)->roles;
	renewal_look(r);
	UNTIL(fresh(&b));
	assert_int_equal(identity_cert(b.n.identity)->roles, roles);
	assert_string_equal(identity_cert(b.n.identity)->name, "b");
	assert_false(identity_is_issuer(b.n.identity));
	renewal_free(r);
	rig_close(&b);
	rig_close(&a);
}

/* A member cannot renew others, and says so. */
static void
test_only_the_issuer(void **state)
{
	(void)state;
	struct rig a, b;
	struct buf cert;
	rig_open(&a, "a");
	rig_open(&b, "b");
	rig_init(&a);
	rig_enrol(&a, &b);
	buf_init(&cert, CERT_LEN_MAX);
	assert_int_equal(
	        identity_renew(b.n.identity, identity_cert(a.n.identity), &cert), IM_ERR_REFUSED);
	buf_fini(&cert);
	rig_close(&b);
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_issuer, rig_teardown),
	        cmocka_unit_test_teardown(test_member, rig_teardown),
	        cmocka_unit_test_teardown(test_only_the_issuer, rig_teardown),
	};
	assert_int_equal(crypto_start(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
