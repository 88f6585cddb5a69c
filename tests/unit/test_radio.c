#include "mesh/radio.h"

#include "tests/unit/network_rig.h"
#include "tests/unit/node_rig.h"

static struct node n;

struct ear {
	unsigned heard;
	size_t len;
	uint8_t bytes[LETTER_LEN_MAX + 1];
	struct endpoint from;
	bool multicast;
};

static void
on_heard(void *arg, const uint8_t *bytes, size_t len, const struct endpoint *from, bool multicast)
{
	struct ear *e = arg;
	e->heard++;
	e->len = len;
	memcpy(e->bytes, bytes, len);
	e->from = *from;
	e->multicast = multicast;
}

static int
setup(void **state)
{
	(void)state;
	memset(&n, 0, sizeof n);
	config_defaults(&n.config, CONFIG_USER);
	snprintf(n.config.listen, sizeof n.config.listen, "127.0.0.1:0");
	snprintf(n.config.group, sizeof n.config.group, "off");
	snprintf(n.config.group6, sizeof n.config.group6, "off");
	n.loop = rig_loop = loop_new();
	return 0;
}

static struct radio *
radio(struct ear *e, uint16_t *port)
{
	char why[256] = "";
	struct radio *r = radio_open(&n, port, on_heard, e, why);
	if (!r)
		fail_msg("%s", why);
	return r;
}

static void
test_unicast(void **state)
{
	(void)state;
	struct ear one = {0}, two = {0};
	uint16_t p1 = 0, p2 = 0;
	struct radio *a = radio(&one, &p1), *b = radio(&two, &p2);
	assert_true(p1 && p2 && p1 != p2);
	struct endpoint to = {.len = 4, .bytes = {127, 0, 0, 1}, .port = p2};
	radio_unicast(a, &to, "hello", 5);
	UNTIL(two.heard);
	assert_int_equal(two.len, 5);
	assert_memory_equal(two.bytes, "hello", 5);
	assert_int_equal(two.from.port, p1); /* where it hears answers */
	assert_false(two.multicast);
	radio_unicast(b, &two.from, "you too", 7);
	UNTIL(one.heard);
	/* more than any datagram of ours has is cut, so that it is seen to be too long */
	uint8_t big[LETTER_LEN_MAX + 100] = {0};
	radio_unicast(a, &to, big, sizeof big);
	UNTIL(two.heard == 2);
	assert_int_equal(two.len, LETTER_LEN_MAX + 1);
	/* an address of a family without a socket goes nowhere */
	struct endpoint six = {.len = 16, .port = p2};
	radio_unicast(a, &six, "x", 1);
	radio_multicast(a, false, "x", 1);
	radio_close(a);
	radio_close(b);
	radio_close(NULL);
}

static void
test_addresses(void **state)
{
	(void)state;
	struct ear e = {0};
	uint16_t port = 0;
	struct radio *r = radio(&e, &port);
	const struct interfaces *all = radio_interfaces(r);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(all->naddrs, 1);
		assert_int_equal(all->addrs[0].len, 4);
		assert_memory_equal(all->addrs[0].bytes, "\x7f\0\0\1", 4);
		radio_rescan(r, i == 1);
	}
	assert_int_equal(radio_outlets(r), 0);
	radio_close(r);
}

static void
test_bad_listen(void **state)
{
	(void)state;
	struct ear e = {0};
	uint16_t port = 0;
	char why[256] = "";
	unsigned before = rig_open_fds();
	snprintf(n.config.listen, sizeof n.config.listen, "192.0.2.1:9777"); /* of nobody */
	assert_null(radio_open(&n, &port, on_heard, &e, why));
	assert_non_null(strstr(why, "192.0.2.1"));
	assert_int_equal(rig_open_fds(), before);
}

/* A group that cannot be used is a warning; beacons go by unicast. */
static void
test_bad_group(void **state)
{
	(void)state;
	struct ear e = {0};
	uint16_t port = 0;
	snprintf(n.config.group, sizeof n.config.group, "ff12::1:9777");
	struct radio *r = radio(&e, &port);
	assert_true(rig_logged("beacons go without it"));
	radio_close(r);
}

