#include "exec/toolchain.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/query.h"
#include "exec/closure.h"
#include "exec/witness.h"

#define WHY_SIZE 256
#define ANSWER_MAX 4096
#define CHUNK (64 * 1024)

/* One packing under way. */
struct packing {
	const char *compiler;
	struct closure closure;
	struct manifest manifest; /* entries: the closure's */
	struct archive *archive;
	char *why;
};

static int
fail(struct packing *p, int err, const char *what, const char *path)
{
	snprintf(p->why, WHY_SIZE, "%s %.180s: %s", what, path,
	        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	return err;
}

/* --- what goes in --- */

/* The first line of the compiler's answer to one option; 0 when it gave one. */
static int
ask_line(const struct packing *p, const char *option, char *out, size_t size)
{
	const char *words[] = {p->compiler, option, NULL};
	struct buf answer;
	const char *text;
	size_t len;
	int r;

	buf_init(&answer, ANSWER_MAX);
	r = query_run(words, 0, &answer);
	text = r == 0 ? buf_text(&answer) : NULL;
	if (text == NULL) {
		buf_fini(&answer);
		return r == 0 ? IM_ERR_MEMORY : r;
	}
	len = strcspn(text, "\n");
	r = len == 0 || len >= size ? IM_ERR_FORMAT : 0;
	for (size_t i = 0; r == 0 && i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			r = IM_ERR_FORMAT;
	}
	if (r == 0) {
		memcpy(out, text, len);
		out[len] = '\0';
	}
	buf_fini(&answer);
	return r;
}

static int
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static int
find_in_path(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH");

	while (path != NULL && *path != '\0') {
		size_t len = strcspn(path, ":");

		if (len > 0 && path[0] == '/' &&
		        (size_t)snprintf(out, size, "%.*s/%s", (int)len, path, name) < size &&
		        is_program(out))
			return 0;
		path += len;
		path += *path == ':';
	}
	return IM_ERR_ABSENT;
}

/* Adds the program that the compiler would start under that name, when there is one. */
static int
add_subprogram(struct packing *p, const char *name)
{
	char option[64], answer[PATH_MAX], found[PATH_MAX];
	struct elf elf;

	snprintf(option, sizeof(option), "-print-prog-name=%s", name);
	if (ask_line(p, option, answer, sizeof(answer)) != 0)
		return 0;
	if (answer[0] == '/')
		return is_program(answer) ? closure_add_program(&p->closure, answer, &elf) : 0;
	if (strcmp(answer, name) != 0 || find_in_path(name, found, sizeof(found)) != 0)
		return 0;
	return closure_add_program(&p->closure, found, &elf);
}

/* A specs file changes what gcc's driver does; gcc names the bare file when it has none. */
static int
add_specs(struct packing *p)
{
	char answer[PATH_MAX];
	struct stat st;

	if (ask_line(p, "-print-file-name=specs", answer, sizeof(answer)) != 0 ||
	        answer[0] != '/' || stat(answer, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	return closure_add_file(&p->closure, answer);
}

/* Messages with their real quotes need a UTF-8 locale; its categories are small files and one folder. */
static int
add_locale(struct packing *p)
{
	static const char *const folders[] = {
	        "/usr/lib/locale/C.utf8", "/usr/lib/locale/C.utf8/LC_MESSAGES", NULL};
	int r = 0;

	for (const char *const *f = folders; r == 0 && *f != NULL; f++)
		r = closure_add_folder(&p->closure, *f);
	return r;
}

/* clang's sanitizers read their own ignore lists, whatever the command line says; gcc has no such folder. */
static int
add_ignore_lists(struct packing *p)
{
	char answer[PATH_MAX], folder[PATH_MAX + 8];

	if (ask_line(p, "-print-resource-dir", answer, sizeof(answer)) != 0 || answer[0] != '/')
		return 0;
	snprintf(folder, sizeof(folder), "%s/share", answer);
	return closure_add_folder(&p->closure, folder);
}

static int
collect(struct packing *p)
{
	static const char *const subprograms[] = {
	        "cc1", "cc1plus", "cc1obj", "cc1objplus", "as", "objcopy", NULL};
	struct elf elf;
	int r = closure_add_program(&p->closure, p->compiler, &elf);

	for (const char *const *s = subprograms; r == 0 && *s != NULL; s++)
		r = add_subprogram(p, *s);
	if (r == 0)
		r = add_specs(p);
	if (r == 0)
		r = add_locale(p);
	if (r == 0)
		r = add_ignore_lists(p);
	if (r != 0)
		return r;
	closure_sort(&p->closure);
	snprintf(p->manifest.platform, sizeof(p->manifest.platform), "%s", elf.platform);
	return 0;
}

static int
describe(struct packing *p)
{
	struct manifest *m = &p->manifest;

	if (strlen(p->compiler) >= sizeof(m->driver))
		return fail(p, IM_ERR_LIMIT, "path too long:", p->compiler);
	memcpy(m->driver, p->compiler, strlen(p->compiler) + 1);
	if (ask_line(p, "-dumpmachine", m->target, sizeof(m->target)) != 0)
		m->target[0] = '\0';
	if (ask_line(p, "--version", m->version, sizeof(m->version)) != 0)
		m->version[0] = '\0';
	memcpy(m->libraries, p->closure.libraries, sizeof(m->libraries));
	m->entries = p->closure.entries;
	m->n = p->closure.n;
	return 0;
}

static int
digest_entry(struct packing *p, struct manifest_entry *e)
{
	int fd, r;

	if (e->kind != MANIFEST_FILE)
		return 0;
	fd = open(e->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(p, IM_ERR_SYSTEM, "cannot read", e->path);
	r = digest_of_fd(&e->digest, &e->size, fd);
	close(fd);
	return r == 0 ? 0 : fail(p, r, "cannot read", e->path);
}

/* --- writing it down --- */

static int
fail_archive(struct packing *p, const char *path)
{
	snprintf(p->why, WHY_SIZE, "cannot write %.100s: %.100s", path,
	        archive_error_string(p->archive));
	return IM_ERR_SYSTEM;
}

static int
put_header(struct packing *p, const struct manifest_entry *e)
{
	struct archive_entry *a = archive_entry_new();
	int r = 0;

	if (a == NULL)
		return IM_ERR_MEMORY;
	archive_entry_set_pathname(a, e->path + 1);
	archive_entry_set_perm(a, (mode_t)e->mode);
	archive_entry_set_size(a, (int64_t)e->size);
	archive_entry_set_mtime(a, 0, 0);
	archive_entry_set_filetype(a, e->kind == MANIFEST_FILE   ? AE_IFREG
	                              : e->kind == MANIFEST_LINK ? AE_IFLNK
	                                                         : AE_IFDIR);
	if (e->kind == MANIFEST_LINK)
		archive_entry_set_symlink(a, e->target);
	if (archive_write_header(p->archive, a) != ARCHIVE_OK)
		r = fail_archive(p, e->path);
	archive_entry_free(a);
	return r;
}

/* The content, hashed again on its way: a file that changed since its digest was taken spoils the tarball. */
static int
put_content(struct packing *p, const struct manifest_entry *e, int fd)
{
	uint8_t chunk[CHUNK];
	struct digest_stream s;
	struct digest is;
	ssize_t n;

	digest_begin(&s);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		digest_add(&s, chunk, (size_t)n);
		if (archive_write_data(p->archive, chunk, (size_t)n) != n)
			return fail_archive(p, e->path);
	}
	if (n < 0)
		return fail(p, IM_ERR_SYSTEM, "cannot read", e->path);
	digest_end(&s, &is);
	return digest_equal(&is, &e->digest)
	               ? 0
	               : fail(p, IM_ERR_DIGEST, "file changed while it was packed:", e->path);
}

static int
put_entry(struct packing *p, const struct manifest_entry *e)
{
	int fd, r = put_header(p, e);

	if (r != 0 || e->kind != MANIFEST_FILE)
		return r;
	fd = open(e->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(p, IM_ERR_SYSTEM, "cannot read", e->path);
	r = put_content(p, e, fd);
	close(fd);
	return r;
}

static int
put_manifest(struct packing *p)
{
	struct manifest_entry e = {.kind = MANIFEST_FILE, .mode = 0644, .path = "/" MANIFEST_NAME};
	struct buf text;
	int r;

	buf_init(&text, MANIFEST_LEN_MAX);
	r = manifest_print(&p->manifest, &text);
	e.size = text.len;
	if (r == 0)
		r = put_header(p, &e);
	if (r == 0 && archive_write_data(p->archive, text.data, text.len) != (ssize_t)text.len)
		r = fail_archive(p, e.path);
	buf_fini(&text);
	return r;
}

/* Names beyond ASCII go into the archive as the bytes they are; saying so costs an extended header for each entry. */
static int
set_charset(struct packing *p)
{
	for (uint32_t i = 0; i < p->closure.n; i++) {
		const struct manifest_entry *e = &p->closure.entries[i];

		for (const char *s = e->path; *s != '\0'; s++) {
			if ((unsigned char)*s >= 0x80)
				return archive_write_set_options(p->archive, "hdrcharset=BINARY");
		}
		for (const char *s = e->target == NULL ? "" : e->target; *s != '\0'; s++) {
			if ((unsigned char)*s >= 0x80)
				return archive_write_set_options(p->archive, "hdrcharset=BINARY");
		}
	}
	return ARCHIVE_OK;
}

static int
open_archive(struct packing *p, int out_fd)
{
	p->archive = archive_write_new();
	if (p->archive == NULL)
		return IM_ERR_MEMORY;
	if (archive_write_add_filter_lz4(p->archive) != ARCHIVE_OK ||
	        archive_write_set_format_pax_restricted(p->archive) != ARCHIVE_OK ||
	        set_charset(p) != ARCHIVE_OK ||
	        archive_write_set_bytes_in_last_block(p->archive, 1) != ARCHIVE_OK ||
	        archive_write_open_fd(p->archive, out_fd) != ARCHIVE_OK)
		return fail_archive(p, "the archive");
	return 0;
}

static int
write_archive(struct packing *p, int out_fd)
{
	int r = open_archive(p, out_fd);

	if (r == 0)
		r = put_manifest(p);
	for (uint32_t i = 0; r == 0 && i < p->closure.n; i++)
		r = put_entry(p, &p->closure.entries[i]);
	if (r == 0 && archive_write_close(p->archive) != ARCHIVE_OK)
		r = fail_archive(p, "the archive");
	if (p->archive != NULL)
		archive_write_free(p->archive);
	return r;
}

static int
make_witness(struct packing *p, struct buf *witness)
{
	struct witness_file files[CLOSURE_FILES_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->closure.n; i++) {
		const struct manifest_entry *e = &p->closure.entries[i];

		if (e->kind != MANIFEST_FOLDER)
			files[n++] = (struct witness_file){
			        .path = e->path, .link = e->kind == MANIFEST_LINK};
	}
	return witness_make(files, n, witness);
}

int
toolchain_pack(const char *compiler, int out_fd, struct buf *witness, char *why)
{
	struct packing *p = calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return IM_ERR_MEMORY;
	p->compiler = compiler;
	p->why = why;
	closure_init(&p->closure, why);
	r = collect(p);
	if (r == 0)
		r = describe(p);
	/* Before the content is read: what changes meanwhile is noticed at the next compile. */
	if (r == 0 && (r = make_witness(p, witness)) != 0)
		fail(p, r, "cannot note the files of", compiler);
	for (uint32_t i = 0; r == 0 && i < p->closure.n; i++)
		r = digest_entry(p, &p->closure.entries[i]);
	if (r == 0)
		r = write_archive(p, out_fd);
	if (r != 0 && why[0] == '\0')
		snprintf(why, WHY_SIZE, "%s", im_strerror(r));
	closure_fini(&p->closure);
	free(p);
	return r;
}
