#include "mesh/install.h"

#include "exec/toolchain.h"
#include "tests/unit/node_talk.h"

static struct rig a, b;
static const char content[] = "this stands for a tarball";
#define LEN (sizeof content - 1)

/* What comes in, as a test wants it. */
struct coming {
	const char *bytes;
	size_t len;
	struct digest d;
	uint64_t size;
	char sig[SIGN_TEXT_MAX];
};

static void
open_pair(struct coming *c)
{
	rig_open(&a, "a");
	rig_open(&b, "b");
	rig_init(&a);
	rig_enrol(&a, &b);
	*c = (struct coming){.bytes = content, .len = LEN, .size = LEN};
	rig_sign(&b, content, LEN, &c->d, c->sig);
}

static void
close_pair(void)
{
	rig_close(&b);
	rig_close(&a);
}

/* Installs it at a: 0, or the enum wire_error; then nothing may be left. */
static unsigned
install(const struct coming *c)
{
	enum wire_error code = 0;
	char why[256] = "";
	struct install *i = install_new(&a.n, &c->d, c->size, c->sig, &code, why);
	int err = i ? install_add(i, c->bytes, c->len, &code, why) : -1;
	if (err == 0)
		err = install_finish(i, &code, why);
	install_free(i);
	assert_int_equal(rig_files(&a, "tmp"), 0);
	assert_int_equal(rig_files(&a, "tarballs"), err == 0 ? 2 : 0);
	if (err == 0)
		return 0;
	assert_null(store_at(a.n.store, 0));
	assert_non_null(strstr(why, "toolchain "));
	return code;
}

static void
test_good(void **state)
{
	(void)state;
	struct coming c;
	open_pair(&c);
	assert_int_equal(install(&c), 0);
	assert_true(store_find(a.n.store, &c.d)->tarball);
	assert_string_equal(store_find(a.n.store, &c.d)->signer, "b");
	close_pair();
}

static void
test_refused(void **state)
{
	(void)state;
	struct coming c, bad;
	char altered[LEN];
	struct digest d;
	open_pair(&c);
	memcpy(altered, content, LEN);
	altered[LEN / 2] ^= 1;
	bad = c;
	bad.bytes = altered;
	assert_int_equal(install(&bad), WERR_DIGEST);
	bad = c;
	bad.len--;
	assert_int_equal(install(&bad), WERR_DIGEST);
	bad = c;
	bad.len++;
	assert_int_equal(install(&bad), WERR_LIMIT);
	bad = c;
	bad.size++;
	assert_int_equal(install(&bad), WERR_SIGNATURE);
	bad = c;
	rig_sign(&b, "another", 7, &d, bad.sig);
	assert_int_equal(install(&bad), WERR_SIGNATURE);
	bad = c;
	snprintf(bad.sig, sizeof bad.sig, "no signature at all");
	assert_int_equal(install(&bad), WERR_SIGNATURE);
	bad = c;
	char *x = strstr(bad.sig, "toolchain ");
	x[12] = x[12] == '0' ? '1' : '0'; /* in the signed comment */
	assert_int_equal(install(&bad), WERR_SIGNATURE);
	close_pair();
}

/* Signed by a member of another mesh, and by one who may not. */
static void
test_signers(void **state)
{
	(void)state;
	struct coming c;
	struct rig stranger;
	open_pair(&c);
	rig_open(&stranger, "stranger");
	rig_init(&stranger);
	rig_sign(&stranger, content, LEN, &c.d, c.sig);
	assert_int_equal(install(&c), WERR_KEY);
	/* a spare runs only what a signer signed, and b is none */
	rig_sign(&b, content, LEN, &c.d, c.sig);
	uint8_t root[SIGN_PK_LEN];
	memcpy(root, identity_conn(a.n.identity)->root_pk, sizeof root);
	assert_int_equal(identity_leave(a.n.identity), 0);
	assert_int_equal(identity_adopt_mesh(a.n.identity, root, "test"), 0);
	assert_int_equal(install(&c), WERR_KEY);
	rig_close(&stranger);
	close_pair();
}

static void
test_too_big(void **state)
{
	(void)state;
	struct coming c;
	const struct conn_identity *id;
	uint8_t prehash[PREHASH_LEN] = {0};
	struct buf text;
	open_pair(&c);
	id = identity_conn(b.n.identity);
	buf_init(&text, SIGN_TEXT_MAX - 1);
	c.size = TOOLCHAIN_PACKED_MAX + 1;
	assert_int_equal(
	        sign_make(id->key, id->cert, id->cert_len, &c.d, c.size, prehash, &text), 0);
	snprintf(c.sig, sizeof c.sig, "%s", buf_text(&text));
	assert_int_equal(install(&c), WERR_LIMIT);
	buf_fini(&text);
	close_pair();
}

/* --- unpacking --- */

struct outcome {
	unsigned calls;
	int err;
	char why[256];
};

