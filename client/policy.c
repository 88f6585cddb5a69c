#include "client/policy.h"

bool
policy_local(const struct policy *p)
{
	return p->busy && p->input_ready && !p->remote_only &&
	       p->busy_ms >= (p->cold ? POLICY_PATIENCE_COLD_MS : POLICY_PATIENCE_MS);
}
