/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "runtime/base/buf.h"
#include "tests/fuzz/sequence/model.h"
#include "tests/fuzz/sequence/stub.h"

/*
 * The shim's service in a process of its own, everything around it here: two clients, the receiver
 * of its events, and whatever it starts.
 */
#define W_CLIENTS 2
#define W_CALLS 48
#define W_STRAYS 64
#define W_CODES 17
/* Of an exec's process: what goes through the gate, and what is too much for it. */
#define W_SMALL 40
#define W_BIG 60000

struct peer {
	int fd;
	struct buf in;
};

struct stray {
	int fd;
	pid_t pid;
};

struct strays {
	struct stray v[W_STRAYS];
	unsigned int n;
};

/* What all episodes together came across; shared between them. */
struct seen {
	unsigned int calls, runs, events;
	unsigned int answers[M_RPC_N][1 + M_STATE_N][2][W_CODES];
};

struct world {
	struct seen *seen;
	char dir[64];
	const char *stub; /* the program */
	pid_t shim;
	int control, events; /* listening */
	struct peer clients[W_CLIENTS], publisher;
	uint32_t stream, probe;	 /* the latest; probe 0: answered */
	struct strays newcomers; /* connected, and have not said who they are */
	struct strays processes; /* have said it, and the run that made them goes on */
	struct strays orphans;	 /* of runs that failed */
	struct strays dying;	 /* runs that the shim has to end */
	struct m_call calls[W_CALLS];
	struct model model;
	uint64_t random;
	uint64_t *clock; /* of the shim: stands still until model.now moves */
	char racing[24]; /* the engine may fail there before the check is heard */
	pid_t raced[4];
	unsigned int n_raced;
	unsigned int descriptors; /* of a shim without work */
	int bound_ms;		  /* longer than anything takes */
	bool verbose;
};

/* Ends the episode: what is wrong is on standard output, the status is 1. */
__attribute__((noreturn, format(printf, 2, 3))) void wrong(const struct world *w, const char *fmt,
							   ...);
/* A line of the story, when it is wanted. */
__attribute__((format(printf, 2, 3))) void tell(const struct world *w, const char *fmt, ...);

uint64_t draw(struct world *w, uint64_t below);

void world_begin(struct world *w, const char *stub);
void world_end(struct world *w);
void shim_begin(struct world *w);
/* The shim ends by itself: waits for that. */
void shim_end(struct world *w);
void client_connect(struct world *w, int n);

/* Time passes for the shim; the first does not wait for it to see that. */
void clock_move(struct world *w, uint64_t ns);
void pass_time(struct world *w, uint64_t ns);

/* Waits until all that the model wants has happened, and nothing else. */
void catch_up(struct world *w);

/* protobuf_writer.c */
void call_send(struct world *w, struct m_call *c);
void probe_send(struct world *w, int client);
void client_read(struct world *w, int n);
void publisher_read(struct world *w);
const char *rpc_name(enum m_rpc rpc);

/* seams.c: the shim, with its unmounting and its clock in our hands. */
void be_shim(const struct world *w, int listening);

/* stubs.c */
void order(struct world *w, int fd, enum stub_what what, int number, const void *bytes, size_t n);
/* Waits for what ended in a race. */
void race_end(struct world *w);
void run_ended(struct world *w, const struct m_run *r);
void newcomer_read(struct world *w, unsigned int i);
void process_end(struct world *w, struct m_process *p, uint32_t status);
void run_finish(struct world *w, struct m_op *op, enum m_part part, bool race);
void orphan_end(struct world *w);
struct stray take_stray(struct strays *s, unsigned int i);
void add_stray(struct strays *s, int fd, pid_t pid);
bool wait_end(const struct world *w, int fd);

/* reports.c */
void report_refusal(struct world *w, int fd);
int words(struct world *w, int fd);
void answer_edit(struct world *w, struct m_op *op);
void answer_look(struct world *w, struct m_op *op);
void prepare_speaks(struct world *w, struct m_op *op);
void end_lingering(struct world *w, struct m_op *op, struct m_run *r);

/* steps.c */
void step(struct world *w, uint64_t seed);
void wind_up(struct world *w);
