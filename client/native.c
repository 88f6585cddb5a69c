#include "client/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
#include "client/local.h"
#include "client/question.h"
#include "exec/specs.h"
#include "exec/strings.h"
#include "exec/word.h"

#define KEY_BEGIN "native 1 " /* changes with the meaning of key or value */
#define KEY_LEN (sizeof(KEY_BEGIN) - 1 + DIGEST_LEN)
#define ANSWER_MAX (256 * 1024)
#define TEXTS_MAX SPECS_LEN_MAX
#define WORDS_MAX 4096
#define MARK "-march=icemesh"
#define MARCH "-march="
#define MTUNE "-mtune="
#define WORDLIKE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_.="
#define NO_ANSWER "-"

/* A question in the making. */
struct asking {
	const struct native_request *q;
	struct strings common; /* the compiler, then all words that the answer may depend on */
	char *why;
};

static int
refuse(struct asking *a, const char *what)
{
	snprintf(a->why, 256, "%s of %.200s", what, a->q->args->native);
	return IM_ERR_REFUSED;
}

/* Words that choose a processor, or a part of its features, or another target. */
static bool
matters(const struct word *w)
{
	if (!w->is_option || word_is(w, "-mllvm"))
		return false;
	return strncmp(w->text, "-m", 2) == 0 || word_is(w, "--target") || word_is(w, "-target");
}

static void
collect(struct asking *a)
{
	const struct args *args = a->q->args;

	strings_add(&a->common, a->q->compiler);
	for (uint32_t i = 0; i < args->argc;) {
		struct word w;

		word_read(&w, args->argv, args->argc, i, args->compiler);
		for (uint32_t k = 0; k < w.count && matters(&w); k++)
			strings_add(&a->common, args->argv[i + k]);
		i += w.count;
	}
}

/* The answer to the common words, with `front` before and `back` behind them; text: what the compiler reads. */
static int
ask(struct asking *a, const char *const *front, const char *const *back, const char *text,
        struct buf *out)
{
	struct question q = {.environment = a->q->environment};
	struct strings all;
	char **argv = NULL;
	int r = IM_ERR_SYSTEM;

	q.stream = strcmp(back[0], "-###") == 0 ? 2 : 1;
	strings_init(&all, WORDS_MAX);
	strings_add(&all, a->common.at[0]);
	for (; front && *front; front++)
		strings_add(&all, *front);
	for (uint32_t i = 1; i < a->common.n; i++)
		strings_add(&all, a->common.at[i]);
	for (; *back; back++)
		strings_add(&all, *back);
	buf_reset(out);
	q.input = memfd_create("question", MFD_CLOEXEC);
	if (q.input < 0 || write(q.input, text, strlen(text)) != (ssize_t)strlen(text) ||
	        lseek(q.input, 0, SEEK_SET) != 0)
		goto out;
	r = strings_pack(&all, &argv);
	if (r != 0)
		goto out;
	q.argv = argv;
	r = question_ask(&q, out);
	buf_put_u8(out, 0);
	if (r == 0)
		r = buf_err(out);
out:
	if (q.input >= 0)
		close(q.input);
	free(argv);
	strings_fini(&all);
	return r;
}

/* The first line that begins so, ended in place; NULL when there is none. */
static char *
line_of(struct buf *said, const char *begin)
{
	char *line = (char *)said->data, *next;

	for (; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, begin, strlen(begin)) == 0)
			return line;
	}
	return NULL;
}

/* ---- gcc ---- */

int
native_between(struct buf *out, const char *line, const char *other, const char *mark)
{
	const char *at = strstr(other, mark);
	size_t before, behind, len = strlen(line);

	if (!at)
		return IM_ERR_FORMAT;
	before = (size_t)(at - other);
	at += strlen(mark);
	before -= before > 0 && other[before - 1] == '"';
	at += *at == '"';
	behind = strlen(at);
	/* for no words at all one of the blanks around them lacks as well */
	if (len + 1 == before + behind && *at == ' ')
		at++, behind--;
	if (len < before + behind || strncmp(line, other, before) != 0 ||
	        strcmp(line + len - behind, at) != 0)
		return IM_ERR_FORMAT;
	for (size_t i = before; i < len - behind; i++) {
		if (line[i] == '"')
			continue;
		if (!strchr(WORDLIKE " ", line[i]))
			return IM_ERR_FORMAT;
		buf_put_u8(out, (uint8_t)line[i]);
	}
	buf_put_u8(out, 0);
	return buf_err(out);
}

