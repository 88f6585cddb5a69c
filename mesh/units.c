#include "mesh/units.h"

#include <string.h>

/* A whole decimal number at *text, which moves behind it; false when there is none or it passes
 * max. */
static bool
take_number(const char **text, uint64_t max, uint64_t *out)
{
	const char *p = *text;
	uint64_t v = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*text = p;
	*out = v;
	return true;
}

int
parse_number(uint64_t *out, const char *text, uint64_t max)
{
	uint64_t v;

	if (!take_number(&text, max, &v) || *text)
		return IM_ERR_FORMAT;
	*out = v;
	return 0;
}

int
parse_size(uint64_t *bytes, const char *text)
{
	static const char units[] = "kmgt";
	uint64_t v;
	unsigned shift = 0;

	if (!take_number(&text, INT64_MAX, &v))
		return IM_ERR_FORMAT;
	if (*text) {
		char unit = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
		const char *at = strchr(units, unit);

		if (!at || text[1])
			return IM_ERR_FORMAT;
		shift = 10 * (unsigned)(at - units + 1);
	}
	if (v > ((uint64_t)INT64_MAX >> shift))
		return IM_ERR_FORMAT;
	*bytes = v << shift;
	return 0;
}

int
parse_duration(unsigned *seconds, const char *text)
{
	uint64_t v, factor;

	if (!take_number(&text, INT32_MAX, &v))
		return IM_ERR_FORMAT;
	switch (*text) {
	case 0:
	case 's':
		factor = 1;
		break;
	case 'm':
		factor = 60;
		break;
	case 'h':
		factor = 3600;
		break;
	case 'd':
		factor = 86400;
		break;
	default:
		return IM_ERR_FORMAT;
	}
	if ((*text && text[1]) || v * factor > INT32_MAX)
		return IM_ERR_FORMAT;
	*seconds = (unsigned)(v * factor);
	return 0;
}

int
parse_percent(unsigned *permille, const char *text)
{
	uint64_t whole, tenth = 0;

	if (!take_number(&text, 100, &whole))
		return IM_ERR_FORMAT;
	if (*text == '.') {
		text++;
		if (!take_number(&text, 9, &tenth))
			return IM_ERR_FORMAT;
	}
	text += strspn(text, " \t");
	if (*text == '%')
		text++;
	if (*text || whole * 10 + tenth > 1000)
		return IM_ERR_FORMAT;
	*permille = (unsigned)(whole * 10 + tenth);
	return 0;
}

int
parse_octal(unsigned *mode, const char *text)
{
	unsigned v = 0;

	if (!*text || strlen(text) > 5)
		return IM_ERR_FORMAT;
	for (; *text; text++) {
		if (*text < '0' || *text > '7')
			return IM_ERR_FORMAT;
		v = v * 8 + (unsigned)(*text - '0');
	}
	*mode = v;
	return 0;
}

int
parse_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);
	int i = 0;

	for (const char *p = choices; *p; i++) {
		size_t n = strcspn(p, " ");

		if (n == len && !memcmp(p, word, n))
			return i;
		p += n;
		p += *p == ' ';
	}
	return -1;
}

bool
is_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *port = colon ? colon + 1 : "";
	uint64_t v;

	if (!colon || colon == text || !take_number(&port, 65535, &v) || *port)
		return false;
	return text[0] == '[' ? colon[-1] == ']' : !memchr(text, ':', (size_t)(colon - text));
}
