#include "mesh/install.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exec/toolchain.h"
#include "mesh/helper.h"
#include "mesh/identity.h"
#include "mesh/room.h"
#include "mesh/serve.h"

struct install {
	struct node *node;
	struct signature sig;
	char text[SIGN_TEXT_MAX];
	struct store_file *file;
	char hex[DIGEST_HEX_SIZE];
};

/* Turns an error of the signature check into words that name the cause and the remedy. */
static void
explain_signature(int err, const char *hex, enum wire_error *code, char *why)
{
	*code = WERR_SIGNATURE;
	if (err == IM_ERR_UNKNOWN_KEY) {
		*code = WERR_KEY;
		snprintf(why, 256,
		        "toolchain %.12s: signed by an unknown key: no member of this mesh vouches "
		        "for it",
		        hex);
	} else if (err == IM_ERR_EXPIRED) {
		*code = WERR_KEY;
		snprintf(why, 256,
		        "toolchain %.12s: its signer's certificate is outside its lifetime: pack "
		        "it again on a current member",
		        hex);
	} else if (err == IM_ERR_FORMAT) {
		snprintf(why, 256, "toolchain %.12s: the signature is malformed", hex);
	} else {
		snprintf(why, 256, "toolchain %.12s: the signature does not verify", hex);
	}
}

struct install *
install_new(struct node *n, const struct digest *d, uint64_t size, const char *sig,
        enum wire_error *code, char *why)
{
	struct signature s;
	char hex[DIGEST_HEX_SIZE];
	digest_hex(d, hex);
	int err = sign_check(
	        &s, sig, strlen(sig), identity_conn(n->identity)->root_pk, wall_seconds());
	if (err < 0) {
		explain_signature(err, hex, code, why);
		return NULL;
	}
	*code = WERR_SIGNATURE;
	if (!digest_equal(&s.digest, d) || s.size != size) {
		snprintf(why, 256, "toolchain %.12s: the signature is for another toolchain", hex);
		return NULL;
	}
	if (!(s.signer.roles &
	            (identity_cert(n->identity) ? ROLE_WORKER | ROLE_SIGNER : ROLE_SIGNER))) {
		*code = WERR_KEY;
		snprintf(why, 256, "toolchain %.12s: %.60s may not sign toolchains for this node",
		        hex, s.signer.name);
		return NULL;
	}
	*code = WERR_LIMIT;
	if (size > TOOLCHAIN_PACKED_MAX) {
		snprintf(why, 256, "toolchain %.12s: %llu bytes are more than the limit", hex,
		        (unsigned long long)size);
		return NULL;
	}
	if (room_make(n, size, NULL) < 0) {
		*code = WERR_REFUSED;
		snprintf(why, 256, "toolchain %.12s: store_size leaves no room for it", hex);
		return NULL;
	}
	struct install *i = calloc(1, sizeof *i);
	if (i)
		i->file = store_file_new(n->store, size);
	if (!i || !i->file) {
		*code = WERR_DISK;
		snprintf(why, 256, "toolchain %.12s: no room in the store: %s", hex,
		        strerror(errno));
		free(i);
		return NULL;
	}
	i->node = n;
	i->sig = s;
	snprintf(i->text, sizeof i->text, "%s", sig);
	memcpy(i->hex, hex, sizeof hex);
	return i;
}

void
install_free(struct install *i)
{
	if (!i)
		return;
	store_file_drop(i->file);
	free(i);
}

int
install_add(struct install *i, const void *bytes, size_t len, enum wire_error *code, char *why)
{
	int err = store_file_add(i->file, bytes, len);
	if (err == IM_ERR_LIMIT) {
		*code = WERR_LIMIT;
		snprintf(why, 256, "toolchain %.12s: more bytes than its signature says", i->hex);
	} else if (err < 0) {
		*code = WERR_DISK;
		snprintf(
		        why, 256, "toolchain %.12s: cannot be stored: %s", i->hex, strerror(errno));
	}
	return err;
}

int
install_finish(struct install *i, enum wire_error *code, char *why)
{
	struct digest d;
	uint64_t size;
	uint8_t prehash[PREHASH_LEN];
	store_file_sum(i->file, &d, &size, prehash);
	*code = WERR_DIGEST;
	if (size != i->sig.size) {
		snprintf(why, 256, "toolchain %.12s: truncated: %llu of %llu bytes", i->hex,
		        (unsigned long long)size, (unsigned long long)i->sig.size);
		return IM_ERR_TRUNCATED;
	}
	if (!digest_equal(&d, &i->sig.digest)) {
		snprintf(why, 256, "toolchain %.12s: digest differs: the tarball was altered",
		        i->hex);
		return IM_ERR_DIGEST;
	}
	*code = WERR_SIGNATURE;
	int err = sign_check_content(&i->sig, prehash);
	if (err < 0) {
		snprintf(why, 256, "toolchain %.12s: the signature does not verify", i->hex);
		return err;
	}
	err = store_file_keep(i->file, &d, i->text);
	i->file = NULL;
	if (err < 0) {
		*code = WERR_DISK;
		snprintf(why, 256, "toolchain %.12s: cannot be stored: %s", i->hex,
		        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	}
	return err;
}

struct unpacking {
	struct node *node;
	struct digest digest;
	install_unpacked done;
	void *arg;
};

static void
on_unpacked(void *arg, const struct pipe_msg *m, int *fds, unsigned nfds)
{
	struct unpacking *w = arg;
	for (unsigned i = 0; i < nfds; i++)
		close(fds[i]);
	struct toolchain *t = store_find(w->node->store, &w->digest);
	char hex[DIGEST_HEX_SIZE], why[256] = "";
	digest_hex(&w->digest, hex);
	if (t) {
		t->unpacking = false;
		t->failed = m->err != 0;
		t->used_ms = loop_now_ms();
		if (m->err == 0)
			store_unpacked(w->node->store, t);
		/* what is in use stays; then the next one has to wait until there is room */
		if (room_make(w->node, 0, &w->digest) < 0)
			log_debug(&w->node->log, "the store is larger than store_size");
	}
	if (m->err) {
		snprintf(why, sizeof why, "toolchain %.12s: cannot be unpacked: %.*s", hex, 200,
		        m->text);
		log_warn(&w->node->log, "%s", why);
	} else {
		log_info(&w->node->log, "toolchain %.12s is ready", hex);
	}
	if (w->done)
		w->done(w->arg, m->err, why);
	if (m->err == 0 && w->node->serve)
		serve_toolchains_changed(w->node->serve);
	free(w);
}

void
install_forget(struct unpacking *u)
{
	if (u)
		u->done = NULL;
}

struct unpacking *
install_unpack(struct node *n, const struct digest *d, install_unpacked done, void *arg)
{
	struct toolchain *t = store_find(n->store, d);
	struct unpacking *w;
	const char *why = "the tarball is not in the store";
	int fd = -1, err = t ? 0 : IM_ERR_ABSENT;
	if (t && t->unpacked) {
		if (done)
			done(arg, 0, "");
		return NULL;
	}
	if (err == 0 && (err = store_tarball(n->store, d, &fd)) == 0) {
		why = "the helper does not answer";
		err = IM_ERR_SYSTEM;
		w = calloc(1, sizeof *w);
		if (w)
			*w = (struct unpacking){n, *d, done, arg};
		if (w && helper_ask(n->helper, PIPE_UNPACK, d, &fd, 1, on_unpacked, w)) {
			t->unpacking = true;
			close(fd);
			return w;
		}
		free(w);
		close(fd);
	}
	if (done)
		done(arg, err, why);
	return NULL;
}
