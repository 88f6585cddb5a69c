#include "client/doctor.h"

#include "tests/unit/doctor_rig.h"
#include "tests/unit/fake_status.h"

static void
test_compilers(void **state)
{
	char path[200], link[200];
	struct config c;
	struct doctor d;
	struct buf out;

	(void)state;
	begin(&d, &c, &out);
	snprintf(c.cc, sizeof c.cc, "gcc");
	snprintf(c.cxx, sizeof c.cxx, "g++");
	snprintf(path, sizeof path, "%s/bin", dir);
	d.path = path;
	expect(&d, doctor_compilers, 1, "bad  no compiler 'gcc' in PATH\n");
	put_file("bin/gcc", "\177ELF...", 0755);
	put_file("bin/g++", "#!/bin/sh\n", 0755);
	expect(&d, doctor_compilers, 0, "ok   gcc is ");
	assert_non_null(strstr(buf_text(&out), "note "));
	expect(&d, doctor_links, 0, "ok   PATH has no links");
	put_file("links/icemesh-cc", "", 0755);
	snprintf(link, sizeof link, "%s/links/gcc", dir);
	assert_int_equal(symlink("icemesh-cc", link), 0);
	snprintf(path, sizeof path, "%s/links:%s/bin", dir, dir);
	expect(&d, doctor_links, 0, "ok   icemesh's links (gcc...) come first in PATH\n");
	snprintf(path, sizeof path, "%s/bin:%s/links", dir, dir);
	expect(&d, doctor_links, 0, "note icemesh's link 'gcc' stands behind");
	buf_fini(&out);
}

static void
read_status(struct status *s, const char *mesh, const char *problem)
{
	struct packet *p;
	struct buf b;

	buf_init(&b, 4096);
	fake_status(&b, mesh, problem);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(status_decode(s, packet_root(p)), 0);
	packet_free(p);
	buf_fini(&b);
}

static void
test_status(void **state)
{
	struct config c;
	struct doctor d;
	struct status s;
	struct buf out;

	(void)state;
	begin(&d, &c, &out);
	read_status(&s, "home", NULL);
	doctor_status(&d, &s);
	assert_int_equal(d.bad, 0);
	assert_string_equal(buf_text(&out), "ok   the daemon answers; it is icemesh 0.1.0\nok   "
	                                    "this node is a member of mesh 'home'\n");
	status_fini(&s);
	buf_reset(&out);
	read_status(&s, "home", "the disk is full");
	doctor_status(&d, &s);
	assert_int_equal(d.bad, 1);
	assert_non_null(strstr(buf_text(&out), "bad  the disk is full\n     remedy: do this\n"));
	status_fini(&s);
	read_status(&s, "", NULL);
	doctor_status(&d, &s);
	assert_int_equal(d.bad, 2);
	status_fini(&s);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_compilers), cmocka_unit_test(test_status)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
