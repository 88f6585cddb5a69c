#include "exec/specs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BEGIN "*cc1_cpu:\n%{march=native:%>march=native} %{mtune=native:%>mtune=native} "
#define END "\n\n"
#define WORDLIKE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_.="

void
specs_put(struct buf *out, const char *words)
{
	buf_put(out, BEGIN, strlen(BEGIN));
	buf_put(out, words, strlen(words));
	buf_put(out, END, strlen(END));
}

/* The length of the next word; *value: it belongs to a --param before it. */
static size_t
word_ok(const char *at, const char *end, bool *value)
{
	size_t len = 0;

	while (at + len < end && at[len] != '\0' && strchr(WORDLIKE, at[len]))
		len++;
	if (len == 0 || (at + len < end && at[len] != ' '))
		return 0;
	if (*value) {
		*value = false;
		return at[0] == '-' ? 0 : len;
	}
	*value = len == strlen("--param") && memcmp(at, "--param", len) == 0;
	if (*value || (len > 8 && memcmp(at, "--param=", 8) == 0))
		return len;
	return len > 2 && at[0] == '-' && at[1] == 'm' ? len : 0;
}

bool
specs_ok(const char *text, size_t len)
{
	const char *at, *end;
	bool value = false;

	if (len > SPECS_LEN_MAX || len < strlen(BEGIN) + strlen(END) ||
	        memcmp(text, BEGIN, strlen(BEGIN)) != 0 ||
	        memcmp(text + len - strlen(END), END, strlen(END)) != 0)
		return false;
	end = text + len - strlen(END);
	for (at = text + strlen(BEGIN); at < end;) {
		size_t word;

		if (*at == ' ') {
			at++;
			continue;
		}
		word = word_ok(at, end, &value);
		if (word == 0)
			return false;
		at += word;
	}
	return !value;
}

bool
specs_stand(void)
{
	int fd = open(SPECS_PATH, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[SPECS_LEN_MAX + 1];
	size_t len = 0;
	ssize_t n = 1;

	while (fd >= 0 && n != 0 && len < sizeof(text)) {
		n = read(fd, text + len, sizeof(text) - len);
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return fd >= 0 && n == 0 && specs_ok(text, len);
}
