#include "client/jobserver.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/local.h"

#define AUTH "--jobserver-auth="
#define FDS "--jobserver-fds=" /* of make before 4.2 */
#define LENGTH(text) (sizeof(text) - 1)

/* --- the jobserver before --- */

static bool
is_pipe(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* The end of the flags proper: variables follow. */
static const char *
flags_end(const char *flags)
{
	const char *end = strstr(flags, " -- ");

	return end != NULL ? end : flags + strlen(flags);
}

/* One word of the flags, or NULL behind the last. */
static const char *
next_word(const char **at, const char *end, size_t *len)
{
	const char *word = *at;

	while (word < end && *word == ' ')
		word++;
	*len = (size_t)(end - word);
	for (size_t i = 0; i < *len; i++)
		if (word[i] == ' ')
			*len = i;
	*at = word + *len;
	return *len > 0 ? word : NULL;
}

static size_t
auth_length(const char *word, size_t len)
{
	if (len > LENGTH(AUTH) && memcmp(word, AUTH, LENGTH(AUTH)) == 0)
		return LENGTH(AUTH);
	return len > LENGTH(FDS) && memcmp(word, FDS, LENGTH(FDS)) == 0 ? LENGTH(FDS) : 0;
}

/* A description of our own, since whether reading blocks is a property of that. */
static int
open_again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

static void
open_outer(struct jobserver *j, const char *word, size_t len)
{
	char text[PATH_MAX];
	int r, w;

	if (len >= sizeof text)
		return;
	memcpy(text, word, len);
	text[len] = 0;
	if (strncmp(text, "fifo:", 5) == 0) {
		j->outer_read = open(text + 5, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (is_pipe(j->outer_read))
			j->outer_write = fcntl(j->outer_read, F_DUPFD_CLOEXEC, 0);
	} else if (sscanf(text, "%d,%d", &r, &w) == 2 && r > 0 && w > 0 && is_pipe(r) &&
	           is_pipe(w)) {
		j->outer_read = open_again(r, O_RDONLY);
		j->outer_write = open_again(w, O_WRONLY);
	}
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
find_outer(struct jobserver *j, const char *makeflags)
{
	const char *word, *end;
	size_t len, lead;

	j->outer_read = j->outer_write = -1;
	if (makeflags == NULL)
		return;
	end = flags_end(makeflags);
	while ((word = next_word(&makeflags, end, &len)) != NULL) {
		lead = auth_length(word, len);
		if (lead == 0)
			continue;
		close_fd(&j->outer_read); /* the last one counts */
		close_fd(&j->outer_write);
		open_outer(j, word + lead, len - lead);
	}
	if (j->outer_read >= 0 && j->outer_write >= 0)
		return;
	close_fd(&j->outer_read);
	close_fd(&j->outer_write);
}

bool
jobserver_named(const char *makeflags)
{
	struct jobserver j;
	bool found;

	find_outer(&j, makeflags);
	found = j.outer_read >= 0;
	close_fd(&j.outer_read);
	close_fd(&j.outer_write);
	return found;
}

/* --- our own --- */

/* True for "-j" and "-j8". */
static bool
is_jobs(const char *word, size_t len)
{
	return len >= 2 && memcmp(word, "-j", 2) == 0 && strspn(word + 2, "0123456789") >= len - 2;
}

/* The flags as they were, with our jobserver. */
static char *
make_flags(const struct jobserver *j, const char *before)
{
	const char *end, *word;
	char *flags, *at;
	size_t len, size;

	if (before == NULL)
		before = "";
	size = strlen(before) + 128;
	end = flags_end(before);
	at = flags = malloc(size);
	if (flags == NULL)
		return NULL;
	/* letters without a dash may stand at the very beginning only */
	if (before < end && *before == ' ')
		*at++ = ' ';
	while ((word = next_word(&before, end, &len)) != NULL)
		if (auth_length(word, len) == 0 && !is_jobs(word, len)) {
			memcpy(at, word, len);
			at += len;
			*at++ = ' ';
		}
	snprintf(at, size - (size_t)(at - flags), "%s-j%u " AUTH "%d,%d%s", at == flags ? " " : "",
	        j->slots, j->read_fd, j->write_fd, end);
	return flags;
}

int
jobserver_open(struct jobserver *j, const char *folder, unsigned slots, const char *makeflags)
{
	int ends[2];

	*j = (struct jobserver){
	        .folder = folder, .slots = slots, .read_fd = -1, .write_fd = -1, .own_fd = -1};
	find_outer(j, makeflags);
	if (slots == 0 || slots > LOCAL_SLOTS_MAX) {
		jobserver_close(j);
		return IM_ERR_LIMIT;
	}
	if (pipe(ends) == 0) {
		j->read_fd = ends[0];
		j->write_fd = ends[1];
		j->own_fd = open_again(ends[0], O_RDONLY);
	}
	if (j->own_fd < 0) {
		jobserver_close(j);
		return IM_ERR_SYSTEM;
	}
	j->tokens = malloc(slots * sizeof *j->tokens);
	j->flags = make_flags(j, makeflags);
	if (j->tokens == NULL || j->flags == NULL) {
		jobserver_close(j);
		return IM_ERR_MEMORY;
	}
	return 0;
}

static void
give_back(struct jobserver *j)
{
	struct jobserver_token *t = &j->tokens[--j->given];

	local_slot_give(t->slot_fd);
	/* there is room: it was in there before */
	if (j->outer_write >= 0)
		(void)!write(j->outer_write, &t->outer, 1);
}

/* One more token, when a slot is free for it and nobody waits for that. */
static bool
offer(struct jobserver *j)
{
	struct jobserver_token t = {.slot_fd = -1, .outer = '+'};

	/* one of the slots is the caller's own */
	if (j->given + 1 >= j->slots || local_slot_try(j->folder, j->slots, &t.slot_fd) != 0)
		return false;
	fcntl(t.slot_fd, F_SETFD, FD_CLOEXEC);
	if (j->outer_read >= 0 && read(j->outer_read, &t.outer, 1) != 1) {
		local_slot_give(t.slot_fd);
		return false;
	}
	j->tokens[j->given++] = t;
	if (write(j->write_fd, "+", 1) == 1)
		return true;
	give_back(j);
	return false;
}

void
jobserver_step(struct jobserver *j)
{
	unsigned unused = 0, more;
	char c;

	for (; j->given > 0 && read(j->own_fd, &c, 1) == 1; unused++)
		give_back(j);
	more = unused == 0 && j->given > 0 ? j->given : 1;
	while (more-- > 0 && offer(j))
		;
}

void
jobserver_close(struct jobserver *j)
{
	while (j->given > 0)
		give_back(j);
	close_fd(&j->read_fd);
	close_fd(&j->write_fd);
	close_fd(&j->own_fd);
	close_fd(&j->outer_read);
	close_fd(&j->outer_write);
	free(j->tokens);
	free(j->flags);
	j->tokens = NULL;
	j->flags = NULL;
}
