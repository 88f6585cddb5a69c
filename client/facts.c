#include "client/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "exec/includes.h"
#include "exec/job.h"
#include "exec/tree.h"

#define SECOND_NS 1000000000LL
#define SETTLED_NS (SECOND_NS / 20) /* a kernel's clock for files ticks at least that often */
#define COARSE_NS (2 * SECOND_NS + SECOND_NS / 10) /* FAT's; other old ones count seconds */
#define READS_MAX 2
#define MACRO_MAX 1024

/* A value in the graph: this, why and its NUL (when undecided), the list. */
struct record {
	struct identity id;
	struct digest digest;
	uint32_t flags;
	uint32_t why_len; /* with NUL; 0: none */
};

/* The same for a meaning: this and the list. */
struct meaning_record {
	struct identity id;
	uint64_t undecided;
};

static int
refuse(struct folders *t, const char *path, const char *cause)
{
	snprintf(t->why, FOLDER_WHY_SIZE, "%.160s: %s", path, cause);
	return IM_ERR_REFUSED;
}

/* The open file's; false when it is no regular file. */
static bool
identity_get(struct identity *id, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	identity_of(id, &st);
	return true;
}

bool
facts_settled(const struct folders *t, const struct identity *id)
{
	int64_t last = id->mtime_ns > id->ctime_ns ? id->mtime_ns : id->ctime_ns;
	bool coarse = id->mtime_ns % SECOND_NS == 0 && id->ctime_ns % SECOND_NS == 0;

	return last < t->now_ns - (coarse ? COARSE_NS : SETTLED_NS);
}

/* Reads size bytes and looks that there are no more; 1 when it is another size. */
static int
read_size(int fd, uint64_t size, struct buf *text)
{
	buf_reset(text);
	for (;;) {
		size_t want = size - text->len;
		uint8_t *room = buf_room(text, want + 1);
		ssize_t n;

		if (!room)
			return buf_err(text);
		n = read(fd, room, want + 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return IM_ERR_SYSTEM;
		if ((size_t)n > want)
			return 1;
		if (n == 0)
			return want ? 1 : 0;
		text->len += (size_t)n;
	}
}

/* Reads the file at one moment: *id is the same before and after. */
static int
read_whole(struct folders *t, const char *path, int fd, struct identity *id, struct buf *text)
{
	for (unsigned i = 0; i < READS_MAX; i++) {
		struct identity after;
		int r;

		if (!identity_get(id, fd))
			return refuse(t, path, "no regular file");
		if (id->size >= text->max)
			return refuse(t, path, "too large");
		if (lseek(fd, 0, SEEK_SET) != 0)
			return refuse(t, path, strerror(errno));
		r = read_size(fd, id->size, text);
		if (r == IM_ERR_SYSTEM)
			return refuse(t, path, strerror(errno));
		if (r < 0)
			return r;
		if (r == 0 && identity_get(&after, fd) && identity_equal(id, &after))
			return 0;
	}
	return refuse(t, path, "changes while it is read");
}

static int
open_plain(struct folders *t, const char *path, int *out)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return refuse(t, path, strerror(errno));
	*out = fd;
	return 0;
}

/* Takes a record apart; false when it is malformed. */
static bool
facts_take(struct facts *f, const struct record *rec, size_t len)
{
	const char *rest = (const char *)(rec + 1);

	if (len < sizeof(*rec) || rec->why_len > len - sizeof(*rec) ||
	        (rec->why_len && rest[rec->why_len - 1] != '\0'))
		return false;
	f->digest = rec->digest;
	f->flags = rec->flags;
	f->why = rec->why_len ? rest : "undecided";
	f->list = rest + rec->why_len;
	f->list_len = (uint32_t)(len - sizeof(*rec) - rec->why_len);
	return true;
}

static size_t
facts_key(const struct facts *f, const char *path, char key[JOB_PATH_MAX + 1])
{
	size_t len = strlen(path);

	key[0] = f->data ? 'd' : 'f';
	memcpy(key + 1, path, len);
	return len + 1;
}

/* True when the graph has them, for what *id says. */
static bool
facts_known(struct facts *f, const struct folders *t, const char *path, const struct identity *id)
{
	char key[JOB_PATH_MAX + 1];
	const struct record *rec;
	size_t len;

	rec = t->graph ? graph_find(t->graph, key, facts_key(f, path, key), &len) : NULL;
	return rec && len >= sizeof(*rec) && identity_equal(&rec->id, id) &&
	       facts_take(f, rec, len);
}

