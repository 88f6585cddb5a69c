#include "crypto/sign.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define KEY_ID_LEN 8
#define ALG_PREHASHED "ED"
#define ALG_PUBLIC "Ed"
#define BLOB_LEN (2 + KEY_ID_LEN + SIGNATURE_LEN)
#define BASE64_OF(n) (((n) + 2) / 3 * 4)
#define UNTRUSTED "untrusted comment: icemesh signature by key "
#define TRUSTED "trusted comment: "
#define COMMENT_HEAD "icemesh toolchain "
#define COMMENT_CERT " cert "
#define COMMENT_MAX 1024
#define SIZE_DIGITS_MAX 20

_Static_assert(PREHASH_LEN == crypto_generichash_BYTES_MAX, "BLAKE2b-512");
_Static_assert(
        sizeof(crypto_generichash_state) <= sizeof(struct prehash_stream), "hash state fits");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(struct prehash_stream),
        "hash state is aligned");

/* A piece of the text, not NUL-terminated. */
struct span {
	const char *p;
	size_t len;
};

void
prehash_begin(struct prehash_stream *s)
{
	crypto_generichash_init((crypto_generichash_state *)s->state, NULL, 0, PREHASH_LEN);
}

void
prehash_add(struct prehash_stream *s, const void *bytes, size_t len)
{
	crypto_generichash_update((crypto_generichash_state *)s->state, bytes, len);
}

void
prehash_end(struct prehash_stream *s, uint8_t out[PREHASH_LEN])
{
	crypto_generichash_final((crypto_generichash_state *)s->state, out, PREHASH_LEN);
}

static void
key_id_of(const uint8_t sign_pk[SIGN_PK_LEN], uint8_t out[KEY_ID_LEN])
{
	struct node_id id;

	node_id_of(&id, sign_pk);
	memcpy(out, id.bytes, KEY_ID_LEN);
}

/* The first line, which nothing signs: there is one right text for each key, so that a file has no
 * byte that may vary. */
static void
print_untrusted(const uint8_t key_id[KEY_ID_LEN], struct buf *out)
{
	char hex[2 * KEY_ID_LEN + 1];

	buf_printf(out, UNTRUSTED "%s", sodium_bin2hex(hex, sizeof hex, key_id, KEY_ID_LEN));
}

static void
print_base64(const uint8_t *bytes, size_t len, struct buf *out)
{
	char text[BASE64_OF(BLOB_LEN) + 1];

	assert(BASE64_OF(len) < sizeof text);
	buf_printf(out, "%s\n",
	        sodium_bin2base64(text, sizeof text, bytes, len, sodium_base64_VARIANT_ORIGINAL));
}

