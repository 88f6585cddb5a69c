#include "client/status.h"

#include "tests/unit/fake_status.h"

static int
decode(struct buf *b, struct status *s)
{
	struct packet *p;
	int err;

	assert_int_equal(packet_open(&p, b->data, b->len), 0);
	err = status_decode(s, packet_root(p));
	packet_free(p);
	return err;
}

static void
test_text(void **state)
{
	struct status s;
	struct buf b, out;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&out, 4096);
	fake_status(&b, "home", "the disk is full");
	assert_int_equal(decode(&b, &s), 0);
	status_text(&s, &out);
	assert_string_equal(buf_text(&out),
	        "node       here (aaaaaaaa), up, x86_64, sandbox L3, icemesh 0.1.0\n"
	        "           1 of 4 slots used, 2 queued, at 10.0.0.1:9777\n"
	        "mesh       home (99999999): 3 nodes, 4 slots, 5 free\n"
	        "submitted  10 remote, 11 local, 12 fallback; 13 retried, 14 hedged, 15 failed\n"
	        "           reasons: linking 4\n"
	        "served     20 done, 21 running, 22 refused, 23 killed\n"
	        "           for: beta 9\n"
	        "inputs     2.0 KiB fetched from other members, 2.0 KiB lent to them\n"
	        "gossip     3.05 beacons/s received, 3.06 sent, 308 B/s, 307 bad\n"
	        "store      1.5 KiB of 5.0 GiB, 8 toolchains, 7 blobs\n"
	        "\n"
	        "problems\n"
	        "  the disk is full\n"
	        "    remedy: do this\n");
	status_fini(&s);
	buf_fini(&b);
	buf_fini(&out);
}

static void
test_json(void **state)
{
	struct status s;
	struct buf b, out;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&out, 4096);
	fake_status(&b, "home", "p");
	assert_int_equal(decode(&b, &s), 0);
	status_json(&s, &out);
	assert_string_equal(strstr(buf_text(&out), ",\"mesh\":"),
	        ",\"mesh\":{\"name\":\"home\",\"id\":\"99999999000000000000000000000009\","
	        "\"nodes\":3,\"slots\":4,\"free\":5},"
	        "\"submitted\":{\"remote\":10,\"local\":11,\"fallback\":12,\"retried\":13,"
	        "\"hedged\":14,\"failed\":15,"
	        "\"by_reason\":{\"linking\":4}},"
	        "\"served\":{\"done\":20,\"running\":21,\"refused\":22,\"killed\":23,"
	        "\"fetched\":2048,\"lent\":2049,\"by_peer\":{"
	        "\"beta\":9}},"
	        "\"gossip\":{\"received_per_s\":3.05,\"sent_per_s\":3.06,\"bad\":307,\"bytes_per_"
	        "s\":308},"
	        "\"store\":{\"bytes\":1536,\"limit\":5368709120,\"blobs\":7,\"toolchains\":8},"
	        "\"problems\":[{\"what\":\"p\",\"remedy\":\"do this\"}]}\n");
	assert_memory_equal(buf_text(&out), "{\"node\":{\"id\":\"aaaaaaaa", 23);
	status_fini(&s);
	buf_fini(&b);
	buf_fini(&out);
}

static void
test_no_mesh(void **state)
{
	struct status s;
	struct buf b, out;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&out, 4096);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, 1);
	fake_peer(&b, "a", "here", true);
	assert_int_equal(decode(&b, &s), 0);
	status_text(&s, &out);
	assert_non_null(strstr(buf_text(&out), "mesh       none: 'icemesh init' makes one"));
	buf_reset(&out);
	status_json(&s, &out);
	assert_non_null(strstr(buf_text(&out), "\"by_reason\":{}"));
	status_fini(&s);
	buf_reset(&b);
	pack_map(&b, 0);
	assert_int_equal(decode(&b, &s), IM_ERR_ABSENT); /* no node at all */
	buf_fini(&b);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_json),
	        cmocka_unit_test(test_no_mesh)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
