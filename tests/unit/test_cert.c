/* Certificates: issued and checked, and refused for each thing that can be wrong with one. */
#include "crypto/cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "crypto/packet.h"
#include "tests/unit/mangle.h"

#define NOW 1800000000u
#define FIELDS 10

struct issuer {
	struct key root, node;
	struct cert c;
	struct buf bytes;
};

static void
issuer_init(struct issuer *is)
{
	memset(is, 0, sizeof *is);
	key_make(&is->root, NULL);
	key_make(&is->node, NULL);
	memcpy(is->c.sign_pk, is->node.sign_pk, SIGN_PK_LEN);
	memcpy(is->c.dh_pk, is->node.dh_pk, DH_LEN);
	snprintf(is->c.name, NAME_SIZE, "builder");
	snprintf(is->c.owner, NAME_SIZE, "alice");
	is->c.roles = ROLE_WORKER | ROLE_SIGNER;
	is->c.not_before = NOW - 10;
	is->c.not_after = NOW + 10;
	buf_init(&is->bytes, 4096);
}

static void
test_round_trip(void **state)
{
	struct issuer is;
	struct node_id node;
	struct mesh_id mesh;
	struct cert got;

	(void)state;
	issuer_init(&is);
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), 0);
	assert_true(is.bytes.len <= CERT_LEN_MAX);
	assert_int_equal(cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW), 0);
	node_id_of(&node, is.node.sign_pk);
	mesh_id_of(&mesh, is.root.sign_pk);
	assert_int_equal(node_id_cmp(&got.node, &node), 0);
	assert_int_equal(node_id_cmp(&is.c.node, &node), 0);
	assert_memory_equal(got.mesh.bytes, mesh.bytes, MESH_ID_LEN);
	assert_memory_equal(got.serial, is.c.serial, sizeof got.serial);
	assert_memory_equal(got.sign_pk, is.node.sign_pk, SIGN_PK_LEN);
	assert_memory_equal(got.dh_pk, is.node.dh_pk, DH_LEN);
	assert_string_equal(got.name, "builder");
	assert_string_equal(got.owner, "alice");
	assert_int_equal(got.roles, ROLE_WORKER | ROLE_SIGNER);
	assert_int_equal(got.not_before, NOW - 10);
	assert_int_equal(got.not_after, NOW + 10);
	buf_fini(&is.bytes);
}

static void
test_serials_differ(void **state)
{
	struct issuer is;
	uint8_t serial[8];

	(void)state;
	issuer_init(&is);
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), 0);
	memcpy(serial, is.c.serial, sizeof serial);
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), 0);
	assert_memory_not_equal(serial, is.c.serial, sizeof serial);
	buf_fini(&is.bytes);
}

static void
test_longest_fits(void **state)
{
	struct issuer is;
	struct cert got;

	(void)state;
	issuer_init(&is);
	memset(is.c.name, 'n', NAME_SIZE - 1);
	memset(is.c.owner, 'o', NAME_SIZE - 1);
	is.c.roles = ROLES_ALL;
	is.c.not_after = UINT64_MAX;
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), 0);
	assert_true(is.bytes.len <= CERT_LEN_MAX);
	assert_int_equal(cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW), 0);
	assert_string_equal(got.name, is.c.name);
	buf_fini(&is.bytes);
}

static void
test_lifetime(void **state)
{
	struct issuer is;
	struct cert got;

	(void)state;
	issuer_init(&is);
	memset(&got, 9, sizeof got);
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), 0);
	assert_int_equal(cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW - 11),
	        IM_ERR_EXPIRED);
	assert_int_equal(cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW + 11),
	        IM_ERR_EXPIRED);
	assert_int_equal(got.roles, 0x09090909); /* untouched on error */
	assert_int_equal(
	        cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW - 10), 0);
	assert_int_equal(
	        cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW + 10), 0);
	buf_fini(&is.bytes);
}

static void
test_other_root(void **state)
{
	struct issuer is;
	struct key other;
	struct cert got;

	(void)state;
	issuer_init(&is);
	key_make(&other, NULL);
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), 0);
	assert_int_equal(cert_check(&got, is.bytes.data, is.bytes.len, other.sign_pk, NOW),
	        IM_ERR_OTHER_MESH);
	buf_fini(&is.bytes);
}

static void
test_not_issued(void **state)
{
	struct issuer is;

	(void)state;
	issuer_init(&is);
	is.c.name[0] = '\x1b';
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), IM_ERR_FORMAT);
	is.c.name[0] = 'b';
	memset(is.c.owner, 'o', NAME_SIZE); /* no NUL */
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), IM_ERR_FORMAT);
	is.c.owner[0] = '\0';
	is.c.roles = 8;
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), IM_ERR_FORMAT);
	is.c.roles = 0;
	is.c.not_after = is.c.not_before - 1;
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), IM_ERR_FORMAT);
	assert_int_equal(is.bytes.len, 0);
	buf_fini(&is.bytes);
}

