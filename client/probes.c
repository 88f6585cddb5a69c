#include "client/probes.h"

#include <string.h>
#include <sys/stat.h>

#define TEXTS_MAX (256 * 1024)
#define HIDDEN '!'
#define KEY_PREFIX "probes 1"

void
probes_init(struct probes *p)
{
	buf_init(&p->texts, TEXTS_MAX);
	p->n = p->fresh = 0;
}

void
probes_fini(struct probes *p)
{
	buf_fini(&p->texts);
}

struct key {
	char prefix[sizeof KEY_PREFIX];
	struct digest toolchain;
};

static struct key
key_of(const struct digest *toolchain)
{
	struct key k = {.prefix = KEY_PREFIX, .toolchain = *toolchain};

	return k;
}

static void
add(struct probes *p, const char *text, size_t len)
{
	buf_put(&p->texts, text, len + 1);
	p->n++;
}

void
probes_recall(struct probes *p, const struct graph *graph, const struct digest *toolchain)
{
	struct key key = key_of(toolchain);
	size_t len = 0, at = 0;
	const char *kept = graph_find(graph, &key, sizeof key, &len);
	bool shown;

	while (kept != NULL && at < len && p->n < PROBES_MAX) {
		size_t n = strnlen(kept + at, len - at);
		const char *path = kept + at + (kept[at] == HIDDEN);

		if (n == len - at)
			return; /* not closed: somebody damaged it */
		if (path[0] == '/' && !probes_know(p, path, &shown))
			add(p, kept + at, n);
		at += n + 1;
	}
}

bool
probes_know(const struct probes *p, const char *path, bool *shown)
{
	size_t len;

	for (size_t at = 0; at < p->texts.len; at += len + 1) {
		const char *text = (const char *)p->texts.data + at;

		len = strlen(text);
		if (strcmp(text + (text[0] == HIDDEN), path) != 0)
			continue;
		*shown = text[0] != HIDDEN;
		return true;
	}
	return false;
}

int
probes_learn(struct probes *p, const char *path)
{
	struct stat st;
	bool show = stat(path, &st) == 0 &&
	            (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size <= PROBES_FILE_MAX));

	if (p->n == PROBES_MAX || strlen(path) + 1 + !show > TEXTS_MAX - p->texts.len)
		return IM_ERR_LIMIT;
	if (!show)
		buf_put_u8(&p->texts, HIDDEN);
	add(p, path, strlen(path));
	p->fresh++;
	return buf_err(&p->texts);
}

void
probes_keep(const struct probes *p, struct graph *graph, const struct digest *toolchain)
{
	struct key key = key_of(toolchain);

	/* a graph without room costs the next compile its own learning */
	if (p->texts.len > 0 && buf_err(&p->texts) == 0)
		(void)!graph_add(graph, &key, sizeof key, p->texts.data, p->texts.len);
}

unsigned
probes_shown(const struct probes *p, const char **out)
{
	unsigned n = 0;
	size_t len;

	for (size_t at = 0; at < p->texts.len; at += len + 1) {
		const char *text = (const char *)p->texts.data + at;

		len = strlen(text);
		if (text[0] != HIDDEN)
			out[n++] = text;
	}
	return n;
}
