#include "client/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exec/args.h"

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool
is_wrapper_name(const char *name)
{
	name = base_name(name);
	return strcmp(name, "icemesh-cc") == 0 || strcmp(name, "icemesh-c++") == 0;
}

/* True for what stands at the place of the compiler's name but is an argument. */
static bool
is_argument(const char *word)
{
	static const char *const suffixes[] = {"o", "a", "so", "lo", "la", "obj", "bc", "ll", "d",
	        "h", "hh", "hpp", "hxx", "pch", "gch"};
	const char *dot = strrchr(base_name(word), '.');

	if (!*word || word[0] == '-' || word[0] == '@')
		return true;
	for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(dot + 1, suffixes[i]) == 0)
			return true;
	return dot && args_language_of(word) != LANG_OTHER;
}

/* True when path is a program; *self tells whether it is the wrapper. */
static bool
is_program(const struct real_request *q, const char *path, bool *self)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return false;
	*self = st.st_dev == q->self.st_dev && st.st_ino == q->self.st_ino;
	return true;
}

/* Writes dir/name, beginning at cwd when dir is relative or empty. */
static int
join(const struct real_request *q, const char *dir, size_t len, const char *name,
        char out[PATH_MAX])
{
	bool absolute = len > 0 && dir[0] == '/';
	int n;

	if (len > PATH_MAX)
		return IM_ERR_LIMIT;
	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (len == 1 && dir[0] == '/')
		len = 0;
	n = snprintf(out, PATH_MAX, "%s%s%.*s%s%s", absolute ? "" : q->cwd,
	        absolute || !len ? "" : "/", (int)len, dir, "/", name);
	return n < 0 || n >= PATH_MAX ? IM_ERR_LIMIT : 0;
}

/* The first program called name in PATH that is not the wrapper. */
static int
search_path(const struct real_request *q, const char *name, char out[PATH_MAX])
{
	const char *p = q->path && *q->path ? q->path : PATH_DEFAULT;
	bool self;

	for (;;) {
		size_t len = strcspn(p, ":");

		if (!join(q, p, len, name, out) && is_program(q, out, &self) && !self)
			return 0;
		if (!p[len])
			return IM_ERR_ABSENT;
		p += len + 1;
	}
}

/* The program that the word means; a path to the wrapper under a compiler's name means the next
 * such name in PATH. */
static int
find_program(const struct real_request *q, const char *word, char out[PATH_MAX])
{
	const char *base = base_name(word);
	bool self = false;
	int err;

	if (!strchr(word, '/'))
		return search_path(q, word, out);
	err = join(q, word, (size_t)(base - word), base, out);
	if (err)
		return err;
	if (!is_program(q, out, &self))
		return IM_ERR_ABSENT;
	return self ? search_path(q, base, out) : 0;
}

/* The word that names the compiler; *first receives the index of its first argument. */
static const char *
compiler_word(const struct real_request *q, int *first)
{
	const char *called = base_name(q->argv[0]);
	int i = 1;

	*first = 1;
	if (!is_wrapper_name(called))
		return called;
	while (i < q->argc && is_wrapper_name(q->argv[i]))
		called = base_name(q->argv[i++]);
	*first = i;
	if (i < q->argc && !is_argument(q->argv[i])) {
		*first = i + 1;
		return q->argv[i];
	}
	return strcmp(called, "icemesh-c++") == 0 ? q->cxx : q->cc;
}

static unsigned
read_depth(const char *guard)
{
	if (!guard || !*guard)
		return 0;
	if (guard[1] || guard[0] < '0' || guard[0] > '9')
		return 1;
	return (unsigned)(guard[0] - '0');
}

int
real_find(struct real *r, const struct real_request *q)
{
	const char *word;
	int err;

	memset(r, 0, sizeof(*r));
	r->depth = read_depth(q->guard);
	r->first = 1;
	if (q->argc < 1)
		return IM_ERR_ABSENT;
	word = compiler_word(q, &r->first);
	snprintf(r->name, sizeof(r->name), "%.*s", NAME_MAX, base_name(word));
	if (strlen(base_name(word)) > NAME_MAX)
		return IM_ERR_LIMIT;
	if (r->depth >= REAL_DEPTH_MAX)
		return IM_ERR_REFUSED;
	if (!r->name[0] || is_wrapper_name(word))
		return IM_ERR_ABSENT;
	err = find_program(q, word, r->path);
	if (!err && !realpath(r->path, r->resolved))
		err = IM_ERR_ABSENT;
	return err;
}

void
real_guard(const struct real *r, char *text, size_t size)
{
	snprintf(text, size, "%s=%u", REAL_GUARD, r->depth + 1);
}
