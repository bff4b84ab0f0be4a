/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * How the fuzzer and its stub talk, over a SOCK_SEQPACKET socket named by the environment variable
 * STUB_SOCKET, or by the network namespace that crossarch-pause is told, whose environment is
 * empty. One program stands for it, for crossarch-prepare, for the engine and for the processes of
 * containers, functions in the shim for what it forks, the unmounting and the processes of refused
 * execs; each run says who it is, waits, and does as it is told.
 */
#define STUB_SOCKET "CROSSARCH_STUB_SOCKET"
#define STUB_REPORT_MAX 16384

enum stub_kind { STUB_PREPARE, STUB_ENGINE, STUB_STEP, STUB_PROCESS, STUB_PAUSE };

struct stub_hello {
	uint32_t kind; /* enum stub_kind */
	int32_t pid;
	char verb[24];	    /* prepare's mode or the engine's verb */
	char container[24]; /* not of processes: the fuzzer knows their pids */
	char exec[24];	    /* "" for init, and where nobody says */
};

enum stub_what {
	STUB_SPAWN,    /* engine: make a process; answered with its pid */
	STUB_DIE_SOON, /* engine: the same, but it has exited with `number` when this is answered */
	STUB_PID_FILE, /* engine: write the pid of that process where it was asked for */
	STUB_LOG,      /* engine: write a log */
	STUB_REPORT,   /* prepare, pause: write the bytes that follow to the report pipe, and say so
			*/
	STUB_GATE,     /* engine: read --process; `number`: as far as it is there; tells how much */
	STUB_EXIT,     /* exit with `number` */
	STUB_KILL,     /* die of signal `number` */
};

struct stub_order {
	uint32_t what; /* enum stub_what */
	int32_t number;
	uint32_t n; /* bytes of a report */
	uint8_t report[STUB_REPORT_MAX];
};
/* What STUB_GATE answers when nothing is there yet. */
#define STUB_GATE_WAITS (-1)
#define STUB_ORDER_HEAD offsetof(struct stub_order, report)
