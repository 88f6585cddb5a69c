#include "exec/closure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/query.h"

#define WHY_SIZE 256
#define LINKS_MAX 40
#define LISTING_MAX (64u << 10)
#define HWCAPS "/glibc-hwcaps/"

void
closure_init(struct closure *c, char *why)
{
	memset(c, 0, sizeof(*c));
	c->why = why;
}

void
closure_fini(struct closure *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		free((void *)(uintptr_t)c->entries[i].path);
		free((void *)(uintptr_t)c->entries[i].target);
	}
	c->n = 0;
}

static int
fail(struct closure *c, int err, const char *what, const char *path)
{
	snprintf(c->why, WHY_SIZE, "%s %.180s: %s", what, path,
	        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	return err;
}

static int
add_entry(struct closure *c, enum manifest_kind kind, unsigned mode, const char *path,
        const char *target)
{
	struct manifest_entry *e = &c->entries[c->n];

	for (uint32_t i = 0; i < c->n; i++) {
		if (strcmp(c->entries[i].path, path) == 0)
			return 0;
	}
	if (c->n == CLOSURE_FILES_MAX)
		return fail(c, IM_ERR_LIMIT, "too many files with", path);
	*e = (struct manifest_entry){.kind = kind, .mode = mode, .path = strdup(path)};
	if (target != NULL)
		e->target = strdup(target);
	if (e->path == NULL || (target != NULL && e->target == NULL)) {
		free((void *)(uintptr_t)e->path);
		return IM_ERR_MEMORY;
	}
	c->n++;
	return 0;
}

/* --- walking a path component by component, as the kernel does --- */

struct walk {
	char done[PATH_MAX]; /* resolved so far, "" for the root */
	char left[PATH_MAX]; /* still to go, without leading '/' */
	unsigned links;
};

/* ".." : the folder just entered must exist where the path is walked again. */
static int
walk_up(struct closure *c, struct walk *w)
{
	char *slash = strrchr(w->done, '/');
	int r;

	if (slash == NULL)
		return 0;
	r = add_entry(c, MANIFEST_FOLDER, 0755, w->done, NULL);
	*slash = '\0';
	return r;
}

/* The link at w->done (its last component): noted, and its target put before what is left. */
static int
walk_link(struct closure *c, struct walk *w)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlink(w->done, target, sizeof(target) - 1);
	int r;

	if (n < 0)
		return fail(c, IM_ERR_SYSTEM, "cannot read link", w->done);
	target[n] = '\0';
	if (++w->links > LINKS_MAX)
		return fail(c, IM_ERR_LIMIT, "too many links at", w->done);
	r = add_entry(c, MANIFEST_LINK, 0777, w->done, target);
	if (r != 0)
		return r;
	memcpy(rest, w->left, sizeof(rest));
	if ((size_t)snprintf(w->left, sizeof(w->left), "%s%s%s", target, rest[0] == '\0' ? "" : "/",
	            rest) >= sizeof(w->left))
		return fail(c, IM_ERR_LIMIT, "path too long at", w->done);
	if (target[0] == '/')
		w->done[0] = '\0';
	else
		*strrchr(w->done, '/') = '\0';
	return 0;
}

/* Takes one component; *st is what stands at w->done afterwards. */
static int
walk_step(struct closure *c, struct walk *w, struct stat *st)
{
	size_t skip = strspn(w->left, "/");
	size_t len = strcspn(w->left + skip, "/");
	const char *name = w->left + skip;
	size_t at = strlen(w->done);
	int r = 0;

	if (len == 2 && name[0] == '.' && name[1] == '.') {
		r = walk_up(c, w);
	} else if (len > 0 && !(len == 1 && name[0] == '.')) {
		if ((size_t)snprintf(w->done + at, sizeof(w->done) - at, "/%.*s", (int)len, name) >=
		        sizeof(w->done) - at)
			return fail(c, IM_ERR_LIMIT, "path too long at", name);
	}
	memmove(w->left, name + len, strlen(name + len) + 1);
	if (r != 0)
		return r;
	if (lstat(w->done[0] == '\0' ? "/" : w->done, st) != 0)
		return errno == ENOENT || errno == ENOTDIR
		               ? IM_ERR_ABSENT
		               : fail(c, IM_ERR_SYSTEM, "cannot look at", w->done);
	return S_ISLNK(st->st_mode) ? walk_link(c, w) : 0;
}

int
closure_add_file(struct closure *c, const char *path)
{
	struct walk w = {.done = ""};
	struct stat st;
	int r = 0;

	if (path[0] != '/' || strlen(path) >= sizeof(w.left))
		return fail(c, IM_ERR_ABSENT, "no absolute path:", path);
	memcpy(w.left, path, strlen(path) + 1);
	do
		r = walk_step(c, &w, &st);
	while (r == 0 && w.left[strspn(w.left, "/")] != '\0');
	if (r == 0 && !S_ISREG(st.st_mode))
		r = IM_ERR_ABSENT;
	if (r != 0)
		return fail(c, r, "cannot add", path);
	return add_entry(c, MANIFEST_FILE, (st.st_mode & 0111) != 0 ? 0755 : 0644, w.done, NULL);
}

