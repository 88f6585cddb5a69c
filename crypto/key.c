#include "crypto/key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_LEN 32

_Static_assert(
        SEED_LEN == crypto_kdf_KEYBYTES && SEED_LEN == crypto_sign_SEEDBYTES, "seed sizes agree");
_Static_assert(SIGN_PK_LEN == crypto_sign_PUBLICKEYBYTES &&
                       SIGN_SK_LEN == crypto_sign_SECRETKEYBYTES &&
                       SIGNATURE_LEN == crypto_sign_BYTES && DH_LEN == crypto_scalarmult_BYTES,
        "key sizes agree");

int
crypto_start(void)
{
	return sodium_init() < 0 ? IM_ERR_UNSUPPORTED : 0;
}

void
random_bytes(void *out, size_t n)
{
	randombytes_buf(out, n);
}

void
key_make(struct key *k, const uint8_t *seed)
{
	uint8_t fresh[SEED_LEN], sub[SEED_LEN];

	if (seed == NULL) {
		random_bytes(fresh, sizeof fresh);
		seed = fresh;
	}
	crypto_kdf_derive_from_key(sub, sizeof sub, 1, "imsign01", seed);
	crypto_sign_seed_keypair(k->sign_pk, k->sign_sk, sub);
	crypto_kdf_derive_from_key(k->dh_sk, sizeof k->dh_sk, 1, "imnoise1", seed);
	crypto_scalarmult_base(k->dh_pk, k->dh_sk);
	sodium_memzero(sub, sizeof sub);
	sodium_memzero(fresh, sizeof fresh);
}

void
key_wipe(struct key *k)
{
	sodium_memzero(k, sizeof *k);
}

