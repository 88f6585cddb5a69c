/*
 * Errors that cross module borders: negative IM_ERR_* values, 0 is success.
 *
 * A function that can fail returns int and leaves its out-parameters untouched on error.  The text
 * of im_strerror() is a bare cause ("signature does not verify"); whoever reports it adds what and
 * where.
 */
#ifndef CRYPTO_ERR_H
#define CRYPTO_ERR_H

#define IM_MUST __attribute__((warn_unused_result))

enum im_err {
	IM_ERR_MEMORY = -1,      /* allocation failed */
	IM_ERR_SYSTEM = -2,      /* a system call failed; errno says which way */
	IM_ERR_FORMAT = -3,      /* bytes that are not what they claim to be */
	IM_ERR_LIMIT = -4,       /* a named limit would be exceeded */
	IM_ERR_TRUNCATED = -5,   /* the bytes end too early */
	IM_ERR_SIGNATURE = -6,   /* a signature or a MAC does not verify */
	IM_ERR_UNKNOWN_KEY = -7, /* signed by a key that nobody vouched for */
	IM_ERR_OTHER_MESH = -8,  /* belongs to another mesh */
	IM_ERR_EXPIRED = -9,     /* outside its lifetime */
	IM_ERR_DIGEST = -10,     /* content does not match its digest */
	IM_ERR_REPLAY = -11,     /* seen before, or older than what was seen */
	IM_ERR_VERSION = -12,    /* speaks another version, or holds an unknown mandatory field */
	IM_ERR_ROLE = -13,       /* the certificate lacks the role */
	IM_ERR_EXISTS = -14,     /* there already, and never overwritten */
	IM_ERR_ABSENT = -15,     /* not there */
	IM_ERR_REFUSED = -16,    /* the other side said no */
	IM_ERR_CLOSED = -17,     /* the other side is gone */
	IM_ERR_TIMEOUT = -18,    /* a deadline passed */
	IM_ERR_UNSUPPORTED = -19 /* this machine or this build cannot do it */
};

/* The cause in a few lower-case words, without newline; static storage. */
const char *im_strerror(int err);

#endif