/* cc1's command line with these words in the place of the processor's; NULL words: with the compiler's own. */
static int
ask_gcc(struct asking *a, const char *words, struct buf *said, const char **line)
{
	static const char *const own[] = {
	        "-###", "-S", "-x", "c", "/dev/null", "-o", "/dev/null", NULL};
	static const char *const ours[] = {
	        "-###", "-S", "-x", "c", "/dev/null", "-o", "/dev/null", "-specs=/dev/stdin", NULL};
	struct buf specs;
	int r;

	buf_init(&specs, TEXTS_MAX);
	if (words)
		specs_put(&specs, words);
	buf_put_u8(&specs, 0);
	r = buf_err(&specs);
	if (r == 0)
		r = ask(a, NULL, words ? ours : own, (const char *)specs.data, said);
	if (r == 0)
		*line = line_of(said, " ");
	buf_fini(&specs);
	return r == 0 && !*line ? IM_ERR_FORMAT : r;
}

static int
learn_gcc(struct asking *a, struct buf *texts)
{
	const char *own = NULL, *marked = NULL, *tried = NULL;
	struct buf said, other;
	int r;

	buf_init(&said, ANSWER_MAX);
	buf_init(&other, ANSWER_MAX);
	r = ask_gcc(a, NULL, &said, &own);
	if (r == 0)
		r = ask_gcc(a, MARK, &other, &marked);
	if (r == 0 && (strstr(own, "native") || strstr(marked, "native")))
		r = IM_ERR_FORMAT;
	if (r == 0)
		r = native_between(texts, own, marked, MARK);
	if (r == 0)
		r = ask_gcc(a, (const char *)texts->data, &other, &tried);
	if (r == 0 && strcmp(tried, own) != 0)
		r = IM_ERR_FORMAT;
	buf_fini(&other);
	buf_fini(&said);
	return r;
}

/* ---- clang ---- */

/* The word behind `"name" "` in the line, appended with `front` before it and a NUL; where it ends, or NULL. */
static const char *
take_quoted(struct buf *out, const char *line, const char *name, const char *front)
{
	char before[64];
	const char *at;
	size_t len;

	snprintf(before, sizeof(before), " \"%s\" \"", name);
	at = strstr(line, before);
	if (!at)
		return NULL;
	at += strlen(before);
	len = strspn(at, WORDLIKE);
	if (len == 0 || at[len] != '"')
		return NULL;
	buf_put(out, front, strlen(front));
	buf_put(out, at, len);
	buf_put_u8(out, 0);
	return at + len;
}

int
native_features(struct buf *out, const char *line)
{
	static const char triple[] = " \"-triple\" \"";
	const char *target = strstr(line, triple);

	target = target ? target + strlen(triple) : "";
	if (strncmp(target, "x86_64-", 7) != 0 &&
	        !(target[0] == 'i' && strncmp(target + 2, "86-", 3) == 0))
		return IM_ERR_FORMAT;
	if (!take_quoted(out, line, "-target-cpu", MARCH))
		return IM_ERR_FORMAT;
	if (!take_quoted(out, line, "-tune-cpu", MTUNE))
		buf_put_u8(out, 0);
	while ((line = take_quoted(out, line, "-target-feature", "")))
		continue;
	return buf_err(out);
}

/* The last -march decides; when it is not "native", features are not the processor's. */
static bool
has_features(const struct args *args)
{
	bool native = false;

	for (uint32_t i = 0; i < args->argc;) {
		struct word w;

		word_read(&w, args->argv, args->argc, i, args->compiler);
		i += w.count;
		if (word_is(&w, "-march") || word_is(&w, MARCH "native"))
			native = word_is(&w, MARCH "native");
	}
	return native;
}

