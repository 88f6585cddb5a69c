/* Signatures: equal to minisign's own byte for byte, verified by minisign, refused when anything is
 * altered. */
#include "crypto/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/mangle.h"

#define NOW 1800000000u

/*
 * Made by minisign 0.11 (-S, prehashed) from the key of seed 0, 1, ..., 31 in minisign's format,
 * over the content below. The certificate in it is by the root of seed 11 11 ... 11, valid from
 * 1700000000 to 4000000000.
 */
static const char content[] = "icemesh test content\n";
static const char cert_hex[] =
        "8201c4858a010102c410ea2dbb3d2ee6e1b399831751cc9c570d03c408a99b127b03e8ff3704c42099aa"
        "451c12823d35fb865398ea5cf5e272aa299b2d91371d81ac94759eef6bc405c42064d5b77d2e9b297016"
        "387c5b44cc736757b8488d23e5906dcfbda84455e0ea0506a76275696c64657207a5616c696365080709"
        "ce6553f1000aceee6b280002c440c53240c0e58750736229506763f89fd2861b000b8476b4c885905659"
        "0d8fb3a16f93457ffb09a4ec768ec382a27d07ee7c1c4d10b04806f429f27a5caca3820e";
static const char by_minisign[] =
        "untrusted comment: icemesh signature by key c4b9bbe487c46202\n"
        "RUTEubvkh8RiAvaly6aOd6MQuanV/FySxD2WQtsmO/KRiki7MU+aJiJbAx5Qd+ygHYYQ4STHuzbzECtiMlh3"
        "iPvk4/tdqxSDVgA=\n"
        "trusted comment: icemesh toolchain 25cd00ad167a2bcf6cd5d76fe21703882c36422dd65466088"
        "3a77c1ce89edf2b 21 cert ggHEhYoBAQLEEOotuz0u5uGzmYMXUcycVw0DxAipmxJ7A-j_NwTEIJmqRRwS"
        "gj01-4ZTmOpc9eJyqimbLZE3HYGslHWe72vEBcQgZNW3fS6bKXAWOHxbRMxzZ1e4SI0j5ZBtz72oRFXg6gUG"
        "p2J1aWxkZXIHpWFsaWNlCAcJzmVT8QAKzu5rKAACxEDFMkDA5YdQc2IpUGdj-J_ShhsAC4R2tMiFkFZZDY-z"
        "oW-TRX_7CaTsdo7DgqJ9B-58HE0QsEgG9Cnyelyso4IO\n"
        "zMqWFR5ufHFEXblu+k8VIIim77lYbKQvWAPKSHq9OxQ3EP0WeDFceMCZXi+tDKGhSOu6tRdpFPIcRJwKnQ+z"
        "AQ==\n";

struct signer {
	struct key root, node;
	uint8_t cert[CERT_LEN_MAX];
	size_t cert_len;
	struct digest digest;
	uint8_t prehash[PREHASH_LEN];
	struct buf text;
};

static void
prehash_of(const void *bytes, size_t len, uint8_t out[PREHASH_LEN])
{
	struct prehash_stream s;

	prehash_begin(&s);
	prehash_add(&s, bytes, len / 2);
	prehash_add(&s, (const uint8_t *)bytes + len / 2, len - len / 2);
	prehash_end(&s, out);
}

static void
signer_init(struct signer *s)
{
	uint8_t seed[32];
	int i;

	memset(s, 0, sizeof *s);
	memset(seed, 0x11, sizeof seed);
	key_make(&s->root, seed);
	for (i = 0; i < 32; i++)
		seed[i] = (uint8_t)i;
	key_make(&s->node, seed);
	assert_int_equal(sodium_hex2bin(s->cert, sizeof s->cert, cert_hex, strlen(cert_hex), NULL,
	                         &s->cert_len, NULL),
	        0);
	digest_of(&s->digest, content, strlen(content));
	prehash_of(content, strlen(content), s->prehash);
	buf_init(&s->text, SIGN_TEXT_MAX);
}

static int
signer_make(struct signer *s)
{
	return sign_make(
	        &s->node, s->cert, s->cert_len, &s->digest, strlen(content), s->prehash, &s->text);
}

static int
check(const struct signer *s, const char *text, struct signature *out)
{
	return sign_check(out, text, strlen(text), s->root.sign_pk, NOW);
}

