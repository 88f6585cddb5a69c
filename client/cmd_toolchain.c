/* toolchain create, list, verify. */
#include "client/call.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "client/amount.h"
#include "client/opts.h"
#include "client/pack.h"
#include "client/peer.h"
#include "client/printable.h"
#include "client/tools.h"
#include "client/toolchains.h"
#include "client/verify.h"
#include "exec/witness.h"
#include "mesh/files.h"

#define COMPILERS_MAX 32
#define SIGNATURE_SUFFIX ".minisig"

/* --- create --- */

struct created {
	struct digest digest;
	uint64_t size;
	uint32_t files;
	char signature[SIGN_TEXT_MAX];
};

struct creation {
	const char *compilers[COMPILERS_MAX];
	int ncompilers;
	const char *output; /* NULL: only into the store */
};

static uint32_t
count_files(const struct buf *witness)
{
	const struct item *array;
	struct packet *p;
	uint32_t n = 0;

	if (packet_open(&p, witness->data, witness->len) != 0)
		return 0;
	if (item_array(packet_root(p), 2, WITNESS_FILES_MAX, &array, &n) != 0)
		n = 0;
	packet_free(p);
	return n;
}

/* The signature is many lines in one text, so it comes as bytes or text and is checked only for size. */
static int
take_created(const struct reply *r, struct created *out)
{
	const uint8_t *text;
	size_t len;
	int err;

	if (r->type != CONTROL_TOOLCHAIN)
		return IM_ERR_FORMAT;
	err = item_fixed(packet_root(r->packet), 1, out->digest.bytes, DIGEST_LEN);
	if (err != 0)
		return err;
	out->signature[0] = 0;
	err = item_bytes(packet_root(r->packet), 3, SIGN_TEXT_MAX - 1, &text, &len);
	if (err != 0)
		return err == IM_ERR_ABSENT ? 0 : err;
	memcpy(out->signature, text, len);
	out->signature[len] = 0;
	return 0;
}

/* Gives the tarball to the daemon, which signs and stores it. */
static int
import(struct call *c, struct ask *a, const char *compiler, const struct pack *p,
        struct created *out)
{
	struct ask_command q = {
	        .type = CONTROL_IMPORT, .pass_fd = p->fd, .timeout_ms = ASK_IMPORT_MS};
	struct reply r;
	struct buf body;
	int err;

	buf_init(&body, CONTROL_LEN_MAX);
	pack_map(&body, 3);
	pack_ktext(&body, 1, compiler);
	pack_kbytes(&body, 2, p->witness.data, p->witness.len);
	pack_uint(&body, 3);
	pack_bool(&body, true);
	q.body = &body;
	err = ask_daemon(a, &q, &r);
	if (err == 0) {
		err = take_created(&r, out);
		reply_fini(&r);
	}
	if (err != 0)
		err = call_ask_failed(c, a, err);
	buf_fini(&body);
	return err;
}

/* Copies fd to a temporary name and renames it. */
static int
copy_out(int fd, const char *path)
{
	char temporary[FILES_PATH_SIZE], block[65536];
	off_t at = 0;
	ssize_t n = 0;
	int out, err = 0, length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);

	if (length < 0 || (size_t)length >= sizeof temporary)
		return IM_ERR_LIMIT;
	out = mkostemp(temporary, O_CLOEXEC);
	if (out < 0)
		return IM_ERR_SYSTEM;
	while (err == 0 && (n = pread(fd, block, sizeof block, at)) > 0) {
		err = files_write_all(out, block, (size_t)n);
		at += n;
	}
	if (n < 0 || fchmod(out, 0644) != 0)
		err = IM_ERR_SYSTEM;
	if (close(out) != 0)
		err = IM_ERR_SYSTEM;
	if (err == 0 && rename(temporary, path) != 0)
		err = IM_ERR_SYSTEM;
	if (err != 0) {
		int saved = errno;

		unlink(temporary);
		errno = saved;
	}
	return err;
}

