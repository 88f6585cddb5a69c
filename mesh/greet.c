#include "mesh/greet.h"

#include <string.h>

#define REFUSAL_LEN 3 /* u16 0 | u8 enum wire_refusal */

static const struct mesh_id none;

void
greet_init(struct greeting *g, const struct conn_identity *id, bool initiator)
{
	*g = (struct greeting){.id = id, .initiator = initiator};
	g->stranger = initiator && memcmp(id->mesh.bytes, none.bytes, MESH_ID_LEN) == 0;
}

void
greet_fini(struct greeting *g)
{
	handshake_free(g->noise);
	g->noise = NULL;
	explicit_bzero(g->recv_key, sizeof g->recv_key);
}

static int
start_noise(struct greeting *g)
{
	uint8_t prologue[sizeof WIRE_PROLOGUE - 1 + MESH_ID_LEN];
	memcpy(prologue, WIRE_PROLOGUE, sizeof WIRE_PROLOGUE - 1);
	memcpy(prologue + sizeof WIRE_PROLOGUE - 1, g->stranger ? none.bytes : g->id->mesh.bytes,
	        MESH_ID_LEN);
	g->noise = handshake_new(g->initiator, g->id->key->dh_pk, g->id->key->dh_sk, prologue,
	        sizeof prologue, NULL);
	g->step = GREET_MESSAGES;
	return g->noise ? 0 : IM_ERR_MEMORY;
}

static int
send_noise(struct greeting *g, struct buf *out)
{
	struct buf payload, message;
	buf_init(&payload, NOISE_MESSAGE_MAX);
	buf_init(&message, NOISE_MESSAGE_MAX);
	/* nothing of ours goes into the first message, which is in clear */
	if (!g->initiator || handshake_peer(g->noise))
		wire_payload_encode(&payload, g->id->cert, g->id->cert_len);
	int err = buf_err(&payload);
	if (err == 0)
		err = handshake_write(g->noise, payload.data, payload.len, &message);
	if (err == 0) {
		buf_put_u16(out, (uint16_t)message.len);
		buf_put(out, message.data, message.len);
		err = buf_err(out);
	}
	buf_fini(&payload);
	buf_fini(&message);
	return err;
}

int
greet_begin(struct greeting *g, struct buf *out)
{
	buf_put(out, WIRE_MAGIC, 4);
	buf_put(out, g->id->mesh.bytes, MESH_ID_LEN);
	int err = start_noise(g);
	return err < 0 ? err : send_noise(g, out);
}

/* Both sides: the handshake is over; the stream keys are made and our stream's header goes out. */
static int
start_channel(struct greeting *g, struct channel *ch, struct buf *out)
{
	uint8_t send_key[32], header[CHANNEL_HEADER_LEN];
	handshake_split(g->noise, send_key, g->recv_key);
	memcpy(g->hash, handshake_hash(g->noise), sizeof g->hash);
	handshake_free(g->noise);
	g->noise = NULL;
	channel_start_send(ch, send_key, header);
	explicit_bzero(send_key, sizeof send_key);
	buf_put(out, header, sizeof header);
	g->step = GREET_HEADER;
	return buf_err(out);
}

static void
refuse(struct buf *out, enum wire_refusal code)
{
	buf_put_u16(out, 0);
	buf_put_u8(out, (uint8_t)code);
}

static const char *
refusal_text(uint8_t code)
{
	switch (code) {
	case REFUSE_MESH:
		return "the peer belongs to another mesh";
	case REFUSE_VERSION:
		return "the peer speaks another version of the protocol";
	case REFUSE_BUSY:
		return "the peer takes no more connections now";
	case REFUSE_CERT:
		return "the peer does not accept this node's certificate";
	default:
		return "the peer refused the connection";
	}
}

static const char *
payload_text(int err)
{
	switch (err) {
	case IM_ERR_OTHER_MESH:
	case IM_ERR_UNKNOWN_KEY:
		return "certificate is not signed by this mesh's root";
	case IM_ERR_EXPIRED:
		return "certificate is outside its lifetime: check both clocks, or join anew";
	case IM_ERR_SIGNATURE:
		return "certificate does not belong to the key of the handshake";
	case IM_ERR_VERSION:
		return "handshake holds what only a newer version understands";
	case IM_ERR_MEMORY:
		return "out of memory";
	default:
		return "handshake holds something that is no certificate";
	}
}