/* Scans the text, and writes what it found into the graph. */
static int
facts_make(struct facts *f, struct folders *t, const char *path, const struct identity *id,
        const struct buf *text)
{
	struct record rec = {.id = *id};
	struct includes s = {.flags = 0};
	char key[JOB_PATH_MAX + 1];
	uint8_t *value;
	struct buf list;
	size_t len;
	int r;

	buf_init(&list, INCLUDES_LEN_MAX);
	r = f->data ? 0 : includes_scan(&s, (const char *)text->data, text->len, &list);
	if (r != 0)
		goto out;
	digest_of(&rec.digest, text->data, text->len);
	rec.flags = s.flags;
	rec.why_len = s.why ? (uint32_t)strlen(s.why) + 1 : 0;
	len = sizeof(rec) + rec.why_len + list.len;
	value = pool_get(&t->pool, len);
	if (!value) {
		r = IM_ERR_MEMORY;
		goto out;
	}
	memcpy(value, &rec, sizeof(rec));
	if (s.why)
		memcpy(value + sizeof(rec), s.why, rec.why_len);
	if (list.len)
		memcpy(value + sizeof(rec) + rec.why_len, list.data, list.len);
	if (t->graph && facts_settled(t, id))
		(void)graph_add(t->graph, key, facts_key(f, path, key), value, len);
	facts_take(f, (const struct record *)value, len);
out:
	buf_fini(&list);
	return r;
}

int
facts_find(struct facts *f, struct folders *t, const char *path, struct identity *id, bool steady)
{
	struct identity now = *id;
	struct buf text;
	int fd = -1, r;

	if (steady && facts_known(f, t, path, id))
		return 0;
	buf_init(&text, (f->data ? TREE_FILE_MAX : INCLUDES_TEXT_MAX) + 1);
	r = open_plain(t, path, &fd);
	if (r != 0)
		goto out;
	if (!steady && identity_get(&now, fd) && facts_known(f, t, path, &now)) {
		*id = now;
		goto out;
	}
	r = read_whole(t, path, fd, &now, &text);
	if (r == 0)
		r = facts_make(f, t, path, &now, &text);
	if (r == 0)
		*id = now;
out:
	if (fd >= 0)
		close(fd);
	buf_fini(&text);
	return r;
}

/* The file's text, which must be that of *id. */
static int
text_get(struct folders *t, const char *path, const struct identity *id, struct buf *text)
{
	struct identity now;
	int fd, r = open_plain(t, path, &fd);

	if (r != 0)
		return r;
	r = read_whole(t, path, fd, &now, text);
	close(fd);
	if (r == 0 && !identity_equal(&now, id))
		r = refuse(t, path, "changes while it is read");
	return r;
}

static bool
meaning_take(struct meaning *m, const struct meaning_record *rec, size_t len)
{
	if (len < sizeof(*rec))
		return false;
	m->undecided = rec->undecided != 0;
	m->list = rec + 1;
	m->list_len = (uint32_t)(len - sizeof(*rec));
	return true;
}

/* Reads the text when it is not there yet, and looks in it. */
static int
meaning_make(struct meaning *m, struct folders *t, const char *path, const struct identity *id,
        const char *macro, struct buf *text, const void **value)
{
	struct meaning_record rec = {.id = *id};
	bool undecided = false;
	uint8_t *at = NULL;
	struct buf list;
	int r = 0;

	buf_init(&list, INCLUDES_LEN_MAX);
	if (!text->data)
		r = text_get(t, path, id, text);
	if (r == 0)
		r = includes_define((const char *)text->data, text->len, macro, &list, &undecided);
	if (r != 0)
		goto out;
	rec.undecided = undecided || buf_err(&list) == IM_ERR_LIMIT;
	at = pool_get(&t->pool, sizeof(rec) + list.len);
	if (!at) {
		r = IM_ERR_MEMORY;
		goto out;
	}
	memcpy(at, &rec, sizeof(rec));
	if (list.len)
		memcpy(at + sizeof(rec), list.data, list.len);
	meaning_take(m, (const struct meaning_record *)at, sizeof(rec) + list.len);
	*value = at;
out:
	buf_fini(&list);
	return r;
}

int
facts_meaning(struct meaning *m, struct folders *t, const char *path, const struct identity *id,
        const char *macro, struct buf *text)
{
	char key[JOB_PATH_MAX + MACRO_MAX + 3];
	const struct meaning_record *rec;
	const void *value;
	size_t len, key_len;
	int r, n = snprintf(key, sizeof(key), "m%s%c%s", path, 0, macro);

	if (n < 0 || (size_t)n >= sizeof(key))
		return refuse(t, path, "computed include");
	key_len = (size_t)n;
	rec = t->graph ? graph_find(t->graph, key, key_len, &len) : NULL;
	if (rec && len >= sizeof(*rec) && identity_equal(&rec->id, id) && meaning_take(m, rec, len))
		return 0;
	r = meaning_make(m, t, path, id, macro, text, &value);
	if (r == 0 && t->graph && facts_settled(t, id))
		(void)graph_add(t->graph, key, key_len, value, sizeof(*rec) + m->list_len);
	return r;
}
