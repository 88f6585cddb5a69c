#include "mesh/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crypto/cert.h"

#define LINE_MAX_LEN 1024
#define SLOTS_MAX 4096
#define SYSTEM_FILE IM_SYSCONFDIR "/icemesh/icemesh.conf"
#define SYSTEM_SOCKET "/run/icemesh/icemesh.sock"

enum kind {
	KIND_TEXT,    /* may be empty */
	KIND_WORD,    /* text that may not be empty */
	KIND_NAME,    /* the same, at most NAME_SIZE - 1 bytes */
	KIND_ADDRESS, /* host:port */
	KIND_GROUP,   /* host:port or off */
	KIND_PATH,    /* absolute; "~/" is the home directory */
	KIND_SOCKET,  /* the same, short enough for a socket, may be empty */
	KIND_NUMBER,
	KIND_OCTAL,
	KIND_SIZE,
	KIND_DURATION,
	KIND_PERCENT,
	KIND_CHOICE,
};

struct key_rule {
	const char *name;
	enum kind kind;
	size_t offset;
	unsigned min, max;   /* numbers only */
	const char *choices; /* space-separated, in the order of their enum */
	bool variable;       /* ICEMESH_NAME sets it too */
};

#define AT(field) offsetof(struct config, field)
static const struct key_rule rules[] = {
        {"name", KIND_NAME, AT(name), 0, 0, NULL, false},
        {"slots", KIND_NUMBER, AT(slots), 0, SLOTS_MAX, NULL, false},
        {"local_slots", KIND_NUMBER, AT(local_slots), 1, SLOTS_MAX, NULL, false},
        {"nice", KIND_NUMBER, AT(nice), 0, 19, NULL, false},
        {"listen", KIND_ADDRESS, AT(listen), 0, 0, NULL, false},
        {"group", KIND_GROUP, AT(group), 0, 0, NULL, false},
        {"group6", KIND_GROUP, AT(group6), 0, 0, NULL, false},
        {"interfaces", KIND_WORD, AT(interfaces), 0, 0, NULL, false},
        {"seeds", KIND_TEXT, AT(seeds), 0, 0, NULL, false},
        {"state_dir", KIND_PATH, AT(state_dir), 0, 0, NULL, false},
        {"store_dir", KIND_PATH, AT(store_dir), 0, 0, NULL, false},
        {"store_size", KIND_SIZE, AT(store_size), 0, 0, NULL, false},
        {"socket", KIND_SOCKET, AT(socket), 0, 0, NULL, true},
        {"socket_mode", KIND_OCTAL, AT(socket_mode), 0, 0777, NULL, false},
        {"lend", KIND_CHOICE, AT(lend), 0, 0, "always idle ac never", false},
        {"job_memory", KIND_SIZE, AT(job_memory), 0, 0, NULL, false},
        {"job_time", KIND_DURATION, AT(job_time_s), 0, 0, NULL, false},
        {"job_output", KIND_SIZE, AT(job_output), 0, 0, NULL, false},
        {"sandbox_min", KIND_CHOICE, AT(sandbox_min), 1, 0, "L1 L2 L3", false},
        {"spares", KIND_CHOICE, AT(spares_quorum), 0, 0, "never quorum", true},
        {"audit", KIND_PERCENT, AT(audit_permille), 0, 0, NULL, false},
        {"remote", KIND_CHOICE, AT(remote), 0, 0, "auto never only", true},
        {"mode", KIND_CHOICE, AT(mode), 0, 0, "auto source preprocessed", true},
        {"cc", KIND_WORD, AT(cc), 0, 0, NULL, true},
        {"cxx", KIND_WORD, AT(cxx), 0, 0, NULL, true},
        {"toolchain", KIND_TEXT, AT(toolchain), 0, 0, NULL, true},
        {"peer", KIND_TEXT, AT(peer), 0, 0, NULL, true},
        {"trace", KIND_TEXT, AT(trace), 0, 0, NULL, true},
};
#define NRULES (sizeof(rules) / sizeof(rules[0]))

/* Copies text that fits; the caller has checked its length or does not care about the end. */
static void
copy_text(char *out, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(out, text, n);
	out[n] = 0;
}

enum config_scope
config_scope(void)
{
	char text[128];
	unsigned inside, outside, count;
	int fd, got = 0;
	ssize_t n;

	if (geteuid() != 0)
		return CONFIG_USER;
	fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return CONFIG_SYSTEM;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n > 0) {
		text[n] = 0;
		got = sscanf(text, "%u %u %u", &inside, &outside, &count);
	}
	return got == 3 && inside == 0 && outside == 0 && count == UINT32_MAX ? CONFIG_SYSTEM
	                                                                      : CONFIG_USER;
}

