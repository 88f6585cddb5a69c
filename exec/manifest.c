#include "exec/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exec/job.h"
#include "exec/toolchain.h"

#define MAGIC "icemesh-toolchain 1"
#define WHY_SIZE 256

/* --- writing --- */

static void
put_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > 0x20 && c < 0x7f && c != '%')
			buf_put_u8(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void
put_entry(struct buf *out, const struct manifest_entry *e)
{
	char hex[DIGEST_HEX_SIZE] = "-";

	if (e->kind == MANIFEST_FILE)
		digest_hex(&e->digest, hex);
	buf_printf(out, "%c %04o %llu %s ", e->kind, e->mode, (unsigned long long)e->size, hex);
	put_escaped(out, e->path);
	if (e->kind == MANIFEST_LINK) {
		buf_put_u8(out, ' ');
		put_escaped(out, e->target);
	}
	buf_put_u8(out, '\n');
}

int
manifest_print(const struct manifest *m, struct buf *out)
{
	buf_printf(out, MAGIC "\nplatform %s\n", m->platform);
	if (m->target[0] != '\0')
		buf_printf(out, "target %s\n", m->target);
	buf_printf(out, "driver ");
	put_escaped(out, m->driver);
	buf_put_u8(out, '\n');
	if (m->version[0] != '\0')
		buf_printf(out, "version %s\n", m->version);
	if (m->libraries[0] != '\0') {
		buf_printf(out, "library-path ");
		put_escaped(out, m->libraries);
		buf_put_u8(out, '\n');
	}
	buf_put_u8(out, '\n');
	for (uint32_t i = 0; i < m->n; i++)
		put_entry(out, &m->entries[i]);
	return buf_err(out);
}

/* --- parsing: on a private copy of the text, cut into lines and words in place --- */

struct reader {
	char *next, *end;
	unsigned line;
};

/* The next line without its newline, NULL when there is no complete one. */
static char *
next_line(struct reader *r)
{
	char *line = r->next;
	char *newline = memchr(line, '\n', (size_t)(r->end - line));

	if (newline == NULL)
		return NULL;
	*newline = '\0';
	r->next = newline + 1;
	r->line++;
	return line;
}

/* Cuts the next word (up to one space or the end) off *s; NULL when it is empty. */
static char *
next_word(char **s)
{
	char *word = *s;
	char *space;

	if (word == NULL || *word == '\0' || *word == ' ')
		return NULL;
	space = strchr(word, ' ');
	if (space != NULL)
		*space++ = '\0';
	*s = space;
	return word;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes put_escaped in place; refuses what it would not have written. */
static int
unescape(char *s)
{
	char *out = s;

	if (strlen(s) >= MANIFEST_PATH_MAX)
		return IM_ERR_LIMIT;
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '%') {
			int high = hex_value(s[1]);
			int low = high < 0 ? -1 : hex_value(s[2]);

			if (low < 0)
				return IM_ERR_FORMAT;
			c = (unsigned char)(high * 16 + low);
			if (c == '\0' || (c > 0x20 && c < 0x7f && c != '%'))
				return IM_ERR_FORMAT;
			s += 2;
		} else if (c <= 0x20 || c >= 0x7f) {
			return IM_ERR_FORMAT;
		}
		*out++ = (char)c;
	}
	*out = '\0';
	return 0;
}

static int
parse_size(const char *word, uint64_t *out)
{
	uint64_t v = 0;

	if (word[0] == '0' && word[1] != '\0')
		return IM_ERR_FORMAT;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return IM_ERR_FORMAT;
		v = v * 10 + (uint64_t)(*word - '0');
		if (v > TOOLCHAIN_BYTES_MAX)
			return IM_ERR_LIMIT;
	}
	*out = v;
	return 0;
}

/* A relative target must not climb above the root from the folder of the link. */
static int
target_ok(const char *path, const char *target)
{
	long depth = -1; /* the link's own name */

	if (target[0] == '\0')
		return 0;
	if (target[0] == '/')
		return 1;
	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	while (*target != '\0') {
		size_t len = strcspn(target, "/");

		if (len == 2 && target[0] == '.' && target[1] == '.')
			depth--;
		else if (len > 0 && !(len == 1 && target[0] == '.'))
			depth++;
		if (depth < 0)
			return 0;
		target += len;
		target += *target == '/';
	}
	return 1;
}

