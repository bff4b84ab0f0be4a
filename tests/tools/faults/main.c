/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "runtime/base/str.h"
#include "tests/tools/faults/faults.h"

static const char usage[] =
	"faults matrix [N [PLACE]]   N injected faults, spread over all places (or one of them)\n"
	"faults boot N               the same for the birth of a shim\n"
	"faults scenarios [SECONDS [FIRST]]  what hangs, and what there is too much or too little "
	"of\n"
	"faults soak LIVES PER-SHIM  lives one after the other, each shim serving so many\n"
	"faults crowd [P [C [E]]]    P pods, C containers of one pod, E execs at once\n"
	"faults hostile SECONDS N    noise over the socket, N connections of each kind\n"
	"faults at PID STEP VICTIM   when PID is at its STEP-th call, VICTIM is killed\n"
	"The surroundings are in FAULTS_BIN, FAULTS_DIR, FAULTS_ROOT, FAULTS_NAMESPACE,\n"
	"FAULTS_CONTAINERD, FAULTS_ENGINE and FAULTS_FOREIGN; tests/tools/faults/lib.sh sets "
	"them.\n";

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void pause_ms(unsigned int ms)
{
	const struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

void loss(struct tally *t, const char *fmt, ...)
{
	va_list args;

	t->losses++;
	va_start(args, fmt);
	printf("LOSS: ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

unsigned int spread(unsigned int i, unsigned int n, unsigned int steps)
{
	return n >= steps ? i + 1 : 1 + (2 * i + 1) * steps / (2 * n);
}

static const char *from_environment(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static int world_init(struct world *w, struct err *err)
{
	*w = (struct world){
		.bin = from_environment("FAULTS_BIN"),
		.dir = from_environment("FAULTS_DIR"),
		.root = from_environment("FAULTS_ROOT"),
		.foreign = from_environment("FAULTS_FOREIGN"),
		.ns = from_environment("FAULTS_NAMESPACE"),
		.grpc = from_environment("FAULTS_CONTAINERD"),
		.engine = from_environment("FAULTS_ENGINE"),
	};
	if (!*w->bin || !*w->dir || !*w->root || !*w->ns || !*w->grpc || !*w->engine)
		return err_set(err, ERR_INVALID, "one of FAULTS_... is not set");
	str_fmt(w->shim, sizeof(w->shim), "%s/containerd-shim-crossarch-v2", w->bin);
	if (!str_fmt(w->events, sizeof(w->events), "%s/events.sock", w->dir))
		return err_set(err, ERR_INVALID, "FAULTS_DIR is too long");
	signal(SIGPIPE, SIG_IGN);
	/* The resident shims become ours when their `start` ends, and so does what they leave. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, ERR_IO, "become a subreaper");
	return sink_new(w, err);
}

static const struct {
	const char *name;
	command *run;
} commands[] = {
	{ "matrix", cmd_matrix },   { "boot", cmd_boot },   { "scenarios", cmd_scenarios },
	{ "soak", cmd_soak },	    { "crowd", cmd_crowd }, { "at", cmd_at },
	{ "hostile", cmd_hostile },
};

int main(int argc, char **argv)
{
	struct world w = { .sink = NULL };
	struct err err = ERR_INIT;
	int rc = -1;

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (!str_eq(argv[1], commands[i].name))
			continue;
		/* Watching a shim needs no world around it. */
		rc = commands[i].run == cmd_at ? 0 : world_init(&w, &err);
		if (rc == 0)
			rc = commands[i].run(&w, argc - 1, argv + 1, &err);
		sink_free(&w);
		if (rc < 0)
			fprintf(stderr, "faults: %s\n", err.text);
		return rc < 0;
	}
	fputs(usage, stderr);
	return 2;
}
