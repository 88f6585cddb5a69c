/* The greeting of two nodes as bytes: who is let in, who is refused and with which words, and what altered bytes lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "mesh/greet.h"
#include "tests/unit/mesh_ids.h"

#define NEVER SIZE_MAX
#define OUT_MAX 16384

/* Side 0 is the initiator. */
struct talk {
	struct greeting g[2];
	struct channel ch[2];
	struct buf in[2], out[2];
	int err[2];
	const char *why[2];
	size_t sent[2], flip[2],
	        cut[2]; /* bytes on their way from side i; one of them altered, or none after this one */
	size_t header[2]; /* where the stream's header begins */
};

static void
start(struct talk *t, const struct ids_node *a, const struct ids_node *b)
{
	memset(t, 0, sizeof *t);
	for (int i = 0; i < 2; i++) {
		buf_init(&t->in[i], OUT_MAX);
		buf_init(&t->out[i], OUT_MAX);
		t->flip[i] = t->cut[i] = NEVER;
		t->why[i] = "";
	}
	greet_init(&t->g[0], &a->id, true);
	greet_init(&t->g[1], &b->id, false);
	assert_int_equal(greet_begin(&t->g[0], &t->out[0]), 0);
}

static void
finish(struct talk *t)
{
	for (int i = 0; i < 2; i++) {
		greet_fini(&t->g[i]);
		buf_fini(&t->in[i]);
		buf_fini(&t->out[i]);
	}
}

/* Carries what side i has to say to the other; true when there was something. */
static bool
carry(struct talk *t, int i)
{
	bool any = t->out[i].len > 0;

	for (size_t k = 0; k < t->out[i].len; k++, t->sent[i]++) {
		uint8_t c = t->out[i].data[k];

		if (t->sent[i] == t->flip[i])
			c ^= 1;
		if (t->sent[i] < t->cut[i])
			buf_put_u8(&t->in[1 - i], c);
	}
	buf_reset(&t->out[i]);
	return any;
}

static void
take(struct talk *t, int i)
{
	int got = 1;

	while (t->err[i] == 0 && t->g[i].step != GREET_DONE && got > 0) {
		enum greet_step before = t->g[i].step;

		got = greet_take(&t->g[i], &t->ch[i], &t->in[i], &t->out[i], &t->why[i]);
		if (got < 0)
			t->err[i] = got;
		if (before != GREET_HEADER && t->g[i].step == GREET_HEADER)
			t->header[i] = t->sent[i] + t->out[i].len - CHANNEL_HEADER_LEN;
	}
}

static void
run(struct talk *t)
{
	for (bool any = true; any;) {
		any = carry(t, 0);
		take(t, 1);
		any |= carry(t, 1);
		take(t, 0);
	}
}

static void
pass(struct channel *from, struct channel *to)
{
	uint8_t plain[64];
	struct buf b;
	size_t n;

	buf_init(&b, 100);
	assert_int_equal(channel_seal(from, 7, "hello", 5, &b), 0);
	assert_int_equal(channel_open(to, b.data + 4, b.len - 4, plain, &n), 0);
	assert_memory_equal(plain, "\007hello", n);
	buf_fini(&b);
}

static void
two_members_meet(void **state)
{
	struct ids_node a, b;
	struct talk t;

	(void)state;
	ids_member(&a, 1, 2);
	ids_member(&b, 1, 3);
	start(&t, &a, &b);
	run(&t);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(t.err[i], 0);
		assert_int_equal(t.g[i].step, GREET_DONE);
		assert_true(t.g[i].has_cert);
		assert_false(t.g[i].stranger);
	}
	assert_string_equal(t.g[0].cert.name, "node3");
	assert_string_equal(t.g[1].cert.name, "node2");
	assert_memory_equal(t.g[0].hash, t.g[1].hash, NOISE_HASH_LEN);
	pass(&t.ch[0], &t.ch[1]);
	pass(&t.ch[1], &t.ch[0]);
	finish(&t);
}

