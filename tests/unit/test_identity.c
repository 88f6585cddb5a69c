#include "mesh/identity.h"

#include <time.h>
#include "tests/unit/node_rig.h"

static struct rig a, b;
static const uint8_t hash[32] = {9};

static void
path_of(const struct rig *r, const char *name, char out[FILES_PATH_SIZE])
{
	assert_int_equal(files_path(out, r->n.config.state_dir, name), 0);
}

static void
reopen(struct rig *r)
{
	char why[256];
	identity_free(r->n.identity);
	r->n.identity = identity_open(&r->n, why);
	if (!r->n.identity)
		fail_msg("%s", why);
}

static void
test_node_key_made_once(void **state)
{
	(void)state;
	char path[FILES_PATH_SIZE], why[256];
	struct stat st;
	rig_open(&a, "a");
	struct node_id id = *rig_id(&a);
	path_of(&a, "node.key", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	reopen(&a);
	assert_int_equal(node_id_cmp(rig_id(&a), &id), 0);
	/* a file that cannot be right is left as it is */
	assert_int_equal(truncate(path, 31), 0);
	assert_null(identity_open(&a.n, why));
	assert_non_null(strstr(why, "node.key"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 31);
	assert_int_equal(truncate(path, 32), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_null(identity_open(&a.n, why));
	rig_close(&a);
}

static void
test_init_persists(void **state)
{
	(void)state;
	char path[FILES_PATH_SIZE];
	struct stat st;
	rig_open(&a, "a");
	assert_false(identity_in_mesh(a.n.identity));
	assert_int_equal(identity_init(a.n.identity, "house"), 0);
	assert_int_equal(identity_init(a.n.identity, "other"), IM_ERR_EXISTS);
	path_of(&a, "root.key", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	struct mesh_id mesh = identity_conn(a.n.identity)->mesh;
	for (int i = 0; i < 2; i++) {
		assert_true(identity_is_issuer(a.n.identity));
		assert_string_equal(identity_mesh_name(a.n.identity), "house");
		assert_int_equal(identity_cert(a.n.identity)->roles, ROLES_ALL);
		assert_memory_equal(&identity_conn(a.n.identity)->mesh, &mesh, sizeof mesh);
		reopen(&a);
	}
	/* leaving forgets the mesh, not the keys; the same root makes the same mesh again */
	assert_int_equal(identity_leave(a.n.identity), 0);
	assert_false(identity_in_mesh(a.n.identity));
	assert_null(identity_cert(a.n.identity));
	reopen(&a);
	assert_false(identity_in_mesh(a.n.identity));
	assert_int_equal(identity_init(a.n.identity, "house"), 0);
	assert_memory_equal(&identity_conn(a.n.identity)->mesh, &mesh, sizeof mesh);
	rig_close(&a);
}

/* b's request under the token; 0 or the error, the cause in why. */
static int
enrol(const struct token *t, struct buf *cert, char *why)
{
	struct wire_join j;
	identity_join_request(b.n.identity, t, hash, &j);
	buf_reset(cert);
	return identity_enrol(a.n.identity, &j, hash, cert, why);
}

static void
test_tokens(void **state)
{
	(void)state;
	struct token t, wrong;
	struct buf cert;
	char why[256];
	rig_open(&a, "a");
	rig_open(&b, "b");
	buf_init(&cert, CERT_LEN_MAX);
	memset(&t, 0, sizeof t);
	assert_int_equal(enrol(&t, &cert, why), IM_ERR_REFUSED); /* holds no root key */
	assert_int_equal(identity_init(a.n.identity, "m"), 0);
	assert_int_equal(enrol(&t, &cert, why), IM_ERR_REFUSED);
	assert_non_null(strstr(why, "not known"));
	rig_token(&a, 2, 3600, &t);
	for (int i = 0; i < 2; i++) {
		reopen(&a); /* uses are counted on disk */
		assert_int_equal(enrol(&t, &cert, why), 0);
	}
	reopen(&a);
	assert_int_equal(enrol(&t, &cert, why), IM_ERR_REFUSED);
	assert_non_null(strstr(why, "used up"));
	assert_int_equal(cert.len, 0);
	rig_token(&a, 1, 3600, &t);
	wrong = t;
	wrong.secret[3] ^= 1;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(enrol(&wrong, &cert, why), IM_ERR_REFUSED);
		assert_non_null(strstr(why, "wrong"));
		reopen(&a);
	}
	assert_int_equal(enrol(&t, &cert, why), IM_ERR_REFUSED); /* even with the right one */
	assert_non_null(strstr(why, "locked"));
	buf_fini(&cert);
	rig_close(&b);
	rig_close(&a);
}

static void
test_expired_token(void **state)
{
	(void)state;
	struct token t;
	struct buf cert;
	char why[256] = "";
	rig_open(&a, "a");
	rig_open(&b, "b");
	buf_init(&cert, CERT_LEN_MAX);
	assert_int_equal(identity_init(a.n.identity, "m"), 0);
	rig_token(&a, 1, 0, &t);
	uint64_t now = wall_seconds();
	UNTIL(wall_seconds() > now); /* the second in which it ends must be over */
	assert_int_equal(enrol(&t, &cert, why), IM_ERR_EXPIRED);
	assert_int_equal(cert.len, 0);
	buf_fini(&cert);
	rig_close(&b);
	rig_close(&a);
}

static void
test_proof(void **state)
{
	(void)state;
	struct token t;
	struct wire_join j;
	struct buf cert;
	char why[256];
	static const uint8_t other[32] = {1};
	rig_open(&a, "a");
	rig_open(&b, "b");
	buf_init(&cert, CERT_LEN_MAX);
	assert_int_equal(identity_init(a.n.identity, "m"), 0);
	rig_token(&a, 1, 3600, &t);
	identity_join_request(b.n.identity, &t, other, &j); /* of another connection */
	assert_int_equal(identity_enrol(a.n.identity, &j, hash, &cert, why), IM_ERR_SIGNATURE);
	assert_int_equal(enrol(&t, &cert, why), 0); /* no use was taken */
	buf_fini(&cert);
	rig_close(&b);
	rig_close(&a);
}

/* A certificate for another key or of another root changes nothing. */
static void
test_joined_checks(void **state)
{
	(void)state;
	struct token t;
	struct wire_join j;
	struct wire_joined answer = {.mesh = "m"};
	struct buf cert;
	char why[256];
	rig_open(&a, "a");
	rig_open(&b, "b");
	buf_init(&cert, CERT_LEN_MAX);
	assert_int_equal(identity_init(a.n.identity, "m"), 0);
	rig_token(&a, 2, 3600, &t);
	identity_join_request(a.n.identity, &t, hash, &j);
	assert_int_equal(identity_enrol(a.n.identity, &j, hash, &cert, why), 0);
	memcpy(answer.cert, cert.data, cert.len);
	answer.cert_len = cert.len;
	assert_int_equal(identity_joined(b.n.identity, t.root_pk, &answer), IM_ERR_UNKNOWN_KEY);
	assert_false(identity_in_mesh(b.n.identity));
	assert_int_equal(enrol(&t, &cert, why), 0);
	memcpy(answer.cert, cert.data, cert.len);
	answer.cert_len = cert.len;
	uint8_t other_root[SIGN_PK_LEN];
	memcpy(other_root, identity_conn(b.n.identity)->key->sign_pk, sizeof other_root);
	assert_true(identity_joined(b.n.identity, other_root, &answer) < 0);
	assert_false(identity_in_mesh(b.n.identity));
	assert_int_equal(identity_conn(b.n.identity)->cert_len, 0);
	/* a spare that could not become a member stays a spare */
	assert_int_equal(identity_adopt_mesh(b.n.identity, t.root_pk, "m"), 0);
	assert_true(identity_joined(b.n.identity, other_root, &answer) < 0);
	assert_true(identity_in_mesh(b.n.identity));
	assert_int_equal(identity_joined(b.n.identity, t.root_pk, &answer), 0);
	reopen(&b);
	assert_int_equal(identity_cert(b.n.identity)->roles, ROLE_WORKER);
	assert_string_equal(identity_cert(b.n.identity)->name, "b");
	assert_false(identity_is_issuer(b.n.identity));
	buf_fini(&cert);
	rig_close(&b);
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_node_key_made_once, rig_teardown),
	        cmocka_unit_test_teardown(test_init_persists, rig_teardown),
	        cmocka_unit_test_teardown(test_tokens, rig_teardown),
	        cmocka_unit_test_teardown(test_expired_token, rig_teardown),
	        cmocka_unit_test_teardown(test_proof, rig_teardown),
	        cmocka_unit_test_teardown(test_joined_checks, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
