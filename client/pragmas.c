#include "client/pragmas.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANKS_MIN 7 /* in the place of "#pragma" */

void
pragmas_init(struct pragmas *p)
{
	memset(p, 0, sizeof *p);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\r';
}

/* True when the text has word behind before and blanks (or a backslash and the end of a line). */
static bool
mentions(const char *text, size_t len, const char *before, const char *word)
{
	const char *end = text + len, *found = text, *b;

	while ((found = memmem(found, (size_t)(end - found), word, strlen(word))) != NULL) {
		for (b = found; b > text && (is_blank(b[-1]) || strchr("\\\n", b[-1]) != NULL); b--)
			;
		if ((size_t)(b - text) >= strlen(before) &&
		        memcmp(b - strlen(before), before, strlen(before)) == 0)
			return true;
		found += strlen(word);
	}
	return false;
}

/* True when the file mentions one of the pragmas, or cannot be read. */
static bool
file_mentions(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool found = true;
	struct stat st;
	void *text;

	if (fd < 0)
		return true;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		goto out;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		goto out;
	found = mentions(text, (size_t)st.st_size, "pragma", "pop_macro") ||
	        mentions(text, (size_t)st.st_size, "GCC", "poison");
	munmap(text, (size_t)st.st_size);
out:
	close(fd);
	return found;
}

/* FNV-1a; never 0, which marks a free place. */
static uint64_t
hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *name != 0; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ULL;
	return h != 0 ? h : 1;
}

static bool
look_at(struct pragmas *p)
{
	uint64_t h = hash(p->file);
	uint64_t *place = &p->known[h % PRAGMAS_FILES];

	if (*place == h)
		return false;
	if (file_mentions(p->file))
		return true;
	*place = h;
	return false;
}

/* The byte that a name in a line marker has at *s, which moves on: \\, \" and \ooo are escapes. */
static char
next_byte(const char **s)
{
	const char *t = *s;
	int value = 0;

	if (*t != '\\') {
		*s = t + 1;
		return *t;
	}
	t++;
	if (*t < '0' || *t > '7') {
		*s = *t != 0 ? t + 1 : t;
		return *t;
	}
	for (int i = 0; i < 3 && *t >= '0' && *t <= '7'; i++)
		value = value * 8 + (*t++ - '0');
	*s = t;
	return (char)value;
}

/* True for a line marker: # 12 "name" ...; its name becomes the file's. */
static bool
take_marker(struct pragmas *p)
{
	const char *s = p->line;
	size_t n = 0;

	if (strncmp(s, "# ", 2) != 0)
		return false;
	s += 2 + strspn(s + 2, "0123456789");
	if (s == p->line + 2 || strncmp(s, " \"", 2) != 0)
		return false;
	for (s += 2; *s != 0 && *s != '"' && n + 1 < sizeof p->file;)
		p->file[n++] = next_byte(&s);
	p->file[n] = 0;
	return true;
}

/* True when the line, which is at its end, stands for a pragma that matters. */
static bool
end_line(struct pragmas *p)
{
	bool found = false;

	p->line[p->len] = 0;
	if (p->line[0] != '#' || !take_marker(p))
		found = p->blanks >= BLANKS_MIN && look_at(p);
	p->len = p->blanks = 0;
	return found;
}

/* A piece of a line, without its end. */
static void
add_piece(struct pragmas *p, const char *bytes, size_t len)
{
	size_t room = sizeof p->line - 1 - p->len, blanks = 0;

	memcpy(p->line + p->len, bytes, len < room ? len : room);
	p->len += len < room ? len : room;
	while (blanks < len && is_blank(bytes[len - 1 - blanks]))
		blanks++;
	p->blanks = blanks == len ? p->blanks + len : blanks;
}

bool
pragmas_scan(struct pragmas *p, const char *bytes, size_t len)
{
	while (len > 0 && !p->seen) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end != NULL ? (size_t)(end - bytes) : len;

		add_piece(p, bytes, n);
		if (end != NULL) {
			p->seen = end_line(p);
			n++;
		}
		bytes += n;
		len -= n;
	}
	return p->seen;
}
