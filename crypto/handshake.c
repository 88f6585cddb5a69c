#include "crypto/handshake.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN 32
#define MAC_LEN 16
#define MESSAGES 3

/* Exactly NOISE_HASH_LEN bytes, so it is the first hash as it stands (section 5.2). */
static const char protocol_name[] = "Noise_XX_25519_ChaChaPoly_SHA256";

_Static_assert(sizeof protocol_name - 1 == NOISE_HASH_LEN, "protocol name is one hash long");
_Static_assert(crypto_hash_sha256_BYTES == NOISE_HASH_LEN &&
                       crypto_auth_hmacsha256_BYTES == NOISE_HASH_LEN,
        "SHA256");
_Static_assert(
        crypto_auth_hmacsha256_KEYBYTES == NOISE_HASH_LEN, "the chaining key is a whole HMAC key");
_Static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == KEY_LEN &&
                       crypto_aead_chacha20poly1305_ietf_ABYTES == MAC_LEN,
        "ChaChaPoly");

enum step { STEP_END, STEP_E, STEP_S, STEP_EE, STEP_ES, STEP_SE };

static const enum step pattern[MESSAGES][5] = {
        {STEP_E, STEP_END},
        {STEP_E, STEP_EE, STEP_S, STEP_ES, STEP_END},
        {STEP_S, STEP_SE, STEP_END},
};

struct handshake {
	uint8_t ck[NOISE_HASH_LEN], hash[NOISE_HASH_LEN];
	uint8_t key[KEY_LEN];
	bool has_key;
	uint64_t nonce;
	uint8_t s_pk[DH_LEN], s_sk[DH_LEN], e_pk[DH_LEN], e_sk[DH_LEN];
	uint8_t peer_s[DH_LEN], peer_e[DH_LEN];
	bool initiator, has_peer, dead;
	unsigned next; /* message that comes next; MESSAGES when done */
};

/* A message while it is taken apart: what is left of it. */
struct rest {
	const uint8_t *p;
	size_t len;
};

static void
mix_hash(struct handshake *h, const void *bytes, size_t len)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, h->hash, NOISE_HASH_LEN);
	crypto_hash_sha256_update(&st, bytes, len);
	crypto_hash_sha256_final(&st, h->hash);
}

static void
hmac(uint8_t out[NOISE_HASH_LEN], const uint8_t key[NOISE_HASH_LEN], const uint8_t *a, size_t a_len,
        uint8_t last)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key, NOISE_HASH_LEN);
	crypto_auth_hmacsha256_update(&st, a, a_len);
	if (last != 0)
		crypto_auth_hmacsha256_update(&st, &last, 1);
	crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof st);
}

/* HKDF of section 4.3 with two outputs; last bytes 1 and 2 are never 0, which hmac() takes as
 * "none". */
static void
hkdf(const uint8_t ck[NOISE_HASH_LEN], const uint8_t *material, size_t len, uint8_t one[KEY_LEN],
        uint8_t two[KEY_LEN])
{
	uint8_t temp[NOISE_HASH_LEN], first[NOISE_HASH_LEN];

	hmac(temp, ck, material, len, 0);
	hmac(first, temp, NULL, 0, 1);
	hmac(two, temp, first, sizeof first, 2);
	memcpy(one, first, sizeof first);
	sodium_memzero(temp, sizeof temp);
	sodium_memzero(first, sizeof first);
}

/* MixKey(DH(sk, pk)). A zero result means that the peer sent a point of small order, to fix the
 * outcome. */
static int
mix_dh(struct handshake *h, const uint8_t sk[DH_LEN], const uint8_t pk[DH_LEN])
{
	uint8_t shared[DH_LEN] = {0};
	int err = IM_ERR_REFUSED;

	if (crypto_scalarmult(shared, sk, pk) != 0 || sodium_is_zero(shared, sizeof shared))
		goto out;
	hkdf(h->ck, shared, sizeof shared, h->ck, h->key);
	h->has_key = true;
	h->nonce = 0;
	err = 0;
out:
	sodium_memzero(shared, sizeof shared);
	return err;
}

static int
mix_step(struct handshake *h, enum step step)
{
	switch (step) {
	case STEP_EE:
		return mix_dh(h, h->e_sk, h->peer_e);
	case STEP_ES:
		return h->initiator ? mix_dh(h, h->e_sk, h->peer_s) : mix_dh(h, h->s_sk, h->peer_e);
	case STEP_SE:
		return h->initiator ? mix_dh(h, h->s_sk, h->peer_e) : mix_dh(h, h->e_sk, h->peer_s);
	default:
		assert(!"a DH step");
		return IM_ERR_REFUSED;
	}
}

static void
next_nonce(struct handshake *h, uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES])
{
	int i;

	memset(nonce, 0, crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(h->nonce >> (8 * i));
	h->nonce++;
}

/* EncryptAndHash() onto out, which has room for it. */
static void
seal(struct handshake *h, const uint8_t *plain, size_t len, struct buf *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES], cipher[NOISE_MESSAGE_MAX];
	unsigned long long n;

	if (!h->has_key) {
		buf_put(out, plain, len);
		mix_hash(h, plain, len);
		return;
	}
	next_nonce(h, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(
	        cipher, &n, plain, len, h->hash, NOISE_HASH_LEN, NULL, nonce, h->key);
	buf_put(out, cipher, (size_t)n);
	mix_hash(h, cipher, (size_t)n);
}

/* DecryptAndHash() of the next len bytes of r into plain. */
static int
unseal(struct handshake *h, struct rest *r, size_t len, uint8_t *plain)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (len > r->len || (h->has_key && len < MAC_LEN))
		return IM_ERR_TRUNCATED;
	if (h->has_key) {
		next_nonce(h, nonce);
		if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, r->p, len, h->hash,
		            NOISE_HASH_LEN, nonce, h->key) != 0)
			return IM_ERR_SIGNATURE;
	} else if (len > 0) {
		memcpy(plain, r->p, len);
	}
	mix_hash(h, r->p, len);
	r->p += len;
	r->len -= len;
	return 0;
}

