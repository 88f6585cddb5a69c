/* mesh/account: what a wrapper tells of a compile comes out as it went in, of old wrappers too, and nothing hostile does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "mesh/account.h"

static const struct node_id node = {{0xab, 1}};
static const struct digest toolchain = {{0xcd, 2}};
static struct account_room room;
static struct buf bytes;

/* Encodes and decodes. */
static int
again(const struct account *a, struct account *out)
{
	struct packet *p = NULL;
	int r;

	buf_fini(&bytes);
	buf_init(&bytes, ACCOUNT_LEN_MAX);
	account_encode(a, &bytes);
	assert_int_equal(buf_err(&bytes), 0);
	assert_int_equal(packet_open(&p, bytes.data, bytes.len), 0);
	r = account_decode(out, &room, packet_root(p));
	packet_free(p);
	return r;
}

static void
test_all(void **state)
{
	struct account a = {.verdict = VERDICT_FALLBACK,
	                       .outcome = OUTCOME_JOB_FAILED,
	                       .reason = "option -fplugin=",
	                       .text = "box: no memory",
	                       .file = "/src/\033[31m\n\377.c",
	                       .output = "/src/a.o",
	                       .mode = "source",
	                       .node = &node,
	                       .peer = "box",
	                       .toolchain = &toolchain,
	                       .job = UINT64_MAX,
	                       .exit = 139,
	                       .bytes_out = 12,
	                       .bytes_in = 34,
	                       .ms = {1, 2, 3, 4, 5, 6, 21},
	                       .retries = 2,
	                       .hedged = true},
	               b;

	(void)state;
	assert_int_equal(again(&a, &b), 0);
	assert_int_equal(b.verdict, a.verdict);
	assert_int_equal(b.outcome, a.outcome);
	assert_string_equal(b.reason, a.reason);
	assert_string_equal(b.text, a.text);
	assert_string_equal(b.file, a.file);
	assert_string_equal(b.output, a.output);
	assert_string_equal(b.mode, a.mode);
	assert_memory_equal(b.node, &node, sizeof node);
	assert_string_equal(b.peer, a.peer);
	assert_memory_equal(b.toolchain, &toolchain, sizeof toolchain);
	assert_true(b.job == a.job);
	assert_int_equal(b.exit, 139);
	assert_int_equal(b.bytes_out, 12);
	assert_int_equal(b.bytes_in, 34);
	assert_memory_equal(&b.ms, &a.ms, sizeof a.ms);
	assert_int_equal(b.retries, 2);
	assert_true(b.hedged);
}

static void
test_nothing(void **state)
{
	struct account a = {.verdict = VERDICT_LOCAL, .exit = -1}, b;

	(void)state;
	assert_int_equal(again(&a, &b), 0);
	assert_string_equal(b.reason, "");
	assert_string_equal(b.file, "");
	assert_null(b.node);
	assert_null(b.toolchain);
	assert_int_equal(b.exit, -1);
}

