#include "client/doctor.h"

#include <sys/stat.h>
#include "tests/unit/fake_status.h"

static char dir[64];
static const char *const folders[] = { "sys", "sys/user", "sys/kernel", "bin", "links" };

static void
put_file(const char *name, const char *text, mode_t mode)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int
set_up(void **state)
{
	char path[160];

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/icemesh-test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const files[] = { "sys/user/max_user_namespaces", "sys/kernel/unprivileged_userns_clone", "filesystems",
		"bin/gcc", "bin/g++", "links/gcc", "links/icemesh-cc" };
	char path[160];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		remove(path);
	}
	for (size_t i = sizeof folders / sizeof folders[0]; i-- > 0;) {
		snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
		remove(path);
	}
	return rmdir(dir);
}

/* Runs one check and compares how its output begins. */
static void
expect(struct doctor *d, void (*check)(struct doctor *), unsigned bad, const char *begin)
{
	buf_reset(d->out);
	d->bad = 0;
	check(d);
	assert_non_null(buf_text(d->out));
	if (strncmp(buf_text(d->out), begin, strlen(begin)) != 0)
		assert_string_equal(buf_text(d->out), begin);
	assert_int_equal(d->bad, bad);
	if (bad > 0)
		assert_non_null(strstr(buf_text(d->out), "\n     remedy: "));
}

static void
begin(struct doctor *d, struct config *c, struct buf *out)
{
	buf_init(out, 65536);
	config_defaults(c, CONFIG_USER);
	*d = (struct doctor){ .config = c, .proc = dir, .path = "", .now = 1800000000, .out = out };
}

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
	assert_string_equal(buf_text(&out), "ok   the daemon answers; it is icemesh 0.1.0\nok   this node is a member of mesh 'home'\n");
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kernel), cmocka_unit_test(test_machine),
		cmocka_unit_test(test_compilers), cmocka_unit_test(test_status) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