/* close() of a clean-up path must not hide the errno that is being reported. */
static void
close_quietly(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

/* Reads until n bytes or the end; the count, or -1. */
static ssize_t
read_full(int fd, uint8_t *out, size_t n)
{
	size_t got = 0;
	ssize_t r;

	while (got < n) {
		r = read(fd, out + got, n - got);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

static int
write_full(int fd, const uint8_t *bytes, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(fd, bytes, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return IM_ERR_SYSTEM;
		bytes += w;
		n -= (size_t)w;
	}
	return 0;
}

int
key_load(struct key *k, const char *path)
{
	uint8_t seed[SEED_LEN + 1]; /* one more, to see that a file is too long */
	struct stat st;
	ssize_t n;
	int fd, err = 0;

	/* O_NONBLOCK: a FIFO put there by somebody else must not hang us */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		if (errno == ENOENT)
			return IM_ERR_ABSENT;
		return errno == ELOOP ? IM_ERR_REFUSED : IM_ERR_SYSTEM;
	}
	if (fstat(fd, &st) != 0) {
		err = IM_ERR_SYSTEM;
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		err = IM_ERR_REFUSED;
		goto out;
	}
	n = read_full(fd, seed, sizeof seed);
	if (n < 0)
		err = IM_ERR_SYSTEM;
	else if (n != SEED_LEN)
		err = IM_ERR_FORMAT;
	else
		key_make(k, seed);
out:
	close_quietly(fd);
	sodium_memzero(seed, sizeof seed);
	return err;
}

/* Makes the folder entry of path durable. Some file systems cannot; the key itself is synced in any
 * case. */
static void
sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int len = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path), fd;

	snprintf(folder, sizeof folder, "%.*s", len > 0 ? len : 1, len > 0 ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Gives the complete file tmp its real name unless something has that name; tmp is gone afterwards
 * or is the caller's to remove. link() works everywhere but on file systems without hard links,
 * which answer EPERM. */
static int
publish(const char *tmp, const char *path)
{
	if (link(tmp, path) == 0)
		return 0;
	if ((errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) &&
	        renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? IM_ERR_EXISTS : IM_ERR_SYSTEM;
}

/* Writes the seed under a temporary name beside path, complete and synced before it appears as
 * path. */
static int
store_seed(const uint8_t seed[SEED_LEN], const char *path)
{
	char tmp[PATH_MAX];
	int fd, saved, err, len = snprintf(tmp, sizeof tmp, "%s.XXXXXX", path);

	if (len < 0 || (size_t)len >= sizeof tmp) {
		errno = ENAMETOOLONG;
		return IM_ERR_SYSTEM;
	}
	fd = mkostemp(tmp, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return IM_ERR_SYSTEM;
	err = write_full(fd, seed, SEED_LEN);
	if (err == 0 && fsync(fd) != 0)
		err = IM_ERR_SYSTEM;
	close_quietly(fd);
	if (err == 0)
		err = publish(tmp, path);
	saved = errno;
	unlink(tmp);
	errno = saved;
	if (err == 0)
		sync_folder(path);
	return err;
}

int
key_create(struct key *k, const char *path)
{
	uint8_t seed[SEED_LEN];
	int err;

	random_bytes(seed, sizeof seed);
	err = store_seed(seed, path);
	if (err == 0)
		key_make(k, seed);
	sodium_memzero(seed, sizeof seed);
	return err;
}

int
key_load_or_create(struct key *k, const char *path)
{
	int err = key_load(k, path);

	if (err != IM_ERR_ABSENT)
		return err;
	err = key_create(k, path);
	if (err != IM_ERR_EXISTS)
		return err;
	/* another process was faster: its key is ours too */
	return key_load(k, path);
}

static void
id_of(uint8_t out[NODE_ID_LEN], const uint8_t pk[SIGN_PK_LEN])
{
	struct digest d;

	digest_of(&d, pk, SIGN_PK_LEN);
	memcpy(out, d.bytes, NODE_ID_LEN);
}

void
node_id_of(struct node_id *id, const uint8_t sign_pk[SIGN_PK_LEN])
{
	id_of(id->bytes, sign_pk);
}

void
mesh_id_of(struct mesh_id *id, const uint8_t root_pk[SIGN_PK_LEN])
{
	_Static_assert(MESH_ID_LEN == NODE_ID_LEN, "both ids are made the same way");
	id_of(id->bytes, root_pk);
}

void
node_id_text(const struct node_id *id, char out[NODE_ID_TEXT_SIZE])
{
	sodium_bin2hex(out, NODE_ID_TEXT_SIZE, id->bytes, NODE_ID_LEN);
}

int
node_id_from_text(struct node_id *id, const char *text)
{
	if (strnlen(text, NODE_ID_TEXT_SIZE) != 2 * NODE_ID_LEN ||
	        strspn(text, "0123456789abcdef") != 2 * NODE_ID_LEN)
		return IM_ERR_FORMAT;
	sodium_hex2bin(id->bytes, NODE_ID_LEN, text, 2 * NODE_ID_LEN, NULL, NULL, NULL);
	return 0;
}

int
node_id_cmp(const struct node_id *a, const struct node_id *b)
{
	return memcmp(a->bytes, b->bytes, NODE_ID_LEN);
}

/* Writes domain || 0x00 || bytes; its length, 0 when it does not fit. */
static size_t
with_domain(uint8_t out[SIGN_MESSAGE_MAX], const char *domain, const void *bytes, size_t len)
{
	size_t head = strlen(domain) + 1;

	if (head > SIGN_MESSAGE_MAX || len > SIGN_MESSAGE_MAX - head)
		return 0;
	memcpy(out, domain, head);
	if (len > 0)
		memcpy(out + head, bytes, len);
	return head + len;
}

void
key_sign(const struct key *k, const char *domain, const void *bytes, size_t len,
        uint8_t sig[SIGNATURE_LEN])
{
	uint8_t message[SIGN_MESSAGE_MAX];
	size_t n = with_domain(message, domain, bytes, len);

	assert(n > 0);
	crypto_sign_detached(sig, NULL, message, n, k->sign_sk);
}

int
key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes, size_t len,
        const uint8_t sig[SIGNATURE_LEN])
{
	uint8_t message[SIGN_MESSAGE_MAX];
	size_t n = with_domain(message, domain, bytes, len);

	if (n == 0)
		return IM_ERR_LIMIT;
	return crypto_sign_verify_detached(sig, message, n, sign_pk) == 0 ? 0 : IM_ERR_SIGNATURE;
}
