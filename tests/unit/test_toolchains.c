#include "client/toolchains.h"

#include "crypto/digest.h"
#include "tests/unit/fake_daemon.h"

static void
two(struct buf *b)
{
	uint8_t digest[DIGEST_LEN] = {0xab, 0xcd};

	buf_init(b, 4096);
	pack_map(b, 1);
	pack_uint(b, 1);
	pack_array(b, 2);
	pack_map(b, 8);
	pack_kbytes(b, 1, digest, sizeof digest);
	pack_kuint(b, 2, 1536);
	pack_ktext(b, 3, "alpha");
	pack_ktext(b, 4, "/usr/bin/gcc");
	pack_kuint(b, 5, 1000);
	pack_kuint(b, 6, 90);
	pack_kuint(b, 7, 1);
	pack_ktext(b, 8, "00000000000000000000000000000001");
	pack_map(b, 2);
	pack_kbytes(b, 1, digest, sizeof digest);
	pack_kuint(b, 2, 7);
}

static void
test_both(void **state)
{
	struct packet *p;
	struct buf b, out;

	(void)state;
	two(&b);
	buf_init(&out, 4096);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(toolchains_table(packet_root(p), 0, false, &out), 0);
	assert_string_equal(buf_text(&out),
	        "TOOLCHAIN         COMPILER         SIZE  SIGNER  HERE   LAST USE\n"
	        "abcd000000000000  /usr/bin/gcc  1.5 KiB  alpha   ready       90s\n"
	        "abcd000000000000  -                 7 B  -       no         0.0s\n");
	buf_reset(&out);
	assert_int_equal(toolchains_json(packet_root(p), &out), 0);
	assert_string_equal(buf_text(&out),
	        "[{\"digest\":\"abcd000000000000000000000000000000000000000000000000000000000000\","
	        "\"size\":1536,"
	        "\"signer\":\"alpha\",\"signer_id\":\"00000000000000000000000000000001\","
	        "\"compiler\":\"/usr/bin/gcc\","
	        "\"uid\":1000,\"unused_s\":90,\"runs_here\":true},"
	        "{\"digest\":\"abcd000000000000000000000000000000000000000000000000000000000000\","
	        "\"size\":7,"
	        "\"signer\":\"\",\"signer_id\":\"\",\"compiler\":null,\"uid\":null,\"unused_s\":0,"
	        "\"runs_here\":false}]\n");
	packet_free(p);
	buf_fini(&b);
	buf_fini(&out);
}

static void
test_refused(void **state)
{
	struct packet *p;
	struct buf b, out;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&out, 4096);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, 1);
	pack_map(&b, 2);
	pack_kbytes(&b, 1, "short", 5);
	pack_kuint(&b, 2, 1);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(toolchains_table(packet_root(p), 0, false, &out), IM_ERR_FORMAT);
	assert_int_equal(toolchains_json(packet_root(p), &out), IM_ERR_FORMAT);
	packet_free(p);
	buf_fini(&b);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_both), cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
