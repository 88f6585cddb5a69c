#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "mesh/config.h"

static char why[256];

static int
set(struct config *c, const char *key, const char *value)
{
	why[0] = 0;
	return config_set(c, key, value, why, sizeof(why));
}

static int
parse(struct config *c, const char *text)
{
	why[0] = 0;
	return config_parse(c, text, strlen(text), why, sizeof(why));
}

static void
defaults_are_the_documented_ones(void **state)
{
	struct config c;

	(void)state;
	setenv("HOME", "/home/u", 1);
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_CACHE_HOME");
	config_defaults(&c, CONFIG_SYSTEM);
	assert_true(c.name[0] && c.slots >= 1 && c.local_slots == c.slots);
	assert_int_equal(c.nice, 10);
	assert_string_equal(c.listen, "[::]:9777");
	assert_string_equal(c.group, "239.255.97.77:9777");
	assert_string_equal(c.group6, "[ff12::9777]:9777");
	assert_string_equal(c.interfaces, "all");
	assert_string_equal(c.seeds, "");
	assert_string_equal(c.state_dir, "/var/lib/icemesh");
	assert_string_equal(c.store_dir, "/var/cache/icemesh");
	assert_true(c.store_size == UINT64_C(5) << 30);
	assert_string_equal(c.socket, "");
	assert_int_equal(c.socket_mode, 0666);
	assert_int_equal(c.lend, LEND_ALWAYS);
	assert_true(c.job_memory == UINT64_C(4) << 30 && c.job_output == UINT64_C(512) << 20);
	assert_int_equal(c.job_time_s, 900);
	assert_int_equal(c.sandbox_min, 1);
	assert_false(c.spares_quorum);
	assert_int_equal(c.audit_permille, 10);
	assert_int_equal(c.remote, REMOTE_AUTO);
	assert_int_equal(c.mode, INPUT_AUTO);
	assert_string_equal(c.cc, "cc");
	assert_string_equal(c.cxx, "c++");
	config_defaults(&c, CONFIG_USER);
	assert_string_equal(c.state_dir, "/home/u/.local/state/icemesh");
	assert_string_equal(c.store_dir, "/home/u/.cache/icemesh");
}

static void
every_kind_is_taken(void **state)
{
	struct config c;

	(void)state;
	setenv("HOME", "/home/u", 1);
	config_defaults(&c, CONFIG_USER);
	assert_int_equal(
	        parse(&c, "# all of them\n"
	                  "name = box  # not a comment? it is\n"
	                  "slots=0\n\tlocal_slots = 3 \r\n\n"
	                  "nice = 19\nlisten = 127.0.0.1:0\ngroup = off\ngroup6=[ff12::1]:5\n"
	                  "interfaces = eth0,eth1\nseeds = a#b,c:1\n"
	                  "state_dir = ~/s\nstore_dir = /c\nstore_size = 1T\n"
	                  "socket = /run/x.sock\nsocket_mode = 0600\nlend = ac\n"
	                  "job_memory = 1G\njob_time = 2h\njob_output = 7\n"
	                  "sandbox_min = L3\nspares = quorum\naudit = 0.5 %\n"
	                  "remote = only\nmode = preprocessed\ncc = gcc-14\ncxx=g++-14\n"
	                  "toolchain = x86_64:/t.tar\npeer = p\ntrace = t.json"),
	        0);
	assert_string_equal(c.name, "box");
	assert_int_equal(c.slots, 0);
	assert_int_equal(c.local_slots, 3);
	assert_int_equal(c.nice, 19);
	assert_string_equal(c.listen, "127.0.0.1:0");
	assert_string_equal(c.group, "off");
	assert_string_equal(c.seeds, "a#b,c:1");
	assert_string_equal(c.state_dir, "/home/u/s");
	assert_true(c.store_size == UINT64_C(1) << 40 && c.job_output == 7);
	assert_int_equal(c.socket_mode, 0600);
	assert_int_equal(c.lend, LEND_AC);
	assert_int_equal(c.job_time_s, 7200);
	assert_int_equal(c.sandbox_min, 3);
	assert_true(c.spares_quorum);
	assert_int_equal(c.audit_permille, 5);
	assert_int_equal(c.remote, REMOTE_ONLY);
	assert_int_equal(c.mode, INPUT_PREPROCESSED);
	assert_string_equal(c.cxx, "g++-14");
	assert_string_equal(c.trace, "t.json");
	assert_int_equal(set(&c, "spares", "never"), 0);
	assert_false(c.spares_quorum);
}

