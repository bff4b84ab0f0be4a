/* SPDX-License-Identifier: Apache-2.0 */
/*
 * automount MODE COMMAND...
 *
 * What systemd does for proc-sys-fs-binfmt_misc.automount, for one user namespace: puts autofs on
 * /proc/sys/fs/binfmt_misc of a mount namespace of its own, runs the command in a user and mount
 * namespace below that one, and when something there uses the automount, does as MODE says:
 *
 *   mounts    mounts binfmt_misc there: the user namespace's own instance
 *   fails     says that it could not
 *   hangs     never answers
 *   dies      there is no daemon any more: the pipe is closed before the command begins
 *
 * Exits with the command's status. Source: Linux, Documentation/filesystems/autofs.rst and
 * include/uapi/linux/auto_fs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/auto_fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define POINT "/proc/sys/fs/binfmt_misc"

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(99);
}

/* The daemon is who is in its process group; it sees through the automount what lies below. */
static int mount_automount(int out)
{
	char options[128];

	snprintf(options, sizeof(options), "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", out,
		 (int)getpgrp());
	need(mount("systemd-1", POINT, "autofs", 0, options) == 0, "mount autofs");
	return open(POINT, O_RDONLY | O_CLOEXEC);
}

static void write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

/* In its own process group, or it would be the daemon. */
static void run(char **argv, int ready, int go)
{
	char c;

	need(setpgid(0, 0) == 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "unshare");
	need(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
	need(write(ready, "", 1) == 1 && read(go, &c, 1) == 1, "wait");
	need(setgid(0) == 0 && setuid(0) == 0, "setuid");
	execvp(argv[0], argv);
	need(0, argv[0]);
}

static int namespace(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* In the user namespace of the command, whose instance it then is. */
static int mount_for(pid_t pid)
{
	int user = namespace(pid, "user"), mounts = namespace(pid, "mnt"), status;
	pid_t child = fork();

	if (child == 0)
		_exit(setns(user, CLONE_NEWUSER) < 0 || setns(mounts, CLONE_NEWNS) < 0 ||
		      mount("binfmt_misc", POINT, "binfmt_misc", 0, NULL) < 0);
	waitpid(child, &status, 0);
	close(user);
	close(mounts);
	return status ? -1 : 0;
}

/* One request after the other, until the command has ended. */
static void serve(const char *mode, int in, int control, pid_t pid)
{
	struct autofs_v5_packet packet;

	while (read(in, &packet, sizeof(packet)) == (ssize_t)sizeof(packet)) {
		unsigned long token = packet.wait_queue_token;
		int ok = !strcmp(mode, "mounts") && mount_for(pid) == 0;

		if (strcmp(mode, "hangs"))
			ioctl(control, ok ? AUTOFS_IOC_READY : AUTOFS_IOC_FAIL, token);
	}
}

int main(int argc, char **argv)
{
	int requests[2], ready[2], go[2], control, status;
	pid_t pid, server;
	char c;

	need(argc > 2, "usage: automount MODE COMMAND...");
	need(setpgid(0, 0) == 0 || errno == EPERM, "setpgid");
	need(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	     "unshare");
	need(pipe2(requests, 0) == 0 && pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0,
	     "pipe");
	control = mount_automount(requests[1]);
	need(control >= 0, "open the automount");
	pid = fork();
	if (pid == 0) {
		close(requests[0]);
		close(requests[1]);
		run(argv + 2, ready[1], go[0]);
	}
	need(pid > 0 && read(ready[0], &c, 1) == 1, "start");
	write_map(pid, "uid_map", "0 0 1");
	write_map(pid, "gid_map", "0 0 1");
	if (!strcmp(argv[1], "dies"))
		close(requests[0]);
	server = strcmp(argv[1], "dies") ? fork() : -1;
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(argv[1], requests[0], control, pid);
		_exit(0);
	}
	need(write(go[1], "", 1) == 1, "go");
	waitpid(pid, &status, 0);
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}