/* Two daemons of one machine share a group, and hear each other but not themselves. */
static void
test_group(void **state)
{
	static const char *const groups[][2] = {
	        {"239.255.97.77:9777", "off"}, {"off", "[ff12::9777]:9777"}};
	(void)state;
	snprintf(n.config.listen, sizeof n.config.listen, "[::]:0");
	snprintf(n.config.interfaces, sizeof n.config.interfaces, "here");
	for (int i = 0; i < 2; i++) {
		struct ear one = {0}, two = {0};
		uint16_t p1 = 0, p2 = 0;
		snprintf(n.config.group, sizeof n.config.group, "%s", groups[i][0]);
		snprintf(n.config.group6, sizeof n.config.group6, "%s", groups[i][1]);
		struct radio *a = radio(&one, &p1), *b = radio(&two, &p2);
		assert_int_equal(radio_outlets(a), 1);
		radio_multicast(a, false, "of a", 4);
		UNTIL(two.heard);
		assert_true(two.multicast);
		assert_int_equal(two.from.port, p1);
		radio_multicast(b, false, "of b", 4);
		UNTIL(one.heard);
		assert_memory_equal(one.bytes, "of b", 4);
		assert_int_equal(one.heard, 1);
		assert_int_equal(two.heard, 1);
		radio_close(a);
		radio_close(b);
	}
}

/* IPv6 is spared where IPv4 serves as well, and only there. */
static void
test_ipv4_alone(void **state)
{
	static const char *const groups[] = {"239.255.97.77:9777", "off"};
	(void)state;
	snprintf(n.config.listen, sizeof n.config.listen, "[::]:0");
	snprintf(n.config.interfaces, sizeof n.config.interfaces, "here");
	snprintf(n.config.group6, sizeof n.config.group6, "[ff12::9777]:9777");
	for (int i = 0; i < 2; i++) {
		struct ear one = {0}, two = {0};
		uint16_t p1 = 0, p2 = 0;
		snprintf(n.config.group, sizeof n.config.group, "%s", groups[i]);
		struct radio *a = radio(&one, &p1), *b = radio(&two, &p2);
		radio_multicast(a, true, "once", 4);
		radio_multicast(a, false, "both", 4);
		unsigned all = i == 0 ? 3 : 2;
		UNTIL(two.heard == all);
		radio_multicast(a, true, "again", 5);
		UNTIL(two.heard > all);
		rig_spin();
		assert_int_equal(two.heard, all + 1);
		assert_int_equal(two.from.len, i == 0 ? 4 : 16);
		radio_close(a);
		radio_close(b);
	}
}

/* An interface that was made anew under its name is another one: between two looks it was never missed. */
static void
test_interface_made_anew(void **state)
{
	(void)state;
	snprintf(n.config.listen, sizeof n.config.listen, "[::]:0");
	snprintf(n.config.interfaces, sizeof n.config.interfaces, "later");
	for (int i = 0; i < 2; i++) {
		struct ear one = {0}, two = {0};
		uint16_t p1 = 0, p2 = 0;
		bool v6 = i == 1;
		unsigned before = rig_open_fds();
		snprintf(n.config.group, sizeof n.config.group, "%s",
		        v6 ? "off" : "239.255.97.77:9777");
		snprintf(n.config.group6, sizeof n.config.group6, "%s",
		        v6 ? "[ff12::9777]:9777" : "off");
		assert_true(network_add_later());
		struct radio *a = radio(&one, &p1), *b = radio(&two, &p2);
		unsigned index = radio_interfaces(a)->list[0].index;
		assert_true(network_ip("link del later"));
		assert_true(network_add_later());
		radio_rescan(a, false);
		radio_rescan(b, false);
		assert_int_not_equal(radio_interfaces(a)->list[0].index, index);
		radio_multicast(a, false, "here", 4);
		UNTIL(two.heard);
		assert_true(network_ip("link del later"));
		radio_rescan(a, false);
		assert_int_equal(radio_outlets(a), 0);
		radio_close(a);
		radio_close(b);
		assert_int_equal(rig_open_fds(), before);
	}
}