struct handshake *
handshake_new(bool initiator, const uint8_t dh_pk[DH_LEN], const uint8_t dh_sk[DH_LEN],
        const void *prologue, size_t prologue_len, const uint8_t *ephemeral_sk)
{
	struct handshake *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->initiator = initiator;
	memcpy(h->s_pk, dh_pk, DH_LEN);
	memcpy(h->s_sk, dh_sk, DH_LEN);
	if (ephemeral_sk != NULL)
		memcpy(h->e_sk, ephemeral_sk, DH_LEN);
	else
		randombytes_buf(h->e_sk, DH_LEN);
	crypto_scalarmult_base(h->e_pk, h->e_sk);
	memcpy(h->hash, protocol_name, NOISE_HASH_LEN);
	memcpy(h->ck, h->hash, NOISE_HASH_LEN);
	mix_hash(h, prologue, prologue_len);
	return h;
}

void
handshake_free(struct handshake *h)
{
	if (h == NULL)
		return;
	sodium_memzero(h, sizeof *h);
	free(h);
}

bool
handshake_done(const struct handshake *h)
{
	return !h->dead && h->next == MESSAGES;
}

bool
handshake_writes(const struct handshake *h)
{
	return !h->dead && h->next < MESSAGES && (h->next % 2 == 0) == h->initiator;
}

/* Bytes of the next message besides its payload. */
static size_t
message_overhead(const struct handshake *h)
{
	static const size_t overhead[MESSAGES] = {
	        DH_LEN, DH_LEN + DH_LEN + MAC_LEN + MAC_LEN, DH_LEN + MAC_LEN + MAC_LEN};

	return overhead[h->next];
}

int
handshake_write(struct handshake *h, const void *payload, size_t len, struct buf *out)
{
	const enum step *step;
	size_t overhead, start = out->len;
	int err = 0;

	if (!handshake_writes(h))
		return IM_ERR_REFUSED;
	overhead = message_overhead(h);
	if (len > NOISE_MESSAGE_MAX - overhead)
		return IM_ERR_LIMIT;
	if (buf_room(out, overhead + len) == NULL)
		return buf_err(out);
	for (step = pattern[h->next]; err == 0 && *step != STEP_END; step++) {
		if (*step == STEP_E) {
			buf_put(out, h->e_pk, DH_LEN);
			mix_hash(h, h->e_pk, DH_LEN);
		} else if (*step == STEP_S) {
			seal(h, h->s_pk, DH_LEN, out);
		} else {
			err = mix_step(h, *step);
		}
	}
	if (err != 0) {
		h->dead = true;
		out->len = start;
		return err;
	}
	seal(h, payload, len, out);
	h->next++;
	return 0;
}

static int
read_step(struct handshake *h, enum step step, struct rest *r)
{
	int err;

	if (step == STEP_E) {
		if (r->len < DH_LEN)
			return IM_ERR_TRUNCATED;
		memcpy(h->peer_e, r->p, DH_LEN);
		mix_hash(h, h->peer_e, DH_LEN);
		r->p += DH_LEN;
		r->len -= DH_LEN;
		return 0;
	}
	if (step == STEP_S) {
		err = unseal(h, r, DH_LEN + MAC_LEN, h->peer_s);
		h->has_peer = err == 0;
		return err;
	}
	return mix_step(h, step);
}

int
handshake_read(struct handshake *h, const void *bytes, size_t len, struct buf *payload)
{
	struct rest r = {bytes, len};
	uint8_t plain[NOISE_MESSAGE_MAX];
	const enum step *step;
	size_t plain_len;
	int err = 0;

	if (h->dead || handshake_writes(h) || h->next == MESSAGES)
		return IM_ERR_REFUSED;
	if (len > NOISE_MESSAGE_MAX)
		err = IM_ERR_LIMIT;
	for (step = pattern[h->next]; err == 0 && *step != STEP_END; step++)
		err = read_step(h, *step, &r);
	if (err != 0)
		goto out;
	plain_len = r.len - (h->has_key && r.len >= MAC_LEN ? MAC_LEN : 0);
	err = unseal(h, &r, r.len, plain);
	if (err != 0)
		goto out;
	buf_put(payload, plain, plain_len);
	err = buf_err(payload);
	h->next++;
out:
	h->dead = err != 0;
	sodium_memzero(plain, sizeof plain);
	return err;
}

const uint8_t *
handshake_peer(const struct handshake *h)
{
	return h->has_peer && !h->dead ? h->peer_s : NULL;
}

const uint8_t *
handshake_hash(const struct handshake *h)
{
	return h->hash;
}

void
handshake_split(struct handshake *h, uint8_t send[32], uint8_t recv[32])
{
	assert(handshake_done(h));
	hkdf(h->ck, NULL, 0, h->initiator ? send : recv, h->initiator ? recv : send);
}
