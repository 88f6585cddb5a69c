#include "client/lto.h"

#include <stdlib.h>
#include <string.h>

static bool
is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static bool
is_parallel(const char *value, enum option_compiler compiler)
{
	if (compiler == FOR_CLANG)
		return strcmp(value, "thin") == 0;
	return strcmp(value, "auto") == 0 || strcmp(value, "jobserver") == 0 ||
	       strtoul(value, NULL, 10) > 1;
}

enum lto
lto_look(int argc, char *const *argv, enum option_compiler compiler)
{
	static const char *const others[] = {
	        "-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "--precompile"};
	enum lto found = LTO_SERIAL;

	for (int i = 1; i < argc; i++) {
		if (is_one_of(argv[i], others, sizeof others / sizeof others[0]))
			return LTO_NOT_LINKED;
		/* gcc goes by what its objects say, too: "-fno-lto" and later words take nothing back */
		if (strncmp(argv[i], "-flto=", 6) == 0 && is_parallel(argv[i] + 6, compiler))
			found = LTO_PARALLEL;
	}
	return found;
}

unsigned
lto_jobs(int argc, char *const *argv, unsigned most)
{
	const char *number;
	unsigned long n;

	/* -flto-jobs=N, -Wl,--thinlto-jobs=N, -Wl,-plugin-opt=jobs=N, -Wl,-plugin-opt,jobs=N */
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-flto-jobs=", 11) != 0 && strncmp(argv[i], "-Wl,", 4) != 0)
			continue;
		number = strstr(argv[i], "jobs=");
		n = number != NULL ? strtoul(number + 5, NULL, 10) : 0;
		if (n > 0 && n < most)
			most = (unsigned)n;
	}
	return most;
}
