#include "mesh/places.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The absolute directory that a variable names, else NULL. */
static const char *
env_dir(const char *variable)
{
	const char *dir = getenv(variable);

	return dir && dir[0] == '/' ? dir : NULL;
}

const char *
place_home(void)
{
	/* Only without $HOME is the user database asked, which can be slow. */
	const char *home = env_dir("HOME");
	struct passwd *pw = home ? NULL : getpwuid(geteuid());

	if (home)
		return home;
	return pw && pw->pw_dir[0] == '/' ? pw->pw_dir : "/";
}

void
place_user_dir(char out[PLACE_SIZE], const char *variable, const char *fallback)
{
	const char *base = env_dir(variable);
	int n;

	if (base)
		n = snprintf(out, PLACE_SIZE, "%s/icemesh", base);
	else
		n = snprintf(out, PLACE_SIZE, "%s/%s/icemesh", place_home(), fallback);
	if (n < 0 || n >= PLACE_SIZE)
		out[0] = 0;
}

bool
place_user_socket(char out[PLACE_SIZE])
{
	const char *runtime = env_dir("XDG_RUNTIME_DIR");
	struct stat st;
	char dir[64];

	if (runtime && strlen(runtime) + sizeof("/icemesh.sock") <= PLACE_SOCKET_SIZE) {
		snprintf(out, PLACE_SIZE, "%s/icemesh.sock", runtime);
		return true;
	}
	snprintf(dir, sizeof(dir), "/tmp/icemesh-%u", (unsigned)geteuid());
	snprintf(out, PLACE_SIZE, "%s/icemesh.sock", dir);
	return !lstat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 022);
}