/* FILE and FILE.minisig. */
static int
write_files(struct call *c, const char *path, const struct pack *p, const struct created *t)
{
	char signature[FILES_PATH_SIZE];
	int n = snprintf(signature, sizeof signature, "%s%s", path, SIGNATURE_SUFFIX),
	    err = IM_ERR_LIMIT;

	if (n > 0 && (size_t)n < sizeof signature)
		err = copy_out(p->fd, path);
	if (err == 0 && t->signature[0] != 0)
		err = files_write(signature, t->signature, strlen(t->signature), 0644);
	if (err != 0)
		return call_fail(c, "%s: %s", path,
		        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	if (t->signature[0] != 0)
		call_say(c, "written     %s, %s", path, signature);
	else
		call_say(c, "written     %s", path);
	return CALL_DONE;
}

static int
create_one(struct call *c, struct ask *a, const char *name, const char *output)
{
	char compiler[TOOLS_PATH_SIZE], why[PACK_WHY_SIZE], hex[DIGEST_HEX_SIZE], size[AMOUNT_SIZE];
	struct created t = {.size = 0};
	struct pack p;
	struct stat st;
	int err = tools_compiler(name, NULL, compiler, sizeof compiler);

	if (err != 0)
		return call_fail(c, "%s: %s", name,
		        err == IM_ERR_REFUSED
		                ? "is icemesh-cc itself; name the compiler behind it"
		                : "no such compiler in PATH; install it or give its path");
	if (c->tty) {
		call_say(c, "packing %s ...", compiler);
		call_flush(c);
	}
	if (pack_compiler(&p, compiler, why) != 0)
		return call_fail(c, "%s: cannot be packed: %s", compiler, why);
	err = import(c, a, compiler, &p, &t);
	if (err == CALL_DONE) {
		t.size = fstat(p.fd, &st) == 0 ? (uint64_t)st.st_size : 0;
		digest_hex(&t.digest, hex);
		amount_bytes(t.size, size);
		call_say(c, "compiler    %s", compiler);
		call_say(c, "digest      %s", hex);
		call_say(c, "size        %" PRIu64 " (%s)", t.size, size);
		call_say(c, "files       %" PRIu32, count_files(&p.witness));
		if (output != NULL)
			err = write_files(c, output, &p, &t);
	}
	pack_fini(&p);
	return err;
}

static int
create(struct call *c, int argc, char **argv)
{
	static const struct opt table[] = {{"output", 'o', true}};
	struct creation v = {.ncompilers = 0};
	struct opts o;
	struct ask a;
	int got, err = CALL_DONE;

	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, table, 1)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (got == 0)
			v.output = o.value;
		else if (v.ncompilers == COMPILERS_MAX)
			return call_usage(c, "at most %d compilers at one time", COMPILERS_MAX);
		else
			v.compilers[v.ncompilers++] = o.value;
	}
	if (v.output != NULL && v.ncompilers > 1)
		return call_usage(c, "-o takes one compiler");
	if (call_open(c, &a) != CALL_DONE) /* before some seconds go into packing */
		return CALL_FAILED;
	if (v.ncompilers == 0)
		v.compilers[v.ncompilers++] = c->config.cc;
	for (int i = 0; err == CALL_DONE && i < v.ncompilers; i++)
		err = create_one(c, &a, v.compilers[i], v.output);
	ask_close(&a);
	return err;
}

/* --- list --- */

static int
list(struct call *c, int argc, char **argv)
{
	static const struct opt table[] = {{"json", 0, false}};
	struct ask_command q = {.type = CONTROL_TOOLCHAINS, .pass_fd = -1, .timeout_ms = ASK_MS};
	struct reply r;
	bool json = false;
	struct opts o;
	struct ask a;
	int got, err;

	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, table, 1)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (got == OPTS_OPERAND)
			return call_usage(c, "unexpected word '%.80s'", o.value);
		json = true;
	}
	if (call_open(c, &a) != CALL_DONE)
		return CALL_FAILED;
	err = ask_daemon(&a, &q, &r);
	if (err == 0) {
		if (json)
			err = toolchains_json(packet_root(r.packet), &c->out);
		else
			err = toolchains_table(packet_root(r.packet), c->width, c->colour, &c->out);
		reply_fini(&r);
	}
	if (err != 0) {
		buf_reset(&c->out);
		err = call_ask_failed(c, &a, err);
	}
	ask_close(&a);
	return err;
}