static void
test_prehash_value(void **state)
{
	uint8_t h[PREHASH_LEN];

	(void)state;
	prehash_of("abc", 3, h);
	assert_memory_equal(
	        h, "\xba\x80\xa5\x3f\x98\x1c\x4d\x0d\x6a\x27\x97\xb6\x9f\x12\xf6\xe9", 16);
	assert_memory_equal(h + 60, "\xd4\x00\x99\x23", 4);
}

/* Ed25519 is deterministic, so two right programs sign alike. */
static void
test_same_as_minisign(void **state)
{
	struct signer s;

	(void)state;
	signer_init(&s);
	assert_int_equal(signer_make(&s), 0);
	assert_string_equal(buf_text(&s.text), by_minisign);
	buf_fini(&s.text);
}

static void
test_check_minisigns_own(void **state)
{
	struct signature got;
	struct node_id node;
	struct signer s;

	(void)state;
	signer_init(&s);
	assert_int_equal(check(&s, by_minisign, &got), 0);
	assert_true(digest_equal(&got.digest, &s.digest));
	assert_int_equal(got.size, strlen(content));
	node_id_of(&node, s.node.sign_pk);
	assert_int_equal(node_id_cmp(&got.signer.node, &node), 0);
	assert_string_equal(got.signer.name, "builder");
	assert_int_equal(got.signer.roles, ROLES_ALL);
	assert_int_equal(sign_check_content(&got, s.prehash), 0);
	s.prehash[63] ^= 1;
	assert_int_equal(sign_check_content(&got, s.prehash), IM_ERR_SIGNATURE);
	buf_fini(&s.text);
}

