#include "client/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client/local.h"
#include "client/printable.h"
#include "client/tools.h"
#include "mesh/programs.h"

#define LINE_SIZE 1024

static void
put_finding(struct doctor *d, const char *word, const char *remedy, const char *what)
{
	buf_printf(d->out, "%-4s ", word);
	text_clean(d->out, what, LINE_SIZE);
	buf_put(d->out, "\n", 1);
	if (remedy == NULL)
		return;
	buf_printf(d->out, "     remedy: ");
	text_clean(d->out, remedy, LINE_SIZE);
	buf_put(d->out, "\n", 1);
}

void
doctor_ok(struct doctor *d, const char *fmt, ...)
{
	char what[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	put_finding(d, "ok", NULL, what);
}

void
doctor_note(struct doctor *d, const char *remedy, const char *fmt, ...)
{
	char what[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	put_finding(d, "note", remedy, what);
}

void
doctor_bad(struct doctor *d, const char *remedy, const char *fmt, ...)
{
	char what[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	put_finding(d, "bad", remedy, what);
	d->bad++;
}

void
doctor_programs(struct doctor *d)
{
	static const char *const names[] = {"icemeshd", "icemesh-exec", "icemesh-cc"};
	char path[TOOLS_PATH_SIZE];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (program_find(names[i], path, sizeof path) == 0)
			doctor_ok(d, "%s is %s", names[i], path);
		else
			doctor_bad(d,
			        "install icemesh whole ('make install'), or run it from its build "
			        "folder",
			        "%s is not installed beside icemesh", names[i]);
}

/* A script in a compiler's place cannot be packed, since what it runs is anybody's guess. */
static bool
is_elf(const char *path)
{
	char head[4] = "";
	FILE *f = fopen(path, "re");
	bool elf = f != NULL && fread(head, 1, 4, f) == 4 && memcmp(head, "\177ELF", 4) == 0;

	if (f != NULL)
		fclose(f);
	return elf;
}

static void
check_compiler(struct doctor *d, const char *name, const char *key)
{
	char path[TOOLS_PATH_SIZE];

	if (tools_compiler(name, d->path, path, sizeof path) != 0) {
		char remedy[256];

		snprintf(remedy, sizeof remedy, "install one, or set %s in icemesh.conf(5)", key);
		if (strcmp(key, "cc") == 0)
			doctor_bad(d, remedy, "no compiler '%.200s' in PATH", name);
		else
			doctor_note(d, remedy, "no compiler '%.200s' in PATH", name);
	} else if (!is_elf(path)) {
		doctor_note(d, "name the compiler behind it: make CC=\"icemesh-cc gcc\"",
		        "%s is no program but a script or a wrapper; its compiles run here", path);
	} else {
		doctor_ok(d, "%s is %s", name, path);
	}
}

void
doctor_compilers(struct doctor *d)
{
	check_compiler(d, d->config->cc, "cc");
	check_compiler(d, d->config->cxx, "cxx");
}

/* The place in PATH of the first folder whose `name` is icemesh-cc (wrapper true) or a real compiler; -1: none. */
static int
place_in_path(const char *path, const char *name, bool wrapper)
{
	char one[TOOLS_PATH_SIZE];
	const char *end;
	int place = 0;

	for (; path != NULL && *path != 0; path = *end != 0 ? end + 1 : NULL, place++) {
		end = strchrnul(path, ':');
		if (*path != '/' || snprintf(one, sizeof one, "%.*s/%s", (int)(end - path), path,
		                            name) >= (int)sizeof one)
			continue;
		if (access(one, X_OK) == 0 && tools_is_wrapper(one) == wrapper)
			return place;
	}
	return -1;
}

void
doctor_links(struct doctor *d)
{
	static const char *const names[] = {"gcc", "cc", "clang", "g++", "c++"};
	const char *shadowed = NULL, *linked = NULL;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		int ours = place_in_path(d->path, names[i], true),
		    real = place_in_path(d->path, names[i], false);

		if (ours >= 0 && real >= 0)
			linked = names[i];
		if (ours >= 0 && real >= 0 && real < ours)
			shadowed = names[i];
	}
	if (shadowed != NULL)
		doctor_note(d, "put the folder with icemesh's links first in PATH",
		        "icemesh's link '%s' stands behind the real one in PATH and does nothing",
		        shadowed);
	else if (linked != NULL)
		doctor_ok(d, "icemesh's links (%s...) come first in PATH", linked);
	else
		doctor_ok(
		        d, "PATH has no links to icemesh-cc; 'make CC=\"icemesh-cc gcc\"' uses it");
}

void
doctor_slots(struct doctor *d)
{
	int fd, err = local_slot_try(NULL, d->config->local_slots, &fd);

	if (err == 0)
		local_slot_give(fd);
	if (err == 0 || err == IM_ERR_ABSENT) /* all in use is as good */
		doctor_ok(d, "local slots can be taken; there are %u", d->config->local_slots);
	else
		doctor_bad(d,
		        "remove /tmp/icemesh-slots-UID when another user owns it, and see that "
		        "/tmp can be written",
		        "no folder for local slots can be used: %s", im_strerror(err));
}

void
doctor_status(struct doctor *d, const struct status *s)
{
	doctor_ok(d, "the daemon answers; it is icemesh %s", s->node.version);
	if (s->mesh_name[0] != 0)
		doctor_ok(d, "this node is a %s of mesh '%s'",
		        strcmp(s->node.trust, "spare") == 0 ? "spare" : "member", s->mesh_name);
	else if (s->nproblems == 0) /* else it is among them */
		doctor_bad(d, "'icemesh init' makes a mesh; 'icemesh join TOKEN' joins one",
		        "this node is in no mesh");
	for (uint32_t i = 0; i < s->nproblems; i++)
		doctor_bad(d,
		        s->problems[i].remedy[0] != 0 ? s->problems[i].remedy
		                                      : "the daemon's log says more",
		        "%s", s->problems[i].what);
}
