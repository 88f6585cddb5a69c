#include "exec/toolchain.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/manifest.h"
#include "exec/scratch.h"

#define WHY_SIZE 256
#define BLOCK_SIZE (256u << 10)
#define SMALL_BYTES (16u << 20) /* below it no ratio counts: small things may compress well */

/* One unpacking under way. */
struct unpacking {
	struct archive *archive;
	int fd, dir_fd;
	uint64_t at, packed; /* position and size of the packed bytes */
	struct manifest manifest;
	char *why;
	uint8_t *block; /* BLOCK_SIZE bytes */
};

static int __attribute__((format(printf, 3, 4)))
fail(struct unpacking *u, int err, const char *fmt, ...)
{
	int e = errno;
	va_list args;
	size_t n;

	va_start(args, fmt);
	vsnprintf(u->why, WHY_SIZE, fmt, args);
	va_end(args);
	n = strlen(u->why);
	if (err == IM_ERR_SYSTEM)
		snprintf(u->why + n, WHY_SIZE - n, ": %s", strerror(e));
	return err;
}

/* libarchive's own words, for what it found wrong. */
static int
fail_archive(struct unpacking *u, const char *what)
{
	const char *text = archive_error_string(u->archive);

	return fail(u, IM_ERR_FORMAT, "%s: %.180s", what, text == NULL ? "damaged archive" : text);
}

static ssize_t
read_packed(struct archive *a, void *client, const void **out)
{
	struct unpacking *u = client;
	ssize_t n;

	do
		n = pread(u->fd, u->block, BLOCK_SIZE, (off_t)u->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(a, errno, "cannot read");
		return -1;
	}
	u->at += (uint64_t)n;
	*out = u->block;
	return n;
}

static int
open_archive(struct unpacking *u)
{
	struct stat st;

	if (fstat(u->fd, &st) != 0)
		return fail(u, IM_ERR_SYSTEM, "cannot look at the archive");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > TOOLCHAIN_PACKED_MAX)
		return fail(u, IM_ERR_LIMIT, "archive above %llu bytes", TOOLCHAIN_PACKED_MAX);
	u->packed = (uint64_t)st.st_size;
	u->archive = archive_read_new();
	u->block = malloc(BLOCK_SIZE);
	if (u->archive == NULL || u->block == NULL)
		return fail(u, IM_ERR_MEMORY, "no memory");
	if (archive_read_support_filter_lz4(u->archive) != ARCHIVE_OK ||
	        archive_read_support_format_tar(u->archive) != ARCHIVE_OK)
		return fail(u, IM_ERR_UNSUPPORTED, "this libarchive cannot read tar.lz4");
	if (archive_read_open(u->archive, u, NULL, read_packed, NULL) != ARCHIVE_OK)
		return fail_archive(u, "archive");
	return 0;
}

static int
next_header(struct unpacking *u, struct archive_entry **out)
{
	int r = archive_read_next_header(u->archive, out);

	if (r == ARCHIVE_EOF)
		return IM_ERR_ABSENT;
	if (r != ARCHIVE_OK)
		return fail_archive(u, "archive");
	return 0;
}

/* Reads exactly size bytes of the current entry. */
static int
read_exactly(struct unpacking *u, uint8_t *out, size_t size)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = archive_read_data(u->archive, out + at, size - at);

		if (n < 0)
			return fail_archive(u, "archive");
		if (n == 0)
			return fail(u, IM_ERR_TRUNCATED, "archive ends too early");
		at += (size_t)n;
	}
	return 0;
}

static int
write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return IM_ERR_SYSTEM;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The limits that the manifest alone decides. */
static int
check_totals(struct unpacking *u)
{
	if (u->manifest.bytes > SMALL_BYTES && u->manifest.bytes / TOOLCHAIN_RATIO_MAX > u->packed)
		return fail(u, IM_ERR_LIMIT, "unpacks to more than %d times its size",
		        TOOLCHAIN_RATIO_MAX);
	return 0;
}

/* The first entry.  It is kept with the toolchain: the helper reads it before each job. */
static int
take_manifest(struct unpacking *u)
{
	struct archive_entry *e;
	uint8_t *text = NULL;
	size_t size;
	int fd = -1, r = next_header(u, &e);

	if (r == IM_ERR_ABSENT)
		return fail(u, IM_ERR_FORMAT, "archive without a manifest");
	if (r != 0)
		return r;
	if (archive_entry_pathname(e) == NULL ||
	        strcmp(archive_entry_pathname(e), MANIFEST_NAME) != 0 ||
	        archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL)
		return fail(u, IM_ERR_FORMAT, "archive does not begin with " MANIFEST_NAME);
	if (archive_entry_size(e) < 0 || (uint64_t)archive_entry_size(e) > MANIFEST_LEN_MAX)
		return fail(u, IM_ERR_LIMIT, "manifest above %u bytes", MANIFEST_LEN_MAX);
	size = (size_t)archive_entry_size(e);
	text = malloc(size + 1);
	if (text == NULL)
		return fail(u, IM_ERR_MEMORY, "no memory");
	r = read_exactly(u, text, size);
	if (r == 0)
		r = manifest_parse(&u->manifest, text, size, u->why);
	if (r == 0)
		r = check_totals(u);
	if (r == 0) {
		fd = scratch_create(u->dir_fd, MANIFEST_NAME, 0644);
		if (fd < 0 || write_all(fd, text, size) != 0)
			r = fail(u, IM_ERR_SYSTEM, "cannot write " MANIFEST_NAME);
	}
	if (fd >= 0)
		close(fd);
	free(text);
	return r;
}

