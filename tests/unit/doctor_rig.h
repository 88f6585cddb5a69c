/* A machine for the checks of `icemesh doctor`: a private folder for /proc and PATH, and what a check says of it. */
#ifndef TESTS_DOCTOR_RIG_H
#define TESTS_DOCTOR_RIG_H

#include <sys/stat.h>
#include "client/doctor.h"
#include "tests/unit/fake_daemon.h"

static char dir[64];
static const char *const folders[] = {"sys", "sys/user", "sys/kernel", "bin", "links"};

static inline void
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

static inline int
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

static inline int
tear_down(void **state)
{
	static const char *const files[] = {"sys/user/max_user_namespaces",
	        "sys/kernel/unprivileged_userns_clone", "filesystems", "bin/gcc", "bin/g++",
	        "links/gcc", "links/icemesh-cc"};
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
static inline void
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

static inline void
begin(struct doctor *d, struct config *c, struct buf *out)
{
	buf_init(out, 65536);
	config_defaults(c, CONFIG_USER);
	*d = (struct doctor){.config = c, .proc = dir, .path = "", .now = 1800000000, .out = out};
}

#endif
