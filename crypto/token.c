#include "crypto/token.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define PREFIX "imx"
#define TOKEN_VERSION 1
#define CHECK_LEN 4
#define BODY_LEN (1 + SIGN_PK_LEN + TOKEN_ID_LEN + TOKEN_SECRET_LEN)
#define RAW_LEN (BODY_LEN + CHECK_LEN)
#define BASE32_LEN ((RAW_LEN * 8 + 4) / 5)
#define PORT_DIGITS_MAX 5

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static void
base32_encode(const uint8_t raw[RAW_LEN], char out[BASE32_LEN])
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t i, n = 0;

	for (i = 0; i < RAW_LEN; i++) {
		acc = (acc << 8 | raw[i]) & 0xffff;
		for (bits += 8; bits >= 5; bits -= 5)
			out[n++] = alphabet[acc >> (bits - 5) & 31];
	}
	if (bits > 0)
		out[n] = alphabet[acc << (5 - bits) & 31];
}

/* Exactly one text for one token: the unused bits at the end must be 0. */
static int
base32_decode(const char text[BASE32_LEN], uint8_t raw[RAW_LEN])
{
	const char *at;
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t i, n = 0;

	for (i = 0; i < BASE32_LEN; i++) {
		at = memchr(alphabet, text[i], sizeof alphabet - 1);
		if (at == NULL)
			return IM_ERR_FORMAT;
		acc = (acc << 5 | (uint32_t)(at - alphabet)) & 0xffff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			raw[n++] = (uint8_t)(acc >> bits);
		}
	}
	return (acc & ((1u << bits) - 1)) == 0 ? 0 : IM_ERR_FORMAT;
}

static void
checksum(const uint8_t body[BODY_LEN], uint8_t out[CHECK_LEN])
{
	struct digest d;

	digest_of(&d, body, BODY_LEN);
	memcpy(out, d.bytes, CHECK_LEN);
}

void
token_print(const struct token *t, struct buf *out)
{
	uint8_t raw[RAW_LEN];
	char text[BASE32_LEN];

	raw[0] = TOKEN_VERSION;
	memcpy(raw + 1, t->root_pk, SIGN_PK_LEN);
	memcpy(raw + 1 + SIGN_PK_LEN, t->id, TOKEN_ID_LEN);
	memcpy(raw + 1 + SIGN_PK_LEN + TOKEN_ID_LEN, t->secret, TOKEN_SECRET_LEN);
	checksum(raw, raw + BODY_LEN);
	base32_encode(raw, text);
	buf_printf(out, PREFIX "%d-%.*s", TOKEN_VERSION, BASE32_LEN, text);
	if (t->hosts[0] != '\0')
		buf_printf(out, "@%s", t->hosts);
	sodium_memzero(raw, sizeof raw);
	sodium_memzero(text, sizeof text);
}

static bool
is_port(const char *p, size_t len)
{
	unsigned port = 0;
	size_t i;

	if (len == 0 || len > PORT_DIGITS_MAX)
		return false;
	for (i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(p[i] - '0');
	}
	return port > 0 && port <= 65535;
}

/* One host:port or [address]:port. Whether the host exists is for the resolver to say. */
static bool
is_host_port(const char *p, size_t len)
{
	const char *colon = memrchr(p, ':', len);
	size_t i, host_len;

	if (colon == NULL || !is_port(colon + 1, len - (size_t)(colon + 1 - p)))
		return false;
	host_len = (size_t)(colon - p);
	if (host_len > 2 && p[0] == '[' && p[host_len - 1] == ']') {
		p++;
		host_len -= 2;
	} else if (memchr(p, ':', host_len) != NULL) {
		return false;
	}
	for (i = 0; i < host_len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%",
		            p[i]) == NULL)
			return false;
	return host_len > 0;
}

static int
parse_hosts(char out[TOKEN_HOSTS_SIZE], const char *p, size_t len)
{
	size_t at = 0, n;

	if (len >= TOKEN_HOSTS_SIZE)
		return IM_ERR_LIMIT;
	for (;;) {
		const char *comma = memchr(p + at, ',', len - at);

		n = comma == NULL ? len - at : (size_t)(comma - p) - at;
		if (!is_host_port(p + at, n))
			return IM_ERR_FORMAT;
		if (comma == NULL)
			break;
		at += n + 1;
	}
	memcpy(out, p, len);
	out[len] = '\0';
	return 0;
}

/* "imx1-"; another number is a token of another version of the program. */
static int
parse_prefix(const char *p, size_t len)
{
	size_t digits;

	if (len < sizeof PREFIX || memcmp(p, PREFIX, sizeof PREFIX - 1) != 0)
		return IM_ERR_FORMAT;
	p += sizeof PREFIX - 1;
	digits = strspn(p, "0123456789");
	if (digits == 0 || p[digits] != '-')
		return IM_ERR_FORMAT;
	return digits == 1 && p[0] == '0' + TOKEN_VERSION ? 0 : IM_ERR_VERSION;
}

static int
parse_body(struct token *t, const char text[BASE32_LEN])
{
	uint8_t raw[RAW_LEN], check[CHECK_LEN];
	int err = base32_decode(text, raw);

	if (err != 0)
		goto out;
	checksum(raw, check);
	if (memcmp(check, raw + BODY_LEN, CHECK_LEN) != 0) {
		err = IM_ERR_FORMAT;
		goto out;
	}
	if (raw[0] != TOKEN_VERSION) {
		err = IM_ERR_VERSION;
		goto out;
	}
	memcpy(t->root_pk, raw + 1, SIGN_PK_LEN);
	memcpy(t->id, raw + 1 + SIGN_PK_LEN, TOKEN_ID_LEN);
	memcpy(t->secret, raw + 1 + SIGN_PK_LEN + TOKEN_ID_LEN, TOKEN_SECRET_LEN);
out:
	sodium_memzero(raw, sizeof raw);
	return err;
}

int
token_parse(struct token *t, const char *text)
{
	static const char space[] = " \t\r\n";
	const size_t head = sizeof PREFIX - 1 + 2; /* "imx1-" */
	struct token made = {0};
	size_t len;
	int err;

	text += strspn(text, space);
	len = strnlen(text, TOKEN_TEXT_MAX + 1);
	if (len > TOKEN_TEXT_MAX)
		return IM_ERR_LIMIT;
	while (len > 0 && strchr(space, text[len - 1]) != NULL)
		len--;
	err = parse_prefix(text, len);
	if (err != 0)
		return err;
	if (len < head + BASE32_LEN || (len > head + BASE32_LEN && text[head + BASE32_LEN] != '@'))
		return IM_ERR_FORMAT;
	err = parse_body(&made, text + head);
	if (err == 0 && len > head + BASE32_LEN)
		err = parse_hosts(
		        made.hosts, text + head + BASE32_LEN + 1, len - head - BASE32_LEN - 1);
	if (err == 0)
		*t = made;
	sodium_memzero(&made, sizeof made);
	return err;
}

void
token_secret_hash(struct digest *out, const struct token *t)
{
	digest_of(out, t->secret, TOKEN_SECRET_LEN);
}
