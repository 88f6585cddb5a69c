#include "mesh/job_set.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mesh/blob_file.h"
#include "mesh/digests.h"
#include "mesh/room.h"
#include "mesh/serve.h"

#define SHORT_HEX 13 /* of a digest in messages, with NUL */

enum want_state {
	WANT_MISSING,
	WANT_ASKED, /* in the NEED that is being answered */
	WANT_HERE,
	WANT_LAID /* a tree that is laid out; its encoding may be here or not */
};

/* What the job names. */
struct want {
	uint64_t size; /* 0 while it is not sized */
	enum want_state state;
	bool tree, sized;
};

struct job_set {
	struct node *node;
	const struct job *job;
	struct digests wanted; /* each is held in the store */
	struct want *at;       /* by number */
	uint32_t cap;
	uint32_t next;  /* those before it do not lack or have been asked for */
	uint32_t asked; /* and have not come */
	uint32_t laid;  /* of the job's trees */
	uint64_t bytes; /* of all that were announced */
	/* what comes in now */
	uint32_t current; /* DIGESTS_NONE: nothing */
	uint64_t size, got;
	struct blob_file *file; /* a file */
	struct buf text;        /* a tree, which is looked at before it is kept */
};

static int __attribute__((format(printf, 4, 5)))
refuse(struct job_set_error *e, enum wire_error code, int err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	e->code = code;
	vsnprintf(e->why, sizeof e->why, fmt, ap);
	va_end(ap);
	return err;
}

static const char *
short_hex(const struct digest *d, char out[DIGEST_HEX_SIZE])
{
	digest_hex(d, out);
	out[SHORT_HEX - 1] = 0;
	return out;
}

/* For what the store says: errno when it is the disk. */
static int
refuse_store(struct job_set_error *e, int err, const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];
	int error = errno;
	short_hex(d, hex);
	return refuse(e, WERR_DISK, err, "input %s cannot be stored: %s", hex,
	        err == IM_ERR_SYSTEM ? strerror(error) : im_strerror(err));
}

/* --- what is wanted --- */

/* The number of what the job names, held from now on; *fresh: for the first time. */
static int
hold(struct job_set *s, const struct digest *d, uint32_t *i, bool *fresh, struct job_set_error *e)
{
	*i = digests_add(&s->wanted, d, fresh);
	if (*i == DIGESTS_NONE)
		return refuse(e, WERR_LIMIT, IM_ERR_LIMIT, "more than %u inputs", JOB_SET_MAX);
	if (!*fresh)
		return 0;
	int err = 0;
	if (*i >= s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 64;
		struct want *at = realloc(s->at, cap * sizeof *at);
		if (at) {
			s->at = at;
			s->cap = cap;
		} else {
			err = IM_ERR_MEMORY;
		}
	}
	if (err == 0)
		err = blobs_hold(s->node->blobs, d);
	if (err < 0) {
		digests_remove(&s->wanted, *i);
		return refuse_store(e, err, d);
	}
	s->at[*i] = (struct want){0};
	return 0;
}

/* Looks whether it is here by now; its size is then the one that counts. */
static int
look(struct job_set *s, uint32_t i, struct job_set_error *e)
{
	const struct digest *d = digests_at(&s->wanted, i);
	struct want *w = &s->at[i];
	char hex[DIGEST_HEX_SIZE];
	uint64_t size;
	if (!blobs_has(s->node->blobs, d, &size))
		return 0;
	if (w->sized && w->size != size)
		return refuse(e, WERR_REFUSED, IM_ERR_REFUSED,
		        "input %s has not the size that the job says", short_hex(d, hex));
	w->size = size;
	w->sized = true;
	w->state = WANT_HERE;
	return 0;
}

static int
want_file(struct job_set *s, const struct tree_entry *f, struct job_set_error *e)
{
	char hex[DIGEST_HEX_SIZE];
	bool fresh;
	uint32_t i;
	int err = hold(s, &f->digest, &i, &fresh, e);
	if (err < 0)
		return err;
	struct want *w = &s->at[i];
	if (w->sized && w->size != f->size)
		return refuse(e, WERR_REFUSED, IM_ERR_REFUSED, "input %s is named with two sizes",
		        short_hex(&f->digest, hex));
	w->size = f->size;
	w->sized = true;
	if (w->state == WANT_LAID) { /* a tree's encoding that is a file as well */
		w->state = WANT_MISSING;
		if (s->next > i)
			s->next = i;
	}
	return w->state == WANT_MISSING ? look(s, i, e) : 0;
}