static void
print_comment(
        const void *cert, size_t cert_len, const struct digest *d, uint64_t size, struct buf *out)
{
	char hex[DIGEST_HEX_SIZE], cert_text[BASE64_OF(CERT_LEN_MAX) + 1];

	digest_hex(d, hex);
	sodium_bin2base64(cert_text, sizeof cert_text, cert, cert_len,
	        sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	buf_printf(out, COMMENT_HEAD "%s %" PRIu64 COMMENT_CERT "%s", hex, size, cert_text);
}

int
sign_make(const struct key *k, const void *cert, size_t cert_len, const struct digest *d,
        uint64_t size, const uint8_t prehash[PREHASH_LEN], struct buf *out)
{
	uint8_t blob[BLOB_LEN], global[SIGNATURE_LEN];
	struct buf signed_part, text;
	int err = 0;

	if (cert_len > CERT_LEN_MAX)
		return IM_ERR_LIMIT;
	buf_init(&signed_part, SIGNATURE_LEN + COMMENT_MAX);
	buf_init(&text, SIGN_TEXT_MAX);
	memcpy(blob, ALG_PREHASHED, 2);
	key_id_of(k->sign_pk, blob + 2);
	crypto_sign_detached(blob + 2 + KEY_ID_LEN, NULL, prehash, PREHASH_LEN, k->sign_sk);
	buf_put(&signed_part, blob + 2 + KEY_ID_LEN, SIGNATURE_LEN);
	print_comment(cert, cert_len, d, size, &signed_part);
	err = buf_err(&signed_part);
	if (err != 0)
		goto out;
	crypto_sign_detached(global, NULL, signed_part.data, signed_part.len, k->sign_sk);
	print_untrusted(blob + 2, &text);
	buf_printf(&text, "\n");
	print_base64(blob, sizeof blob, &text);
	buf_printf(&text, TRUSTED);
	buf_put(&text, signed_part.data + SIGNATURE_LEN, signed_part.len - SIGNATURE_LEN);
	buf_printf(&text, "\n");
	print_base64(global, sizeof global, &text);
	err = buf_err(&text);
	if (err != 0)
		goto out;
	buf_put(out, text.data, text.len);
	err = buf_err(out);
out:
	buf_fini(&text);
	buf_fini(&signed_part);
	return err;
}

/* Takes one line off the text, without its newline. */
static int
take_line(struct span *text, struct span *line)
{
	const char *nl = text->len > 0 ? memchr(text->p, '\n', text->len) : NULL;

	if (nl == NULL)
		return IM_ERR_FORMAT;
	*line = (struct span){text->p, (size_t)(nl - text->p)};
	text->p = nl + 1;
	text->len -= line->len + 1;
	return 0;
}

/* Takes `word` off the front. */
static int
take_word(struct span *s, const char *word)
{
	size_t len = strlen(word);

	if (s->len < len || memcmp(s->p, word, len) != 0)
		return IM_ERR_FORMAT;
	s->p += len;
	s->len -= len;
	return 0;
}

static int
decode_base64(struct span s, uint8_t *out, size_t len)
{
	size_t n;

	if (sodium_base642bin(
	            out, len, s.p, s.len, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	        n != len)
		return IM_ERR_FORMAT;
	return 0;
}

/* A decimal number without leading zeros, as printed. */
static int
take_size(struct span *s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->len && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		if (i == SIZE_DIGITS_MAX || __builtin_mul_overflow(v, 10u, &v) ||
		        __builtin_add_overflow(v, (uint64_t)(s->p[i] - '0'), &v))
			return IM_ERR_FORMAT;
	if (i == 0 || (i > 1 && s->p[0] == '0'))
		return IM_ERR_FORMAT;
	s->p += i;
	s->len -= i;
	*out = v;
	return 0;
}

struct parts {
	struct span untrusted, comment;
	uint8_t blob[BLOB_LEN], global[SIGNATURE_LEN];
	struct digest digest;
	uint64_t size;
	uint8_t cert[CERT_LEN_MAX];
	size_t cert_len;
};

static int
parse_comment(struct parts *parts)
{
	struct span s = parts->comment;
	char hex[DIGEST_HEX_SIZE] = {0};

	if (take_word(&s, COMMENT_HEAD) != 0 || s.len < 2 * DIGEST_LEN)
		return IM_ERR_FORMAT;
	memcpy(hex, s.p, 2 * DIGEST_LEN);
	s.p += 2 * DIGEST_LEN;
	s.len -= 2 * DIGEST_LEN;
	if (digest_from_hex(&parts->digest, hex) != 0 || take_word(&s, " ") != 0 ||
	        take_size(&s, &parts->size) != 0 || take_word(&s, COMMENT_CERT) != 0)
		return IM_ERR_FORMAT;
	if (sodium_base642bin(parts->cert, sizeof parts->cert, s.p, s.len, NULL, &parts->cert_len,
	            NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return IM_ERR_FORMAT;
	return 0;
}

/* libsodium 1.0.18 takes some bytes above 0x7f for base64 digits; one signature must have one text
 * only. */
static bool
is_ascii(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((uint8_t)text[i] > 0x7e)
			return false;
	return true;
}

static int
parse_text(struct parts *parts, const char *text, size_t len)
{
	struct span rest = {text, len}, blob, global;

	if (len > SIGN_TEXT_MAX || !is_ascii(text, len) ||
	        take_line(&rest, &parts->untrusted) != 0 || take_line(&rest, &blob) != 0 ||
	        take_line(&rest, &parts->comment) != 0 || take_line(&rest, &global) != 0 ||
	        rest.len != 0)
		return IM_ERR_FORMAT;
	if (decode_base64(blob, parts->blob, sizeof parts->blob) != 0 ||
	        memcmp(parts->blob, ALG_PREHASHED, 2) != 0 ||
	        decode_base64(global, parts->global, sizeof parts->global) != 0 ||
	        take_word(&parts->comment, TRUSTED) != 0 || parts->comment.len > COMMENT_MAX)
		return IM_ERR_FORMAT;
	return parse_comment(parts);
}

/* The key id and the first line say whose signature this is; they must name the certificate's
 * key. */
static int
check_names(const struct parts *parts, const struct cert *c)
{
	uint8_t key_id[KEY_ID_LEN];
	struct buf line;
	int err = 0;

	key_id_of(c->sign_pk, key_id);
	if (memcmp(key_id, parts->blob + 2, KEY_ID_LEN) != 0)
		return IM_ERR_FORMAT;
	buf_init(&line, 128);
	print_untrusted(key_id, &line);
	if (buf_err(&line) != 0)
		err = buf_err(&line);
	else if (line.len != parts->untrusted.len ||
	         memcmp(line.data, parts->untrusted.p, line.len) != 0)
		err = IM_ERR_FORMAT;
	buf_fini(&line);
	return err;
}

static int
check_global(const struct parts *parts, const struct cert *c)
{
	uint8_t message[SIGNATURE_LEN + COMMENT_MAX];

	memcpy(message, parts->blob + 2 + KEY_ID_LEN, SIGNATURE_LEN);
	memcpy(message + SIGNATURE_LEN, parts->comment.p, parts->comment.len);
	if (crypto_sign_verify_detached(
	            parts->global, message, SIGNATURE_LEN + parts->comment.len, c->sign_pk) != 0)
		return IM_ERR_SIGNATURE;
	return 0;
}

int
sign_check(struct signature *out, const char *text, size_t len, const uint8_t root_pk[SIGN_PK_LEN],
        uint64_t now)
{
	struct parts parts;
	struct cert c;
	int err = parse_text(&parts, text, len);

	if (err != 0)
		return err;
	err = cert_check(&c, parts.cert, parts.cert_len, root_pk, now);
	if (err == IM_ERR_SIGNATURE || err == IM_ERR_OTHER_MESH)
		return IM_ERR_UNKNOWN_KEY;
	if (err == 0)
		err = check_names(&parts, &c);
	if (err == 0)
		err = check_global(&parts, &c);
	if (err != 0)
		return err;
	out->digest = parts.digest;
	out->size = parts.size;
	out->signer = c;
	memcpy(out->sig, parts.blob + 2 + KEY_ID_LEN, SIGNATURE_LEN);
	return 0;
}

int
sign_check_content(const struct signature *s, const uint8_t prehash[PREHASH_LEN])
{
	return crypto_sign_verify_detached(s->sig, prehash, PREHASH_LEN, s->signer.sign_pk) == 0
	               ? 0
	               : IM_ERR_SIGNATURE;
}

void
sign_public_key(const uint8_t sign_pk[SIGN_PK_LEN], struct buf *out)
{
	uint8_t blob[2 + KEY_ID_LEN + SIGN_PK_LEN];
	char hex[2 * KEY_ID_LEN + 1];

	memcpy(blob, ALG_PUBLIC, 2);
	key_id_of(sign_pk, blob + 2);
	memcpy(blob + 2 + KEY_ID_LEN, sign_pk, SIGN_PK_LEN);
	sodium_bin2hex(hex, sizeof hex, blob + 2, KEY_ID_LEN);
	buf_printf(out, "untrusted comment: icemesh public key %s\n", hex);
	print_base64(blob, sizeof blob, out);
}
