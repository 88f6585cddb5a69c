#include "client/doctor.h"

#include "tests/unit/doctor_rig.h"

static void
test_kernel(void **state)
{
	struct config c;
	struct doctor d;
	struct buf out;

	(void)state;
	begin(&d, &c, &out);
	put_file("sys/user/max_user_namespaces", "0\n", 0644);
	expect(&d, doctor_namespaces, 1, "bad  user namespaces are switched off");
	put_file("sys/user/max_user_namespaces", "100\n", 0644);
	put_file("sys/kernel/unprivileged_userns_clone", "0\n", 0644);
	expect(&d, doctor_namespaces, 1, "bad  user namespaces are switched off");
	put_file("filesystems", "nodev\tsysfs\n\text4\n", 0644);
	expect(&d, doctor_overlay, 1, "bad  the kernel has no overlayfs");
	put_file("filesystems", "nodev\tsysfs\nnodev\toverlay\n", 0644);
	expect(&d, doctor_overlay, 0, "ok   overlayfs is available\n");
	buf_fini(&out);
}

static void
test_machine(void **state)
{
	struct config c;
	struct doctor d;
	struct buf out;

	(void)state;
	begin(&d, &c, &out);
	expect(&d, doctor_clock, 0, "ok   the clock");
	d.now = 1000;
	expect(&d, doctor_clock, 1, "bad  the clock is years behind");
	snprintf(c.group, sizeof c.group, "off");
	snprintf(c.group6, sizeof c.group6, "off");
	expect(&d, doctor_network, 0, "note multicast is switched off and no seeds");
	snprintf(c.seeds, sizeof c.seeds, "a:9777");
	expect(&d, doctor_network, 0, "ok   peers are asked at a:9777\n");
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_kernel), cmocka_unit_test(test_machine)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
