#include "crypto/err.h"

const char *
im_strerror(int err)
{
	switch (err) {
	case 0:
		return "no error";
	case IM_ERR_MEMORY:
		return "out of memory";
	case IM_ERR_SYSTEM:
		return "system call failed";
	case IM_ERR_FORMAT:
		return "malformed";
	case IM_ERR_LIMIT:
		return "larger than allowed";
	case IM_ERR_TRUNCATED:
		return "truncated";
	case IM_ERR_SIGNATURE:
		return "signature does not verify";
	case IM_ERR_UNKNOWN_KEY:
		return "signature by unknown key";
	case IM_ERR_OTHER_MESH:
		return "belongs to another mesh";
	case IM_ERR_EXPIRED:
		return "outside its lifetime";
	case IM_ERR_DIGEST:
		return "content does not match its digest";
	case IM_ERR_REPLAY:
		return "replayed or out of date";
	case IM_ERR_VERSION:
		return "unknown version or mandatory field";
	case IM_ERR_ROLE:
		return "certificate lacks the role";
	case IM_ERR_EXISTS:
		return "exists already";
	case IM_ERR_ABSENT:
		return "not found";
	case IM_ERR_REFUSED:
		return "refused";
	case IM_ERR_CLOSED:
		return "connection closed";
	case IM_ERR_TIMEOUT:
		return "timed out";
	case IM_ERR_UNSUPPORTED:
		return "not supported here";
	default:
		return "unknown error";
	}
}
