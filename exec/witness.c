#include "exec/witness.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "crypto/packet.h"

#define WITNESS_VERSION 1
#define WITNESS_PATH_SIZE 4096
#define WITNESS_KEYS 0x6 /* keys 1 and 2 */
#define ENTRY_KEYS 0x3e  /* keys 1 to 5 */

enum witness_key { WITNESS_KEY_VERSION = 1, WITNESS_KEY_FILES };
enum entry_key {
	ENTRY_KEY_PATH = 1,
	ENTRY_KEY_SIZE,
	ENTRY_KEY_MTIME,
	ENTRY_KEY_INODE,
	ENTRY_KEY_LINK
};

/* What stat says about a file; the two structs are equal when the file was not replaced or written to. */
struct look {
	uint64_t size, mtime_ns, inode;
};

static int
look_at(const char *path, bool link, struct look *l)
{
	struct stat st;

	if ((link ? lstat(path, &st) : stat(path, &st)) != 0)
		return IM_ERR_SYSTEM;
	l->size = (uint64_t)st.st_size;
	l->mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	l->inode = (uint64_t)st.st_ino;
	return 0;
}

int
witness_make(const struct witness_file *files, uint32_t n, struct buf *out)
{
	size_t before = out->len;

	if (n > WITNESS_FILES_MAX)
		return IM_ERR_LIMIT;
	pack_map(out, 2);
	pack_kuint(out, WITNESS_KEY_VERSION, WITNESS_VERSION);
	pack_uint(out, WITNESS_KEY_FILES);
	pack_array(out, n);
	for (uint32_t i = 0; i < n; i++) {
		struct look l;
		int r = look_at(files[i].path, files[i].link != 0, &l);

		if (r != 0)
			return r;
		pack_map(out, 5);
		pack_ktext(out, ENTRY_KEY_PATH, files[i].path);
		pack_kuint(out, ENTRY_KEY_SIZE, l.size);
		pack_kuint(out, ENTRY_KEY_MTIME, l.mtime_ns);
		pack_kuint(out, ENTRY_KEY_INODE, l.inode);
		pack_kuint(out, ENTRY_KEY_LINK, files[i].link != 0);
	}
	if (buf_err(out) == 0 && out->len - before > WITNESS_LEN_MAX)
		return IM_ERR_LIMIT;
	return buf_err(out);
}

static int
check_file(const struct item *entry, char path[WITNESS_PATH_SIZE])
{
	struct look was, is;
	uint64_t link = 0;
	int r;

	if (!value_is_map(entry))
		return IM_ERR_FORMAT;
	r = item_known(entry, ENTRY_KEYS);
	if (r == 0)
		r = item_text(entry, ENTRY_KEY_PATH, path, WITNESS_PATH_SIZE);
	if (r == 0)
		r = item_uint(entry, ENTRY_KEY_SIZE, UINT64_MAX, &was.size);
	if (r == 0)
		r = item_uint(entry, ENTRY_KEY_MTIME, UINT64_MAX, &was.mtime_ns);
	if (r == 0)
		r = item_uint(entry, ENTRY_KEY_INODE, UINT64_MAX, &was.inode);
	if (r == 0)
		r = item_uint(entry, ENTRY_KEY_LINK, 1, &link);
	if (r != 0 || path[0] != '/')
		return IM_ERR_FORMAT;
	if (look_at(path, link != 0, &is) != 0 || is.size != was.size ||
	        is.mtime_ns != was.mtime_ns || is.inode != was.inode)
		return IM_ERR_ABSENT;
	return 0;
}

int
witness_check(const void *bytes, size_t len, char *changed, size_t size)
{
	struct packet *p = NULL;
	const struct item *files = NULL;
	uint64_t version = 0;
	uint32_t n = 0;
	int r;

	if (len > WITNESS_LEN_MAX || packet_open(&p, bytes, len) != 0)
		return IM_ERR_FORMAT;
	r = item_known(packet_root(p), WITNESS_KEYS);
	if (r == 0)
		r = item_uint(packet_root(p), WITNESS_KEY_VERSION, WITNESS_VERSION, &version);
	if (r == 0)
		r = item_array(packet_root(p), WITNESS_KEY_FILES, WITNESS_FILES_MAX, &files, &n);
	if (r != 0 || version != WITNESS_VERSION)
		r = IM_ERR_FORMAT;
	for (uint32_t i = 0; r == 0 && i < n; i++) {
		char path[WITNESS_PATH_SIZE];

		r = check_file(item_at(files, i), path);
		if (r == IM_ERR_ABSENT)
			snprintf(changed, size, "%s", path);
	}
	packet_free(p);
	return r;
}
