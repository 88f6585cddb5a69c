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

int
env_check(char *const *environment, char reason[REASON_SIZE])
{
	for (; *environment; environment++) {
		char name[64];

		if (!named(*environment, hindering, COUNT(hindering)))
			continue;
		memset(name, 0, sizeof(name));
		memcpy(name, *environment, strcspn(*environment, "="));
		reason_set(reason, "environment", name);
		return IM_ERR_REFUSED;
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
	bool locale = strncmp(variable, "LC_", 3) == 0 || strncmp(variable, "LANG", 4) == 0;

	if (!value || strlen(value + 1) > ENV_VALUE_MAX || value - variable > 64)
		return false;
	for (const char *p = variable; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			return false;
	if (locale && !locale_value_ok(value + 1))
		return false;
	if (strncmp(variable, "LC_", 3) == 0)
		return strspn(variable + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
		       (size_t)(value - variable - 3);
	return named(variable, travelling, COUNT(travelling));
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