static int
parse_attributes(struct manifest_entry *e, const char *kind, const char *mode, const char *digest)
{
	if (strcmp(kind, "f") == 0) {
		e->kind = MANIFEST_FILE;
		if (strcmp(mode, "0755") != 0 && strcmp(mode, "0644") != 0)
			return IM_ERR_FORMAT;
		e->mode = strcmp(mode, "0755") == 0 ? 0755 : 0644;
		return digest_from_hex(&e->digest, digest);
	}
	if (strcmp(kind, "l") == 0 && strcmp(mode, "0777") == 0) {
		e->kind = MANIFEST_LINK;
		e->mode = 0777;
	} else if (strcmp(kind, "d") == 0 && strcmp(mode, "0755") == 0) {
		e->kind = MANIFEST_FOLDER;
		e->mode = 0755;
	} else {
		return IM_ERR_FORMAT;
	}
	return e->size == 0 && strcmp(digest, "-") == 0 ? 0 : IM_ERR_FORMAT;
}

static int
parse_entry(struct manifest_entry *e, char *line)
{
	char *rest = line;
	char *kind = next_word(&rest), *mode = next_word(&rest), *size = next_word(&rest);
	char *digest = next_word(&rest), *path = next_word(&rest), *target = NULL;
	int r;

	if (path == NULL)
		return IM_ERR_FORMAT;
	r = parse_size(size, &e->size);
	if (r == 0)
		r = parse_attributes(e, kind, mode, digest);
	if (r == 0)
		r = unescape(path);
	if (r == 0 &&
	        (!job_path_ok(path) || path[1] == '\0' || strcmp(path + 1, MANIFEST_NAME) == 0))
		r = IM_ERR_FORMAT;
	if (r == 0 && e->kind == MANIFEST_LINK) {
		target = next_word(&rest);
		r = target == NULL ? IM_ERR_FORMAT : unescape(target);
		if (r == 0 && !target_ok(path, target))
			r = IM_ERR_FORMAT;
	}
	if (r == 0 && rest != NULL)
		r = IM_ERR_FORMAT;
	e->path = path;
	e->target = target;
	return r;
}

static int
take_field(char *out, size_t size, const char *value)
{
	if (out[0] != '\0' || value[0] == '\0')
		return IM_ERR_FORMAT;
	if (strlen(value) >= size)
		return IM_ERR_LIMIT;
	memcpy(out, value, strlen(value) + 1);
	return 0;
}

static int
take_escaped(char *out, size_t size, char *value)
{
	int r = unescape(value);

	return r != 0 ? r : take_field(out, size, value);
}

static int
plain_text(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || (unsigned char)*s == 0x7f)
			return 0;
	}
	return 1;
}

static int
parse_header(struct manifest *m, char *line)
{
	char *value = line;
	const char *name = next_word(&value);

	if (name == NULL || value == NULL || !plain_text(value))
		return IM_ERR_FORMAT;
	if (strcmp(name, "platform") == 0)
		return take_field(m->platform, sizeof(m->platform), value);
	if (strcmp(name, "target") == 0)
		return take_field(m->target, sizeof(m->target), value);
	if (strcmp(name, "version") == 0)
		return take_field(m->version, sizeof(m->version), value);
	if (strcmp(name, "driver") == 0)
		return take_escaped(m->driver, sizeof(m->driver), value);
	if (strcmp(name, "library-path") == 0)
		return take_escaped(m->libraries, sizeof(m->libraries), value);
	return IM_ERR_VERSION;
}

static int
parse_headers(struct manifest *m, struct reader *r)
{
	char *line = next_line(r);
	int e = 0;

	if (line == NULL || strncmp(line, "icemesh-toolchain ", 18) != 0)
		return IM_ERR_FORMAT;
	if (strcmp(line, MAGIC) != 0)
		return IM_ERR_VERSION;
	while ((line = next_line(r)) != NULL && line[0] != '\0') {
		e = parse_header(m, line);
		if (e != 0)
			return e;
	}
	if (line == NULL || m->platform[0] == '\0' || !job_path_ok(m->driver))
		return IM_ERR_FORMAT;
	return 0;
}

