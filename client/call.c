#include "client/call.h"

#include "client/opts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "client/printable.h"

#define LINE_SIZE 2048

void
call_init(struct call *c, const struct command *command)
{
	*c = (struct call){.command = command};
	buf_init(&c->out, CALL_OUTPUT_MAX);
	buf_init(&c->err, CALL_OUTPUT_MAX);
}

void
call_fini(struct call *c)
{
	buf_fini(&c->out);
	buf_fini(&c->err);
}

static void
put_line(struct buf *out, const char *before, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];

	vsnprintf(line, sizeof line, fmt, ap);
	buf_printf(out, "%s", before);
	text_clean(out, line, SIZE_MAX);
	buf_put(out, "\n", 1);
}

void
call_say(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(&c->out, "", fmt, ap);
	va_end(ap);
}

int
call_fail(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(&c->err, "icemesh: ", fmt, ap);
	va_end(ap);
	return CALL_FAILED;
}

int
call_usage(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(&c->err, "icemesh: ", fmt, ap);
	va_end(ap);
	command_usage(c->command, &c->err);
	return CALL_USAGE;
}

void
command_usage(const struct command *command, struct buf *out)
{
	const char *line = command->synopsis, *lead = "usage:";
	size_t len;

	for (;;) {
		len = strcspn(line, "\n");
		buf_printf(out, "%-6s %.*s\n", lead, (int)len, line);
		if (line[len] == 0)
			return;
		line += len + 1;
		lead = "";
	}
}

void
call_flush(struct call *c)
{
	if (c->flush != NULL)
		c->flush(c);
}

int
call_config(struct call *c)
{
	char why[CONFIG_VALUE_SIZE + 256] = "";

	if (config_load(&c->config, config_scope(), why, sizeof why) != 0)
		return call_fail(c, "%s", why);
	return CALL_DONE;
}

int
call_open(struct call *c, struct ask *a)
{
	int err = call_config(c);

	if (err != CALL_DONE)
		return err;
	err = ask_open(a, &c->config);
	if (err == 0)
		return CALL_DONE;
	if (err == IM_ERR_SYSTEM)
		return call_fail(c, "cannot reach the daemon at %s: %s", a->where, strerror(errno));
	return call_fail(
	        c, "no daemon answers at %s; start it with 'icemeshd' or 'icemesh join'", a->where);
}

int
call_ask_failed(struct call *c, const struct ask *a, int err)
{
	switch (err) {
	case IM_ERR_REFUSED:
		return call_fail(c, "%s", a->error);
	case IM_ERR_TIMEOUT:
		return call_fail(c,
		        "the daemon at %s did not answer in time; its log says what it is doing",
		        a->where);
	case IM_ERR_CLOSED:
		return call_fail(
		        c, "the daemon at %s ended before it answered; its log says why", a->where);
	case IM_ERR_SYSTEM:
		return call_fail(c, "the daemon at %s: %s", a->where, strerror(errno));
	default:
		return call_fail(c,
		        "the daemon at %s gave an answer that is %s; are both of the same version?",
		        a->where, im_strerror(err));
	}
}

int
call_operands(struct call *c, int argc, char **argv, const char **out, int max)
{
	struct opts o;
	int got, n = 0;

	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, NULL, 0)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (n == max)
			return call_usage(c, "unexpected word '%.80s'", o.value);
		out[n++] = o.value;
	}
	return CALL_DONE;
}
