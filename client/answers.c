#include "client/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "client/facts.h"
#include "client/mix.h"

enum { FOLDER = 1, NAME = 2 };

/* What a folder's times say of the names that were absent in it. */
enum times {
	TIMES_NOTHING,  /* they are all listed */
	TIMES_SHORTCUT, /* the same; but while the times are as they were, nobody needs to look */
	TIMES_ALL       /* none is listed */
};

/* In front of each text. */
struct record {
	uint64_t state;
	uint16_t len; /* of the text */
	uint8_t what;
	uint8_t times;  /* FOLDER: enum times */
	uint32_t names; /* FOLDER: records that follow */
};

/* Behind a folder's record: its state with the times, 0 for TIMES_NOTHING. */
#define STAMP_LEN sizeof(uint64_t)

/* ---- states ---- */

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

/* Where builds put their files, times change with each of them. */
static enum times
times_of(const struct folder *f)
{
	if (!f->trusted)
		return TIMES_NOTHING;
	return f->young ? TIMES_SHORTCUT : TIMES_ALL;
}

/* A folder within is a record of its own. */
static bool
is_asked(const struct writer *w, const struct name *n)
{
	if (n->kind == NAME_FOLDER || (n->kind == NAME_ABSENT && times_of(n->in) == TIMES_ALL))
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
	enum times times = times_of(f);
	struct record r = {.what = FOLDER, .len = (uint16_t)strlen(f->path)};
	uint64_t stamp;
	int err;

	if (times == TIMES_ALL && !f->relied)
		times = TIMES_NOTHING;
	r.times = (uint8_t)times;
	r.state = folder_state(&f->id, false);
	stamp = times == TIMES_NOTHING ? 0 : folder_state(&f->id, true);
	for (const struct name *n = f->names; n; n = n->next)
		r.names += is_asked(w, n);
	put(w->out, r, f->path);
	buf_put(w->out, &stamp, STAMP_LEN);
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

/* Takes what stands behind a folder's record. */
static bool
take_stamp(const char **at, const char *end, uint64_t *stamp)
{
	if ((size_t)(end - *at) < STAMP_LEN)
		return false;
	memcpy(stamp, *at, STAMP_LEN);
	*at += STAMP_LEN;
	return true;
}

/* True when that folder stands there; *unchanged: its times are the stamp's. */
static bool
folder_holds(const struct record *r, const char *path, uint64_t stamp, bool *unchanged)
{
	struct identity id;
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return false;
	identity_of(&id, &st);
	*unchanged = folder_state(&id, true) == stamp;
	if (r->times == TIMES_ALL && !*unchanged)
		return false;
	return folder_state(&id, false) == r->state;
}

/* The state of what stands under the name now; 0: nothing, 1: it cannot be told. */
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

/* Where names are looked for: below the folder's descriptor when there are many, else by whole path. */
struct place {
	const char *path;
	int fd; /* AT_FDCWD: none */
	char whole[PATH_MAX];
};

static const char *
place_name(struct place *p, const struct record *folder, const char *name)
{
	int n;

	if (p->fd == AT_FDCWD && folder->names >= FOLDER_HANDLE_FROM)
		p->fd = open(p->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd >= 0)
		return name;
	n = snprintf(p->whole, sizeof(p->whole), "%s/%s", p->path, name);
	return p->fd == AT_FDCWD && n > 0 && (size_t)n < sizeof(p->whole) ? p->whole : NULL;
}

/* unchanged: what was absent in the folder still is. */
static bool
names_hold(const struct record *folder, const char *path, bool unchanged, const char **at,
        const char *end)
{
	struct place place = {.path = path, .fd = AT_FDCWD};
	bool same = true;
	struct record r;
	const char *text;

	for (uint32_t i = 0; same && i < folder->names; i++) {
		same = take(at, end, NAME, &r, &text);
		if (!same || (unchanged && r.state == 0))
			continue;
		text = place_name(&place, folder, text);
		same = text && name_now(place.fd, text) == r.state;
	}
	if (place.fd >= 0)
		close(place.fd);
	return same;
}

bool
answers_hold(const void *bytes, size_t len)
{
	const char *at = bytes, *end = at + len, *path;
	bool unchanged;
	struct record r;
	uint64_t stamp;

	while (at != end)
		if (!take(&at, end, FOLDER, &r, &path) || !take_stamp(&at, end, &stamp) ||
		        !folder_holds(&r, path, stamp, &unchanged) ||
		        !names_hold(&r, path, unchanged, &at, end))
			return false;
	return len > 0;
}
