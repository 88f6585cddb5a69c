#include "client/search.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/builtin.h"
#include "client/headers.h"
#include "client/local.h"

#define KEY_BEGIN "search 1 " /* changes with the meaning of key or value */
#define KEY_LEN (sizeof(KEY_BEGIN) - 1 + DIGEST_LEN)

/* Variables that change what the compiler answers, beside its command line. */
static const char *const variables[] = {"CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH",
        "OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH", "SDKROOT",
        "CLANG_NO_DEFAULT_CONFIG"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Where an answer's kept form begins; the watched path and the folders follow. */
struct answer {
	int32_t gcc_major;
	uint32_t watch_len;            /* with its NUL; 0: nothing is watched */
	int64_t changed_s, changed_ns; /* of the watched folder */
};

static const char *
value_of(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

/* True when some element of a list of folders is not absolute; an empty one means ".". */
static bool
has_relative(const char *list)
{
	if (*list != '/')
		return true;
	for (; *list; list++)
		if (*list == ':' && list[1] != '/')
			return true;
	return false;
}

static void
add_text(struct digest_stream *s, const char *text)
{
	digest_add(s, text, strlen(text) + 1);
}

/* Everything that the answer depends on. */
static int
make_key(uint8_t key[KEY_LEN], const struct headers *h, const struct digest *toolchain,
        char *const *environment, char *why)
{
	struct digest_stream s;
	bool relative = h->relative;
	struct digest d;

	digest_begin(&s);
	digest_add(&s, toolchain->bytes, DIGEST_LEN);
	for (uint32_t i = 0; i < h->asked.n; i++)
		add_text(&s, h->asked.at[i]);
	for (size_t i = 0; i < COUNT(variables); i++) {
		const char *value = value_of(environment, variables[i]);

		add_text(&s, value ? variables[i] : "");
		if (!value)
			continue;
		if (strchr(value, '\n')) {
			snprintf(why, HEADERS_WHY_SIZE, "line break in %s", variables[i]);
			return IM_ERR_REFUSED;
		}
		add_text(&s, value);
		relative = relative || has_relative(value);
	}
	if (relative) {
		char cwd[PATH_MAX];

		if (!getcwd(cwd, sizeof(cwd)))
			return IM_ERR_SYSTEM;
		add_text(&s, cwd);
	}
	digest_end(&s, &d);
	memcpy(key, KEY_BEGIN, sizeof(KEY_BEGIN) - 1);
	memcpy(key + sizeof(KEY_BEGIN) - 1, d.bytes, DIGEST_LEN);
	return 0;
}

/* The times of a folder; zero when it is not there. */
static void
watch(const char *path, struct answer *a)
{
	struct stat st;

	a->changed_s = a->changed_ns = 0;
	if (stat(path, &st) != 0)
		return;
	a->changed_s = st.st_mtim.tv_sec;
	a->changed_ns = st.st_mtim.tv_nsec;
}

/* The kept answer, when it still holds: appends its folders.  The bytes are anybody's of this user:
 * they are copied before they are looked at. */
static bool
recall(const void *bytes, size_t len, struct builtin *b)
{
	struct answer kept, now;
	const char *text;
	bool good = false;
	struct buf copy;

	buf_init(&copy, BUILTIN_TEXT_MAX * 2);
	buf_put(&copy, bytes, len);
	if (buf_err(&copy) != 0 || len < sizeof(kept))
		goto out;
	memcpy(&kept, copy.data, sizeof(kept));
	text = (const char *)copy.data + sizeof(kept);
	len -= sizeof(kept);
	if (kept.watch_len > len || (len > 0 && text[len - 1]) ||
	        (kept.watch_len > 0 && text[kept.watch_len - 1]))
		goto out;
	if (kept.watch_len > 0) {
		watch(text, &now);
		if (now.changed_s != kept.changed_s || now.changed_ns != kept.changed_ns)
			goto out;
	}
	b->gcc_major = kept.gcc_major;
	buf_put(&b->folders, text + kept.watch_len, len - kept.watch_len);
	good = buf_err(&b->folders) == 0;
	if (!good)
		buf_reset(&b->folders);
out:
	buf_fini(&copy);
	return good;
}

/* A graph without room only costs the next one a question. */
static void
keep(struct graph *graph, const uint8_t key[KEY_LEN], const struct builtin *b, struct answer *a)
{
	struct buf value;

	a->gcc_major = b->gcc_major;
	a->watch_len = (uint32_t)b->watch.len;
	buf_init(&value, BUILTIN_TEXT_MAX * 2);
	buf_put(&value, a, sizeof(*a));
	if (b->watch.len > 0)
		buf_put(&value, b->watch.data, b->watch.len);
	if (b->folders.len > 0)
		buf_put(&value, b->folders.data, b->folders.len);
	if (buf_err(&value) == 0)
		graph_add(graph, key, KEY_LEN, value.data, value.len);
	buf_fini(&value);
}

static int
ask(struct builtin *b, const struct headers *h, char *const *environment, struct answer *a)
{
	char **argv;
	int r = strings_pack(&h->asked, &argv);

	if (r != 0)
		return r;
	r = builtin_ask(b, argv, environment);
	free(argv);
	*a = (struct answer){.gcc_major = 0};
	if (r == 0 && b->watch.len > 0)
		watch((const char *)b->watch.data, a);
	return r;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t
count_texts(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == 0;
	return n;
}

/* Copies those texts that are files, or are not, to *room and points to them from `at`; returns how many. */
static unsigned
point(const char **at, char **room, const struct buf *b, bool files)
{
	unsigned n = 0;
	size_t len;

	for (size_t i = 0; i < b->len; i += len) {
		const char *text = (const char *)b->data + i;
		bool file = text[0] == BUILTIN_FILE;

		len = strlen(text) + 1;
		if (file != files)
			continue;
		at[n++] = *room;
		memcpy(*room, text + file, len - file);
		*room += len - file;
	}
	return n;
}

/* One allocation with everything; each folder once. */
static int
pack(struct search *out, const struct headers *h, const struct builtin *b)
{
	size_t nfolders = count_texts(&h->folders) + count_texts(&b->folders);
	size_t n = nfolders + count_texts(&h->forced) + count_texts(&h->macros);
	size_t size = h->folders.len + b->folders.len + h->forced.len + h->macros.len;
	const char **at = malloc(n * sizeof(*at) + size + 1);
	struct search s = {.memory = at, .gcc_major = b->gcc_major, .folders = at};
	unsigned kept = 0;
	char *room;

	if (!at)
		return IM_ERR_MEMORY;
	room = (char *)(at + n);
	s.nfolders = point(at, &room, &h->folders, false);
	s.nfolders += point(at + s.nfolders, &room, &b->folders, false);
	s.forced = at + s.nfolders;
	s.nforced = point(s.forced, &room, &h->forced, false);
	s.nforced += point(s.forced + s.nforced, &room, &b->folders, true);
	s.macros = s.forced + s.nforced;
	s.nmacros = point(s.macros, &room, &h->macros, false);
	qsort(s.folders, s.nfolders, sizeof(*s.folders), by_text);
	for (unsigned i = 0; i < s.nfolders; i++)
		if (kept == 0 || strcmp(s.folders[kept - 1], s.folders[i]) != 0)
			s.folders[kept++] = s.folders[i];
	s.nfolders = kept;
	*out = s;
	return 0;
}

static bool
find_kept(struct builtin *b, const struct search_request *q, const uint8_t key[KEY_LEN])
{
	size_t len = 0;
	const void *kept = graph_find(q->graph, key, KEY_LEN, &len);

	return kept && recall(kept, len, b);
}

/* From the graph, or from the compiler.  When many begin at once, one of those that wait for a slot asks for the others, too. */
static int
learn(struct builtin *b, const struct headers *h, const uint8_t key[KEY_LEN],
        const struct search_request *q)
{
	struct answer a;
	int slot = -1, r = 0;

	if (find_kept(b, q, key))
		return 0;
	if (q->slots > 0)
		r = local_slot_take(NULL, q->slots, &slot);
	if (r == 0 && !find_kept(b, q, key)) {
		r = ask(b, h, q->environment, &a);
		if (r == 0)
			keep(q->graph, key, b, &a);
	}
	local_slot_give(slot);
	return r;
}

int
search_find(struct search *s, const struct search_request *q, char *why)
{
	uint8_t key[KEY_LEN];
	struct headers h;
	struct builtin b;
	int r;

	headers_init(&h);
	builtin_init(&b);
	r = headers_read(&h, q->args, q->compiler, why);
	if (r == 0)
		r = make_key(key, &h, q->toolchain, q->environment, why);
	if (r != 0)
		goto out;
	r = learn(&b, &h, key, q);
	if (r == IM_ERR_REFUSED)
		snprintf(
		        why, HEADERS_WHY_SIZE, "framework folder or header map of %s", q->compiler);
	else if (r == IM_ERR_FORMAT || r == IM_ERR_TIMEOUT || r == IM_ERR_LIMIT)
		r = IM_ERR_SYSTEM;
	if (q->args->compiler == FOR_CLANG)
		b.gcc_major = 0;
	if (r == 0)
		r = pack(s, &h, &b);
out:
	builtin_fini(&b);
	headers_fini(&h);
	return r;
}

void
search_fini(struct search *s)
{
	free(s->memory);
	memset(s, 0, sizeof(*s));
}