/* --- verify --- */

struct root {
	uint8_t pk[SIGN_PK_LEN];
	char mesh[NAME_SIZE];
};

static int
ask_root(struct call *c, struct root *out)
{
	struct ask_command q = {.type = CONTROL_ROOT, .pass_fd = -1, .timeout_ms = ASK_MS};
	struct reply r;
	struct ask a;
	int err;

	if (call_open(c, &a) != CALL_DONE)
		return CALL_FAILED;
	err = ask_daemon(&a, &q, &r);
	if (err == 0) {
		err = item_fixed(packet_root(r.packet), 1, out->pk, SIGN_PK_LEN);
		if (err == 0)
			err = item_text(packet_root(r.packet), 2, out->mesh, NAME_SIZE);
		reply_fini(&r);
	}
	if (err != 0)
		err = call_ask_failed(c, &a, err);
	ask_close(&a);
	return err;
}

static int
verify_files(struct call *c, const char *path, const char *signature_path, const struct root *root)
{
	char why[VERIFY_WHY_SIZE], hex[DIGEST_HEX_SIZE];
	struct verify v = {.root_pk = root->pk, .mesh = root->mesh, .now = (uint64_t)time(NULL)};
	struct signature s;
	struct buf text;
	int fd = -1, err, status;

	buf_init(&text, SIGN_TEXT_MAX);
	err = files_read(signature_path, &text);
	if (err != 0) {
		status = call_fail(c, "%s: %s", signature_path,
		        err == IM_ERR_SYSTEM  ? strerror(errno)
		        : err == IM_ERR_LIMIT ? "too long for a signature"
		                              : "there is no signature; 'icemesh toolchain create "
		                                "-o' writes one");
		goto out;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		status = call_fail(c, "%s: %s", path, strerror(errno));
		goto out;
	}
	v.text = (const char *)text.data;
	v.len = text.len;
	err = verify_toolchain(fd, &v, &s, why);
	if (err != 0) {
		status = call_fail(c, "%s: %s", path, why);
		goto out;
	}
	digest_hex(&s.digest, hex);
	call_say(c, "%s: good", path);
	call_say(c, "digest      %s", hex);
	call_say(c, "size        %" PRIu64, s.size);
	call_say(c, "signed by   %s, %s of mesh '%s'", s.signer.name,
	        (s.signer.roles & ROLE_SIGNER) != 0 ? "a signer" : "a member", root->mesh);
	status = CALL_DONE;
out:
	if (fd >= 0)
		close(fd);
	buf_fini(&text);
	return status;
}

static int
verify(struct call *c, int argc, char **argv)
{
	const char *words[2] = {NULL, NULL};
	char signature[FILES_PATH_SIZE];
	struct root root;
	struct opts o;
	int got, n = 0;

	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, NULL, 0)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (n == 2)
			return call_usage(c, "unexpected word '%.80s'", o.value);
		words[n++] = o.value;
	}
	if (n == 0)
		return call_usage(c, "toolchain verify: name a tarball");
	if (n == 1) {
		got = snprintf(signature, sizeof signature, "%s%s", words[0], SIGNATURE_SUFFIX);
		if (got < 0 || (size_t)got >= sizeof signature)
			return call_fail(c, "%s: %s", words[0], strerror(ENAMETOOLONG));
		words[1] = signature;
	}
	if (access(words[0], R_OK) != 0)
		return call_fail(c, "%s: %s", words[0], strerror(errno));
	if (ask_root(c, &root) != CALL_DONE)
		return CALL_FAILED;
	return verify_files(c, words[0], words[1], &root);
}

int
cmd_toolchain(struct call *c, int argc, char **argv)
{
	if (argc < 2)
		return call_usage(c, "toolchain: say create, list or verify");
	if (strcmp(argv[1], "create") == 0)
		return create(c, argc - 1, argv + 1);
	if (strcmp(argv[1], "list") == 0)
		return list(c, argc - 1, argv + 1);
	if (strcmp(argv[1], "verify") == 0)
		return verify(c, argc - 1, argv + 1);
	return call_usage(
	        c, "toolchain: unknown word '%.80s'; say create, list or verify", argv[1]);
}