/* An interface that has no IPv4 any more speaks by IPv6, although IPv4 alone would do elsewhere; and the other way round. */
static void
test_family_goes_and_comes(void **state)
{
	(void)state;
	struct ear one = {0}, two = {0};
	uint16_t p1 = 0, p2 = 0;
	snprintf(n.config.listen, sizeof n.config.listen, "[::]:0");
	snprintf(n.config.interfaces, sizeof n.config.interfaces, "later");
	snprintf(n.config.group, sizeof n.config.group, "239.255.97.77:9777");
	snprintf(n.config.group6, sizeof n.config.group6, "[ff12::9777]:9777");
	assert_true(network_add_later());
	struct radio *a = radio(&one, &p1), *b = radio(&two, &p2);
	static const struct {
		const char *change;
		uint8_t len;
	} rows[] = {
	        {"addr del 192.0.2.130/25 dev later", 16},
	        {"addr add 192.0.2.130/25 dev later", 4},
	        {"addr del fe80::2/64 dev later", 4},
	        {"addr add fe80::2/64 dev later nodad", 4},
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(network_ip(rows[i].change));
		radio_rescan(a, false);
		radio_rescan(b, false);
		unsigned before = two.heard;
		radio_multicast(a, true, "one", 3);
		UNTIL(two.heard > before);
		rig_spin();
		assert_int_equal(two.heard, before + 1);
		assert_int_equal(two.from.len, rows[i].len);
	}
	assert_true(network_ip("link del later"));
	radio_close(a);
	radio_close(b);
}

/* Beacons of the group may wait together for a moment, but not while so many come that they would be lost. */
static void
test_flood(void **state)
{
	(void)state;
	snprintf(n.config.listen, sizeof n.config.listen, "[::]:0");
	snprintf(n.config.interfaces, sizeof n.config.interfaces, "here");
	snprintf(n.config.group, sizeof n.config.group, "239.255.97.77:9777");
	struct ear one = {0}, two = {0};
	uint16_t p1 = 0, p2 = 0;
	unsigned sent = 0, late = 0;
	struct radio *a = radio(&one, &p1), *b = radio(&two, &p2);
	uint64_t begin = loop_now_ms();
	while (loop_now_ms() - begin < 1500) {
		for (int i = 0; i < 60; i++, sent++)
			radio_multicast(a, false, "flood", 5);
		unsigned before = two.heard;
		rig_spin();
		late += loop_now_ms() - begin > 500 && two.heard - before < 60;
	}
	assert_true(sent > 1000);
	assert_int_equal(late, 0);
	radio_close(a);
	radio_close(b);
}

static void
test_listen(void **state)
{
	(void)state;
	int fd, again;
	uint16_t port = 0, other;
	char why[256] = "", text[32];
	assert_int_equal(radio_listen("127.0.0.1:0", &fd, &port, why), 0);
	assert_int_not_equal(port, 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	snprintf(text, sizeof text, "127.0.0.1:%u", port);
	assert_int_equal(radio_listen(text, &again, &other, why), IM_ERR_SYSTEM);
	assert_non_null(strstr(why, "another icemeshd"));
	close(fd);
	assert_int_equal(radio_listen("127.0.0.1:70000", &fd, &port, why), IM_ERR_FORMAT);
	assert_non_null(strstr(why, "ADDRESS:PORT"));
	assert_int_equal(radio_listen(":0", &fd, &port, why), IM_ERR_FORMAT);
}

int
main(void)
{
	if (!network_enter())
		return 1;
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_unicast, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_addresses, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_bad_listen, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_bad_group, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_group, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_ipv4_alone, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_interface_made_anew, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_family_goes_and_comes, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_flood, setup, rig_teardown),
	        cmocka_unit_test_setup_teardown(test_listen, setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