static int
want_files(struct job_set *s, const struct tree *t, struct job_set_error *e)
{
	int err = 0;
	for (uint32_t i = 0; i < t->n && err == 0; i++)
		if (t->entries[i].kind == TREE_FILE)
			err = want_file(s, &t->entries[i], e);
	return err;
}

static int
want_tree(struct job_set *s, const struct digest *d, struct job_set_error *e)
{
	bool fresh;
	uint32_t i;
	int err = hold(s, d, &i, &fresh, e);
	if (err < 0 || !fresh)
		return err;
	s->at[i].tree = true;
	if (blobs_laid_out(s->node->blobs, d)) {
		s->at[i].state = WANT_LAID;
		return 0;
	}
	return look(s, i, e);
}

/* The files of the trees that are here and not laid out. */
static int
want_known(struct job_set *s, struct job_set_error *e)
{
	char hex[DIGEST_HEX_SIZE];
	int err = 0;
	for (uint32_t i = 0; i < s->job->ntrees && err == 0; i++) {
		const struct digest *d = &s->job->trees[i];
		const struct tree *t;
		if (s->at[digests_find(&s->wanted, d)].state != WANT_HERE)
			continue;
		if ((err = blobs_tree(s->node->blobs, d, &t)) < 0)
			return refuse(e, WERR_REFUSED, err, "tree %s is none: %s",
			        short_hex(d, hex), im_strerror(err));
		err = want_files(s, t, e);
	}
	return err;
}

struct job_set *
job_set_new(struct node *n, const struct job *j, struct job_set_error *e)
{
	struct job_set *s = calloc(1, sizeof *s);
	int err = 0;
	if (!s) {
		refuse(e, WERR_DISK, IM_ERR_MEMORY, "no memory for the job's input");
		return NULL;
	}
	s->node = n;
	s->job = j;
	s->current = DIGESTS_NONE;
	digests_init(&s->wanted, JOB_SET_MAX);
	buf_init(&s->text, TREE_LEN_MAX);
	/* all trees first: what is named as a tree is looked at as one */
	for (uint32_t i = 0; i < j->ntrees && err == 0; i++)
		err = want_tree(s, &j->trees[i], e);
	if (err == 0)
		err = want_known(s, e);
	if (err == 0)
		err = want_files(s, &j->own, e);
	if (err == 0)
		return s;
	job_set_free(s);
	return NULL;
}

/* Ends what comes in. */
static void
forget_current(struct job_set *s)
{
	blob_file_drop(s->file);
	s->file = NULL;
	buf_fini(&s->text);
	s->current = DIGESTS_NONE;
}

void
job_set_free(struct job_set *s)
{
	if (!s)
		return;
	forget_current(s);
	for (uint32_t i = 0; i < s->wanted.n; i++)
		blobs_release(s->node->blobs, digests_at(&s->wanted, i));
	digests_fini(&s->wanted);
	free(s->at);
	free(s);
}

int
job_set_need(struct job_set *s, struct buf *need, struct job_set_error *e)
{
	struct digest *list = malloc(WIRE_NEED_MAX * sizeof *list);
	uint32_t n = 0;
	int err = list ? 0 : refuse(e, WERR_DISK, IM_ERR_MEMORY, "no memory for the job's input");
	for (; err == 0 && s->next < s->wanted.n && n < WIRE_NEED_MAX; s->next++) {
		struct want *w = &s->at[s->next];
		if (w->state == WANT_MISSING && !w->tree)
			err = look(s, s->next, e); /* another job may have brought it */
		if (err < 0 || w->state != WANT_MISSING)
			continue;
		w->state = WANT_ASKED;
		list[n++] = *digests_at(&s->wanted, s->next);
	}
	if (err == 0 && n) {
		s->asked = n;
		wire_need_encode(need, list, n);
	}
	free(list);
	return err < 0 ? err : n != 0;
}

