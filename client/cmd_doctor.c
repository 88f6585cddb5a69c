#include "client/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "client/doctor.h"

#define PROC "/proc"

/* The daemon's own findings; without it the rest still says something. */
static void
check_daemon(struct doctor *d)
{
	struct ask_command q = {.type = CONTROL_STATUS, .pass_fd = -1, .timeout_ms = ASK_MS};
	struct status s;
	struct reply r;
	struct ask a;
	int err = ask_open(&a, d->config);

	if (err == IM_ERR_SYSTEM) {
		doctor_bad(d, "socket_mode in the daemon's icemesh.conf(5) says who may use it",
		        "the daemon at %s: %s", a.where, strerror(errno));
		return;
	}
	if (err != 0) {
		doctor_bad(d, "start it with 'icemeshd', 'icemesh init' or 'icemesh join'",
		        "no daemon answers at %s", a.where);
		return;
	}
	err = ask_daemon(&a, &q, &r);
	if (err == 0) {
		err = status_decode(&s, packet_root(r.packet));
		reply_fini(&r);
	}
	if (err != 0) {
		doctor_bad(d, "its log says why; restart it",
		        "the daemon at %s does not answer well: %s", a.where,
		        err == IM_ERR_REFUSED ? a.error : im_strerror(err));
	} else {
		doctor_status(d, &s);
		status_fini(&s);
	}
	ask_close(&a);
}

int
cmd_doctor(struct call *c, int argc, char **argv)
{
	static void (*const checks[])(struct doctor *) = {
	        doctor_programs,
	        doctor_compilers,
	        doctor_links,
	        doctor_slots,
	        check_daemon,
	        doctor_namespaces,
	        doctor_overlay,
	        doctor_network,
	        doctor_clock,
	        doctor_files,
	        doctor_room,
	};
	struct doctor d = {.config = &c->config,
	        .proc = PROC,
	        .path = getenv("PATH"),
	        .now = (uint64_t)time(NULL),
	        .out = &c->out};
	char why[CONFIG_VALUE_SIZE + 256] = "";

	if (argc > 1)
		return call_usage(c, "unexpected word '%.80s'", argv[1]);
	if (config_load(&c->config, config_scope(), why, sizeof why) != 0) {
		doctor_bad(
		        &d, "correct it; icemesh.conf(5) lists the keys", "configuration: %s", why);
		config_defaults(&c->config, config_scope());
	} else {
		doctor_ok(&d, "the configuration can be read");
	}
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		checks[i](&d);
		call_flush(c);
	}
	if (d.bad == 0) {
		call_say(c, "Nothing keeps this node from working.");
		return CALL_DONE;
	}
	call_say(c, "%u finding%s in the way.", d.bad, d.bad == 1 ? " is" : "s are");
	return CALL_FAILED;
}
