/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * An emulator whose program crashed and that cannot end. When a signal is to kill its program,
 * qemu-user gives that signal its default action, sends it to itself and sleeps in sigsuspend()
 * with everything else blocked (linux-user/signal.c: force_sig() long ago, dump_core_and_abort(),
 * die_with_signal() today). Process 1 of a pid namespace is spared by such signals
 * (pid_namespaces(7)): there it sleeps for ever, and the container looks as if it ran.
 *
 * Two facts tell it from a program that sleeps in sigsuspend() by itself, whatever its mask is.
 *
 * First, /proc/PID/status: one signal alone is not blocked, and it is neither caught nor ignored.
 * Up to version 8.1 qemu catches every signal that kills by default, so that none is ever left with
 * its default action. From 8.2 on it still catches SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV and
 * SIGQUIT, and it does not let a program block the host's SIGABRT: at least that one is missing in
 * the mask of any program. Which leaves SIGABRT itself, and for it, from 8.2 to 9.2, a program that
 * blocks everything.
 *
 * Second, /proc/PID/syscall: the mask of the emulator's own sigsuspend() is a variable of the
 * function that makes the call, on the stack. A program's mask is in memory from malloc(), as long
 * as there is qemu-user (TaskState).
 *
 * Both must hold, so that a program that lives comes to no harm if one of the two becomes untrue in
 * a later version.
 */
struct crashed_emulator {
	pid_t pid, tid;
	int signal; /* of the host, as a parent would have got it in the exit status */
};

/* The signal that the thread with this text of /proc/PID/task/TID/status may have died of, or 0. */
int crashed_signal(const char *status);

/*
 * True when some thread of the process with this /proc/PID/status must have died of a signal that
 * every version of qemu-user otherwise catches. False says nothing about SIGABRT.
 */
bool crashed_some_thread(const char *status);

/* True when this text of /proc/PID/task/TID/syscall is a sigsuspend() with its mask on the stack.
 */
bool crashed_waits(const char *call);

/*
 * Looks at the first thread of emulator @pid, and at the others if the first fact holds for the
 * process as a whole or if @all. True with the suspect filled in. Waits for nothing.
 */
bool crashed_look(pid_t pid, bool all, struct crashed_emulator *ret);

/*
 * The second fact, then the first one again, for a suspect (@arg is a struct crashed_emulator): its
 * signal, or 0 when it is none. For a forked process: while another thread of the suspect is in
 * execve(), its /proc/PID/syscall cannot be read, and that may take as long as files take to close.
 */
int crashed_prove(void *arg);

/* Processor time the process has used, in nanoseconds; 0 when it cannot be told. */
uint64_t crashed_clock(pid_t pid);

/* True when the file that @pid executes is named like qemu-user: "qemu-" and an architecture. */
bool crashed_is_emulator(pid_t pid);