static unsigned
count_cores(void)
{
	cpu_set_t set;
	long n;

	if (!sched_getaffinity(0, sizeof(set), &set))
		n = CPU_COUNT(&set);
	else /* more processors than the set has bits */
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > SLOTS_MAX ? SLOTS_MAX : (unsigned)n;
}

static void
own_name(char out[CONFIG_VALUE_SIZE])
{
	char host[NAME_SIZE];

	if (gethostname(host, sizeof(host)) && errno != ENAMETOOLONG)
		host[0] = 0;
	host[sizeof(host) - 1] = 0;
	for (char *p = host; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '-';
	snprintf(out, CONFIG_VALUE_SIZE, "%s", host[0] ? host : "node");
}

void
config_defaults(struct config *c, enum config_scope scope)
{
	memset(c, 0, sizeof(*c));
	own_name(c->name);
	c->slots = c->local_slots = count_cores();
	c->nice = 10;
	copy_text(c->listen, sizeof(c->listen), "[::]:9777");
	copy_text(c->group, sizeof(c->group), "239.255.97.77:9777");
	copy_text(c->group6, sizeof(c->group6), "[ff12::9777]:9777");
	copy_text(c->interfaces, sizeof(c->interfaces), "all");
	if (scope == CONFIG_SYSTEM) {
		copy_text(c->state_dir, sizeof(c->state_dir), "/var/lib/icemesh");
		copy_text(c->store_dir, sizeof(c->store_dir), "/var/cache/icemesh");
	} else {
		place_user_dir(c->state_dir, "XDG_STATE_HOME", ".local/state");
		place_user_dir(c->store_dir, "XDG_CACHE_HOME", ".cache");
	}
	c->store_size = (uint64_t)5 << 30;
	c->socket_mode = 0666;
	c->lend = LEND_ALWAYS;
	c->job_memory = (uint64_t)4 << 30;
	c->job_time_s = 15 * 60;
	c->job_output = (uint64_t)512 << 20;
	c->sandbox_min = 1;
	c->audit_permille = 10;
	c->remote = REMOTE_AUTO;
	c->mode = INPUT_AUTO;
	copy_text(c->cc, sizeof(c->cc), "cc");
	copy_text(c->cxx, sizeof(c->cxx), "c++");
}

/* What to write for a key, after "key: ". */
static int
explain(const struct key_rule *r, char *why, size_t size)
{
	switch (r->kind) {
	case KIND_TEXT:
	case KIND_WORD:
		snprintf(why, size, "%s: needs a value of at most %d printable bytes", r->name,
		        CONFIG_VALUE_SIZE - 1);
		break;
	case KIND_NAME:
		snprintf(why, size, "%s: needs 1 to %d printable bytes", r->name, NAME_SIZE - 1);
		break;
	case KIND_ADDRESS:
		snprintf(why, size, "%s: write address:port, for example [::]:9777", r->name);
		break;
	case KIND_GROUP:
		snprintf(why, size, "%s: write address:port, or off", r->name);
		break;
	case KIND_PATH:
		snprintf(why, size, "%s: write an absolute path", r->name);
		break;
	case KIND_SOCKET:
		snprintf(why, size, "%s: write an absolute path of at most %d bytes", r->name,
		        PLACE_SOCKET_SIZE - 1);
		break;
	case KIND_NUMBER:
		snprintf(why, size, "%s: write a number from %u to %u", r->name, r->min, r->max);
		break;
	case KIND_OCTAL:
		snprintf(why, size, "%s: write an octal mode, for example 0660", r->name);
		break;
	case KIND_SIZE:
		snprintf(why, size, "%s: write a size above 0, for example 512M or 4G", r->name);
		break;
	case KIND_DURATION:
		snprintf(
		        why, size, "%s: write a time above 0, for example 90s, 15m or 2h", r->name);
		break;
	case KIND_PERCENT:
		snprintf(why, size,
		        "%s: write per cent with at most one decimal, for example 0.5 %%", r->name);
		break;
	case KIND_CHOICE:
		snprintf(why, size, "%s: write one of: %s", r->name, r->choices);
		break;
	}
	return IM_ERR_FORMAT;
}

static bool
is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* The kinds that are kept as text, checked; an absolute path comes out of "~/". */
static bool
set_text(const struct key_rule *r, char *field, const char *value)
{
	char path[CONFIG_VALUE_SIZE];
	size_t len = strlen(value), max = CONFIG_VALUE_SIZE - 1;
	bool may_be_empty = r->kind == KIND_TEXT || r->kind == KIND_SOCKET;

	if (r->kind == KIND_NAME)
		max = NAME_SIZE - 1;
	if (r->kind == KIND_SOCKET)
		max = PLACE_SOCKET_SIZE - 1;
	if ((r->kind == KIND_PATH || r->kind == KIND_SOCKET) && len) {
		const char *home = value[0] == '~' && value[1] == '/' ? place_home() : NULL;
		int n = snprintf(
		        path, sizeof(path), "%s%s", home ? home : "", home ? value + 1 : value);

		if (n < 0 || (size_t)n >= sizeof(path) || path[0] != '/')
			return false;
		value = path;
		len = (size_t)n;
	}
	if (len > max || (!len && !may_be_empty) || !is_printable(value))
		return false;
	if (r->kind == KIND_ADDRESS && !is_address(value))
		return false;
	if (r->kind == KIND_GROUP && strcmp(value, "off") && !is_address(value))
		return false;
	copy_text(field, CONFIG_VALUE_SIZE, value);
	return true;
}

/* The kinds that are kept as numbers of 32 bits. */
static bool
set_number(const struct key_rule *r, void *field, const char *value)
{
	unsigned v = 0;
	uint64_t wide = 0;
	bool good = false;
	int choice;

	switch (r->kind) {
	case KIND_NUMBER:
		good = !parse_number(&wide, value, r->max) && wide >= r->min;
		v = (unsigned)wide;
		break;
	case KIND_OCTAL:
		good = !parse_octal(&v, value) && v <= r->max;
		break;
	case KIND_DURATION:
		good = !parse_duration(&v, value) && v > 0;
		break;
	case KIND_PERCENT:
		good = !parse_percent(&v, value);
		break;
	default: /* KIND_CHOICE; min is the value of the first */
		choice = parse_choice(r->choices, value);
		good = choice >= 0;
		v = (unsigned)choice + r->min;
		break;
	}
	if (good && r->offset == AT(spares_quorum))
		*(bool *)field = v == 1;
	else if (good)
		memcpy(field, &v, sizeof(v));
	return good;
}

static int
set_rule(struct config *c, const struct key_rule *r, const char *value, char *why, size_t why_size)
{
	char *field = (char *)c + r->offset;
	uint64_t size;

	if (r->kind <= KIND_SOCKET)
		return set_text(r, field, value) ? 0 : explain(r, why, why_size);
	if (r->kind != KIND_SIZE)
		return set_number(r, field, value) ? 0 : explain(r, why, why_size);
	if (parse_size(&size, value) || !size)
		return explain(r, why, why_size);
	memcpy(field, &size, sizeof(size));
	return 0;
}

int
config_set(struct config *c, const char *key, const char *value, char *why, size_t why_size)
{
	for (size_t i = 0; i < NRULES; i++)
		if (!strcmp(rules[i].name, key))
			return set_rule(c, &rules[i], value, why, why_size);
	snprintf(why, why_size, "unknown key '%.40s'; icemesh.conf(5) lists them", key);
	return IM_ERR_ABSENT;
}

/* Cuts white space off both ends, in place. */
static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	for (len = strlen(text); len && strchr(" \t\r", text[len - 1]); len--)
		;
	text[len] = 0;
	return text;
}