/* What the archive says of an entry must be what the manifest says; what no manifest can allow is named as such. */
static int
check_entry(struct unpacking *u, struct archive_entry *e, const struct manifest_entry *want)
{
	const char *path = archive_entry_pathname(e);
	mode_t type = archive_entry_filetype(e), perm = archive_entry_perm(e);
	mode_t expected = want == NULL ? 0 : want->kind == MANIFEST_FILE ? AE_IFREG : AE_IFLNK;

	if (path == NULL || path[0] == '\0')
		return fail(u, IM_ERR_FORMAT, "entry without a name");
	if (path[0] == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
	        strstr(path, "/../") != NULL)
		return fail(u, IM_ERR_FORMAT, "%.180s: leads out of the archive", path);
	if (archive_entry_hardlink(e) != NULL)
		return fail(u, IM_ERR_FORMAT, "%.180s: hard link", path);
	if (type != AE_IFREG && type != AE_IFLNK && type != AE_IFDIR)
		return fail(u, IM_ERR_FORMAT, "%.180s: neither file, link nor folder", path);
	if ((perm & (S_ISUID | S_ISGID | S_ISVTX)) != 0)
		return fail(u, IM_ERR_FORMAT, "%.180s: setuid, setgid or sticky", path);
	if (want != NULL && want->kind == MANIFEST_FOLDER)
		expected = AE_IFDIR;
	if (want == NULL || strncmp(path, want->path + 1, strlen(want->path + 1)) != 0 ||
	        (strcmp(path, want->path + 1) != 0 &&
	                !(type == AE_IFDIR && strcmp(path + strlen(want->path + 1), "/") == 0)))
		return fail(u, IM_ERR_FORMAT, "%.180s: not in the manifest", path);
	if (type != expected || (type != AE_IFLNK && perm != want->mode))
		return fail(
		        u, IM_ERR_FORMAT, "%.180s: not of the kind and mode in the manifest", path);
	if (type == AE_IFREG && (uint64_t)archive_entry_size(e) != want->size)
		return fail(u, IM_ERR_FORMAT, "%.180s: not of the size in the manifest", path);
	if (type == AE_IFLNK && (archive_entry_symlink(e) == NULL ||
	                                strcmp(archive_entry_symlink(e), want->target) != 0))
		return fail(u, IM_ERR_FORMAT, "%.180s: not the link in the manifest", path);
	return 0;
}

static int
copy_content(struct unpacking *u, int fd, const struct manifest_entry *want)
{
	uint8_t chunk[64 * 1024];
	struct digest_stream s;
	struct digest is;
	uint64_t left = want->size;

	digest_begin(&s);
	while (left > 0) {
		size_t n = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
		int r = read_exactly(u, chunk, n);

		if (r != 0)
			return r;
		digest_add(&s, chunk, n);
		if (write_all(fd, chunk, n) != 0)
			return fail(u, IM_ERR_SYSTEM, "cannot write %.180s", want->path);
		left -= n;
	}
	digest_end(&s, &is);
	if (!digest_equal(&is, &want->digest))
		return fail(
		        u, IM_ERR_DIGEST, "%.180s: content does not match its digest", want->path);
	return 0;
}

static int
write_file(struct unpacking *u, const struct manifest_entry *want)
{
	int r, fd = scratch_create(u->dir_fd, want->path + 1, want->mode);

	if (fd < 0)
		return fail(u, IM_ERR_SYSTEM, "cannot make %.180s", want->path);
	r = copy_content(u, fd, want);
	if (r == 0 && fchmod(fd, want->mode) != 0)
		r = fail(u, IM_ERR_SYSTEM, "cannot set the mode of %.180s", want->path);
	close(fd);
	return r;
}

static int
write_entry(struct unpacking *u, const struct manifest_entry *want)
{
	int r;

	if (want->kind == MANIFEST_FILE)
		return write_file(u, want);
	if (want->kind == MANIFEST_FOLDER)
		r = scratch_folder(u->dir_fd, want->path + 1);
	else
		r = scratch_link(u->dir_fd, want->path + 1, want->target);
	return r == 0 ? 0 : fail(u, IM_ERR_SYSTEM, "cannot make %.180s", want->path);
}

static int
take_entries(struct unpacking *u)
{
	struct archive_entry *e;
	uint32_t i = 0;
	int r;

	while ((r = next_header(u, &e)) == 0) {
		const struct manifest_entry *want =
		        i < u->manifest.n ? &u->manifest.entries[i] : NULL;

		r = check_entry(u, e, want);
		if (r == 0)
			r = write_entry(u, want);
		if (r != 0)
			return r;
		i++;
	}
	if (r != IM_ERR_ABSENT)
		return r;
	if (i < u->manifest.n)
		return fail(u, IM_ERR_TRUNCATED, "%.180s: missing", u->manifest.entries[i].path);
	return 0;
}

int
toolchain_unpack(int fd, int dir_fd, char *why)
{
	struct unpacking u = {.fd = fd, .dir_fd = dir_fd, .why = why};
	int r = open_archive(&u);

	if (r == 0)
		r = take_manifest(&u);
	if (r == 0)
		r = take_entries(&u);
	if (u.archive != NULL)
		archive_read_free(u.archive);
	manifest_fini(&u.manifest);
	free(u.block);
	return r;
}
