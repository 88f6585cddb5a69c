#include "client/locale.h"

#include <dirent.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 64 /* of a locale; longer ones are none */

/* What exec/pack.c puts into a toolchain, when it is here. */
#define UTF8_FILE "/usr/lib/locale/C.utf8/LC_CTYPE"

enum codeset { CODESET_ASCII, CODESET_UTF8, CODESET_OTHER };

/* A variable's value; NULL when it is not set or empty. */
static const char *
value_of(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return (*environment)[len + 1] != 0 ? *environment + len + 1 : NULL;
	return NULL;
}

/* The locale that is asked for in a category. */
static const char *
asked(char *const *environment, const char *category)
{
	const char *names[] = {"LC_ALL", category, "LANG"}, *value = NULL;

	for (size_t i = 0; value == NULL && i < sizeof names / sizeof names[0]; i++)
		value = value_of(environment, names[i]);
	return value != NULL ? value : "C";
}

static bool
is_plain(const char *name)
{
	return strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
}

static bool
is_plain_utf8(const char *name)
{
	return strcmp(name, "C.UTF-8") == 0 || strcmp(name, "C.utf8") == 0;
}

/* The codeset in force; a locale that cannot be loaded is C to the compiler, too. */
static enum codeset
codeset_of(char *const *environment, const char *name)
{
	enum codeset codeset;
	const char *text;
	locale_t l;

	if (is_plain(name))
		return CODESET_ASCII;
	if (is_plain_utf8(name) && value_of(environment, "LOCPATH") == NULL &&
	        access(UTF8_FILE, R_OK) == 0)
		return CODESET_UTF8;
	l = newlocale(LC_CTYPE_MASK, name, (locale_t)0);
	if (l == (locale_t)0)
		return CODESET_ASCII;
	text = nl_langinfo_l(CODESET, l);
	if (strcmp(text, "UTF-8") == 0)
		codeset = CODESET_UTF8;
	else
		codeset = strcmp(text, "ANSI_X3.4-1968") == 0 ? CODESET_ASCII : CODESET_OTHER;
	freelocale(l);
	return codeset;
}

/* True for a catalogue of gcc, of what it runs, or of the C library. */
static bool
is_catalogue(const char *file)
{
	static const char *const begins[] = {"gcc", "cpplib", "gas", "bfd", "opcodes", "libc.mo"};

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (strncmp(file, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static bool
has_catalogue(const char *folder, const char *language)
{
	const struct dirent *e;
	char path[256];
	bool found = false;
	DIR *d;

	if ((size_t)snprintf(path, sizeof path, "%s/%s/LC_MESSAGES", folder, language) >=
	        sizeof path)
		return true;
	d = opendir(path);
	while (d != NULL && !found && (e = readdir(d)) != NULL)
		found = is_catalogue(e->d_name);
	if (d != NULL)
		closedir(d);
	return found;
}

/* One name, language[_COUNTRY][.codeset][@modifier], with and without its parts, as gettext looks
 * for it. */
static bool
name_translated(const char *folder, const char *name)
{
	size_t language = strspn(name, "abcdefghijklmnopqrstuvwxyz"), country = strcspn(name, ".@");
	const char *modifier = strchr(name, '@');
	const size_t lens[] = {country, language};

	if (language < 2 || language > 3 ||
	        (name[language] != 0 && strchr("_.@", name[language]) == NULL))
		return !is_plain_utf8(name); /* an alias: not looked up */
	if (strncmp(name, "en", language) == 0 && language == 2 && modifier == NULL)
		return false;
	for (size_t i = 0; i < 2; i++) {
		char text[NAME_SIZE];

		snprintf(text, sizeof text, "%.*s", (int)lens[i], name);
		if (has_catalogue(folder, text))
			return true;
		snprintf(text, sizeof text, "%.*s%s", (int)lens[i], name,
		        modifier != NULL ? modifier : "");
		if (modifier != NULL && has_catalogue(folder, text))
			return true;
	}
	return false;
}

bool
locale_translated(const char *folder, const char *names)
{
	while (*names != 0) {
		size_t len = strcspn(names, ":");
		char name[NAME_SIZE];

		if (len >= sizeof name || memchr(names, '/', len) != NULL)
			return true;
		snprintf(name, sizeof name, "%.*s", (int)len, names);
		if (is_plain(name))
			return false;
		if (len > 0 && name_translated(folder, name))
			return true;
		names += len + (names[len] == ':');
	}
	return false;
}

/* Whether the messages that gettext finds for this locale are others than the program's own. */
static bool
is_translated(char *const *environment, const char *name)
{
	static const char *const folders[] = {
	        "/usr/share/locale", "/usr/share/locale-langpack", "/usr/local/share/locale"};
	const char *language = value_of(environment, "LANGUAGE");
	locale_t l;

	if (is_plain(name) || (is_plain_utf8(name) && language == NULL))
		return false;
	l = newlocale(LC_MESSAGES_MASK, name, (locale_t)0);
	if (l == (locale_t)0)
		return false;
	freelocale(l);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (locale_translated(folders[i], language != NULL ? language : name))
			return true;
	return false;
}

bool
locale_remote(char *const *environment, const char **lc_all)
{
	enum codeset codeset = codeset_of(environment, asked(environment, "LC_CTYPE"));
	bool same = codeset != CODESET_OTHER;

	*lc_all = codeset == CODESET_UTF8 ? "LC_ALL=C.UTF-8" : "LC_ALL=C";
	if (codeset == CODESET_UTF8 && access(UTF8_FILE, R_OK) != 0) {
		*lc_all = "LC_ALL=C";
		same = false;
	}
	return same && !is_translated(environment, asked(environment, "LC_MESSAGES"));
}