/* The words that clang's texts mean. */
static int
clang_words(struct native *n, const struct args *args)
{
	const char *text = (const char *)n->texts.data, *end = text + n->texts.len;
	bool features = has_features(args);
	size_t count = 0;

	/* each feature is one text and becomes four words */
	n->first = calloc(4 * n->texts.len + 1, sizeof(*n->first));
	if (!n->first)
		return IM_ERR_MEMORY;
	n->words.march = text;
	text += strlen(text) + 1;
	n->words.mtune = *text ? text : NULL;
	for (text += strlen(text) + 1; features && text < end; text += strlen(text) + 1) {
		n->first[count++] = "-Xclang";
		n->first[count++] = "-target-feature";
		n->first[count++] = "-Xclang";
		n->first[count++] = text;
	}
	n->words.first = n->first;
	return 0;
}

/* The common words as the peer will get them: none may be left that means this machine. */
static int
rewrite(struct strings *common, const struct source_words *words)
{
	for (uint32_t i = 1; i < common->n; i++) {
		common->at[i] = source_word(words, common->at[i]);
		if (strcmp(common->at[i], MARCH "native") == 0 ||
		        strcmp(common->at[i], MTUNE "native") == 0)
			return IM_ERR_FORMAT;
	}
	return 0;
}

/* An empty function with its attributes must come out the same. */
static int
try_clang(struct asking *a, const struct buf *texts, struct buf *said)
{
	static const char *const back[] = {"-S", "-emit-llvm", "-o", "-", "-x", "c", "-", NULL};
	static const char text[] = "void f(void) {}\n";
	struct native n = {.first = NULL};
	struct buf tried;
	int r;

	buf_init(&n.texts, TEXTS_MAX);
	buf_init(&tried, ANSWER_MAX);
	buf_put(&n.texts, texts->data, texts->len);
	r = buf_err(&n.texts);
	if (r == 0)
		r = ask(a, NULL, back, text, said);
	if (r == 0)
		r = clang_words(&n, a->q->args);
	if (r == 0)
		r = rewrite(&a->common, &n.words);
	if (r == 0)
		r = ask(a, n.first, back, text, &tried);
	if (r == 0 && strcmp((const char *)tried.data, (const char *)said->data) != 0)
		r = IM_ERR_FORMAT;
	buf_fini(&tried);
	buf_fini(&n.texts);
	free(n.first);
	return r;
}

static int
learn_clang(struct asking *a, struct buf *texts)
{
	static const char *const back[] = {"-###", "-S", "-x", "c", "-", "-o", "-", NULL};
	const char *line;
	struct buf said;
	int r;

	buf_init(&said, ANSWER_MAX);
	r = ask(a, NULL, back, "", &said);
	line = r == 0 ? strstr((const char *)said.data, "\"-cc1\"") : NULL;
	if (r == 0)
		r = line ? native_features(texts, line) : IM_ERR_FORMAT;
	if (r == 0)
		r = try_clang(a, texts, &said);
	buf_fini(&said);
	return r;
}

/* ---- both ---- */

/* Everything that the answer depends on; the processor by what the kernel says of it. */
static void
make_key(uint8_t key[KEY_LEN], const struct asking *a)
{
	unsigned long kernel[] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
	struct digest_stream s;
	struct digest d;

	digest_begin(&s);
	digest_add(&s, a->q->toolchain->bytes, DIGEST_LEN);
	digest_add(&s, kernel, sizeof(kernel));
	for (uint32_t i = 0; i < a->common.n; i++)
		digest_add(&s, a->common.at[i], strlen(a->common.at[i]) + 1);
	digest_end(&s, &d);
	memcpy(key, KEY_BEGIN, sizeof(KEY_BEGIN) - 1);
	memcpy(key + sizeof(KEY_BEGIN) - 1, d.bytes, DIGEST_LEN);
}

