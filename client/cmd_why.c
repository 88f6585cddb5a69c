#include "client/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "client/opts.h"
#include "client/plan.h"
#include "client/why.h"
#include "exec/args.h"
#include "mesh/node.h"

/* One reason, or the whole list. */
static int
tell_reasons(struct call *c, const struct reason *one, bool json)
{
	const struct reason *r;
	struct json j;

	json_init(&j, &c->out);
	if (json)
		json_open_array(&j);
	for (unsigned i = 0; (r = reason_row(i)) != NULL; i++) {
		if (one != NULL && r != one)
			continue;
		if (!json) {
			buf_printf(&c->out, "%s: %s\n", r->word, r->advice);
			continue;
		}
		json_open_object(&j);
		json_ktext(&j, "reason", r->word);
		json_ktext(&j, "advice", r->advice);
		json_close_object(&j);
	}
	if (json)
		json_close_array(&j);
	return CALL_DONE;
}

static int
open_daemon(struct call *c, struct ask *a)
{
	int status = call_config(c), err;

	if (status != CALL_DONE)
		return status;
	err = ask_open(a, &c->config);
	if (err == 0)
		return CALL_DONE;
	return call_fail(c,
	        "no icemeshd is reached at %s%s%s, and without it every compile runs here "
	        "(no-daemon); start it with 'icemeshd' or "
	        "'icemesh join', or see 'icemesh doctor'",
	        a->where, err == IM_ERR_SYSTEM ? ": " : "",
	        err == IM_ERR_SYSTEM ? strerror(errno) : "");
}

static int
tell_file(struct call *c, struct why *w, const struct why_view *v, const char *file, bool json)
{
	char path[JOB_PATH_MAX + 1] = "";
	const char *name = file;

	while (strncmp(name, "./", 2) == 0)
		name += 2;
	if (args_path(v->cwd[0] != 0 ? v->cwd : "/", file, path) != 0)
		path[0] = 0;
	why_pick(w, path, name);
	if (json)
		why_json(w, &c->out);
	else
		why_details(w, v, &c->out);
	if (w->n > 0)
		return CALL_DONE;
	return call_fail(c,
	        "no compile of '%.200s' is known; icemeshd remembers your last ones, %d at most, "
	        "since "
	        "it started",
	        file, HISTORY_MAX);
}

static int
tell(struct call *c, struct why *w, const char *file, bool json)
{
	char cwd[JOB_PATH_MAX + 1] = "";
	struct why_view v = {.now_ms = wall_milliseconds(),
	        .cwd = cwd,
	        .width = c->width,
	        .height = c->height,
	        .colour = c->colour};
	int err = 0;

	if (plan_cwd(getenv("PWD"), cwd) != 0)
		cwd[0] = 0;
	if (file != NULL)
		return tell_file(c, w, &v, file, json);
	if (json)
		why_json(w, &c->out);
	else if (w->n == 0)
		call_say(c,
		        "no compile is known yet; icemeshd remembers your last ones, %d at most, "
		        "since it started",
		        HISTORY_MAX);
	else
		err = why_table(w, &v, &c->out);
	return err == 0 ? CALL_DONE : call_fail(c, "%s", im_strerror(err));
}

static int
show(struct call *c, struct ask *a, const char *file, bool json)
{
	struct ask_command q = {.type = CONTROL_WHY, .pass_fd = -1, .timeout_ms = ASK_MS};
	struct reply r;
	struct why w;
	int err = ask_daemon(a, &q, &r), status;

	if (err != 0)
		return call_ask_failed(c, a, err);
	err = why_decode(&w, packet_root(r.packet));
	if (err != 0) {
		reply_fini(&r);
		return call_ask_failed(c, a, err);
	}
	status = tell(c, &w, file, json);
	why_fini(&w);
	reply_fini(&r);
	return status;
}

int
cmd_why(struct call *c, int argc, char **argv)
{
	static const struct opt table[] = {{"json", 0, false}, {"reasons", 0, false}};
	bool json = false, reasons = false;
	const char *file = NULL;
	struct opts o;
	struct ask a;
	int got, status;

	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, table, 2)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (got == OPTS_OPERAND && (file != NULL || o.value[0] == 0))
			return call_usage(c, "unexpected word '%.80s'", o.value);
		if (got == OPTS_OPERAND)
			file = o.value;
		json = json || got == 0;
		reasons = reasons || got == 1;
	}
	if (reasons && file != NULL)
		return call_usage(
		        c, "--reasons lists them all; 'icemesh why %.80s' is about one", file);
	if (reasons || (file != NULL && reason_find(file) != NULL))
		return tell_reasons(c, reasons ? NULL : reason_find(file), json);
	status = open_daemon(c, &a);
	if (status != CALL_DONE)
		return status;
	status = show(c, &a, file, json);
	ask_close(&a);
	return status;
}
