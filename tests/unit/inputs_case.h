/* What test programs of input sets begin with: the rig of the running test, and how they say what a source leads to. */
#ifndef TESTS_INPUTS_CASE_H
#define TESTS_INPUTS_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/inputs_rig.h"

static struct rig *rig;

static inline int
begin(void **state)
{
	if (rig_enter(state))
		return -1;
	rig = *state;
	return 0;
}

static inline int
stop(void **state)
{
	return rig_leave(state);
}

static inline void
text(const char *path, const char *bytes)
{
	assert_int_equal(scratch_text(path, bytes), 0);
}

static inline void
find_in(const char *source)
{
	int r = rig_find(rig, rig->cwd, source);

	if (r != 0)
		print_message("%s\n", rig->why);
	assert_int_equal(r, 0);
}

static inline void
refused_in(const char *source, const char *cause)
{
	assert_int_equal(rig_find(rig, rig->cwd, source), IM_ERR_REFUSED);
	if (!strstr(rig->why, cause))
		print_message("%s\n", rig->why);
	assert_non_null(strstr(rig->why, cause));
}

#endif
