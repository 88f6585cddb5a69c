#include "client/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char dir[64], helper[128];

/* A helper program made of one line of shell. */
static int
pack(const char *script, struct pack *p, char why[PACK_WHY_SIZE])
{
	FILE *f;
	int fd;

	snprintf(dir, sizeof dir, "/tmp/icemesh-test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(helper, sizeof helper, "%s/helper", dir);
	fd = open(helper, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	fd = pack_with(p, helper, "/usr/bin/a compiler", why);
	remove(helper);
	remove(dir);
	return fd;
}

static void
test_good(void **state)
{
	char why[PACK_WHY_SIZE], text[64];
	struct pack p;
	ssize_t n;

	(void)state;
	assert_int_equal(
	        pack("printf '%s,%s' \"$1\" \"$2\"; printf witness >&3; echo noise >&2", &p, why),
	        0);
	n = read(p.fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	assert_string_equal(text, "pack,/usr/bin/a compiler");
	assert_int_equal(p.witness.len, 7);
	assert_memory_equal(p.witness.data, "witness", 7);
	pack_fini(&p);
}

static void
test_failures(void **state)
{
	char why[PACK_WHY_SIZE];
	struct pack p;

	(void)state;
	assert_int_equal(
	        pack("echo first >&2; printf 'icemesh-exec: no \033[31massembler\\n' >&2; exit 1",
	                &p, why),
	        IM_ERR_REFUSED);
	assert_string_equal(why, "no ?[31massembler");
	assert_int_equal(pack("exit 3", &p, why), IM_ERR_REFUSED);
	assert_string_equal(why, "icemesh-exec ended with status 3");
	assert_int_equal(pack("kill -9 $$", &p, why), IM_ERR_REFUSED);
	assert_string_equal(why, "icemesh-exec ended with status 137");
	assert_int_equal(pack("echo tarball", &p, why), IM_ERR_LIMIT);
	assert_string_equal(why, "icemesh-exec gave no list of the files it packed");
	assert_int_equal(pack("head -c 200000 /dev/zero >&3", &p, why), IM_ERR_LIMIT);
	assert_int_equal(pack_with(&p, "/nonexistent/icemesh-exec", "cc", why), IM_ERR_REFUSED);
	assert_string_equal(why, "icemesh-exec ended with status 127");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good), cmocka_unit_test(test_failures)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