static void
spares_and_strangers_come_without(void **state)
{
	struct ids_node a, b;
	struct talk t;

	(void)state;
	ids_spare(&a, 1, 2);
	ids_member(&b, 1, 3);
	start(&t, &a, &b);
	run(&t);
	assert_int_equal(t.g[1].step, GREET_DONE);
	assert_false(t.g[1].has_cert);
	assert_false(t.g[1].stranger);
	assert_true(t.g[0].has_cert);
	finish(&t);

	memset(&a.id.mesh, 0, sizeof a.id.mesh);
	start(&t, &a, &b);
	run(&t);
	assert_int_equal(t.g[0].step, GREET_DONE);
	assert_int_equal(t.g[1].step, GREET_DONE);
	for (int i = 0; i < 2; i++) {
		assert_true(t.g[i].stranger);
		assert_false(t.g[i].has_cert); /* nobody to check it against */
	}
	pass(&t.ch[0], &t.ch[1]);
	finish(&t);
}

/* What the initiator makes of the connection ending now. */
static int
ended(struct talk *t, const char **why)
{
	return t->err[0] < 0 ? t->err[0] : greet_ended(&t->g[0], &t->in[0], why);
}

static void
refused(const struct ids_node *a, const struct ids_node *b, int err, const char *word,
        const char *told)
{
	const char *why = "";
	struct talk t;

	start(&t, a, b);
	run(&t);
	assert_int_equal(t.err[1], err);
	assert_non_null(strstr(t.why[1], word));
	assert_int_not_equal(t.g[1].step, GREET_DONE);
	assert_false(t.g[1].has_cert);
	assert_int_equal(ended(&t, &why), IM_ERR_REFUSED);
	assert_non_null(strstr(t.err[0] < 0 ? t.why[0] : why, told));
	finish(&t);
}

static void
the_wrong_ones_are_refused(void **state)
{
	struct ids_node a, b;

	(void)state;
	ids_member(&b, 1, 3);
	ids_member(&a, 4, 2);
	refused(&a, &b, IM_ERR_OTHER_MESH, "another mesh", "another mesh");
	ids_spare(&a, 1, 2);
	ids_certify(&a, 4, 2);
	refused(&a, &b, IM_ERR_OTHER_MESH, "not signed by this mesh's root", "certificate");
	ids_member(&a, 1, 2);
	a.id.cert[a.id.cert_len - 1] ^= 1;
	refused(&a, &b, IM_ERR_UNKNOWN_KEY, "not signed by this mesh's root", "certificate");
	ids_spare(&a, 1, 2);
	ids_certify(&a, 1, 5);
	refused(&a, &b, IM_ERR_SIGNATURE, "key of the handshake", "certificate");
	ids_member(&a, 1, 2);
	memset(a.id.cert, 0, 40);
	refused(&a, &b, IM_ERR_FORMAT, "no certificate", "certificate");
	ids_member(&a, 1, 2);
	b.id.wall_s = ids_much_later;
	refused(&a, &b, IM_ERR_EXPIRED, "lifetime", "certificate");
}

static void
the_responder_is_looked_at_too(void **state)
{
	struct ids_node a, b;
	struct talk t;

	(void)state;
	ids_member(&a, 1, 2);
	ids_spare(&b, 1, 3);
	ids_certify(&b, 4, 3);
	start(&t, &a, &b);
	run(&t);
	assert_int_equal(t.err[0], IM_ERR_OTHER_MESH);
	assert_non_null(strstr(t.why[0], "not signed by this mesh's root"));
	assert_int_equal(
	        t.sent[0], WIRE_PREAMBLE_LEN + 2 + 32); /* and our certificate stayed here */
	finish(&t);
}

/* One side gets these bytes first. */
static int
reads(bool initiator, const void *bytes, size_t len, const char **why)
{
	struct ids_node a, b;
	struct talk t;
	int side = initiator ? 0 : 1, got = 1;

	ids_member(&a, 1, 2);
	ids_member(&b, 1, 3);
	start(&t, &a, &b);
	buf_put(&t.in[side], bytes, len);
	while (got > 0)
		got = greet_take(&t.g[side], &t.ch[side], &t.in[side], &t.out[side], why);
	finish(&t);
	return got;
}