/* The graph is anybody's of this user: what it says is copied and must look like an answer. */
static bool
recall(const void *kept, size_t len, struct buf *texts)
{
	size_t n = 0;

	buf_put(texts, kept, len);
	if (buf_err(texts) != 0 || len == 0 || texts->data[len - 1] != '\0')
		return false;
	for (size_t i = 0; i < len; i++) {
		n += texts->data[i] == '\0';
		if (texts->data[i] && !strchr(WORDLIKE " ", texts->data[i]))
			return false;
	}
	return n >= 1;
}

static bool
find_kept(const struct asking *a, const uint8_t key[KEY_LEN], struct buf *texts)
{
	size_t len = 0;
	const void *kept = graph_find(a->q->graph, key, KEY_LEN, &len);

	buf_reset(texts);
	return kept && recall(kept, len, texts);
}

/* Asks the compiler; what it does not tell exactly is remembered, too. */
static int
ask_and_keep(struct asking *a, const uint8_t key[KEY_LEN], struct buf *texts)
{
	int r;

	buf_reset(texts);
	r = a->q->args->compiler == FOR_GCC ? learn_gcc(a, texts) : learn_clang(a, texts);
	if (r != 0 && r != IM_ERR_FORMAT)
		return r;
	if (r != 0) {
		buf_reset(texts);
		buf_put(texts, NO_ANSWER, sizeof(NO_ANSWER));
	}
	/* a graph without room only costs the next one a question */
	if (buf_err(texts) == 0)
		(void)!graph_add(a->q->graph, key, KEY_LEN, texts->data, texts->len);
	return 0;
}

static int
learn(struct asking *a, struct buf *texts)
{
	uint8_t key[KEY_LEN];
	int slot = -1, r = 0;

	make_key(key, a);
	if (!find_kept(a, key, texts)) {
		if (a->q->slots > 0)
			r = local_slot_take(NULL, a->q->slots, &slot);
		if (r == 0 && !find_kept(a, key, texts))
			r = ask_and_keep(a, key, texts);
		local_slot_give(slot);
	}
	if (r == 0)
		r = buf_err(texts);
	if (r == 0 && strcmp((const char *)texts->data, NO_ANSWER) == 0)
		r = IM_ERR_FORMAT;
	return r;
}

/* What the texts mean for the job. */
static int
apply(struct native *n, const struct args *args)
{
	size_t texts = 0;

	for (size_t i = 0; i < n->texts.len; i++)
		texts += n->texts.data[i] == '\0';
	if (args->compiler == FOR_CLANG)
		return texts < 2 ? IM_ERR_FORMAT : clang_words(n, args);
	specs_put(&n->specs, (const char *)n->texts.data);
	if (buf_err(&n->specs) == 0 && !specs_ok((const char *)n->specs.data, n->specs.len))
		return IM_ERR_FORMAT;
	n->first = calloc(2, sizeof(*n->first));
	if (!n->first)
		return IM_ERR_MEMORY;
	n->first[0] = SPECS_WORD;
	n->words.first = n->first;
	return buf_err(&n->specs);
}

int
native_find(struct native *n, const struct native_request *q, char *why)
{
	struct asking a = {.q = q, .why = why};
	enum args_language language = q->args->language;
	int r;

	memset(n, 0, sizeof(*n));
	buf_init(&n->texts, TEXTS_MAX);
	buf_init(&n->specs, TEXTS_MAX);
	if (!q->args->native)
		return 0;
	/* clang's assembler takes no features from -Xclang */
	if (q->args->compiler == FOR_CLANG && (language == LANG_ASM || language == LANG_ASM_CPP))
		return refuse(&a, "assembly with features");
	strings_init(&a.common, WORDS_MAX);
	collect(&a);
	r = a.common.err;
	if (r == 0)
		r = learn(&a, &n->texts);
	if (r == 0)
		r = apply(n, q->args);
	strings_fini(&a.common);
	if (r == 0 || r == IM_ERR_MEMORY)
		return r;
	return refuse(&a, "the compiler does not tell the meaning");
}

void
native_fini(struct native *n)
{
	buf_fini(&n->texts);
	buf_fini(&n->specs);
	free(n->first);
	memset(n, 0, sizeof(*n));
}
