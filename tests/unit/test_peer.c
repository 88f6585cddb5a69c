#include "client/peer.h"

#include "tests/unit/fake_daemon.h"

static struct peer *
decode(struct buf *b, uint32_t *n, int want)
{
	struct peer *peers = NULL;
	struct packet *p;

	assert_int_equal(packet_open(&p, b->data, b->len), 0);
	assert_int_equal(peers_decode(&peers, n, packet_root(p)), want);
	packet_free(p);
	return peers;
}

static void
three_peers(struct buf *b)
{
	buf_init(b, 4096);
	pack_map(b, 1);
	pack_uint(b, 1);
	pack_array(b, 3);
	fake_peer(b, "cccccccc00000000000000000000000c", "beta", false);
	fake_peer(b, "aaaaaaaa00000000000000000000000a", "zeta", true);
	fake_peer(b, "bbbbbbbb00000000000000000000000b", "alpha", false);
}

static void
test_table(void **state)
{
	struct buf b, out;
	struct peer *peers;
	struct grid g;
	uint32_t n;

	(void)state;
	three_peers(&b);
	peers = decode(&b, &n, 0);
	assert_int_equal(n, 3);
	grid_init(&g, peer_columns, PEER_NCOLUMNS);
	for (uint32_t i = 0; i < n; i++)
		peer_row(&peers[i], &g);
	buf_init(&out, 4096);
	assert_int_equal(grid_print(&g, 0, false, &out), 0);
	assert_string_equal(buf_text(&out), "NAME   PLATFORM  TRUST   STATE  SLOTS  USED  QUEUED  "
	                                    "LOAD  SPEED  TOOLCHAINS         SANDBOX    RTT   AGE"
	                                    "  ADDRESS        ID\n"
	                                    "zeta   x86_64    self    up         4     1       2   "
	                                    "12%    100  deadbeef,0000001f  L3           -     -"
	                                    "  10.0.0.1:9777  aaaaaaaa\n"
	                                    "alpha  x86_64    member  up         4     1       2   "
	                                    "12%    100  deadbeef,0000001f  L3       0.4ms  1.2s"
	                                    "  10.0.0.1:9777  bbbbbbbb\n"
	                                    "beta   x86_64    member  up         4     1       2   "
	                                    "12%    100  deadbeef,0000001f  L3       0.4ms  1.2s"
	                                    "  10.0.0.1:9777  cccccccc\n");
	buf_reset(&out);
	assert_int_equal(grid_print(&g, 40, false, &out), 0);
	assert_memory_equal(buf_text(&out), "NAME   TRUST   STATE  SLOTS  USED  LOAD\n", 40);
	grid_fini(&g);
	free(peers);
	buf_fini(&b);
	buf_fini(&out);
}

static void
test_json(void **state)
{
	struct peer *peers;
	struct buf b, out;
	struct json j;
	uint32_t n;

	(void)state;
	three_peers(&b);
	peers = decode(&b, &n, 0);
	buf_init(&out, 4096);
	json_init(&j, &out);
	peer_json(&peers[0], &j);
	assert_string_equal(buf_text(&out),
	        "{\"id\":\"aaaaaaaa00000000000000000000000a\",\"name\":\"zeta\",\"this\":true,"
	        "\"trust\":\"self\",\"state\":\"up\","
	        "\"address\":\"10.0.0.1:9777\",\"platform\":\"x86_64\",\"slots\":4,\"used\":1,"
	        "\"queued\":2,\"speed\":100,"
	        "\"load\":0.125,\"toolchains\":[\"deadbeef\",\"0000001f\"],\"sandbox\":\"L3\","
	        "\"age_ms\":1234,\"rtt_us\":null,"
	        "\"version\":\"0.1.0\"}\n");
	buf_reset(&out);
	json_init(&j, &out);
	peer_json(&peers[1], &j);
	assert_non_null(strstr(buf_text(&out), "\"this\":false"));
	assert_non_null(strstr(buf_text(&out), "\"rtt_us\":456,"));
	free(peers);
	buf_fini(&b);
	buf_fini(&out);
}

static void
test_refused(void **state)
{
	struct buf b;
	uint32_t n;

	(void)state;
	buf_init(&b, 4096);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, 1);
	pack_uint(&b, 7);
	assert_null(decode(&b, &n, IM_ERR_VERSION)); /* no map */
	buf_reset(&b);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, 1);
	pack_map(&b, 1);
	pack_kuint(&b, 2, 7);
	assert_null(decode(&b, &n, IM_ERR_FORMAT)); /* a number for a name */
	buf_reset(&b);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, 1);
	pack_map(&b, 1);
	pack_kuint(&b, 40, 7);
	assert_null(decode(&b, &n, IM_ERR_VERSION)); /* a mandatory key from the future */
	buf_reset(&b);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, 1);
	pack_map(&b, 1);
	pack_uint(&b, 13);
	pack_array(&b, BEACON_TAGS_MAX + 1);
	for (int i = 0; i <= BEACON_TAGS_MAX; i++)
		pack_uint(&b, 1);
	assert_null(decode(&b, &n, IM_ERR_LIMIT));
	buf_fini(&b);
}

static void
expect_age(uint64_t ms, const char *want)
{
	char text[16];

	age_text(ms, text);
	assert_string_equal(text, want);
}

static void
test_age(void **state)
{
	(void)state;
	expect_age(340, "0.3s");
	expect_age(12000, "12s");
	expect_age(300000, "5m");
	expect_age(7200000, "2h");
	expect_age(UINT64_C(10) * 86400000, "10d");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
	        cmocka_unit_test(test_json), cmocka_unit_test(test_refused),
	        cmocka_unit_test(test_age)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
