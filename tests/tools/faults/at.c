/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <unistd.h>

#include "tests/tools/faults/faults.h"

/* For the shell: a running shim is watched, and when it is at a step somebody is killed. */
int cmd_at(struct world *w, int argc, char **argv, struct err *err)
{
	struct fault f = { .role = ROLE_SELF, .action = ACT_KILL };
	struct trace t = { .tracer = 0 };
	struct traced seen;
	sigset_t end;
	int sig;

	(void)w;
	if (argc < 4)
		return err_set(err, ERR_INVALID, "at PID STEP VICTIM");
	f.step = (unsigned int)atoi(argv[2]);
	f.victim = atoi(argv[3]);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	if (trace_begin(&t, atoi(argv[1]), &f, err) < 0)
		return -1;
	printf("ready\n");
	fflush(stdout);
	sigwait(&end, &sig);
	trace_end(&t, &seen);
	printf("%s at %s, %u steps\n", seen.fired ? "fired" : "not reached", seen.call,
	       seen.steps[ACT_KILL]);
	return 0;
}