static void
odd_bytes(void **state)
{
	const char *why;
	uint8_t preamble[WIRE_PREAMBLE_LEN + 2] = "IMX1", root[SIGN_PK_LEN];
	struct mesh_id mesh;
	struct key k;

	(void)state;
	ids_key(&k, 1);
	memcpy(root, k.sign_pk, sizeof root);
	mesh_id_of(&mesh, root);
	memcpy(preamble + 4, mesh.bytes, MESH_ID_LEN);
	assert_int_equal(reads(false, "GET / HTTP/1.1\r\nHost: x\r\n", 25, &why), IM_ERR_VERSION);
	assert_non_null(strstr(why, "version"));
	assert_int_equal(reads(false, preamble, WIRE_PREAMBLE_LEN, &why), 0);
	preamble[WIRE_PREAMBLE_LEN] = 0x10;
	preamble[WIRE_PREAMBLE_LEN + 1] = 0x01; /* 4097 */
	assert_int_equal(reads(false, preamble, sizeof preamble, &why), IM_ERR_LIMIT);
	assert_int_equal(reads(true, "\0\0", 2, &why), 0);
	assert_int_equal(reads(true, "\0\0\003", 3, &why), IM_ERR_REFUSED);
	assert_non_null(strstr(why, "no more connections"));
	assert_int_equal(reads(true, "\0\0\002", 3, &why), IM_ERR_REFUSED);
	assert_non_null(strstr(why, "version"));
	assert_int_equal(reads(true, "\0\0\377", 3, &why), IM_ERR_REFUSED);
	assert_int_equal(reads(true, "\0\001x", 3, &why), IM_ERR_TRUNCATED);
}

/* Somebody on the way makes one mesh's preamble into another's: the handshake is bound to the mesh that was meant. */
static void
the_preamble_is_bound(void **state)
{
	struct ids_node a, b;
	struct talk t;

	(void)state;
	ids_member(&a, 4, 2);
	ids_member(&b, 1, 3);
	start(&t, &a, &b);
	memcpy(t.out[0].data + 4, b.id.mesh.bytes, MESH_ID_LEN);
	run(&t);
	assert_int_equal(t.err[0], IM_ERR_SIGNATURE);
	assert_non_null(strstr(t.why[0], "another mesh"));
	assert_int_equal(t.g[1].step, GREET_MESSAGES);
	finish(&t);
}

/* How many bytes each side sends before its stream's header. */
static void
measure(const struct ids_node *a, const struct ids_node *b, size_t header[2])
{
	struct talk t;

	start(&t, a, b);
	run(&t);
	memcpy(header, t.header, sizeof t.header);
	assert_true(header[0] > 200 && header[1] > 200);
	finish(&t);
}

static void
any_altered_byte_is_noticed(void **state)
{
	struct ids_node a, b;
	size_t header[2];
	struct talk t;

	(void)state;
	ids_member(&a, 1, 2);
	ids_member(&b, 1, 3);
	measure(&a, &b, header);
	for (int i = 0; i < 2; i++)
		for (size_t at = 0; at < header[i]; at++) {
			start(&t, &a, &b);
			t.flip[i] = at;
			run(&t);
			/* an altered length may leave one waiting for more, never satisfied */
			assert_true(t.g[0].step != GREET_DONE || t.g[1].step != GREET_DONE);
			assert_true(t.g[1 - i].step < GREET_HEADER);
			finish(&t);
		}
}

static void
any_cut_is_named(void **state)
{
	struct ids_node a, b;
	size_t header[2];
	struct talk t;

	(void)state;
	ids_member(&a, 1, 2);
	ids_member(&b, 1, 3);
	measure(&a, &b, header);
	for (int i = 0; i < 2; i++)
		for (size_t at = 0; at < header[i] + CHANNEL_HEADER_LEN; at++) {
			const char *why = "";
			int side = 1 - i;

			start(&t, &a, &b);
			t.cut[i] = at;
			run(&t);
			assert_int_equal(t.err[side], 0);
			assert_int_not_equal(t.g[side].step, GREET_DONE);
			assert_int_equal(greet_ended(&t.g[side], &t.in[side], &why),
			        t.in[side].len ? IM_ERR_TRUNCATED : IM_ERR_CLOSED);
			assert_non_null(strstr(why, t.in[side].len ? "truncated" : "closed"));
			finish(&t);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(two_members_meet),
	        cmocka_unit_test(spares_and_strangers_come_without),
	        cmocka_unit_test(the_wrong_ones_are_refused),
	        cmocka_unit_test(the_responder_is_looked_at_too),
	        cmocka_unit_test(odd_bytes),
	        cmocka_unit_test(the_preamble_is_bound),
	        cmocka_unit_test(any_altered_byte_is_noticed),
	        cmocka_unit_test(any_cut_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
