#include "mesh/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/packet.h"
#include "crypto/sign.h"
#include "exec/manifest.h"
#include "exec/witness.h"
#include "mesh/files.h"
#include "mesh/identity.h"

#define COMPILERS_FILE_MAX (16u << 20)
#define COMPILERS_PER_USER 64 /* so that no user takes all the places */
#define ENTRY_BYTES 2048 /* of disk that an entry of a tree takes on average beside its bytes */

struct store {
	struct node *node;
	struct toolchain toolchains[STORE_TOOLCHAINS_MAX];
	unsigned ntoolchains;
	struct compiler compilers[STORE_COMPILERS_MAX];
	unsigned ncompilers;
	uint64_t serial;  /* for names in tmp/ */
	uint64_t transit; /* what the files in tmp/ may come to */
};

struct store_file {
	struct store *store;
	int fd;
	uint64_t size, max;
	struct digest_stream digest;
	struct prehash_stream prehash;
	char path[FILES_PATH_SIZE];
};

static int
store_path(const struct store *s, const char *folder, const char *name, char out[FILES_PATH_SIZE])
{
	int n = snprintf(out, FILES_PATH_SIZE, "%s/%s/%s", s->node->config.store_dir, folder, name);
	return n < 0 || n >= FILES_PATH_SIZE ? IM_ERR_LIMIT : 0;
}

static int
tarball_path(const struct store *s, const struct digest *d, const char *suffix,
        char out[FILES_PATH_SIZE])
{
	char hex[DIGEST_HEX_SIZE], name[DIGEST_HEX_SIZE + 32];
	digest_hex(d, hex);
	snprintf(name, sizeof name, "%s.tar.lz4%s", hex, suffix);
	return store_path(s, "tarballs", name, out);
}

struct toolchain *
store_find(struct store *s, const struct digest *d)
{
	for (unsigned i = 0; i < s->ntoolchains; i++)
		if (digest_equal(&s->toolchains[i].digest, d))
			return &s->toolchains[i];
	return NULL;
}

struct toolchain *
store_add(struct store *s, const struct digest *d)
{
	struct toolchain *t = store_find(s, d);
	if (t || s->ntoolchains == STORE_TOOLCHAINS_MAX)
		return t;
	t = &s->toolchains[s->ntoolchains++];
	memset(t, 0, sizeof *t);
	t->digest = *d;
	return t;
}

struct toolchain *
store_at(struct store *s, unsigned i)
{
	return i < s->ntoolchains ? &s->toolchains[i] : NULL;
}

void
store_usage(const struct store *s, uint64_t *bytes, unsigned *toolchains)
{
	*bytes = 0;
	*toolchains = 0;
	for (unsigned i = 0; i < s->ntoolchains; i++) {
		const struct toolchain *t = &s->toolchains[i];
		*bytes += t->size + (t->dropping ? 0 : t->tree);
		*toolchains += !t->dropping;
	}
}

uint64_t
store_transit(const struct store *s)
{
	return s->transit;
}

void
store_remove(struct store *s, const struct digest *d)
{
	struct toolchain *t = store_find(s, d);
	if (t)
		*t = s->toolchains[--s->ntoolchains];
}

void
store_unpacked(struct store *s, struct toolchain *t)
{
	char hex[DIGEST_HEX_SIZE], name[DIGEST_HEX_SIZE + sizeof MANIFEST_NAME], why[256];
	char path[FILES_PATH_SIZE];
	struct manifest m;
	struct buf text;
	t->unpacked = true;
	t->tree = 0;
	digest_hex(&t->digest, hex);
	snprintf(name, sizeof name, "%s/" MANIFEST_NAME, hex);
	buf_init(&text, MANIFEST_LEN_MAX);
	if (store_path(s, "toolchains", name, path) == 0 && files_read(path, &text) == 0 &&
	        manifest_parse(&m, text.data, text.len, why) == 0) {
		t->tree = m.bytes + (m.n + 1) * (uint64_t)ENTRY_BYTES + text.len;
		manifest_fini(&m);
	}
	buf_fini(&text);
}

