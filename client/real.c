#include "client/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exec/args.h"
#include "exec/job.h"

#define CACHED \
	'+' /* in the guard, behind the depth: a ccache that was found under the compiler's name runs already */
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

enum kind { NOTHING, WRAPPER, CACHE, PROGRAM };

/* What stands at path; resolved receives its realpath.  Another installation's wrapper is the wrapper, too. */
static enum kind
look(const struct real_request *q, const char *path, char resolved[PATH_MAX])
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0 ||
	        !realpath(path, resolved))
		return NOTHING;
	if ((st.st_dev == q->self.st_dev && st.st_ino == q->self.st_ino) ||
	        is_wrapper_name(resolved))
		return WRAPPER;
	return strcmp(base_name(resolved), "ccache") == 0 ? CACHE : PROGRAM;
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

struct hit {
	enum kind kind;
	bool skipped; /* a wrapper stood before it */
	char path[PATH_MAX], resolved[PATH_MAX];
};

/* The next program called name from the element *at of PATH on; *at is NULL behind the last one.  Returns whether there is one. */
static bool
next_hit(const struct real_request *q, const char *name, const char **at, struct hit *h)
{
	while (*at) {
		size_t len = strcspn(*at, ":");
		int err = join(q, *at, len, name, h->path);

		*at = (*at)[len] ? *at + len + 1 : NULL;
		h->kind = err ? NOTHING : look(q, h->path, h->resolved);
		if (h->kind != NOTHING)
			return true;
	}
	return false;
}

/* ccache, called by a compiler's name, starts the next program of that name that is not ccache. */
static bool
comes_back(const struct real_request *q, const char *name, const char *path)
{
	struct hit h;

	while (next_hit(q, name, &path, &h))
		if (h.kind != CACHE)
			return h.kind == WRAPPER;
	return false;
}

/* Behind a ccache no other is wanted, unless it is asked for by its own name. */
static bool
passes_over(const struct real *r, const char *name)
{
	return r->cached && strcmp(name, "ccache") != 0;
}

static void
note_cache(struct real *r, const struct real_request *q, const char *name)
{
	r->cache = !r->cached;
	r->comes_back = comes_back(q, name, q->path && *q->path ? q->path : PATH_DEFAULT);
}

/* The first program called name in PATH that is not the wrapper; when `behind`, one behind the wrapper's own place is preferred. */
static int
search_path(struct real *r, const struct real_request *q, const char *name, bool behind)
{
	const char *at = q->path && *q->path ? q->path : PATH_DEFAULT;
	struct hit h, first = {.kind = NOTHING};

	for (bool wrapper = false; next_hit(q, name, &at, &h);) {
		wrapper = wrapper || h.kind == WRAPPER;
		if (h.kind == WRAPPER || (h.kind == CACHE && passes_over(r, name)))
			continue;
		h.skipped = wrapper;
		if (first.kind == NOTHING || (behind && wrapper && !first.skipped))
			first = h;
		if (!behind || wrapper)
			break;
	}
	if (first.kind == NOTHING)
		return IM_ERR_ABSENT;
	if (first.kind == CACHE)
		note_cache(r, q, name);
	r->skipped = first.skipped || behind;
	memcpy(r->path, first.path, sizeof r->path);
	memcpy(r->resolved, first.resolved, sizeof r->resolved);
	return 0;
}

/* The program that the word means; a path to the wrapper under a compiler's name means the next
 * such name in PATH. */
static int
find_program(struct real *r, const struct real_request *q, const char *word, bool link)
{
	const char *base = base_name(word);
	int err;

	if (!strchr(word, '/'))
		return search_path(r, q, word, link);
	err = join(q, word, (size_t)(base - word), base, r->path);
	if (err)
		return err;
	switch (look(q, r->path, r->resolved)) {
	case NOTHING:
		return IM_ERR_ABSENT;
	case WRAPPER:
		return search_path(r, q, base, true);
	case CACHE:
		note_cache(r, q, base);
		return 0;
	case PROGRAM:
		break;
	}
	return 0;
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

/* A path with "//", "." or ".." in it cannot name a toolchain's driver: the folder's own name stands for it, where that is known. */
static void
straighten(char path[PATH_MAX])
{
	char folder[PATH_MAX], name[NAME_MAX + 1];
	const char *base = base_name(path);

	if (job_path_ok(path) || strlen(base) > NAME_MAX)
		return;
	memcpy(name, base, strlen(base) + 1);
	path[base - path] = 0;
	if (realpath(path, folder) && strlen(folder) + 1 + strlen(name) < PATH_MAX)
		snprintf(path, PATH_MAX, "%s", folder);
	snprintf(path + strlen(path), PATH_MAX - strlen(path), "%s%s",
	        path[strlen(path) - 1] == '/' ? "" : "/", name);
}

static void
read_guard(struct real *r, const char *guard)
{
	size_t len = guard ? strlen(guard) : 0;

	r->cached = len > 1 && guard[len - 1] == CACHED;
	if (len == 0)
		r->depth = 0;
	else if (len - r->cached == 1 && guard[0] >= '0' && guard[0] <= '9')
		r->depth = (unsigned)(guard[0] - '0');
	else
		r->depth = 1;
}

int
real_find(struct real *r, const struct real_request *q)
{
	const char *word;
	bool link;
	int err;

	memset(r, 0, sizeof(*r));
	read_guard(r, q->guard);
	r->first = 1;
	if (q->argc < 1)
		return IM_ERR_ABSENT;
	link = !is_wrapper_name(q->argv[0]);
	word = compiler_word(q, &r->first);
	snprintf(r->name, sizeof(r->name), "%.*s", NAME_MAX, base_name(word));
	if (strlen(base_name(word)) > NAME_MAX)
		return IM_ERR_LIMIT;
	if (r->depth >= REAL_DEPTH_MAX)
		return IM_ERR_REFUSED;
	if (!r->name[0] || is_wrapper_name(word))
		return IM_ERR_ABSENT;
	err = find_program(r, q, word, link);
	if (!err)
		straighten(r->path);
	r->called = r->skipped ? r->path : word;
	return err;
}

void
real_guard(const struct real *r, char *text, size_t size)
{
	static const char cached[] = {CACHED, 0};

	snprintf(text, size, "%s=%u%s", REAL_GUARD, r->cache ? r->depth : r->depth + 1,
	        r->cache || r->cached ? cached : "");
}