/* Checks the peer's handshake payload: a certificate of our mesh for the very key it shook hands with, or none. */
static int
check_payload(struct greeting *g, const struct buf *payload)
{
	const uint8_t *bytes;
	struct cert cert;
	size_t len;
	int err = wire_payload_decode(payload->data, payload->len, &bytes, &len);
	if (err < 0 || len == 0 || g->stranger)
		return err;
	err = cert_check(&cert, bytes, len, g->id->root_pk, g->id->wall_s());
	if (err < 0)
		return err == IM_ERR_SIGNATURE ? IM_ERR_UNKNOWN_KEY : err;
	if (memcmp(cert.dh_pk, handshake_peer(g->noise), DH_LEN) != 0)
		return IM_ERR_SIGNATURE;
	g->cert = cert;
	g->has_cert = true;
	return 0;
}

static int
take_preamble(struct greeting *g, struct buf *in, struct buf *out, const char **why)
{
	if (in->len < WIRE_PREAMBLE_LEN)
		return 0;
	if (memcmp(in->data, WIRE_MAGIC, 4) != 0) {
		refuse(out, REFUSE_VERSION);
		*why = "not an icemesh connection, or another version of the protocol";
		return IM_ERR_VERSION;
	}
	g->stranger = memcmp(in->data + 4, none.bytes, MESH_ID_LEN) == 0;
	if (!g->stranger && memcmp(in->data + 4, g->id->mesh.bytes, MESH_ID_LEN) != 0) {
		refuse(out, REFUSE_MESH);
		*why = "asks for another mesh than this node's";
		return IM_ERR_OTHER_MESH;
	}
	buf_consume(in, WIRE_PREAMBLE_LEN);
	int err = start_noise(g);
	return err < 0 ? err : 1;
}

static int
read_noise(struct greeting *g, const uint8_t *bytes, size_t len, struct buf *out, const char **why)
{
	struct buf payload;
	buf_init(&payload, NOISE_MESSAGE_MAX);
	int err = handshake_read(g->noise, bytes, len, &payload);
	if (err < 0) {
		*why = "handshake does not verify: another mesh, altered bytes, or not icemesh";
	} else if (handshake_peer(g->noise) && (err = check_payload(g, &payload)) < 0) {
		*why = payload_text(err);
		if (!g->initiator)
			refuse(out, REFUSE_CERT);
	}
	buf_fini(&payload);
	return err;
}

static int
take_message(
        struct greeting *g, struct channel *ch, struct buf *in, struct buf *out, const char **why)
{
	if (in->len < 2)
		return 0;
	size_t len = get_u16(in->data);
	if (len == 0 && in->len >= REFUSAL_LEN) {
		*why = refusal_text(in->data[2]);
		return IM_ERR_REFUSED;
	}
	if (len > NOISE_MESSAGE_MAX) {
		*why = "handshake message too long";
		return IM_ERR_LIMIT;
	}
	if (len == 0 || in->len < 2 + len)
		return 0;
	int err = read_noise(g, in->data + 2, len, out, why);
	if (err < 0)
		return err;
	buf_consume(in, 2 + len);
	if (!handshake_done(g->noise) && handshake_writes(g->noise) &&
	        (err = send_noise(g, out)) < 0)
		return err;
	if (handshake_done(g->noise) && (err = start_channel(g, ch, out)) < 0)
		return err;
	return 1;
}

static int
take_header(struct greeting *g, struct channel *ch, struct buf *in, const char **why)
{
	if (in->len < CHANNEL_HEADER_LEN)
		return 0;
	int err = channel_start_recv(ch, g->recv_key, in->data);
	explicit_bzero(g->recv_key, sizeof g->recv_key);
	if (err < 0) {
		*why = "stream header does not fit";
		return err;
	}
	buf_consume(in, CHANNEL_HEADER_LEN);
	g->step = GREET_DONE;
	return 1;
}

int
greet_take(
        struct greeting *g, struct channel *ch, struct buf *in, struct buf *out, const char **why)
{
	*why = "out of memory";
	switch (g->step) {
	case GREET_PREAMBLE:
		return take_preamble(g, in, out, why);
	case GREET_MESSAGES:
		return take_message(g, ch, in, out, why);
	case GREET_HEADER:
		return take_header(g, ch, in, why);
	default:
		return 0;
	}
}

/* The responder finds fault with our certificate only after our last message, when we wait for its stream header already. */
int
greet_ended(const struct greeting *g, const struct buf *in, const char **why)
{
	if (g->step == GREET_HEADER && in->len == REFUSAL_LEN && get_u16(in->data) == 0) {
		*why = refusal_text(in->data[2]);
		return IM_ERR_REFUSED;
	}
	*why = in->len ? "truncated handshake: the connection ended in its middle"
	               : "connection closed by the peer during the handshake";
	return in->len ? IM_ERR_TRUNCATED : IM_ERR_CLOSED;
}