/* A body with one thing changed, properly signed by the root: what a root of a later version might
 * make. */
struct variant {
	uint64_t version;
	uint64_t roles;
	const char *name;
	unsigned drop, extra; /* keys; 0 for none */
	int want;
};

static void
make_variant(
        const struct issuer *is, const struct variant *v, const struct key *signer, struct buf *out)
{
	struct mesh_id mesh;
	uint8_t serial[8] = {0}, sig[SIGNATURE_LEN];
	struct buf b;

	mesh_id_of(&mesh, is->root.sign_pk);
	buf_init(&b, 4096);
	pack_map(&b, FIELDS - (v->drop != 0) + (v->extra != 0));
	pack_kuint(&b, 1, v->version);
	pack_kbytes(&b, 2, mesh.bytes, MESH_ID_LEN);
	pack_kbytes(&b, 3, serial, sizeof serial);
	pack_kbytes(&b, 4, is->c.sign_pk, SIGN_PK_LEN);
	pack_kbytes(&b, 5, is->c.dh_pk, DH_LEN);
	pack_ktext(&b, 6, v->name);
	if (v->drop != 7)
		pack_ktext(&b, 7, "owner");
	pack_kuint(&b, 8, v->roles);
	pack_kuint(&b, 9, NOW - 1);
	pack_kuint(&b, 10, NOW + 1);
	if (v->extra != 0)
		pack_kuint(&b, v->extra, 0);
	key_sign(signer, "icemesh cert 1", b.data, b.len, sig);
	pack_map(out, 2);
	pack_kbytes(out, 1, b.data, b.len);
	pack_kbytes(out, 2, sig, sizeof sig);
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(buf_err(out), 0);
	buf_fini(&b);
}

static void
test_variants(void **state)
{
	static const struct variant variants[] = {
	        {1, 7, "name", 0, 0, 0}, {2, 7, "name", 0, 0, IM_ERR_VERSION},
	        {1, 8, "name", 0, 0, IM_ERR_FORMAT}, {1, 7, "na\x1bme", 0, 0, IM_ERR_FORMAT},
	        {1, 7, "n\xc3\xa4me", 0, 0, IM_ERR_FORMAT},
	        {1, 7, "a-name-of-sixty-four-bytes-which-is-one-more-than-there-is-room.", 0, 0,
	                IM_ERR_FORMAT},
	        {1, 7, "name", 7, 0, IM_ERR_FORMAT}, {1, 7, "name", 0, 11, IM_ERR_VERSION},
	        {1, 7, "name", 0, 10, IM_ERR_VERSION}, /* twice */
	        {1, 7, "name", 0, 64, 0},              /* optional knowledge */
	};
	struct issuer is;
	struct cert got;
	size_t i;

	(void)state;
	issuer_init(&is);
	for (i = 0; i < sizeof variants / sizeof *variants; i++) {
		buf_reset(&is.bytes);
		make_variant(&is, &variants[i], &is.root, &is.bytes);
		assert_int_equal(
		        cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW),
		        variants[i].want);
	}
	buf_reset(&is.bytes);
	make_variant(&is, &variants[0], &is.node, &is.bytes); /* signed by itself */
	assert_int_equal(cert_check(&got, is.bytes.data, is.bytes.len, is.root.sign_pk, NOW),
	        IM_ERR_SIGNATURE);
	buf_fini(&is.bytes);
}

static bool
accepts(const uint8_t *bytes, size_t len, void *arg)
{
	const struct issuer *is = arg;
	struct cert got;

	return cert_check(&got, bytes, len, is->root.sign_pk, NOW) == 0;
}

static void
test_mangled(void **state)
{
	struct issuer is;
	uint8_t zeros[CERT_LEN_MAX + 1] = {0x80};

	(void)state;
	issuer_init(&is);
	assert_int_equal(cert_issue(&is.c, &is.root, &is.bytes), 0);
	assert_int_equal(mangle_cut(accepts, is.bytes.data, is.bytes.len, &is), 0);
	assert_int_equal(mangle_flip(accepts, is.bytes.data, is.bytes.len, is.bytes.len, &is), 0);
	assert_true(accepts(is.bytes.data, is.bytes.len, &is));
	assert_false(accepts(zeros, sizeof zeros, &is));
	buf_put_u8(&is.bytes, 0);
	assert_false(accepts(is.bytes.data, is.bytes.len, &is));
	buf_fini(&is.bytes);
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
	        cmocka_unit_test(test_round_trip),
	        cmocka_unit_test(test_serials_differ),
	        cmocka_unit_test(test_longest_fits),
	        cmocka_unit_test(test_lifetime),
	        cmocka_unit_test(test_other_root),
	        cmocka_unit_test(test_not_issued),
	        cmocka_unit_test(test_variants),
	        cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
