#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <pwd.h>

#include "mesh/places.h"

static void
folders_follow_the_environment(void **state)
{
	char out[PLACE_SIZE], longer[PLACE_SIZE + 10];
	const struct passwd *user = getpwuid(geteuid());

	(void)state;
	assert_non_null(user);
	setenv("HOME", "/home/u", 1);
	unsetenv("XDG_CACHE_HOME");
	assert_string_equal(place_home(), "/home/u");
	unsetenv("HOME");
	assert_string_equal(place_home(), user->pw_dir);
	setenv("HOME", "/home/u", 1);
	place_user_dir(out, "XDG_CACHE_HOME", ".cache");
	assert_string_equal(out, "/home/u/.cache/icemesh");
	setenv("XDG_CACHE_HOME", "/fast", 1);
	place_user_dir(out, "XDG_CACHE_HOME", ".cache");
	assert_string_equal(out, "/fast/icemesh");
	setenv("XDG_CACHE_HOME", "relative", 1);
	place_user_dir(out, "XDG_CACHE_HOME", ".cache");
	assert_string_equal(out, "/home/u/.cache/icemesh");
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = 0;
	setenv("XDG_CACHE_HOME", longer, 1);
	place_user_dir(out, "XDG_CACHE_HOME", ".cache");
	assert_string_equal(out, "");
	unsetenv("HOME");
	assert_int_equal(place_home()[0], '/');
}

static void
sockets_of_others_do_not_count(void **state)
{
	char out[PLACE_SIZE], expected[PLACE_SIZE];

	(void)state;
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_true(place_user_socket(out));
	assert_string_equal(out, "/run/user/7/icemesh.sock");
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(expected, sizeof(expected), "/tmp/icemesh-%u/icemesh.sock", (unsigned)geteuid());
	(void)place_user_socket(out); /* whether that folder is there is not ours to say */
	assert_string_equal(out, expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(folders_follow_the_environment),
	        cmocka_unit_test(sockets_of_others_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
