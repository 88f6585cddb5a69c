#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "mesh/interface.h"
#include "tests/unit/network_rig.h"

static void
all_are_real_networks(void **state)
{
	(void)state;
	assert_true(interface_wanted("all", "eth0"));
	assert_true(interface_wanted("", "wlan0"));
	assert_true(interface_wanted("all", "br0")); /* a machine's own bridge */
	assert_false(interface_wanted("all", "docker0"));
	assert_false(interface_wanted("all", "br-0123456789ab"));
	assert_false(interface_wanted("", "tun0"));
}

static void
a_list_names_them(void **state)
{
	(void)state;
	assert_true(interface_wanted("eth0", "eth0"));
	assert_true(interface_wanted("eth0, tun0,eth1", "tun0"));
	assert_true(interface_wanted("eth0, tun0,eth1", "eth1"));
	assert_false(interface_wanted("eth0, tun0,eth1", "eth"));
	assert_false(interface_wanted("eth0, tun0,eth1", "eth10"));
	assert_false(interface_wanted(", ,", "eth0"));
}

static const struct endpoint any = {.len = 16};

static struct interfaces
look(const char *wanted, const struct endpoint *bound, bool group4, bool group6)
{
	struct interfaces all;
	memset(&all, 0xaa, sizeof all);
	assert_int_equal(interfaces_look(&all, &(struct interfaces_request){.wanted = wanted,
	                                               .bound = bound,
	                                               .group4 = group4,
	                                               .group6 = group6}),
	        0);
	return all;
}

static void
what_is_there(void **state)
{
	(void)state;
	struct interfaces one = look("here, later", &any, true, true),
	                  two = look("here, later", &any, true, true);
	assert_memory_equal(&one, &two, sizeof one);
	assert_false(interfaces_moved(&one, &two));
	/* the other end is not asked for */
	assert_int_equal(one.n, 1);
	assert_string_equal(one.list[0].name, "here");
	assert_int_equal(one.list[0].index, if_nametoindex("here"));
	assert_true(one.list[0].v4 && one.list[0].v6);
	/* a link-local address is no use to others, and names no network */
	assert_int_equal(one.naddrs, 1);
	assert_memory_equal(one.addrs[0].bytes, "\xc0\0\2\2", 4);
	assert_int_equal(one.nsubnets, 1);
	assert_int_equal(one.subnets[0].bits, 24);
	assert_memory_equal(one.subnets[0].addr.bytes, "\xc0\0\2\2", 4);
	assert_int_equal(look("lo", &any, true, true).n, 0);
	assert_int_equal(look("eth0", &any, true, true).n, 0);
	assert_int_equal(look("eth0", &any, true, true).naddrs, 0);
	/* a network without a group of its family is not one where multicast is heard */
	assert_int_equal(look("here", &any, false, true).nsubnets, 0);
	assert_int_equal(look("here", &any, false, true).n, 1);
}

static void
bound_to_one_address(void **state)
{
	(void)state;
	struct endpoint e = {.len = 4, .bytes = {192, 0, 2, 2}};
	struct interfaces all = look("all", &e, true, true);
	assert_int_equal(all.n, 1);
	assert_true(all.list[0].v4);
	assert_false(all.list[0].v6);
	assert_int_equal(all.naddrs, 1);
	e.bytes[3] = 9; /* of nobody */
	all = look("all", &e, true, true);
	assert_int_equal(all.n, 0);
	assert_int_equal(all.naddrs, 1);
	assert_int_equal(all.addrs[0].bytes[3], 9);
}

static void
a_move_is_seen(void **state)
{
	(void)state;
	struct interfaces before = look("here, later", &any, true, true);
	assert_true(network_add_later());
	struct interfaces after = look("here, later", &any, true, true);
	assert_int_equal(after.n, 2);
	assert_int_equal(after.naddrs, 2);
	assert_int_equal(after.subnets[1].bits, 25);
	assert_true(interfaces_moved(&before, &after));
	assert_true(network_ip("addr del 192.0.2.130/25 dev later"));
	after = look("here, later", &any, true, true);
	assert_int_equal(after.n, 2);
	assert_false(after.list[1].v4);
	assert_true(after.list[1].v6);
	assert_true(network_ip("link del later"));
	after = look("here, later", &any, true, true);
	assert_false(interfaces_moved(&before, &after));
}

int
main(void)
{
	if (!network_enter())
		return 1;
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_are_real_networks),
	        cmocka_unit_test(a_list_names_them),
	        cmocka_unit_test(what_is_there),
	        cmocka_unit_test(bound_to_one_address),
	        cmocka_unit_test(a_move_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
