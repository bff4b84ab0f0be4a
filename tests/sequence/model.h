/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What the shim has to answer, start and publish, told from the protocol and not from its sources:
 * a container is a few states, a slot for the one thing in flight, and who waits for what. The
 * model is told everything that happens, and says what must follow: calls become due, runs of
 * prepare or the engine become wanted, events are appended.
 */
#define M_TASKS 3
#define M_EXECS 3
#define M_OPS 64
#define M_QUEUE 64
#define M_EVENTS 32

enum m_rpc {
	M_CREATE,
	M_START,
	M_STATE,
	M_WAIT,
	M_KILL,
	M_DELETE,
	M_EXEC,
	M_PIDS,
	M_PAUSE,
	M_RESUME,
	M_UPDATE,
	M_CHECKPOINT,
	M_RESIZE,
	M_CLOSE_IO,
	M_CONNECT,
	M_SHUTDOWN,
	M_RPC_N,
};

enum m_state { M_CREATING, M_CREATED, M_RUNNING, M_PAUSED, M_STOPPED, M_STATE_N };

/* google.rpc codes */
enum {
	M_OK = 0,
	M_UNKNOWN = 2,
	M_INVALID = 3,
	M_NOT_FOUND = 5,
	M_EXISTS = 6,
	M_REFUSED = 9,
	M_UNIMPLEMENTED = 12
};

struct m_call {
	bool open;
	enum m_rpc rpc;
	char id[24], exec[24];
	uint32_t signal;
	bool all;
	bool bad_id, bad_argument; /* made invalid on purpose */
	/* The client's. */
	int connection;
	uint32_t stream;
	int found; /* the state of the container when it was asked, from 1; 0: none */
	bool gone; /* so is its connection: nobody hears the answer */
	/* The answer, once it is due. */
	bool due;
	int code;
	pid_t pid;
	uint32_t status;
	bool ended; /* the reply carries a time */
};

struct m_queue {
	struct m_call *v[M_QUEUE];
	unsigned int n;
};

struct m_op;
struct m_process {
	bool used;
	char id[24];
	enum m_state state;
	pid_t pid;
	uint32_t status;
	bool exited, published, looked_at, deleting;
	struct m_op *op;
	struct m_queue deferred, waiters;
	int signal; /* was sent to it just now */
	int fd;	    /* the fuzzer's: how to tell the process what to do, -1 when it has ended */
};

struct m_task {
	bool used, private_pid;
	struct m_process init, execs[M_EXECS];
};

enum m_kind { M_OP_CALL, M_OP_KILL_REST, M_OP_LOOK };
enum m_stage { M_PREPARE, M_ENGINE, M_WORDS, M_UNDO };

struct m_op {
	bool used;
	enum m_kind kind;
	enum m_rpc rpc; /* of M_OP_CALL: what it is about, also when the caller has gone */
	enum m_stage stage;
	const char *verb; /* of the run awaited */
	struct m_task *task;
	struct m_process *slot, *process;
	struct m_call *call;
	int code; /* of the failure being undone */
	bool engine_ran;
	/* The fuzzer's: the stub that runs; `wanted` until it has said hello. */
	bool wanted, doomed;
	int fd;
	pid_t pid;
	unsigned int age;
};

enum m_topic {
	M_EV_CREATE,
	M_EV_START,
	M_EV_EXIT,
	M_EV_DELETE,
	M_EV_EXEC_ADDED,
	M_EV_EXEC_STARTED,
	M_EV_PAUSED,
	M_EV_RESUMED
};

struct m_event {
	enum m_topic topic;
	char container[24], process[24];
	pid_t pid;
	uint32_t status;
};

struct model {
	struct m_task tasks[M_TASKS];
	struct m_op ops[M_OPS];
	struct m_event events[M_EVENTS];
	unsigned int n_events;
	struct m_queue runnable;
	bool ended; /* Shutdown found nothing to keep it */
};

/* How a run of prepare or of the engine ended. */
struct m_outcome {
	bool ok;
	int code;	  /* of the failure, for prepare and for the engine's words */
	bool private_pid; /* prepare's report */
	/* The engine made a process: its pid, and whether it has ended already. */
	pid_t pid;
	int fd;
	bool ended;
	uint32_t status;
};

void model_call(struct model *m, struct m_call *c);
void model_done(struct model *m, struct m_op *op, const struct m_outcome *o);
void model_exit(struct model *m, struct m_task *t, struct m_process *p, uint32_t status);
/* The connection of @c is gone. */
void model_abandon(struct model *m, struct m_call *c);
/* Runs the calls whose turn has come; after each of the above. */
void model_settle(struct model *m);

bool model_allows(enum m_rpc rpc, enum m_state state);
bool model_has_task(const struct model *m);
struct m_task *model_task(struct model *m, const char *id);