static void
wrong_values_are_refused(void **state)
{
	static const char *const bad[][2] = {{"slots", "-1"}, {"slots", "4097"}, {"slots", "four"},
	        {"local_slots", "0"}, {"nice", "20"}, {"name", ""},
	        {"name", "1234567890123456789012345678901234567890123456789012345678901234"},
	        {"listen", "9777"}, {"group", "on"}, {"state_dir", "var"}, {"store_size", "0"},
	        {"socket", "icemesh.sock"}, {"socket_mode", "1777"}, {"lend", "Always"},
	        {"job_time", "0"}, {"sandbox_min", "L4"}, {"sandbox_min", "1"}, {"spares", "yes"},
	        {"audit", "2 permille"}, {"remote", ""}, {"cc", ""}, {"peer", "a\tb"}};
	struct config c, before;
	char longer[CONFIG_VALUE_SIZE + 1];

	(void)state;
	config_defaults(&c, CONFIG_SYSTEM);
	before = c;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(set(&c, bad[i][0], bad[i][1]), IM_ERR_FORMAT);
		assert_memory_equal(why, bad[i][0], strlen(bad[i][0]));
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(set(&c, "toolchain", longer), IM_ERR_FORMAT);
	longer[0] = '/';
	longer[200] = 0;
	assert_int_equal(set(&c, "socket", longer), IM_ERR_FORMAT);
	assert_int_equal(set(&c, "slot", "1"), IM_ERR_ABSENT);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void
bad_lines_are_named(void **state)
{
	struct config c;
	char text[1200];

	(void)state;
	config_defaults(&c, CONFIG_SYSTEM);
	assert_int_equal(parse(&c, "nice = 1\n\nnonsense\n"), IM_ERR_FORMAT);
	assert_string_equal(why, "3: no '='; write key = value");
	assert_int_equal(c.nice, 1);
	assert_int_equal(parse(&c, "nice = 1\ncolour = red\n"), IM_ERR_ABSENT);
	assert_memory_equal(why, "2: unknown key 'colour'", 23);
	assert_int_equal(config_parse(&c, "nice = 1\0", 9, why, sizeof(why)), IM_ERR_FORMAT);
	memset(text, 'x', sizeof(text));
	assert_int_equal(config_parse(&c, text, sizeof(text), why, sizeof(why)), IM_ERR_FORMAT);
	assert_int_equal(config_parse(&c, "", 0, why, sizeof(why)), 0);
}

static void
write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void
files_and_variables(void **state)
{
	char dir[] = "/tmp/icemesh-test-XXXXXX", file[128], sub[128], expected[200];
	static char huge[CONFIG_FILE_MAX + 1];
	struct config c;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/icemesh", dir);
	snprintf(file, sizeof(file), "%s/icemesh/icemesh.conf", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	unsetenv("ICEMESH_CONFIG");
	setenv("XDG_CONFIG_HOME", dir, 1);
	assert_int_equal(config_read(&c, file, why, sizeof(why)), IM_ERR_ABSENT);
	assert_int_equal(config_load(&c, CONFIG_USER, why, sizeof(why)), 0);
	write_file(file, "remote = never\npeer = p\n", 24);
	assert_int_equal(config_load(&c, CONFIG_USER, why, sizeof(why)), 0);
	assert_int_equal(c.remote, REMOTE_NEVER);
	setenv("ICEMESH_REMOTE", "only", 1);
	setenv("ICEMESH_PEER", "", 1);      /* empty: as if unset */
	setenv("ICEMESH_SLOTS", "7777", 1); /* no variable of ours */
	assert_int_equal(config_load(&c, CONFIG_USER, why, sizeof(why)), 0);
	assert_int_equal(c.remote, REMOTE_ONLY);
	assert_string_equal(c.peer, "p");
	setenv("ICEMESH_REMOTE", "maybe", 1);
	assert_int_equal(config_load(&c, CONFIG_USER, why, sizeof(why)), IM_ERR_FORMAT);
	assert_string_equal(why, "variable ICEMESH_REMOTE: remote: write one of: auto never only");
	unsetenv("ICEMESH_REMOTE");
	write_file(file, "colour = red\n", 13); /* unknown, not missing */
	assert_int_equal(config_load(&c, CONFIG_USER, why, sizeof(why)), IM_ERR_FORMAT);
	snprintf(expected, sizeof(expected), "%s:1: unknown key", file);
	assert_memory_equal(why, expected, strlen(expected));
	memset(huge, '\n', sizeof(huge));
	write_file(file, huge, sizeof(huge));
	assert_int_equal(config_read(&c, file, why, sizeof(why)), IM_ERR_LIMIT);
	write_file(file, huge, CONFIG_FILE_MAX);
	assert_int_equal(config_read(&c, file, why, sizeof(why)), 0);
	unlink(file);
	setenv("ICEMESH_CONFIG", file, 1); /* named, so it must be there */
	assert_int_equal(config_load(&c, CONFIG_USER, why, sizeof(why)), IM_ERR_ABSENT);
	unsetenv("ICEMESH_CONFIG");
	rmdir(sub);
	rmdir(dir);
}

static void
sockets_in_order(void **state)
{
	char out[2][CONFIG_VALUE_SIZE], own[CONFIG_VALUE_SIZE];
	struct config c;

	(void)state;
	config_defaults(&c, CONFIG_USER);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_int_equal(config_sockets(&c, out), 2);
	assert_string_equal(out[0], "/run/user/7/icemesh.sock");
	assert_string_equal(out[1], "/run/icemesh/icemesh.sock");
	config_own_socket(&c, CONFIG_SYSTEM, own);
	assert_string_equal(own, out[1]);
	config_own_socket(&c, CONFIG_USER, own);
	assert_string_equal(own, out[0]);
	assert_int_equal(set(&c, "socket", "/s"), 0);
	assert_int_equal(config_sockets(&c, out), 1);
	assert_string_equal(out[0], "/s");
	config_own_socket(&c, CONFIG_SYSTEM, own);
	assert_string_equal(own, "/s");
}

static void
keys_are_listed(void **state)
{
	struct config c;
	unsigned n = 0;

	(void)state;
	config_defaults(&c, CONFIG_SYSTEM);
	for (; config_key(n); n++)
		assert_int_not_equal(set(&c, config_key(n), "\001"), IM_ERR_ABSENT);
	assert_int_equal(n, 28);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(defaults_are_the_documented_ones),
	        cmocka_unit_test(every_kind_is_taken),
	        cmocka_unit_test(wrong_values_are_refused),
	        cmocka_unit_test(bad_lines_are_named),
	        cmocka_unit_test(files_and_variables),
	        cmocka_unit_test(sockets_in_order),
	        cmocka_unit_test(keys_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