int
store_tarball(struct store *s, const struct digest *d, int *fd)
{
	char path[FILES_PATH_SIZE];
	int err = tarball_path(s, d, "", path);
	if (err < 0)
		return err;
	int f = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f < 0)
		return errno == ENOENT ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	*fd = f;
	return 0;
}

int
store_signature(struct store *s, const struct digest *d, struct buf *text)
{
	char path[FILES_PATH_SIZE];
	int err = tarball_path(s, d, ".minisig", path);
	return err < 0 ? err : files_read(path, text);
}

/* Notes who signed a tarball; the signature was checked when it came in, but may be of a mesh this node has left. */
static void
note_signer(struct store *s, struct toolchain *t)
{
	struct buf text;
	struct signature sig;
	buf_init(&text, SIGN_TEXT_MAX);
	const struct conn_identity *id = identity_conn(s->node->identity);
	if (store_signature(s, &t->digest, &text) == 0 &&
	        sign_check(&sig, (const char *)text.data, text.len, id->root_pk, wall_seconds()) ==
	                0) {
		snprintf(t->signer, sizeof t->signer, "%s", sig.signer.name);
		t->signer_id = sig.signer.node;
	}
	buf_fini(&text);
}

static void
found_tarball(struct store *s, const char *name, const char *path)
{
	struct digest d;
	struct stat st;
	char hex[DIGEST_HEX_SIZE];
	if (strlen(name) != 64 + 8 || strcmp(name + 64, ".tar.lz4") != 0)
		return;
	memcpy(hex, name, 64);
	hex[64] = 0;
	if (digest_from_hex(&d, hex) < 0 || stat(path, &st) < 0)
		return;
	struct toolchain *t = store_add(s, &d);
	if (!t)
		return;
	t->tarball = true;
	t->size = (uint64_t)st.st_size;
	note_signer(s, t);
}

static void
found_tree(struct store *s, const char *name, const char *path)
{
	(void)path;
	struct digest d;
	struct toolchain *t;
	if (digest_from_hex(&d, name) == 0 && (t = store_add(s, &d)))
		store_unpacked(s, t);
}

static void
found_leftover(struct store *s, const char *name, const char *path)
{
	(void)s, (void)name;
	unlink(path);
}

static int
scan(struct store *s, const char *folder, void (*found)(struct store *, const char *, const char *))
{
	char path[FILES_PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s/%s", s->node->config.store_dir, folder);
	if (n < 0 || n >= (int)sizeof path)
		return IM_ERR_LIMIT;
	int err = files_mkdir(path, 0700);
	DIR *dir = err < 0 ? NULL : opendir(path);
	if (!dir)
		return IM_ERR_SYSTEM;
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] != '.' && store_path(s, folder, e->d_name, path) == 0)
			found(s, e->d_name, path);
	closedir(dir);
	return 0;
}

static int
read_compiler(struct store *s, const struct item *m)
{
	uint64_t uid;
	const uint8_t *path, *witness;
	size_t path_len, len;
	struct digest d;
	char text[FILES_PATH_SIZE];
	int err = value_is_map(m) ? 0 : IM_ERR_FORMAT;
	if (err == 0)
		err = item_uint(m, 1, UINT32_MAX, &uid);
	if (err == 0)
		err = item_bytes(m, 2, sizeof text - 1, &path, &path_len);
	if (err == 0)
		err = item_fixed(m, 3, d.bytes, DIGEST_LEN);
	if (err == 0)
		err = item_bytes(m, 4, WITNESS_LEN_MAX, &witness, &len);
	if (err < 0)
		return err;
	memcpy(text, path, path_len);
	text[path_len] = 0;
	struct toolchain *t = store_find(s, &d);
	if (!t || !t->tarball)
		return 0; /* its tarball is gone: it will be packed again */
	struct compiler *c = &s->compilers[s->ncompilers];
	*c = (struct compiler){.uid = (uid_t)uid,
	        .digest = d,
	        .witness_len = len,
	        .path = strdup(text),
	        .witness = malloc(len)};
	if (!c->path || !c->witness) {
		free(c->path);
		free(c->witness);
		return IM_ERR_MEMORY;
	}
	memcpy(c->witness, witness, len);
	s->ncompilers++;
	return 0;
}