/* What a decoder refuses is not sent, and the longest account fits. */
static void
test_cleaned_and_cut(void **state)
{
	char name[ACCOUNT_NAME_MAX + 2], text[600];
	struct account a = {.exit = -1, .peer = text, .mode = text, .reason = text, .text = text},
	               b;

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = 0;
	memset(text, 'x', sizeof text - 1);
	text[0] = '\033';
	text[1] = 127;
	text[sizeof text - 1] = 0;
	a.file = name + 1;
	a.output = name;
	assert_int_equal(again(&a, &b), 0);
	assert_int_equal(strlen(b.file), ACCOUNT_NAME_MAX);
	assert_string_equal(b.output, "");
	assert_memory_equal(b.text, "??xx", 4);
	assert_int_equal(strlen(b.text), CONTROL_CAUSE_SIZE - 1);
	assert_int_equal(strlen(b.reason), REASON_SIZE - 1);
	assert_int_equal(strlen(b.peer), NAME_SIZE - 1);
	assert_int_equal(strlen(b.mode), ACCOUNT_MODE_SIZE - 1);
	a.output = name + 1;
	a.toolchain = &toolchain;
	a.node = &node;
	a.ms = (struct account_times){
	        INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
	assert_int_equal(again(&a, &b), 0);
	assert_string_equal(b.output, name + 1);
}

/* The reports of wrappers that knew no more. */
static void
test_old(void **state)
{
	struct packet *p = NULL;
	struct account a;
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	pack_map(&b, 5);
	pack_kuint(&b, 1, VERDICT_LOCAL);
	pack_ktext(&b, 2, "linking");
	pack_kuint(&b, 4, 0);
	pack_kuint(&b, 5, 3);
	pack_kuint(&b, 6, 77);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(account_decode(&a, &room, packet_root(p)), 0);
	assert_string_equal(a.reason, "linking");
	assert_string_equal(a.file, "");
	assert_int_equal(a.retries, 3);
	assert_false(a.hedged);
	assert_int_equal(a.ms.total, 77);
	assert_int_equal(a.exit, -1);
	packet_free(p);
	buf_fini(&b);
}

/* A map with a verdict and one more key, that is: this number, or text of so many bytes. */
static int
with_number(unsigned key, uint64_t n)
{
	struct packet *p = NULL;
	struct account a;
	struct buf b;
	int r;

	buf_init(&b, 256);
	pack_map(&b, 1 + (key != 1));
	if (key != 1)
		pack_kuint(&b, 1, 0);
	pack_kuint(&b, key, n);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	r = account_decode(&a, &room, packet_root(p));
	packet_free(p);
	buf_fini(&b);
	return r;
}

static int
with_bytes(unsigned key, const char *text, size_t len)
{
	struct packet *p = NULL;
	struct account a;
	struct buf b;
	int r;

	buf_init(&b, 65536);
	pack_map(&b, 2);
	pack_kuint(&b, 1, 0);
	pack_kbytes(&b, key, text, len);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	r = account_decode(&a, &room, packet_root(p));
	packet_free(p);
	buf_fini(&b);
	return r;
}

static void
test_hostile(void **state)
{
	static const char big[ACCOUNT_NAME_MAX + 1] = "x";

	(void)state;
	assert_int_equal(with_number(1, 2), 0);
	assert_int_equal(with_number(1, 3), IM_ERR_LIMIT);
	assert_int_equal(with_number(2, 3), IM_ERR_FORMAT);
	assert_int_equal(with_number(4, 3), IM_ERR_LIMIT);
	assert_int_equal(with_number(5, 1001), IM_ERR_LIMIT);
	assert_int_equal(with_number(6, UINT64_MAX), IM_ERR_LIMIT);
	assert_int_equal(with_number(71, 255), 0);
	assert_int_equal(with_number(71, 256), IM_ERR_LIMIT);
	assert_int_equal(with_number(72, UINT64_MAX), IM_ERR_LIMIT);
	assert_int_equal(with_number(74, 1), IM_ERR_FORMAT);
	assert_int_equal(with_bytes(65, "/a\nb", 4), 0);
	assert_int_equal(with_bytes(65, "/a\0b", 4), IM_ERR_FORMAT);
	assert_int_equal(with_bytes(66, big, sizeof big), IM_ERR_LIMIT);
	assert_int_equal(with_bytes(3, "short", 5), IM_ERR_FORMAT);
	assert_int_equal(with_bytes(69, "short", 5), IM_ERR_FORMAT);
	assert_int_equal(with_bytes(64, "a\033", 2), IM_ERR_FORMAT);
	assert_int_equal(with_bytes(200, big, sizeof big), 0); /* unknown, of a later version */
}

static int
teardown(void **state)
{
	(void)state;
	buf_fini(&bytes);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all),
	        cmocka_unit_test(test_nothing), cmocka_unit_test(test_cleaned_and_cut),
	        cmocka_unit_test(test_old), cmocka_unit_test(test_hostile)};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