/* One line without its newline. */
static int
parse_line(struct config *c, char *line, char *why, size_t why_size)
{
	char *equals, *key;

	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = 0;
			break;
		}
	key = trim(line);
	if (!*key)
		return 0;
	equals = strchr(key, '=');
	if (!equals) {
		snprintf(why, why_size, "no '='; write key = value");
		return IM_ERR_FORMAT;
	}
	*equals = 0;
	return config_set(c, trim(key), trim(equals + 1), why, why_size);
}

int
config_parse(struct config *c, const char *text, size_t len, char *why, size_t why_size)
{
	char line[LINE_MAX_LEN], cause[256];
	unsigned number = 1;

	for (size_t at = 0; at < len; number++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;
		int err = IM_ERR_FORMAT;

		if (n >= sizeof(line)) {
			snprintf(cause, sizeof(cause), "longer than %d bytes", LINE_MAX_LEN - 1);
		} else if (memchr(text + at, 0, n)) {
			snprintf(cause, sizeof(cause), "holds a NUL byte");
		} else {
			memcpy(line, text + at, n);
			line[n] = 0;
			err = parse_line(c, line, cause, sizeof(cause));
		}
		if (err) {
			snprintf(why, why_size, "%u: %s", number, cause);
			return err;
		}
		at += n + 1;
	}
	return 0;
}

