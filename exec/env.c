#include "exec/env.h"

#include <stddef.h>
#include <string.h>

/* Set at all, even empty, these make the compiler read or write files of its own choice. */
static const char *const hindering[] = {
        "CCC_ADD_ARGS",
        "CCC_OVERRIDE_OPTIONS",
        "CC_LOG_DIAGNOSTICS",
        "CC_LOG_DIAGNOSTICS_FILE",
        "CC_PRINT_HEADERS",
        "CC_PRINT_HEADERS_FILE",
        "CC_PRINT_INTERNAL_STAT",
        "CC_PRINT_INTERNAL_STAT_FILE",
        "CC_PRINT_OPTIONS",
        "CC_PRINT_OPTIONS_FILE",
        "CC_PRINT_PROC_STAT",
        "CC_PRINT_PROC_STAT_FILE",
        "CLANG_CRASH_DIAGNOSTICS_DIR",
        "COMPILER_PATH",
        "DEPENDENCIES_OUTPUT",
        "GCC_COMPARE_DEBUG",
        "GCC_EXEC_PREFIX",
        "LIBCLANG_BGPRIO_ENABLE",
        "RC_DEBUG_OPTIONS",
        "SUNPRO_DEPENDENCIES",
};

static const char *const travelling[] = {
        "COLUMNS",
        "GCC_COLORS",
        "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
        "GCC_URLS",
        "LANG",
        "LANGUAGE",
        "MACOSX_DEPLOYMENT_TARGET",
        "SOURCE_DATE_EPOCH",
        "TERM_URLS",
};

/* Folders for headers. */
static const char *const paths[] = {
        "CPATH",
        "CPLUS_INCLUDE_PATH",
        "C_INCLUDE_PATH",
        "OBJCPLUS_INCLUDE_PATH",
        "OBJC_INCLUDE_PATH",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* True when the name before '=' is in the list. */
static bool
named(const char *variable, const char *const *list, size_t n)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && memcmp(list[i], variable, len) == 0)
			return true;
	return false;
}

/* Refuses for one of the variables above, whose names are all short. */
static int
refuse(const char *variable, char reason[REASON_SIZE])
{
	char name[64];

	memset(name, 0, sizeof(name));
	memcpy(name, variable, strcspn(variable, "="));
	reason_set(reason, "environment", name);
	return IM_ERR_REFUSED;
}

int
env_check(char *const *environment, char reason[REASON_SIZE])
{
	for (; *environment; environment++)
		if (named(*environment, hindering, COUNT(hindering)))
			return refuse(*environment, reason);
	return 0;
}

static bool
is_locale(const char *variable)
{
	return strncmp(variable, "LC_", 3) == 0 || strncmp(variable, "LANG", 4) == 0;
}

int
env_source(char *const *environment, char reason[REASON_SIZE])
{
	for (; *environment; environment++) {
		bool wanted = named(*environment, paths, COUNT(paths)) ||
		              named(*environment, travelling, COUNT(travelling));

		if (wanted && !is_locale(*environment) && !env_allowed(*environment))
			return refuse(*environment, reason);
	}
	return 0;
}

/* A locale's value is a name, never a path: glibc would load locale files from there. */
static bool
locale_value_ok(const char *value)
{
	return strchr(value, '/') == NULL;
}

bool
env_allowed(const char *variable)
{
	const char *value = strchr(variable, '=');
	bool folders = named(variable, paths, COUNT(paths));

	if (!value || strlen(value + 1) > (folders ? ENV_PATHS_MAX : ENV_VALUE_MAX) ||
	        value - variable > 64)
		return false;
	for (const char *p = variable; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			return false;
	if (is_locale(variable) && !locale_value_ok(value + 1))
		return false;
	if (strncmp(variable, "LC_", 3) == 0)
		return strspn(variable + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
		       (size_t)(value - variable - 3);
	return folders || named(variable, travelling, COUNT(travelling));
}

uint32_t
env_select(char *const *environment, const char **out, uint32_t max)
{
	uint32_t n = 0;

	for (; *environment && n < max; environment++)
		if (env_allowed(*environment))
			out[n++] = *environment;
	return n;
}
