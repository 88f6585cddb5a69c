#include "client/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "client/amount.h"

#define BORN_S 1735689600ULL    /* 2025-01-01: no certificate of any mesh is older */
#define FILES_LEAST 1024        /* open files that a daemon with some peers needs */
#define ROOM_LEAST (1ULL << 30) /* bytes in the store for a toolchain and its unpacked form */

/* The number in a file below proc; -1 when there is none. */
static long
read_number(const struct doctor *d, const char *name)
{
	char path[256], text[32] = "", *end;
	FILE *f;
	long v;

	snprintf(path, sizeof path, "%s/%s", d->proc, name);
	f = fopen(path, "re");
	if (f == NULL)
		return -1;
	if (fgets(text, sizeof text, f) == NULL)
		text[0] = 0;
	fclose(f);
	v = strtol(text, &end, 10);
	return end != text ? v : -1;
}

/* Tries it, in a child: what the settings below mean differs from kernel to kernel. */
static bool
can_unshare(void)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? 0 : 1);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

void
doctor_namespaces(struct doctor *d)
{
	static const char what[] =
	        "user namespaces are switched off, so no job of others can run here";

	if (read_number(d, "sys/user/max_user_namespaces") == 0)
		doctor_bad(d, "sysctl -w user.max_user_namespaces=15000",
		        "%s (user.max_user_namespaces is 0)", what);
	else if (read_number(d, "sys/kernel/unprivileged_userns_clone") == 0)
		doctor_bad(d, "sysctl -w kernel.unprivileged_userns_clone=1",
		        "%s (kernel.unprivileged_userns_clone is 0)", what);
	else if (!can_unshare() &&
	         read_number(d, "sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		doctor_bad(d,
		        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor "
		        "profile for icemesh-exec",
		        "%s (AppArmor restricts them)", what);
	else if (!can_unshare())
		doctor_bad(d, "allow them, or run icemeshd outside this container",
		        "user namespaces cannot be made here");
	else
		doctor_ok(d, "user namespaces are allowed");
}

void
doctor_overlay(struct doctor *d)
{
	char path[256], line[128];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof path, "%s/filesystems", d->proc);
	f = fopen(path, "re");
	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = strstr(line, "\toverlay\n") != NULL;
	if (f != NULL)
		fclose(f);
	if (found)
		doctor_ok(d, "overlayfs is available");
	else
		doctor_bad(d, "modprobe overlay, and have it loaded at boot",
		        "the kernel has no overlayfs, which the sandbox needs");
}

void
doctor_network(struct doctor *d)
{
	struct ifaddrs *list = NULL;
	const char *name = NULL;
	bool multicast_off =
	        strcmp(d->config->group, "off") == 0 && strcmp(d->config->group6, "off") == 0;

	if (getifaddrs(&list) != 0)
		list = NULL;
	for (struct ifaddrs *i = list; i != NULL && name == NULL; i = i->ifa_next)
		if ((i->ifa_flags & IFF_UP) && (i->ifa_flags & IFF_MULTICAST) &&
		        !(i->ifa_flags & IFF_LOOPBACK))
			name = i->ifa_name;
	if (d->config->seeds[0] != 0)
		doctor_ok(d, "peers are asked at %s", d->config->seeds);
	else if (multicast_off)
		doctor_note(d, "set seeds in icemesh.conf(5), or pass --seed to 'icemesh join'",
		        "multicast is switched off and no seeds are set: peers are known only from "
		        "tokens and earlier runs");
	else if (name != NULL)
		doctor_ok(d, "%s can do multicast", name);
	else
		doctor_note(d, "bring a network interface up, or set seeds in icemesh.conf(5)",
		        "no network interface can do multicast");
	freeifaddrs(list);
}

void
doctor_clock(struct doctor *d)
{
	if (d->now < BORN_S)
		doctor_bad(d, "set the clock (timedatectl set-ntp true, or date -s)",
		        "the clock is years behind, so certificates look not yet valid");
	else
		doctor_ok(d, "the clock is plausible");
}

void
doctor_files(struct doctor *d)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max >= FILES_LEAST)
		doctor_ok(d, "enough open files are allowed");
	else
		doctor_bad(d, "raise it: LimitNOFILE= in the service, or ulimit -Hn",
		        "only %llu open files are allowed, and a daemon needs %d",
		        (unsigned long long)limit.rlim_max, FILES_LEAST);
}

/* The folder itself, or the nearest one above it that is there. */
static int
statvfs_above(const char *folder, struct statvfs *out)
{
	char path[CONFIG_VALUE_SIZE], *slash;

	snprintf(path, sizeof path, "%s", folder);
	while (statvfs(path, out) != 0) {
		slash = strrchr(path, '/');
		if (slash == NULL)
			return IM_ERR_SYSTEM;
		if (slash == path)
			return statvfs("/", out) == 0 ? 0 : IM_ERR_SYSTEM;
		*slash = 0;
	}
	return 0;
}

void
doctor_room(struct doctor *d)
{
	char room[AMOUNT_SIZE], least[AMOUNT_SIZE];
	struct statvfs fs;
	uint64_t available;

	if (statvfs_above(d->config->store_dir, &fs) != 0) {
		doctor_bad(d, "set store_dir in icemesh.conf(5)", "%s cannot be looked at: %s",
		        d->config->store_dir, strerror(errno));
		return;
	}
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	amount_bytes(available, room);
	amount_bytes(ROOM_LEAST, least);
	if (available < ROOM_LEAST)
		doctor_bad(d,
		        "free some room, or set store_dir in icemesh.conf(5) to a larger disk",
		        "only %s are free for %s; toolchains need %s", room, d->config->store_dir,
		        least);
	else
		doctor_ok(d, "%s are free for %s", room, d->config->store_dir);
}