static int
load_compilers(struct store *s)
{
	char path[FILES_PATH_SIZE];
	struct buf b;
	struct packet *p = NULL;
	const struct item *list;
	uint32_t n = 0;
	buf_init(&b, COMPILERS_FILE_MAX);
	int err = files_path(path, s->node->config.state_dir, "compilers");
	if (err == 0)
		err = files_read(path, &b);
	if (err == 0)
		err = packet_open(&p, b.data, b.len);
	if (err == 0)
		err = item_array(packet_root(p), 1, STORE_COMPILERS_MAX, &list, &n);
	for (uint32_t i = 0; i < n && err == 0; i++)
		err = read_compiler(s, item_at(list, i));
	packet_free(p);
	buf_fini(&b);
	return err == IM_ERR_ABSENT ? 0 : err;
}

static int
save_compilers(const struct store *s)
{
	char path[FILES_PATH_SIZE];
	struct buf b;
	buf_init(&b, COMPILERS_FILE_MAX);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, s->ncompilers);
	for (unsigned i = 0; i < s->ncompilers; i++) {
		const struct compiler *c = &s->compilers[i];
		pack_map(&b, 4);
		pack_kuint(&b, 1, c->uid);
		pack_kbytes(&b, 2, c->path, strlen(c->path));
		pack_kbytes(&b, 3, c->digest.bytes, DIGEST_LEN);
		pack_kbytes(&b, 4, c->witness, c->witness_len);
	}
	int err = files_path(path, s->node->config.state_dir, "compilers");
	if (err == 0)
		err = buf_err(&b);
	if (err == 0)
		err = files_write(path, b.data, b.len, 0600);
	buf_fini(&b);
	return err;
}

struct store *
store_open(struct node *n, char *why)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	s->node = n;
	int err = scan(s, "tmp", found_leftover);
	if (err == 0)
		err = scan(s, "toolchains", found_tree);
	if (err == 0)
		err = scan(s, "tarballs", found_tarball);
	if (err < 0) {
		snprintf(why, 256, "%.160s: %s", n->config.store_dir,
		        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
		store_free(s);
		return NULL;
	}
	err = load_compilers(s);
	if (err < 0)
		log_warn(&n->log, "%s/compilers: %s; compilers will be packed again",
		        n->config.state_dir, im_strerror(err));
	return s;
}

void
store_free(struct store *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->ncompilers; i++) {
		free(s->compilers[i].path);
		free(s->compilers[i].witness);
	}
	free(s);
}

struct store_file *
store_file_new(struct store *s, uint64_t max)
{
	struct store_file *f = calloc(1, sizeof *f);
	char name[32];
	if (!f)
		return NULL;
	f->store = s;
	f->max = max;
	digest_begin(&f->digest);
	prehash_begin(&f->prehash);
	snprintf(name, sizeof name, "%llu", (unsigned long long)++s->serial);
	f->fd = store_path(s, "tmp", name, f->path) < 0
	                ? -1
	                : open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		free(f);
		return NULL;
	}
	s->transit += max;
	return f;
}

int
store_file_add(struct store_file *f, const void *bytes, size_t len)
{
	if (len > f->max - f->size)
		return IM_ERR_LIMIT;
	int err = files_write_all(f->fd, bytes, len);
	if (err < 0)
		return err;
	f->size += len;
	digest_add(&f->digest, bytes, len);
	prehash_add(&f->prehash, bytes, len);
	return 0;
}

void
store_file_sum(struct store_file *f, struct digest *d, uint64_t *size, uint8_t *prehash)
{
	digest_end(&f->digest, d);
	prehash_end(&f->prehash, prehash);
	*size = f->size;
}