static void
put_file(const char *folder, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* Exit status of minisign -V in folder; 127 when there is no minisign. */
static int
run_minisign(const char *folder)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(folder) != 0)
			_exit(126);
		execlp("minisign", "minisign", "-Vqm", "content", "-x", "sig", "-p", "pub",
		        (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
clean(const char *folder)
{
	static const char *const names[] = {"content", "sig", "pub"};
	char path[128];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
}

static void
test_minisign_verifies(void **state)
{
	char folder[] = "/tmp/test_sign.XXXXXX";
	struct signer s;
	struct buf pub;
	int right, wrong;

	(void)state;
	signer_init(&s);
	buf_init(&pub, 512);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(signer_make(&s), 0);
	sign_public_key(s.node.sign_pk, &pub);
	put_file(folder, "content", content);
	put_file(folder, "sig", buf_text(&s.text));
	put_file(folder, "pub", buf_text(&pub));
	right = run_minisign(folder);
	put_file(folder, "content", "icemesh test CONTENT\n");
	wrong = run_minisign(folder);
	clean(folder);
	buf_fini(&pub);
	buf_fini(&s.text);
	if (right == 127) {
		print_message("no minisign on PATH: only its stored signature was compared\n");
		skip();
	}
	assert_int_equal(right, 0);
	assert_int_not_equal(wrong, 0);
}

static void
test_public_key_text(void **state)
{
	struct signer s;
	struct buf pub;

	(void)state;
	signer_init(&s);
	buf_init(&pub, 512);
	sign_public_key(s.node.sign_pk, &pub);
	assert_string_equal(buf_text(&pub),
	        "untrusted comment: icemesh public key c4b9bbe487c46202\n"
	        "RWTEubvkh8RiApmqRRwSgj01+4ZTmOpc9eJyqimbLZE3HYGslHWe72vE\n");
	buf_fini(&pub);
}

static void
test_standing(void **state)
{
	struct signature got;
	struct key other;
	struct signer s;

	(void)state;
	signer_init(&s);
	key_make(&other, NULL);
	assert_int_equal(sign_check(&got, by_minisign, strlen(by_minisign), other.sign_pk, NOW),
	        IM_ERR_UNKNOWN_KEY);
	assert_int_equal(
	        sign_check(&got, by_minisign, strlen(by_minisign), s.root.sign_pk, 4000000001u),
	        IM_ERR_EXPIRED);
	assert_int_equal(sign_check(&got, by_minisign, strlen(by_minisign), s.root.sign_pk, 1),
	        IM_ERR_EXPIRED);
	buf_fini(&s.text);
}

/* Somebody signs with a key of their own and shows another node's certificate. */
static void
test_borrowed_certificate(void **state)
{
	struct signature got;
	struct signer s;

	(void)state;
	signer_init(&s);
	key_make(&s.node, NULL);
	assert_int_equal(signer_make(&s), 0);
	assert_int_equal(check(&s, buf_text(&s.text), &got),
	        IM_ERR_FORMAT); /* the key id is not the certificate's */
	buf_fini(&s.text);
}

/* Replaces `from` by `to` in minisign's text, both of the same length or not. */
static int
check_edited(const char *from, const char *to)
{
	struct signature got;
	struct signer s;
	const char *at = strstr(by_minisign, from);
	int err;

	assert_non_null(at);
	signer_init(&s);
	buf_put(&s.text, by_minisign, (size_t)(at - by_minisign));
	buf_printf(&s.text, "%s%s", to, at + strlen(from));
	err = check(&s, buf_text(&s.text), &got);
	buf_fini(&s.text);
	return err;
}

static void
test_edited(void **state)
{
	(void)state;
	assert_int_equal(check_edited(" 21 cert", " 22 cert"), IM_ERR_SIGNATURE);
	assert_int_equal(check_edited("toolchain 25cd", "toolchain 25ce"), IM_ERR_SIGNATURE);
	assert_int_equal(check_edited(" 21 cert", " 021 cert"), IM_ERR_FORMAT);
	assert_int_equal(check_edited(" 21 cert", "  cert"), IM_ERR_FORMAT);
	assert_int_equal(check_edited(" 21 cert", " 99999999999999999999 cert"), IM_ERR_FORMAT);
	assert_int_equal(check_edited(" 21 cert", " -1 cert"), IM_ERR_FORMAT);
	assert_int_equal(check_edited("icemesh signature", "another signature"), IM_ERR_FORMAT);
	assert_int_equal(check_edited("\nRUTE", "\nRWTE"), IM_ERR_FORMAT); /* "Ed": not prehashed */
	assert_int_equal(check_edited("\nRUTE", "\r\nRUTE"), IM_ERR_FORMAT);
	assert_int_equal(check_edited("+zAQ==\n", "+zAQ==\n\n"), IM_ERR_FORMAT);
	assert_int_equal(check_edited("+zAQ==\n", "+zAQ\n"), IM_ERR_FORMAT);
	assert_int_equal(check_edited("+zAQ==\n", "+zAR==\n"), IM_ERR_FORMAT); /* unused bits set */
}

static void
test_limits(void **state)
{
	static char big[SIGN_TEXT_MAX + 1];
	uint8_t cert[CERT_LEN_MAX + 1] = {0};
	struct signature got;
	struct signer s;

	(void)state;
	signer_init(&s);
	assert_int_equal(
	        sign_make(&s.node, cert, CERT_LEN_MAX + 1, &s.digest, 1, s.prehash, &s.text),
	        IM_ERR_LIMIT);
	assert_int_equal(
	        sign_make(&s.node, cert, CERT_LEN_MAX, &s.digest, UINT64_MAX, s.prehash, &s.text),
	        0);
	assert_true(s.text.len < SIGN_TEXT_MAX);
	memset(big, '\n', sizeof big);
	assert_int_equal(sign_check(&got, big, sizeof big, s.root.sign_pk, NOW), IM_ERR_FORMAT);
	assert_int_equal(sign_check(&got, big, 4, s.root.sign_pk, NOW), IM_ERR_FORMAT);
	buf_fini(&s.text);
}

static bool
accepts(const uint8_t *bytes, size_t len, void *arg)
{
	const struct signer *s = arg;
	struct signature got;

	return sign_check(&got, (const char *)bytes, len, s->root.sign_pk, NOW) == 0;
}

static void
test_mangled(void **state)
{
	size_t len = strlen(by_minisign);
	struct signer s;

	(void)state;
	signer_init(&s);
	assert_true(accepts((const uint8_t *)by_minisign, len, &s));
	assert_int_equal(mangle_cut(accepts, (const uint8_t *)by_minisign, len, &s), 0);
	assert_int_equal(mangle_flip(accepts, (const uint8_t *)by_minisign, len, len, &s), 0);
	buf_fini(&s.text);
}

static int
setup(void **state)
{
	(void)state;
	return crypto_start();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_prehash_value),
	        cmocka_unit_test(test_same_as_minisign),
	        cmocka_unit_test(test_check_minisigns_own),
	        cmocka_unit_test(test_minisign_verifies),
	        cmocka_unit_test(test_public_key_text),
	        cmocka_unit_test(test_standing),
	        cmocka_unit_test(test_borrowed_certificate),
	        cmocka_unit_test(test_edited),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
