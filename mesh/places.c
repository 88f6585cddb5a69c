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

/* The user's home by /etc/passwd.  getpwuid() would bring the whole name service into the wrapper. */
static const char *
passwd_home(void)
{
	static char home[PLACE_SIZE];
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *pw;

	while (file && !home[0] && (pw = fgetpwent(file)) != NULL)
		if (pw->pw_uid == geteuid() && pw->pw_dir[0] == '/')
			snprintf(home, sizeof(home), "%s", pw->pw_dir);
	if (file)
		fclose(file);
	return home[0] ? home : "/";
}

const char *
place_home(void)
{
	const char *home = env_dir("HOME");

	return home ? home : passwd_home();
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
