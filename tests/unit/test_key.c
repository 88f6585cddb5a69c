/* Keys: derivation that never changes, files that are never overwritten nor shared, signatures
 * bound to a purpose. */
#include "crypto/key.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RACERS 8

struct place {
	char folder[64];
	char path[96];
};

static void
to_hex(const uint8_t *bytes, size_t len, char *out)
{
	size_t i;

	for (i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Values made by an independent BLAKE2b, Ed25519 and X25519: nodes keep their names across versions
 * of this program. */
static void
test_derivation_is_fixed(void **state)
{
	uint8_t seed[32];
	char hex[65], id[NODE_ID_TEXT_SIZE];
	struct node_id node;
	struct key k;
	int i;

	(void)state;
	for (i = 0; i < 32; i++)
		seed[i] = (uint8_t)i;
	key_make(&k, seed);
	to_hex(k.sign_pk, 32, hex);
	assert_string_equal(
	        hex, "99aa451c12823d35fb865398ea5cf5e272aa299b2d91371d81ac94759eef6bc4");
	to_hex(k.dh_pk, 32, hex);
	assert_string_equal(
	        hex, "64d5b77d2e9b297016387c5b44cc736757b8488d23e5906dcfbda84455e0ea05");
	to_hex(k.dh_sk, 32, hex);
	assert_string_equal(
	        hex, "8e814238d0a76f9f327131e0d709279ddecda00d98a4b4bd9387cb62b15cdcd7");
	node_id_of(&node, k.sign_pk);
	node_id_text(&node, id);
	assert_string_equal(id, "c4b9bbe487c46202e9bb58ffac6792d0");
	key_wipe(&k);
	for (i = 0; i < SIGN_SK_LEN; i++)
		assert_int_equal(k.sign_sk[i], 0);
}

static void
test_random_keys_differ(void **state)
{
	struct key a, b;

	(void)state;
	key_make(&a, NULL);
	key_make(&b, NULL);
	assert_memory_not_equal(a.sign_pk, b.sign_pk, SIGN_PK_LEN);
	assert_memory_not_equal(a.dh_pk, b.dh_pk, DH_LEN);
}

static void
test_node_id_text(void **state)
{
	struct node_id id, other;

	(void)state;
	assert_int_equal(node_id_from_text(&id, "c4b9bbe487c46202e9bb58ffac6792d0"), 0);
	assert_int_equal(id.bytes[0], 0xc4);
	assert_int_equal(id.bytes[15], 0xd0);
	other = id;
	assert_int_equal(node_id_cmp(&id, &other), 0);
	other.bytes[15]++;
	assert_true(node_id_cmp(&id, &other) < 0);
	assert_int_equal(node_id_from_text(&id, "C4b9bbe487c46202e9bb58ffac6792d0"), IM_ERR_FORMAT);
	assert_int_equal(node_id_from_text(&id, "c4b9bbe487c46202e9bb58ffac6792d"), IM_ERR_FORMAT);
	assert_int_equal(
	        node_id_from_text(&id, "c4b9bbe487c46202e9bb58ffac6792d00"), IM_ERR_FORMAT);
	assert_int_equal(node_id_from_text(&id, ""), IM_ERR_FORMAT);
}

static void
test_signatures(void **state)
{
	static uint8_t big[SIGN_MESSAGE_MAX];
	uint8_t sig[SIGNATURE_LEN];
	struct key k, other;

	(void)state;
	key_make(&k, NULL);
	key_make(&other, NULL);
	key_sign(&k, "purpose", "hello", 5, sig);
	assert_int_equal(key_verify(k.sign_pk, "purpose", "hello", 5, sig), 0);
	assert_int_equal(key_verify(k.sign_pk, "purposf", "hello", 5, sig), IM_ERR_SIGNATURE);
	assert_int_equal(key_verify(k.sign_pk, "purposehello", "", 0, sig), IM_ERR_SIGNATURE);
	assert_int_equal(key_verify(k.sign_pk, "purpose", "hellO", 5, sig), IM_ERR_SIGNATURE);
	assert_int_equal(key_verify(k.sign_pk, "purpose", "hello", 4, sig), IM_ERR_SIGNATURE);
	assert_int_equal(key_verify(other.sign_pk, "purpose", "hello", 5, sig), IM_ERR_SIGNATURE);
	sig[10] ^= 1;
	assert_int_equal(key_verify(k.sign_pk, "purpose", "hello", 5, sig), IM_ERR_SIGNATURE);
	key_sign(&k, "p", big, sizeof big - 2, sig);
	assert_int_equal(key_verify(k.sign_pk, "p", big, sizeof big - 2, sig), 0);
	assert_int_equal(key_verify(k.sign_pk, "p", big, sizeof big - 1, sig), IM_ERR_LIMIT);
	assert_int_equal(key_verify(k.sign_pk, "p", big, SIZE_MAX, sig), IM_ERR_LIMIT);
}

static int
make_place(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof p->folder, "/tmp/test_key.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->path, sizeof p->path, "%s/key", p->folder);
	*state = p;
	return 0;
}

/* Fails when anything but the key itself was left behind. */
static int
remove_place(void **state)
{
	struct place *p = *state;
	int err;

	unlink(p->path);
	err = rmdir(p->folder);
	free(p);
	return err;
}

static void
put_file(const char *path, size_t len, mode_t mode)
{
	uint8_t bytes[64] = {1, 2, 3};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
test_file_is_made_once(void **state)
{
	struct place *p = *state;
	struct key a, b, c;
	struct stat st;

	assert_int_equal(key_load(&a, p->path), IM_ERR_ABSENT);
	assert_int_equal(key_load_or_create(&a, p->path), 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(key_load_or_create(&b, p->path), 0);
	assert_memory_equal(&a, &b, sizeof a);
	memset(&c, 0x55, sizeof c);
	b = c;
	assert_int_equal(key_create(&c, p->path), IM_ERR_EXISTS);
	assert_memory_equal(&b, &c, sizeof c);
	assert_int_equal(key_load(&b, p->path), 0);
	assert_memory_equal(&a, &b, sizeof a);
}

static void
test_wrong_size(void **state)
{
	static const size_t sizes[] = {0, 31, 33, 64};
	struct place *p = *state;
	struct key k;
	size_t i;

	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct stat st;

		put_file(p->path, sizes[i], 0600);
		assert_int_equal(key_load_or_create(&k, p->path), IM_ERR_FORMAT);
		assert_int_equal(stat(p->path, &st), 0);
		assert_int_equal(st.st_size, sizes[i]);
	}
}

static void
test_others_can_read(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610};
	struct place *p = *state;
	struct key k;
	size_t i;

	for (i = 0; i < sizeof modes / sizeof *modes; i++) {
		put_file(p->path, 32, modes[i]);
		assert_int_equal(key_load_or_create(&k, p->path), IM_ERR_REFUSED);
	}
	put_file(p->path, 32, 0400);
	assert_int_equal(key_load(&k, p->path), 0);
}

/* Another user's file, if this test may make one. */
static void
test_other_owner(void **state)
{
	struct place *p = *state;
	struct key k;

	if (geteuid() != 0)
		skip();
	put_file(p->path, 32, 0600);
	assert_int_equal(chown(p->path, 12345, (gid_t)-1), 0);
	assert_int_equal(key_load_or_create(&k, p->path), IM_ERR_REFUSED);
}

static void
test_not_a_plain_file(void **state)
{
	struct place *p = *state;
	char real[PATH_MAX];
	struct key k;

	snprintf(real, sizeof real, "%s/real", p->folder);
	put_file(real, 32, 0600);
	assert_int_equal(symlink(real, p->path), 0);
	assert_int_equal(key_load_or_create(&k, p->path), IM_ERR_REFUSED);
	assert_int_equal(unlink(real), 0);
	assert_int_equal(key_load_or_create(&k, p->path),
	        IM_ERR_REFUSED); /* dangling: nothing is made behind it */
	assert_int_equal(access(real, F_OK), -1);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_int_equal(key_load_or_create(&k, p->path), IM_ERR_REFUSED);
	snprintf(real, sizeof real, "%s/none/key", p->folder);
	assert_int_equal(key_create(&k, real), IM_ERR_SYSTEM);
	assert_int_equal(key_load(&k, p->folder), IM_ERR_REFUSED);
}

/* Start together, each makes or loads the key and says which one it has. */
static void
test_race(void **state)
{
	struct place *p = *state;
	int start[2], answer[2], i, status;
	uint8_t first[SIGN_PK_LEN], pk[SIGN_PK_LEN];
	char go;

	assert_int_equal(pipe(start), 0);
	assert_int_equal(pipe(answer), 0);
	for (i = 0; i < RACERS; i++) {
		if (fork() == 0) {
			struct key k;
			int ok;

			close(start[1]);
			ok = read(start[0], &go, 1) == 0 && key_load_or_create(&k, p->path) == 0 &&
			     write(answer[1], k.sign_pk, sizeof k.sign_pk) ==
			             (ssize_t)sizeof k.sign_pk;
			_exit(ok ? 0 : 1);
		}
	}
	close(start[0]);
	close(start[1]);
	close(answer[1]);
	for (i = 0; i < RACERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(read(answer[0], first, sizeof first), sizeof first);
	for (i = 1; i < RACERS; i++) {
		assert_int_equal(read(answer[0], pk, sizeof pk), sizeof pk);
		assert_memory_equal(pk, first, sizeof pk);
	}
	close(answer[0]);
}

static int
setup(void **state)
{
	(void)state;
	return crypto_start();
}

#define WITH_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_derivation_is_fixed),
	        cmocka_unit_test(test_random_keys_differ),
	        cmocka_unit_test(test_node_id_text),
	        cmocka_unit_test(test_signatures),
	        WITH_PLACE(test_file_is_made_once),
	        WITH_PLACE(test_wrong_size),
	        WITH_PLACE(test_others_can_read),
	        WITH_PLACE(test_other_owner),
	        WITH_PLACE(test_not_a_plain_file),
	        WITH_PLACE(test_race),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