uint32_t
job_set_asked(const struct job_set *s, uint64_t *bytes)
{
	*bytes = 0;
	for (uint32_t i = 0; s->asked && i < s->wanted.n; i++)
		if (s->at[i].state == WANT_ASKED)
			*bytes += s->at[i].size;
	return s->asked;
}

uint32_t
job_set_withdraw(struct job_set *s)
{
	uint32_t n = s->asked;
	if (s->current != DIGESTS_NONE)
		s->bytes -= s->size;
	forget_current(s);
	for (uint32_t i = 0; n && i < s->wanted.n; i++) {
		if (s->at[i].state != WANT_ASKED)
			continue;
		s->at[i].state = WANT_MISSING;
		if (s->next > i)
			s->next = i;
	}
	s->asked = 0;
	return n;
}

/* --- what comes in --- */

static int
check_announced(struct job_set *s, uint32_t i, uint64_t size, struct job_set_error *e)
{
	const struct want *w = i == DIGESTS_NONE ? NULL : &s->at[i];
	char hex[DIGEST_HEX_SIZE];
	if (!w || w->state != WANT_ASKED)
		return refuse(e, WERR_PROTOCOL, IM_ERR_REFUSED, "BLOB that was not asked for");
	short_hex(digests_at(&s->wanted, i), hex);
	if (size > (w->tree ? TREE_LEN_MAX : TREE_FILE_MAX))
		return refuse(e, WERR_LIMIT, IM_ERR_LIMIT, "input %s is too large", hex);
	if (w->sized && w->size != size)
		return refuse(e, WERR_REFUSED, IM_ERR_REFUSED,
		        "input %s has not the size that the job says", hex);
	if (size > SERVE_INPUT_MAX - s->bytes)
		return refuse(e, WERR_LIMIT, IM_ERR_LIMIT, "the job's input is too large");
	if (room_make(s->node, size, NULL) < 0)
		return refuse(e, WERR_DISK, IM_ERR_LIMIT, "store_size leaves no room for inputs");
	return 0;
}

static int
take_blob(struct job_set *s, const uint8_t *p, size_t len, struct job_set_error *e)
{
	struct digest d;
	uint64_t size;
	if (s->current != DIGESTS_NONE || wire_blob_decode(p, len, &d, &size) < 0)
		return refuse(e, WERR_PROTOCOL, IM_ERR_FORMAT,
		        "malformed BLOB, or one in the middle of another");
	uint32_t i = digests_find(&s->wanted, &d);
	int err = check_announced(s, i, size, e);
	if (err < 0)
		return err;
	if (!s->at[i].tree && !(s->file = blob_file_new(s->node->blobs, size)))
		return refuse_store(e, IM_ERR_MEMORY, &d);
	s->current = i;
	s->size = size;
	s->got = 0;
	s->bytes += size;
	return 0;
}

static int
take_data(struct job_set *s, const uint8_t *p, size_t len, struct job_set_error *e)
{
	uint8_t raw[WIRE_BLOCK_MAX];
	size_t n;
	if (s->current == DIGESTS_NONE)
		return refuse(e, WERR_PROTOCOL, IM_ERR_FORMAT, "DATA outside of a blob");
	int err = wire_block_decode(p, len, raw, &n);
	if (err < 0)
		return refuse(e, err == IM_ERR_LIMIT ? WERR_LIMIT : WERR_PROTOCOL, err,
		        "input of the job: %s", im_strerror(err));
	if (n > s->size - s->got)
		return refuse(e, WERR_LIMIT, IM_ERR_LIMIT, "a blob of more bytes than announced");
	s->got += n;
	if (s->file)
		err = blob_file_add(s->file, raw, n);
	else
		buf_put(&s->text, raw, n);
	if (err == 0)
		err = buf_err(&s->text);
	return err < 0 ? refuse_store(e, err, digests_at(&s->wanted, s->current)) : 0;
}

static int
keep_file(struct job_set *s, const struct digest *d)
{
	struct blob_file *f = s->file;
	s->file = NULL;
	return blob_file_keep(f, d);
}

