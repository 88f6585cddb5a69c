#include "exec/response.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/strings.h"

/* What is held while words point into the files' bytes. */
struct reading {
	char *texts[RESPONSE_FILES_MAX]; /* owned, NUL-terminated, cut into words in place */
	unsigned files;
	size_t bytes;
	struct strings words;
};

/* Reads exactly size bytes; a file that shrank meanwhile is an error. */
static int
read_all(int fd, char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, text + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return IM_ERR_SYSTEM;
		if (n == 0)
			return IM_ERR_FORMAT;
		done += (size_t)n;
	}
	return memchr(text, 0, size) ? IM_ERR_FORMAT : 0;
}

/* The file's text as the next of r->texts. */
static int
read_file(struct reading *r, const char *path)
{
	struct stat st;
	char *text = NULL;
	int fd, err = IM_ERR_SYSTEM;

	if (r->files == RESPONSE_FILES_MAX)
		return IM_ERR_LIMIT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return IM_ERR_SYSTEM;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		goto out;
	err = IM_ERR_LIMIT;
	if (st.st_size < 0 || (uint64_t)st.st_size > RESPONSE_BYTES_MAX - r->bytes)
		goto out;
	err = IM_ERR_MEMORY;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		goto out;
	err = read_all(fd, text, (size_t)st.st_size);
	if (err)
		goto out;
	text[st.st_size] = 0;
	r->bytes += (size_t)st.st_size;
	r->texts[r->files++] = text;
	text = NULL;
out:
	free(text);
	close(fd);
	return err;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cuts one word at *at in place and moves *at behind it; NULL at the end, *err for an unclosed
 * quote. */
static char *
cut_word(char **at, int *err)
{
	char *p = *at, *word, *to, quote = 0;

	while (is_space(*p))
		p++;
	if (!*p)
		return NULL;
	word = to = p;
	for (; *p && (quote || !is_space(*p)); p++) {
		if (*p == '\\' && p[1])
			*to++ = *++p;
		else if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? 0 : *p;
		else
			*to++ = *p;
	}
	if (quote)
		*err = IM_ERR_FORMAT;
	*at = *p ? p + 1 : p;
	*to = 0;
	return word;
}

/* Replaces word i of the list by the words of the file it names. */
static int
expand_word(struct reading *r, uint32_t i)
{
	struct strings found;
	char *at, *word;
	int err = read_file(r, r->words.at[i] + 1);

	if (err)
		return err;
	strings_init(&found, RESPONSE_WORDS_MAX);
	at = r->texts[r->files - 1];
	while ((word = cut_word(&at, &err)))
		strings_add(&found, word);
	if (!err)
		err = found.err;
	if (!err) {
		strings_splice(&r->words, i, found.at, found.n);
		err = r->words.err;
	}
	strings_fini(&found);
	return err;
}

static bool
is_response(const char *word)
{
	return word[0] == '@' && word[1];
}

static bool
any_response(int argc, char *const *argv)
{
	for (int i = 1; i < argc; i++)
		if (is_response(argv[i]))
			return true;
	return false;
}

int
args_expand(int argc, char *const *argv, int *out_argc, char ***out)
{
	struct reading r = {.files = 0};
	int err = 0;

	if (!any_response(argc, argv)) {
		*out = NULL;
		*out_argc = argc;
		return 0;
	}
	strings_init(&r.words, RESPONSE_WORDS_MAX);
	for (int i = 0; i < argc; i++)
		strings_add(&r.words, argv[i]);
	err = r.words.err;
	for (uint32_t i = 1; !err && i < r.words.n;) {
		if (is_response(r.words.at[i]))
			err = expand_word(&r, i);
		else
			i++;
	}
	if (!err)
		err = strings_pack(&r.words, out);
	if (!err)
		*out_argc = (int)r.words.n;
	strings_fini(&r.words);
	while (r.files > 0)
		free(r.texts[--r.files]);
	return err;
}