static const struct manifest_entry *
find_entry(const struct manifest *m, const char *path)
{
	uint32_t low = 0, high = m->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int c = strcmp(path, m->entries[middle].path);

		if (c == 0)
			return &m->entries[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* No entry lies beneath another that is not a folder. */
static int
parents_ok(const struct manifest *m, const char *path)
{
	char part[MANIFEST_PATH_MAX];

	for (size_t i = 1; path[i] != '\0'; i++) {
		const struct manifest_entry *above;

		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		above = find_entry(m, part);
		if (above != NULL && above->kind != MANIFEST_FOLDER)
			return 0;
	}
	return 1;
}

/* Adds the folders that lead to path and did not lead to the path before it.  The text stays small while they need not. */
static int
count_folders(const char *before, const char *path, uint32_t *folders)
{
	uint32_t depth = 0;
	size_t same = 0;

	while (path[same] != '\0' && path[same] == before[same])
		same++;
	for (size_t i = 1; path[i] != '\0'; i++) {
		if (path[i] != '/')
			continue;
		depth++;
		*folders += i >= same;
	}
	return depth > TOOLCHAIN_DEPTH_MAX || *folders > TOOLCHAIN_FILES_MAX ? IM_ERR_LIMIT : 0;
}

static uint32_t
count_lines(const struct reader *r)
{
	uint32_t n = 0;

	for (const char *p = r->next; p < r->end; p++)
		n += *p == '\n';
	return n;
}

static int
parse_entries(struct manifest *m, struct reader *r)
{
	uint32_t n = count_lines(r), folders = 0;
	char *line;

	if (n > TOOLCHAIN_FILES_MAX)
		return IM_ERR_LIMIT;
	m->entries = calloc(n + 1, sizeof(*m->entries));
	if (m->entries == NULL)
		return IM_ERR_MEMORY;
	while ((line = next_line(r)) != NULL) {
		struct manifest_entry *e = &m->entries[m->n];
		int err = parse_entry(e, line);

		if (err != 0)
			return err;
		if (m->n > 0 && strcmp(e[-1].path, e->path) >= 0)
			return IM_ERR_FORMAT;
		err = count_folders(m->n > 0 ? e[-1].path : "", e->path, &folders);
		if (err != 0)
			return err;
		m->n++;
		m->bytes += e->size;
		if (m->bytes > TOOLCHAIN_BYTES_MAX)
			return IM_ERR_LIMIT;
	}
	if (r->next != r->end)
		return IM_ERR_FORMAT;
	for (uint32_t i = 0; i < m->n; i++) {
		if (!parents_ok(m, m->entries[i].path))
			return IM_ERR_FORMAT;
	}
	return 0;
}

int
manifest_parse(struct manifest *m, const void *text, size_t len, char *why)
{
	struct manifest parsed = {0};
	struct reader r;
	int e;

	if (len > MANIFEST_LEN_MAX) {
		snprintf(why, WHY_SIZE, "manifest above %u bytes", MANIFEST_LEN_MAX);
		return IM_ERR_LIMIT;
	}
	parsed.memory = malloc(len + 1);
	if (parsed.memory == NULL)
		return IM_ERR_MEMORY;
	memcpy(parsed.memory, text, len);
	r = (struct reader){.next = parsed.memory, .end = (char *)parsed.memory + len};
	*r.end = '\0';
	e = memchr(text, '\0', len) != NULL ? IM_ERR_FORMAT : parse_headers(&parsed, &r);
	if (e == 0)
		e = parse_entries(&parsed, &r);
	if (e != 0) {
		snprintf(why, WHY_SIZE, "manifest line %u: %s", r.line, im_strerror(e));
		manifest_fini(&parsed);
		return e;
	}
	*m = parsed;
	return 0;
}

void
manifest_fini(struct manifest *m)
{
	free(m->entries);
	free(m->memory);
	memset(m, 0, sizeof(*m));
}