/* A tree counts as here only when it is one, and its files fit with what else the job names. */
static int
keep_tree(struct job_set *s, const struct digest *d, struct job_set_error *e)
{
	char hex[DIGEST_HEX_SIZE];
	struct digest got;
	struct tree t;
	digest_of(&got, s->text.data, s->text.len);
	if (!digest_equal(&got, d))
		return IM_ERR_DIGEST;
	int err = tree_decode(&t, s->text.data, s->text.len);
	if (err < 0)
		return refuse(e, WERR_REFUSED, IM_ERR_REFUSED, "tree %s is malformed: %s",
		        short_hex(d, hex), im_strerror(err));
	err = want_files(s, &t, e);
	tree_fini(&t);
	if (err < 0)
		return IM_ERR_REFUSED;
	s->file = blob_file_new(s->node->blobs, s->text.len);
	if (!s->file)
		return IM_ERR_MEMORY;
	err = blob_file_add(s->file, s->text.data, s->text.len);
	return err < 0 ? err : keep_file(s, d);
}

static int
take_end(struct job_set *s, const uint8_t *p, size_t len, struct job_set_error *e)
{
	struct digest d;
	uint64_t size;
	char hex[DIGEST_HEX_SIZE];
	if (s->current == DIGESTS_NONE || wire_end_decode(p, len, &d, &size) < 0)
		return refuse(
		        e, WERR_PROTOCOL, IM_ERR_FORMAT, "malformed END, or one outside of a blob");
	uint32_t i = s->current;
	struct digest wanted = *digests_at(&s->wanted, i);
	short_hex(&wanted, hex);
	if (size != s->size || s->got != s->size)
		return refuse(e, WERR_DIGEST, IM_ERR_DIGEST, "input %s is truncated", hex);
	int err = digest_equal(&d, &wanted) ? 0 : IM_ERR_DIGEST;
	if (err == 0)
		err = s->at[i].tree ? keep_tree(s, &wanted, e) : keep_file(s, &wanted);
	if (err == IM_ERR_REFUSED)
		return err;
	if (err == IM_ERR_DIGEST)
		return refuse(
		        e, WERR_DIGEST, err, "input %s: digest differs: altered on the way", hex);
	if (err < 0)
		return refuse_store(e, err, &wanted);
	s->at[i].state = WANT_HERE;
	forget_current(s);
	return --s->asked == 0;
}

int
job_set_take(struct job_set *s, uint8_t type, const uint8_t *p, size_t len, struct job_set_error *e)
{
	if (type == WIRE_BLOB)
		return take_blob(s, p, len, e);
	return type == WIRE_DATA ? take_data(s, p, len, e) : take_end(s, p, len, e);
}

/* --- laying out --- */

static int
lay_out_one(struct job_set *s, const struct digest *d, struct job_set_error *e)
{
	char hex[DIGEST_HEX_SIZE];
	uint64_t bytes;
	int err = blobs_tree_cost(s->node->blobs, d, &bytes);
	if (err == 0 && room_make(s->node, bytes, NULL) < 0)
		return refuse(e, WERR_DISK, IM_ERR_LIMIT, "store_size leaves no room for inputs");
	if (err == 0)
		err = blobs_lay_out(s->node->blobs, d);
	if (err == 0)
		return 0;
	int error = errno;
	enum wire_error code = err == IM_ERR_LIMIT                             ? WERR_LIMIT
	                       : err == IM_ERR_FORMAT || err == IM_ERR_VERSION ? WERR_REFUSED
	                                                                       : WERR_DISK;
	return refuse(e, code, err, "tree %s cannot be laid out: %s", short_hex(d, hex),
	        err == IM_ERR_SYSTEM ? strerror(error) : im_strerror(err));
}

int
job_set_lay_out(struct job_set *s, struct job_set_error *e)
{
	for (; s->laid < s->job->ntrees; s->laid++) {
		const struct digest *d = &s->job->trees[s->laid];
		if (blobs_laid_out(s->node->blobs, d))
			continue;
		int err = lay_out_one(s, d, e);
		if (err < 0)
			return err;
		s->laid++;
		return 1;
	}
	return 0;
}
