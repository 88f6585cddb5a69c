#include "client/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exec/toolchain.h"

#define BLOCK (256 * 1024)
#define KEY_LINE "untrusted comment: icemesh signature by key "
#define KEY_DIGITS 16

/* Digest, prehash and length in one pass. */
static int
hash_file(int fd, struct digest *digest, uint8_t prehash[PREHASH_LEN], uint64_t *size)
{
	struct digest_stream d;
	struct prehash_stream p;
	uint8_t *block = malloc(BLOCK);
	uint64_t at = 0;
	ssize_t n;
	int err = 0;

	if (block == NULL)
		return IM_ERR_MEMORY;
	digest_begin(&d);
	prehash_begin(&p);
	while ((n = pread(fd, block, BLOCK, (off_t)at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		err = n < 0                                     ? IM_ERR_SYSTEM
		      : at + (uint64_t)n > TOOLCHAIN_PACKED_MAX ? IM_ERR_LIMIT
		                                                : 0;
		if (err != 0)
			break;
		digest_add(&d, block, (size_t)n);
		prehash_add(&p, block, (size_t)n);
		at += (uint64_t)n;
	}
	digest_end(&d, digest);
	prehash_end(&p, prehash);
	*size = at;
	free(block);
	return err;
}

/* The key id that the signature's first line claims, for the message. */
static void
claimed_key(const struct verify *v, char out[KEY_DIGITS + 1])
{
	size_t lead = strlen(KEY_LINE);

	snprintf(out, KEY_DIGITS + 1, "?");
	if (v->len < lead + KEY_DIGITS || memcmp(v->text, KEY_LINE, lead) != 0)
		return;
	for (size_t i = 0; i < KEY_DIGITS; i++)
		if (memchr("0123456789abcdef", v->text[lead + i], 16) == NULL)
			return;
	memcpy(out, v->text + lead, KEY_DIGITS);
	out[KEY_DIGITS] = 0;
}

static int
explain_signature(int err, const struct verify *v, char why[VERIFY_WHY_SIZE])
{
	char key[KEY_DIGITS + 1];

	claimed_key(v, key);
	switch (err) {
	case IM_ERR_UNKNOWN_KEY:
		snprintf(why, VERIFY_WHY_SIZE,
		        "signature by unknown key %s: no member of mesh '%.64s'; "
		        "a member signs it with 'icemesh toolchain create'",
		        key, v->mesh);
		break;
	case IM_ERR_SIGNATURE:
		snprintf(why, VERIFY_WHY_SIZE,
		        "signature by key %s does not verify: the signature file was altered", key);
		break;
	case IM_ERR_EXPIRED:
		snprintf(why, VERIFY_WHY_SIZE,
		        "the certificate of key %s is outside its lifetime; "
		        "check this machine's clock, or have the toolchain signed anew",
		        key);
		break;
	default:
		snprintf(why, VERIFY_WHY_SIZE,
		        "the signature file is %s; it is no icemesh signature or was cut off",
		        im_strerror(err));
		break;
	}
	return err;
}

int
verify_toolchain(int fd, const struct verify *v, struct signature *out, char why[VERIFY_WHY_SIZE])
{
	uint8_t prehash[PREHASH_LEN];
	struct digest digest;
	struct signature s;
	uint64_t size = 0;
	int err = sign_check(&s, v->text, v->len, v->root_pk, v->now);

	if (err != 0)
		return explain_signature(err, v, why);
	err = hash_file(fd, &digest, prehash, &size);
	if (err != 0) {
		snprintf(why, VERIFY_WHY_SIZE, "%s",
		        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
		return err;
	}
	if (size < s.size) {
		snprintf(why, VERIFY_WHY_SIZE,
		        "digest differs: the file was cut off after %llu of %llu bytes",
		        (unsigned long long)size, (unsigned long long)s.size);
		return IM_ERR_DIGEST;
	}
	if (size != s.size || !digest_equal(&digest, &s.digest)) {
		snprintf(why, VERIFY_WHY_SIZE, "digest differs: the file was altered");
		return IM_ERR_DIGEST;
	}
	err = sign_check_content(&s, prehash);
	if (err != 0) {
		snprintf(why, VERIFY_WHY_SIZE,
		        "the signature over the content does not verify: the signature file was "
		        "altered");
		return err;
	}
	*out = s;
	return 0;
}
