#include "mesh/interface.h"

#include <string.h>

/* Names of interfaces that never lead to a peer's machine, unless configuration names them. */
static bool
is_virtual(const char *name)
{
	static const char *const prefixes[] = {
	        "docker", "veth", "br-", "virbr", "lxc", "tun", "tap"};
	for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

bool
interface_wanted(const char *list, const char *name)
{
	size_t len = strlen(name);
	if (strcmp(list, "all") == 0 || !*list)
		return !is_virtual(name);
	for (const char *p = list; *p;) {
		p += strspn(p, ", ");
		size_t n = strcspn(p, ", ");
		if (n == len && memcmp(p, name, n) == 0)
			return true;
		p += n;
	}
	return false;
}
