#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mesh/interface.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_are_real_networks),
	        cmocka_unit_test(a_list_names_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
