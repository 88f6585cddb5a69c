/*
 * Enrolment tokens, "imx1-<base32>@host:port[,host:port...]".
 *
 * base32 (RFC 4648, lower case, no padding) of: version 1 | root public key 32 | token id 8 |
 * secret 16 | first 4 bytes of BLAKE2b-256 over all before.  The joiner checks the issuer's
 * certificate against the root before it sends the secret; the issuer keeps only BLAKE2b of the
 * secret.  The hosts stand outside the checksum: they are hints that people may edit.
 */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include "crypto/key.h"
#include "crypto/buf.h"

#define TOKEN_ID_LEN 8
#define TOKEN_SECRET_LEN 16
#define TOKEN_HOSTS_SIZE 512
#define TOKEN_TEXT_MAX 768

struct token {
	uint8_t root_pk[SIGN_PK_LEN];
	uint8_t id[TOKEN_ID_LEN];
	uint8_t secret[TOKEN_SECRET_LEN];
	char hosts[TOKEN_HOSTS_SIZE]; /* comma-separated host:port, may be empty */
};

/* Appends the text form. */
void token_print(const struct token *t, struct buf *out);
/* Parses; white space around it is ignored. IM_ERR_FORMAT (not a token, wrong checksum),
 * IM_ERR_VERSION, IM_ERR_LIMIT. */
int token_parse(struct token *t, const char *text) IM_MUST;
/* What the issuer stores instead of the secret. */
void token_secret_hash(struct digest *out, const struct token *t);

#endif
