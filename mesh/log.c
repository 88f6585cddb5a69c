#include "mesh/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINES_PER_SECOND 20 /* of those that others can cause */

/* Control characters, also those of C1 (0xc2 0x80 to 0xc2 0x9f in UTF-8), would speak to the reader's terminal. */
static void
clean(unsigned char *p, const unsigned char *end)
{
	for (; p < end; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p + 1 < end && p[1] < 0xa0))
			*p = '?';
}

/* One write a line, so that lines of several processes do not mix. */
static void
line(const char *level, const char *fmt, va_list ap)
{
	char text[1024];
	int n = snprintf(text, sizeof text, "icemeshd: %s", level);
	int m = vsnprintf(text + n, sizeof text - (size_t)n - 1, fmt, ap);
	size_t len = m < 0 ? (size_t)n : (size_t)n + (size_t)m;
	if (len > sizeof text - 2)
		len = sizeof text - 2;
	clean((unsigned char *)text + n, (unsigned char *)text + len);
	text[len++] = '\n';
	if (write(STDERR_FILENO, text, len) < 0)
		return;
}

void
log_info(struct log *l, const char *fmt, ...)
{
	(void)l;
	va_list ap;
	va_start(ap, fmt);
	line("", fmt, ap);
	va_end(ap);
}

void
log_warn(struct log *l, const char *fmt, ...)
{
	(void)l;
	va_list ap;
	va_start(ap, fmt);
	line("warning: ", fmt, ap);
	va_end(ap);
}

void
log_debug(struct log *l, const char *fmt, ...)
{
	if (!l->verbose)
		return;
	va_list ap;
	va_start(ap, fmt);
	line("debug: ", fmt, ap);
	va_end(ap);
}

/* False for a line that is one too many in this second; those left out are said with the next one that is not. */
static bool
afford(struct log_budget *b, uint64_t now_ms, const char *level, struct log *l)
{
	if (now_ms - b->window_ms >= 1000) {
		if (b->dropped)
			log_warn(l, "%s%u more lines of this kind left out", level, b->dropped);
		*b = (struct log_budget){.window_ms = now_ms};
	}
	if (b->lines < LINES_PER_SECOND)
		return ++b->lines;
	b->dropped++;
	return false;
}

void
log_hostile(struct log *l, uint64_t now_ms, const char *fmt, ...)
{
	va_list ap;
	if (!afford(&l->hostile, now_ms, "refused: ", l))
		return;
	va_start(ap, fmt);
	line("refused: ", fmt, ap);
	va_end(ap);
}

void
log_told(struct log *l, uint64_t now_ms, const char *fmt, ...)
{
	va_list ap;
	if (!afford(&l->told, now_ms, "", l))
		return;
	va_start(ap, fmt);
	line("warning: ", fmt, ap);
	va_end(ap);
}
