#include "mesh/owner.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "gossip/beacon.h"

#define PATH_SIZE 512
#define TEXT_SIZE 4096

/* The beginning of a small file as a string; false when it cannot be read. */
static bool
read_text(const char *root, const char *name, char *out, size_t size)
{
	char path[PATH_SIZE];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", root, name) >= sizeof path)
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	out[n] = 0;
	return true;
}

/* The number behind a word; 0 when the word is not there. */
static uint64_t
number_after(const char *text, const char *word)
{
	const char *p = strstr(text, word);
	return p ? strtoull(p + strlen(word), NULL, 10) : 0;
}

static void
read_memory(struct owner_reading *r, const char *root)
{
	char text[TEXT_SIZE];
	uint64_t total = 0, left = 0;
	r->memory_permille = 1000;
	if (read_text(root, "proc/meminfo", text, sizeof text)) {
		total = number_after(text, "MemTotal:");
		left = number_after(text, "MemAvailable:");
	}
	if (total && left && left <= total)
		r->memory_permille = (uint32_t)(left * 1000 / total);
	if (!read_text(root, "proc/pressure/memory", text, sizeof text))
		return;
	const char *p = strstr(text, "some avg10=");
	double share = p ? strtod(p + strlen("some avg10="), NULL) : 0;
	if (share > 0 && share <= 100)
		r->pressure = (uint32_t)(share * 100);
}

static bool
says(const char *root, const char *folder, const char *file, const char *word)
{
	char name[PATH_SIZE], text[64];
	snprintf(name, sizeof name, "sys/class/power_supply/%.128s/%s", folder, file);
	return read_text(root, name, text, sizeof text) && strncmp(text, word, strlen(word)) == 0;
}

/* A battery that is being emptied while nothing feeds the machine. */
static bool
on_battery(const char *root)
{
	char path[PATH_SIZE];
	bool empties = false, fed = false;
	const struct dirent *e;
	snprintf(path, sizeof path, "%s/sys/class/power_supply", root);
	DIR *d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		fed = fed || says(root, e->d_name, "online", "1");
		empties = empties || (says(root, e->d_name, "type", "Battery") &&
		                             says(root, e->d_name, "status", "Discharging"));
	}
	if (d)
		closedir(d);
	return empties && !fed;
}

/* A terminal in this folder was touched since then. */
static bool
touched(const char *root, const char *folder, const char *prefix, uint64_t since_s)
{
	char path[PATH_SIZE];
	bool found = false;
	const struct dirent *e;
	snprintf(path, sizeof path, "%s/%s", root, folder);
	DIR *d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		struct stat st;
		size_t n = strlen(prefix);
		if (strncmp(e->d_name, prefix, n) != 0 || !isdigit((unsigned char)e->d_name[n]))
			continue;
		found = fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		        (uint64_t)st.st_atim.tv_sec >= since_s;
	}
	if (d)
		closedir(d);
	return found;
}

void
owner_read(struct owner_reading *r, const char *root, uint64_t now_s)
{
	uint64_t since = now_s > OWNER_AWAY_S ? now_s - OWNER_AWAY_S : 0;
	*r = (struct owner_reading){0};
	read_memory(r, root);
	r->battery = on_battery(root);
	r->active = touched(root, "dev/pts", "", since) || touched(root, "dev", "tty", since);
}

uint32_t
owner_state(const struct owner_reading *r, enum lend_mode lend)
{
	if (lend == LEND_IDLE && r->active)
		return STATE_OWNER_BUSY;
	if ((lend == LEND_AC || lend == LEND_IDLE) && r->battery)
		return STATE_ON_BATTERY;
	return 0;
}

bool
owner_short_of_memory(const struct owner_reading *r, bool short_before)
{
	if (r->memory_permille < OWNER_MEMORY_LOW || r->pressure > OWNER_PRESSURE_HIGH)
		return true;
	return short_before &&
	       (r->memory_permille < OWNER_MEMORY_HIGH || r->pressure > OWNER_PRESSURE_LOW);
}