/* Reads at most max bytes; the length, or -1 with errno (EFBIG: there are more). */
static ssize_t
read_whole(int fd, char *out, size_t max)
{
	size_t len = 0;

	while (len <= max) {
		ssize_t n = read(fd, out + len, max + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)len;
		len += (size_t)n;
	}
	errno = EFBIG;
	return -1;
}

int
config_read(struct config *c, const char *path, char *why, size_t why_size)
{
	char cause[256], *text = NULL;
	ssize_t len;
	int err = IM_ERR_SYSTEM, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	}
	text = malloc(CONFIG_FILE_MAX + 1);
	if (!text) {
		snprintf(why, why_size, "%s: %s", path, im_strerror(IM_ERR_MEMORY));
		err = IM_ERR_MEMORY;
		goto out;
	}
	len = read_whole(fd, text, CONFIG_FILE_MAX);
	if (len < 0) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		err = errno == EFBIG ? IM_ERR_LIMIT : IM_ERR_SYSTEM;
		goto out;
	}
	err = config_parse(c, text, (size_t)len, cause, sizeof(cause));
	if (err)
		snprintf(why, why_size, "%s:%s", path, cause);
	/* A missing file and an unknown key must not look alike to those who shrug at a missing
	 * file. */
	if (err == IM_ERR_ABSENT)
		err = IM_ERR_FORMAT;
out:
	free(text);
	close(fd);
	return err;
}

static int
read_files(struct config *c, char *why, size_t why_size)
{
	char dir[CONFIG_VALUE_SIZE], path[CONFIG_VALUE_SIZE + sizeof("/icemesh.conf")];
	const char *chosen = getenv("ICEMESH_CONFIG");
	int err;

	if (chosen && *chosen)
		return config_read(c, chosen, why, why_size);
	err = config_read(c, SYSTEM_FILE, why, why_size);
	if (err && err != IM_ERR_ABSENT)
		return err;
	place_user_dir(dir, "XDG_CONFIG_HOME", ".config");
	if (!dir[0])
		return 0;
	snprintf(path, sizeof(path), "%s/icemesh.conf", dir);
	err = config_read(c, path, why, why_size);
	return err == IM_ERR_ABSENT ? 0 : err;
}

int
config_load(struct config *c, enum config_scope scope, char *why, size_t why_size)
{
	int err;

	config_defaults(c, scope);
	err = read_files(c, why, why_size);
	if (err)
		return err;
	for (size_t i = 0; i < NRULES; i++) {
		char variable[32] = "ICEMESH_";
		const char *value;

		if (!rules[i].variable)
			continue;
		for (size_t k = 0; rules[i].name[k]; k++)
			variable[8 + k] = (char)(rules[i].name[k] - 'a' + 'A');
		value = getenv(variable);
		if (!value || !*value)
			continue;
		err = set_rule(c, &rules[i], value, why, why_size);
		if (err) {
			char cause[256];

			copy_text(cause, sizeof(cause), why);
			snprintf(why, why_size, "variable %s: %s", variable, cause);
			return err;
		}
	}
	return 0;
}

int
config_sockets(const struct config *c, char out[2][CONFIG_VALUE_SIZE])
{
	int n = 0;

	if (c->socket[0]) {
		copy_text(out[0], CONFIG_VALUE_SIZE, c->socket);
		return 1;
	}
	if (place_user_socket(out[0]))
		n = 1;
	copy_text(out[n], CONFIG_VALUE_SIZE, SYSTEM_SOCKET);
	return n + 1;
}

void
config_own_socket(const struct config *c, enum config_scope scope, char out[CONFIG_VALUE_SIZE])
{
	if (c->socket[0])
		copy_text(out, CONFIG_VALUE_SIZE, c->socket);
	else if (scope == CONFIG_SYSTEM)
		copy_text(out, CONFIG_VALUE_SIZE, SYSTEM_SOCKET);
	else
		(void)place_user_socket(out);
}

const char *
config_key(unsigned i)
{
	return i < NRULES ? rules[i].name : NULL;
}
