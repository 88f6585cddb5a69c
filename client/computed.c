#include "client/computed.h"

#include <stdio.h>
#include <string.h>
#include "client/facts.h"

/* A file that includes what the macro says. */
struct use {
	struct task from;
	struct use *next;
};

struct said {
	const char *name;
	size_t len;
	struct said *next;
	enum include_kind kind;
};

struct macro {
	const char *name;
	size_t len;
	struct use *uses;
	struct said *said;
	struct macro *next;
	uint32_t files_done;
	bool command_done;
};

static int
refuse(struct reach *r, const struct macro *m, const char *where)
{
	snprintf(r->folders.why, FOLDER_WHY_SIZE, "computed include %.80s in %.140s", m->name,
	        where);
	return IM_ERR_REFUSED;
}

int
computed_note(struct reach *r, struct task from, const char *name, size_t len)
{
	struct macro *m;
	struct use *u;

	for (m = r->macros; m; m = m->next)
		if (m->len == len && memcmp(m->name, name, len) == 0)
			break;
	if (!m) {
		m = pool_get(&r->folders.pool, sizeof(*m));
		if (!m || !(m->name = pool_text(&r->folders.pool, name, len)))
			return IM_ERR_MEMORY;
		m->len = len;
		m->next = r->macros;
		r->macros = m;
		r->changes++;
	}
	for (u = m->uses; u; u = u->next)
		if (u->from.node == from.node && u->from.folder == from.folder)
			return 0;
	u = pool_get(&r->folders.pool, sizeof(*u));
	if (!u)
		return IM_ERR_MEMORY;
	u->from = from;
	u->next = m->uses;
	m->uses = u;
	r->changes++;
	return 0;
}

/* Notes what one definition says. */
static int
say(struct reach *r, struct macro *m, enum include_kind kind, const char *name, size_t len)
{
	struct said *s;

	for (s = m->said; s; s = s->next)
		if (s->kind == kind && s->len == len && memcmp(s->name, name, len) == 0)
			return 0;
	s = pool_get(&r->folders.pool, sizeof(*s));
	if (!s || !(s->name = pool_text(&r->folders.pool, name, len)))
		return IM_ERR_MEMORY;
	s->kind = kind;
	s->len = len;
	s->next = m->said;
	m->said = s;
	r->changes++;
	return 0;
}

static int
learn(struct reach *r, struct macro *m, const struct meaning *what, const char *where)
{
	enum include_kind kind;
	const char *name;
	size_t at = 0, len;
	int e = 0;

	if (what->undecided)
		return refuse(r, m, where);
	while (e == 0 && includes_next(what->list, what->list_len, &at, &kind, &name, &len))
		e = say(r, m, kind, name, len);
	return e;
}

/* Reads the definitions on the command line as the compiler does: -DNAME=BODY is "#define NAME
 * BODY". */
static int
learn_command(struct reach *r, struct macro *m, const struct search *s)
{
	struct meaning what = {.undecided = false};
	struct buf text, list;
	int e;

	if (m->command_done)
		return 0;
	m->command_done = true;
	buf_init(&text, INCLUDES_TEXT_MAX);
	buf_init(&list, INCLUDES_LEN_MAX);
	for (unsigned i = 0; i < s->nmacros; i++) {
		size_t len = strcspn(s->macros[i], "=");

		buf_printf(&text, "#define %.*s %s\n", (int)len, s->macros[i],
		        s->macros[i][len] ? s->macros[i] + len + 1 : "1");
	}
	e = buf_err(&text);
	if (e == 0)
		e = includes_define(
		        (const char *)text.data, text.len, m->name, &list, &what.undecided);
	what.list = list.data;
	what.list_len = (uint32_t)list.len;
	if (e == 0)
		e = learn(r, m, &what, "the command line");
	buf_fini(&list);
	buf_fini(&text);
	return e;
}

/* Looks for all macros that were not yet looked for in the file. */
static int
learn_file(struct reach *r, const struct node *node)
{
	struct meaning what;
	struct buf text;
	int e = 0;

	buf_init(&text, INCLUDES_TEXT_MAX + 1);
	for (struct macro *m = r->macros; m && e == 0; m = m->next) {
		if (m->files_done > node->index)
			continue;
		m->files_done = node->index + 1;
		if (node->name->kind != NAME_FILE)
			continue;
		e = facts_meaning(&what, &r->folders, node->path, &node->name->id, m->name, &text);
		if (e == 0)
			e = learn(r, m, &what, node->path);
	}
	buf_fini(&text);
	return e;
}

int
computed_step(struct reach *r, const struct search *s)
{
	uint32_t first = r->nnodes;
	int e = 0;

	for (struct macro *m = r->macros; m && e == 0; m = m->next) {
		e = learn_command(r, m, s);
		if (m->files_done < first)
			first = m->files_done;
	}
	for (uint32_t i = first; i < r->nnodes && e == 0; i++)
		e = learn_file(r, r->nodes[i]);
	for (struct macro *m = r->macros; m; m = m->next)
		for (struct use *u = m->uses; u; u = u->next)
			for (struct said *k = m->said; k && e == 0; k = k->next)
				e = reach_operand(r, u->from, k->kind, k->name, k->len);
	return e;
}
