/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pause/pod_namespaces.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/fd.h"

/* CRI makes the network namespace of a pod with hostUsers: false inside its user namespace. */
static int enter_owner(int net, struct err *err)
{
	CLEANUP_FD int user = ioctl(net, NS_GET_USERNS);

	if (user < 0 || setns(user, CLONE_NEWUSER) < 0)
		return err_sys(err, ERR_IO,
			       "enter the user namespace that owns the network namespace");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, ERR_IO, "become root of the pod's user namespace");
	return 0;
}

static int enter_net(const struct pod_namespaces *n, struct err *err)
{
	CLEANUP_FD int net = -1;

	if (!n->net)
		return n->user ? err_set(err, ERR_UNSUPPORTED,
					 "a pod with the node's network and a user namespace of "
					 "its own: without a pause process that is not possible")
			       : 0;
	net = open(n->net, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (net < 0)
		return err_sys(err, ERR_IO, "network namespace %s", n->net);
	if (n->user && enter_owner(net, err) < 0)
		return -1;
	if (setns(net, CLONE_NEWNET) < 0)
		return err_sys(err, ERR_IO, "enter the network namespace %s", n->net);
	return 0;
}

static int make_others(const struct pod_namespaces *n, struct err *err)
{
	int flags = CLONE_NEWNS | (n->new_net ? CLONE_NEWNET : 0) | (n->uts ? CLONE_NEWUTS : 0) |
		    (n->ipc ? CLONE_NEWIPC : 0) | (n->pid ? CLONE_NEWPID : 0);

	if (unshare(flags) < 0)
		return err_sys(err, ERR_IO, "make the pod's namespaces");
	if (n->hostname && sethostname(n->hostname, strlen(n->hostname)) < 0)
		return err_sys(err, ERR_INVALID, "host name \"%.80s\"", n->hostname);
	return 0;
}

/*
 * Where the empty root is mounted for the moment. Every system has it, and root of any user
 * namespace gets there.
 */
#define PLACE "/proc"

static int leave_root(struct err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("sandbox", PLACE, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4k,mode=0555") < 0)
		return err_sys(err, ERR_IO, "mount an empty root");
	/* The old root lies under the new one then, and is taken away (pivot_root(2), NOTES). */
	if (chdir(PLACE) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(err, ERR_IO, "change to the empty root");
	return 0;
}

int pod_namespaces_make(const struct pod_namespaces *n,
			int (*before_root)(void *arg, struct err *err), void *arg, struct err *err)
{
	if (enter_net(n, err) < 0 || make_others(n, err) < 0 || before_root(arg, err) < 0)
		return -1;
	return leave_root(err);
}