static int
not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int
closure_add_folder(struct closure *c, const char *path)
{
	struct dirent **names = NULL;
	int r = 0, n = scandir(path, &names, not_hidden, alphasort);

	for (int i = 0; i < n; i++) {
		char file[PATH_MAX];
		struct stat st;

		if (r == 0 &&
		        (size_t)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name) <
		                sizeof(file) &&
		        stat(file, &st) == 0 && S_ISREG(st.st_mode))
			r = closure_add_file(c, file);
		free(names[i]);
	}
	free(names);
	return r;
}

/* --- shared libraries --- */

/* Cuts the path of a library out of one line of the interpreter's listing ("name => path (address)" or "path (address)"); NULL when
 * there is none in it, as for the vdso. */
static char *
path_in_line(char *line)
{
	char *arrow = strstr(line, " => ");
	char *path = arrow == NULL ? line + strspn(line, " \t") : arrow + 4;
	char *end = strstr(path, " (0x");

	if (path[0] != '/' || end == NULL)
		return NULL;
	*end = '\0';
	return path;
}

static int
list_libraries(const struct elf *elf, const char *program, int without_cache, struct buf *out)
{
	const char *plain[] = {elf->interpreter, "--list", program, NULL};
	const char *uncached[] = {elf->interpreter, "--inhibit-cache", "--list", program, NULL};

	return query_run(without_cache ? uncached : plain, without_cache, out);
}

/* Notes a folder for LD_LIBRARY_PATH. */
static int
note_folder(struct closure *c, const char *library)
{
	size_t len = (size_t)(strrchr(library, '/') - library), used = strlen(c->libraries);
	const char *at = c->libraries;

	while (*at != '\0') {
		size_t n = strcspn(at, ":");

		if (n == len && memcmp(at, library, len) == 0)
			return 0;
		at += n;
		at += *at == ':';
	}
	if (memchr(library, ':', len) != NULL ||
	        (size_t)snprintf(c->libraries + used, sizeof(c->libraries) - used, "%s%.*s",
	                used == 0 ? "" : ":", (int)len, library) >= sizeof(c->libraries) - used)
		return fail(c, IM_ERR_LIMIT, "too many library folders with", library);
	return 0;
}

/* A variant for newer processors: another machine takes the base file beside it. */
static int
add_base_of_variant(struct closure *c, const char *library)
{
	const char *at = strstr(library, HWCAPS);
	const char *name = strrchr(library, '/');
	char base[PATH_MAX];

	if (at == NULL)
		return 0;
	if ((size_t)snprintf(base, sizeof(base), "%.*s%s", (int)(at - library), library, name) >=
	        sizeof(base))
		return 0;
	return access(base, R_OK) == 0 ? closure_add_file(c, base) : 0;
}

/* Adds every library of the listing; those that `uncached` (text, or NULL when unknown) does not name need LD_LIBRARY_PATH. */
static int
add_listed(struct closure *c, struct buf *listing, const char *uncached)
{
	char *line, *next = (char *)(uintptr_t)buf_text(listing);
	int r = 0;

	while (r == 0 && (line = next) != NULL && *line != '\0') {
		char *path;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (strstr(line, "not found") != NULL)
			return fail(c, IM_ERR_ABSENT, "library", line + strspn(line, " \t"));
		path = path_in_line(line);
		if (path == NULL)
			continue;
		r = closure_add_file(c, path);
		if (r == 0)
			r = add_base_of_variant(c, path);
		if (r == 0 && uncached != NULL && strstr(uncached, path) == NULL)
			r = note_folder(c, path);
	}
	return r;
}

static int
add_libraries(struct closure *c, const char *path, const struct elf *elf)
{
	struct buf listing, uncached;
	const char *text = NULL;
	int r;

	buf_init(&listing, LISTING_MAX);
	buf_init(&uncached, LISTING_MAX);
	r = list_libraries(elf, path, 0, &listing);
	if (r != 0) {
		r = fail(c, r, "cannot list the libraries of", path);
		goto out;
	}
	/* Interpreters without that option find libraries as they always do. */
	if (list_libraries(elf, path, 1, &uncached) == 0)
		text = buf_text(&uncached);
	r = add_listed(c, &listing, text);
out:
	buf_fini(&listing);
	buf_fini(&uncached);
	return r;
}

int
closure_add_program(struct closure *c, const char *path, struct elf *elf)
{
	int fd, r = closure_add_file(c, path);

	if (r != 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(c, IM_ERR_SYSTEM, "cannot read", path);
	r = elf_look(fd, elf);
	close(fd);
	if (r == IM_ERR_REFUSED) {
		snprintf(c->why, WHY_SIZE, "%.180s is a script, not a compiler", path);
		return r;
	}
	if (r != 0)
		return fail(c, r, "no program for this kind of machine:", path);
	if (elf->interpreter[0] == '\0')
		return 0;
	r = closure_add_file(c, elf->interpreter);
	return r != 0 ? r : add_libraries(c, path, elf);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(
	        ((const struct manifest_entry *)a)->path, ((const struct manifest_entry *)b)->path);
}

void
closure_sort(struct closure *c)
{
	if (c->n > 0)
		qsort(c->entries, c->n, sizeof(c->entries[0]), by_path);
}
