/* A signed file as the daemon makes one, for the tests of `icemesh toolchain`. */
#ifndef TESTS_FAKE_TOOLCHAIN_H
#define TESTS_FAKE_TOOLCHAIN_H

#include <time.h>
#include "crypto/sign.h"
#include "tests/unit/fake_daemon.h"

struct fake_toolchain {
	struct key root, node;
	struct buf text; /* the signature file */
	struct digest digest;
};

static inline void
fake_toolchain_make(struct fake_toolchain *t, uint8_t root_seed, const char *content, uint64_t now)
{
	struct cert c = {.roles = ROLE_WORKER | ROLE_SIGNER,
	        .not_before = now - 10,
	        .not_after = now + 1000};
	uint8_t seed[32] = {root_seed}, prehash[PREHASH_LEN];
	struct prehash_stream p;
	struct buf cert;

	assert_int_equal(crypto_start(), 0);
	buf_init(&cert, CERT_LEN_MAX);
	buf_init(&t->text, SIGN_TEXT_MAX);
	key_make(&t->root, seed);
	seed[1] = 1;
	key_make(&t->node, seed);
	memcpy(c.sign_pk, t->node.sign_pk, SIGN_PK_LEN);
	memcpy(c.dh_pk, t->node.dh_pk, DH_LEN);
	snprintf(c.name, sizeof c.name, "alpha");
	snprintf(c.owner, sizeof c.owner, "somebody");
	assert_int_equal(cert_issue(&c, &t->root, &cert), 0);
	digest_of(&t->digest, content, strlen(content));
	prehash_begin(&p);
	prehash_add(&p, content, strlen(content));
	prehash_end(&p, prehash);
	assert_int_equal(sign_make(&t->node, cert.data, cert.len, &t->digest, strlen(content),
	                         prehash, &t->text),
	        0);
	buf_fini(&cert);
}

#endif
