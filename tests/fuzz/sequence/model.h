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
#define M_RELEASED 32
#define M_SECOND UINT64_C(1000000000)
#define M_UNDO_BOUND (10 * M_SECOND)   /* of the engine, and of the unmounting, after a failure */
#define M_ENGINE_BOUND (10 * M_SECOND) /* where there is no deadline */
#define M_ENDING_BOUND (2 * M_SECOND)

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
	M_POD_CREATE, /* from here on calls of the Sandbox API */
	M_POD_START,
	M_POD_PLATFORM,
	M_POD_STOP,
	M_POD_WAIT,
	M_POD_STATUS,
	M_POD_PING,
	M_POD_METRICS,
	M_POD_SHUTDOWN,
	M_RPC_N,
};

static inline bool m_is_pods(enum m_rpc rpc)
{
	return rpc >= M_POD_CREATE && rpc < M_RPC_N;
}

enum m_state { M_CREATING, M_CREATED, M_RUNNING, M_PAUSED, M_STOPPED, M_STATE_N };

/* google.rpc codes */
enum {
	M_OK = 0,
	M_UNKNOWN = 2,
	M_INVALID = 3,
	M_TIMEOUT = 4,
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
	bool big;		   /* Exec: too much for the gate */
	uint64_t deadline;	   /* 0: none */
	/* The client's. */
	int connection;
	uint32_t stream;
	int found; /* the state of the container when it was asked, from 1; 0: none; or enum
		      m_pod_state */
	bool gone; /* so is its connection: nobody hears the answer */
	/* The answer, once it is due. */
	bool due;
	int code, other_code; /* the latter, unless 0, when two things failed at once */
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
	bool exited, published, looked_at, deleting, big;
	bool refused; /* an exec: the shim's own process, which says why there is no other */
	struct m_op *op;
	struct m_queue deferred, waiters;
	int signal; /* was sent to it just now */
	int fd;	    /* the fuzzer's: how to tell the process what to do, -1 when it has ended */
};

struct m_task {
	bool used, private_pid, mounted, poststop;
	bool kills_rest, unmounting; /* by an operation of their own */
	struct m_process init, execs[M_EXECS];
};

/* What runs for an operation, one after or beside the other. */
enum m_part {
	M_CHECK,  /* prepare */
	M_ENGINE, /* the engine */
	M_STEP,	  /* the edit, the unmounting, the search for the engine's words, or a refusal's
		     process */
	M_PARTS
};

struct m_run {
	const char *verb; /* NULL: none */
	bool wanted;	  /* until it has said hello */
	bool answered;	  /* prepare: all it had to say; nobody waits for its end */
	/* The fuzzer's. */
	int fd;
	pid_t pid;
	unsigned int age;
};

enum m_pod_state {
	M_POD_NONE,
	M_POD_CREATED,
	M_POD_STARTING,
	M_POD_READY,
	M_POD_NOTREADY,
	M_POD_SHUT
};

/* A pod without a pause process. */
struct m_pod {
	enum m_pod_state state;
	char id[24];
	struct m_run holder; /* of its namespaces: wanted when it is started */
	struct m_call *starting;
	struct m_queue waiters, stopping;
	uint64_t deadline; /* of the holder's answer; 0: none */
	uint32_t status;
	bool files; /* it was ready once: containers are given its files */
};

/* How a run of prepare or of the engine ended, or what prepare reported. */
struct m_outcome {
	bool ok;
	int code; /* of the failure, for prepare and for the engine's words */
	/* prepare's report */
	bool private_pid, mounted, poststop, private_emulator, more;
	/* The engine made a process: its pid, and whether it has ended already. */
	pid_t pid;
	int fd;
	bool ended;
	uint32_t status;
};

enum m_kind { M_OP_CALL, M_OP_KILL_REST, M_OP_LOOK, M_OP_UNMOUNT };

struct m_op {
	bool used;
	enum m_kind kind;
	enum m_rpc rpc; /* of M_OP_CALL: what it is about, also when the caller has gone */
	struct m_run runs[M_PARTS];
	struct m_task *task;
	struct m_process *slot, *process;
	struct m_call *call;
	bool gated;			   /* the engine waits for what it is to run */
	bool reported, confirmed, private; /* by prepare */
	bool unmounts;			   /* it was begun, or found */
	bool engine_ran, engine_ended;
	struct m_outcome engine; /* how */
	pid_t killed;		 /* the engine of an exec that was refused, 0 if there was none */
	bool failing;		 /* with `code`, when the engine has ended */
	bool undoing;
	int code;
	uint64_t deadline; /* of what runs; 0: none */
	uint64_t limit;	   /* the container has ended; 0: it has not */
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
	bool ended;   /* Shutdown found nothing to keep it */
	bool lingers; /* and it goes when its clients have gone */
	struct m_pod pod;
	uint64_t now;
	/* Runs and processes that are no operation's any more: to be ended by the shim, or not. */
	struct m_released {
		int fd;
		pid_t pid;
		bool doomed;
	} released[M_RELEASED];
	unsigned int n_released;
};

void model_call(struct model *m, struct m_call *c);
/* prepare has reported, or ended without a report. */
void model_report(struct model *m, struct m_op *op, const struct m_outcome *o);
/* The process is there that answers for the exec which the check refused: @o has its pid. */
void model_refused(struct model *m, struct m_op *op, const struct m_outcome *o);
/* The container was given the files of its pod, or @code: why not. */
void model_edited(struct model *m, struct m_op *op, int code);
/* A run ended; of prepare one that had reported. */
void model_done(struct model *m, struct m_op *op, enum m_part part, const struct m_outcome *o);
void model_exit(struct model *m, struct m_task *t, struct m_process *p, uint32_t status);
/* Who is to hold the namespaces of the pod does; says why not; has ended, whatever it was at. */
void model_pod_holds(struct model *m);
void model_pod_fails(struct model *m);
void model_pod_exit(struct model *m, uint32_t code);
/* The connection of @c is gone. */
void model_abandon(struct model *m, struct m_call *c);
/* Time passes. */
void model_time(struct model *m, uint64_t ns);
/* Runs the calls whose turn has come; after each of the above. */
void model_settle(struct model *m);

/* What a refused exec exits with, as a shell answers for a program that cannot be executed. */
#define M_REFUSED_STATUS 126

/* What the gate of an exec's engine holds by now: nothing yet, its process, or the end of file. */
enum m_gate { M_GATE_WAITS, M_GATE_OPEN, M_GATE_REFUSED };
enum m_gate model_gate(const struct m_op *op);

bool model_allows(enum m_rpc rpc, enum m_state state);
bool model_has_task(const struct model *m);
bool model_has_pod(const struct model *m);
struct m_task *model_task(struct model *m, const char *id);