int
store_file_keep(struct store_file *f, const struct digest *d, const char *sig)
{
	char to[FILES_PATH_SIZE], sig_to[FILES_PATH_SIZE];
	struct toolchain *t = NULL;
	int err = tarball_path(f->store, d, "", to);
	if (err == 0)
		err = tarball_path(f->store, d, ".minisig", sig_to);
	if (err == 0 && !store_find(f->store, d) && f->store->ntoolchains == STORE_TOOLCHAINS_MAX)
		err = IM_ERR_LIMIT;
	if (err == 0 && fsync(f->fd) < 0)
		err = IM_ERR_SYSTEM;
	if (err == 0)
		err = files_write(sig_to, sig, strlen(sig), 0600);
	if (err == 0 && rename(f->path, to) < 0)
		err = IM_ERR_SYSTEM;
	if (err == 0 && !(t = store_add(f->store, d)))
		err = IM_ERR_LIMIT;
	if (err == 0) {
		t->tarball = true;
		t->size = f->size;
		t->used_ms = loop_now_ms();
		note_signer(f->store, t);
	}
	store_file_drop(f);
	return err;
}

void
store_file_drop(struct store_file *f)
{
	if (!f)
		return;
	f->store->transit -= f->max;
	unlink(f->path);
	close(f->fd);
	free(f);
}

const struct compiler *
store_compiler(struct store *s, uid_t uid, const char *path)
{
	for (unsigned i = 0; i < s->ncompilers; i++)
		if (s->compilers[i].uid == uid && strcmp(s->compilers[i].path, path) == 0)
			return &s->compilers[i];
	return NULL;
}

const struct compiler *
store_compiler_of(struct store *s, const struct digest *d)
{
	for (unsigned i = 0; i < s->ncompilers; i++)
		if (digest_equal(&s->compilers[i].digest, d))
			return &s->compilers[i];
	return NULL;
}

static void
forget_compiler(struct store *s, unsigned at)
{
	free(s->compilers[at].path);
	free(s->compilers[at].witness);
	s->ncompilers--;
	memmove(&s->compilers[at], &s->compilers[at + 1],
	        (s->ncompilers - at) * sizeof *s->compilers);
}

/* Forgets what is known of this compiler, or the user's oldest one when he has his share. */
static void
make_place(struct store *s, uid_t uid, const char *path)
{
	unsigned own = 0, oldest = 0;
	for (unsigned i = 0; i < s->ncompilers; i++) {
		if (s->compilers[i].uid != uid)
			continue;
		if (strcmp(s->compilers[i].path, path) == 0) {
			forget_compiler(s, i);
			return;
		}
		if (own++ == 0)
			oldest = i;
	}
	if (own >= COMPILERS_PER_USER || (own && s->ncompilers == STORE_COMPILERS_MAX))
		forget_compiler(s, oldest);
}

int
store_set_compiler(struct store *s, uid_t uid, const char *path, const struct digest *d,
        const void *witness, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	char *name = strdup(path);
	int err = copy && name ? 0 : IM_ERR_MEMORY;
	if (err == 0) {
		make_place(s, uid, path);
		err = s->ncompilers < STORE_COMPILERS_MAX ? 0 : IM_ERR_LIMIT;
	}
	if (err < 0) {
		free(copy);
		free(name);
		return err;
	}
	if (len)
		memcpy(copy, witness, len);
	s->compilers[s->ncompilers++] = (struct compiler){
	        .uid = uid, .path = name, .digest = *d, .witness = copy, .witness_len = len};
	return save_compilers(s);
}

void
store_drop_tarball(struct store *s, struct toolchain *t)
{
	char path[FILES_PATH_SIZE];
	bool known = false;
	if (tarball_path(s, &t->digest, "", path) == 0)
		unlink(path);
	if (tarball_path(s, &t->digest, ".minisig", path) == 0)
		unlink(path);
	t->tarball = false;
	t->size = 0;
	for (unsigned i = s->ncompilers; i-- > 0;) {
		if (!digest_equal(&s->compilers[i].digest, &t->digest))
			continue;
		forget_compiler(s, i);
		known = true;
	}
	if (known && save_compilers(s) < 0)
		log_warn(&s->node->log, "the list of compilers cannot be written");
}