static void
on_outcome(void *arg, int err, const char *why)
{
	struct outcome *o = arg;
	o->calls++;
	o->err = err;
	snprintf(o->why, sizeof o->why, "%s", why);
}

static void
test_unpack(void **state)
{
	(void)state;
	struct coming c;
	struct outcome o = {0};
	open_pair(&c);
	assert_null(install_unpack(&a.n, &c.d, on_outcome, &o)); /* not here at all */
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.err, IM_ERR_ABSENT);
	assert_int_equal(install(&c), 0);
	a.n.helper->refuse_asks = true;
	assert_null(install_unpack(&a.n, &c.d, on_outcome, &o));
	assert_int_equal(o.err, IM_ERR_SYSTEM);
	a.n.helper->refuse_asks = false;
	assert_non_null(install_unpack(&a.n, &c.d, on_outcome, &o));
	assert_true(store_find(a.n.store, &c.d)->unpacking);
	UNTIL(o.calls == 3);
	assert_int_equal(o.err, 0);
	assert_true(store_find(a.n.store, &c.d)->unpacked);
	assert_null(install_unpack(&a.n, &c.d, on_outcome, &o)); /* at once */
	assert_int_equal(o.calls, 4);
	assert_int_equal(a.n.helper->unpacks, 1);
	close_pair();
}

static void
test_unpack_fails_or_is_forgotten(void **state)
{
	(void)state;
	struct coming c;
	struct outcome o = {0};
	open_pair(&c);
	assert_int_equal(install(&c), 0);
	a.n.helper->fail_unpack = true;
	struct unpacking *u = install_unpack(&a.n, &c.d, on_outcome, &o);
	install_forget(u);
	UNTIL(store_find(a.n.store, &c.d)->failed);
	assert_int_equal(o.calls, 0);
	store_find(a.n.store, &c.d)->failed = false;
	install_unpack(&a.n, &c.d, on_outcome, &o);
	UNTIL(o.calls == 1);
	assert_int_equal(o.err, IM_ERR_FORMAT);
	assert_non_null(strstr(o.why, "no archive"));
	assert_true(store_find(a.n.store, &c.d)->failed);
	close_pair();
}

/* --- the same over a connection --- */

static void
announce(struct talk *t, const struct coming *c)
{
	struct buf body;
	buf_init(&body, 8192);
	talk_open(t, &b, &a);
	wire_toolchain_encode(&body, &c->d, c->size, c->sig);
	talk_send(t, WIRE_TOOLCHAIN, &body);
	buf_reset(&body);
	buf_put(&body, c->bytes, c->len);
	talk_send(t, WIRE_TDATA, &body);
	buf_fini(&body);
}

static void
test_over_the_wire(void **state)
{
	(void)state;
	struct coming c;
	struct talk t, u;
	open_pair(&c);
	announce(&t, &c);
	UNTIL(rig_files(&a, "tmp") == 1);
	announce(&u, &c); /* a second one at the same time */
	assert_int_equal(talk_error(&u), WERR_LIMIT);
	talk_end(&u);
	conn_free(t.conn); /* goes away in the middle */
	t.conn = NULL;
	UNTIL(rig_files(&a, "tmp") == 0);
	assert_null(store_at(a.n.store, 0));
	talk_end(&t);
	announce(&t, &c);
	talk_send(&t, WIRE_TEND, NULL);
	talk_wait(&t, WIRE_TOK);
	assert_true(store_find(a.n.store, &c.d)->unpacked);
	talk_end(&t);
	announce(&t,
	        &c); /* it has it: TOK at once, the rest passes by, the channel is usable then */
	talk_wait(&t, WIRE_TOK);
	talk_send(&t, WIRE_TEND, NULL);
	uint32_t number;
	assert_int_equal(talk_reserve(&t, &c.d, &number), WIRE_GRANT);
	talk_end(&t);
	close_pair();
}

/* What could not be unpacked is not taken again. */
static void
test_failed_is_not_taken_again(void **state)
{
	(void)state;
	struct coming c;
	struct talk t;
	open_pair(&c);
	a.n.helper->fail_unpack = true;
	for (int i = 0; i < 2; i++) {
		announce(&t, &c);
		if (i == 0)
			talk_send(&t, WIRE_TEND, NULL);
		assert_int_equal(talk_error(&t), WERR_REFUSED);
		talk_end(&t);
	}
	assert_int_equal(a.n.helper->unpacks, 1);
	close_pair();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_good, rig_teardown),
	        cmocka_unit_test_teardown(test_refused, rig_teardown),
	        cmocka_unit_test_teardown(test_signers, rig_teardown),
	        cmocka_unit_test_teardown(test_too_big, rig_teardown),
	        cmocka_unit_test_teardown(test_unpack, rig_teardown),
	        cmocka_unit_test_teardown(test_unpack_fails_or_is_forgotten, rig_teardown),
	        cmocka_unit_test_teardown(test_over_the_wire, rig_teardown),
	        cmocka_unit_test_teardown(test_failed_is_not_taken_again, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
