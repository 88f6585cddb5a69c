#include "client/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "client/facts.h"

#define HANDLE_FROM 6 /* names in a folder from which on a descriptor pays */

enum { FOLDER = 1, NAME = 2 };

/* In front of each text. */
struct record {
	uint64_t state;
	uint16_t len; /* of the text */
	uint8_t what;
	uint8_t times;  /* FOLDER: they are part of the state */
	uint32_t names; /* FOLDER: records that follow */
};

/* ---- states ---- */

static uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9fb21c651e98df25ULL;
	return h ^ h >> 32;
}

/* Never 0. */
static uint64_t
folder_state(const struct identity *id, bool times)
{
	uint64_t h = mix(mix(FOLDER, id->dev), id->ino);

	if (times)
		h = mix(mix(h, (uint64_t)id->mtime_ns), (uint64_t)id->ctime_ns);
	return h | 1;
}

static uint64_t
name_state(const struct identity *id, uint32_t mode)
{
	uint64_t h = mix(mix(mix(NAME, id->dev), id->ino), id->size);

	return mix(mix(mix(h, (uint64_t)id->mtime_ns), (uint64_t)id->ctime_ns), mode) | 1;
}

/* ---- writing ---- */

static void
put(struct buf *out, struct record r, const char *text)
{
	buf_put(out, &r, sizeof(r));
	buf_put(out, text, (size_t)r.len + 1);
}

struct writer {
	struct buf *out;
	const struct folders *folders;
	const char *const *but;
	unsigned nbut;
};

static bool
is_left_out(const struct writer *w, const struct name *n)
{
	for (unsigned i = 0; n->late && i < w->nbut; i++) {
		const char *path = w->but[i];

		if (strncmp(path, n->in->path, n->in->path_len) == 0 &&
		        path[n->in->path_len] == '/' &&
		        strcmp(path + n->in->path_len + 1, n->text) == 0)
			return true;
	}
	return false;
}

/* The folder's times speak for what is absent in it.  Where builds put their files, they would change each time. */
static bool
has_times(const struct folder *f)
{
	return f->trusted && !f->young;
}

/* A folder within is a record of its own; what is absent in a folder with times needs none. */
static bool
is_asked(const struct writer *w, const struct name *n)
{
	if (n->kind == NAME_FOLDER || (n->kind == NAME_ABSENT && has_times(n->in)))
		return false;
	return !is_left_out(w, n);
}

static int
put_name(const struct writer *w, const struct name *n)
{
	struct record r = {.what = NAME, .len = (uint16_t)n->len};

	if (n->len > UINT16_MAX)
		return IM_ERR_LIMIT;
	if (n->kind != NAME_ABSENT) {
		if (!n->in->steady || n->id.dev != n->in->id.dev ||
		        !facts_settled(w->folders, &n->id))
			return IM_ERR_REFUSED;
		r.state = name_state(&n->id, n->mode);
	}
	put(w->out, r, n->text);
	return buf_err(w->out);
}

static int
put_folder(const struct writer *w, const struct folder *f)
{
	bool times = has_times(f) && f->relied;
	struct record r = {.what = FOLDER,
	        .state = folder_state(&f->id, times),
	        .len = (uint16_t)strlen(f->path),
	        .times = times};
	int err;

	for (const struct name *n = f->names; n; n = n->next)
		r.names += is_asked(w, n);
	put(w->out, r, f->path);
	err = buf_err(w->out);
	for (const struct name *n = f->names; err == 0 && n; n = n->next)
		if (is_asked(w, n))
			err = put_name(w, n);
	return err;
}

int
answers_put(struct buf *out, const struct folders *t, const char *const *but, unsigned n)
{
	struct writer w = {out, t, but, n};
	int err = 0;

	for (const struct folder *f = t->root; err == 0 && f; f = f->next)
		err = put_folder(&w, f);
	return err;
}

/* ---- asking again ---- */

/* Takes the next record and its text; false when there is none of that kind, or a damaged one. */
static bool
take(const char **at, const char *end, uint8_t what, struct record *r, const char **text)
{
	if ((size_t)(end - *at) < sizeof(*r))
		return false;
	memcpy(r, *at, sizeof(*r));
	*text = *at + sizeof(*r);
	if (r->what != what || (size_t)(end - *text) < (size_t)r->len + 1 ||
	        (*text)[r->len] != '\0')
		return false;
	*at = *text + r->len + 1;
	return true;
}

/* How the folder stands there now; 0 when none does. */
static uint64_t
folder_now(const char *path, bool times)
{
	struct identity id;
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return 0;
	identity_of(&id, &st);
	return folder_state(&id, times);
}

/* The same for a name; 1 when it cannot be told. */
static uint64_t
name_now(int folder, const char *name)
{
	struct identity id;
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || errno == ENAMETOOLONG ? 0 : 1;
	identity_of(&id, &st);
	return S_ISDIR(st.st_mode) ? 1 : name_state(&id, st.st_mode & 07777);
}

static bool
names_hold(const struct record *folder, const char *path, const char **at, const char *end)
{
	char whole[PATH_MAX];
	bool same = true;
	int fd = AT_FDCWD;
	struct record r;
	const char *text;

	if (folder->names >= HANDLE_FROM)
		fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && fd != AT_FDCWD)
		return false;
	for (uint32_t i = 0; same && i < folder->names; i++) {
		same = take(at, end, NAME, &r, &text);
		if (same && fd == AT_FDCWD) {
			int n = snprintf(whole, sizeof(whole), "%s/%s", path, text);

			same = n > 0 && (size_t)n < sizeof(whole);
			text = whole;
		}
		same = same && name_now(fd, text) == r.state;
	}
	if (fd != AT_FDCWD)
		close(fd);
	return same;
}

bool
answers_hold(const void *bytes, size_t len)
{
	const char *at = bytes, *end = at + len, *path;
	struct record r;

	while (at != end)
		if (!take(&at, end, FOLDER, &r, &path) || folder_now(path, r.times) != r.state ||
		        !names_hold(&r, path, &at, end))
			return false;
	return len > 0;
}
