/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/faults/scene.h"

/*
 * A file system whose server has taken every request and answers none but those about its root: to
 * the kernel it is at work, so whoever asked cannot even be killed before it is gone.
 */
union request {
	struct fuse_in_header head;
	char bytes[FUSE_MIN_READ_BUFFER + 65536];
};

static void answer(int fd, const union request *r, const void *body, size_t n)
{
	struct fuse_out_header head = { .unique = r->head.unique };
	char bytes[512];

	head.len = (uint32_t)(sizeof(head) + n);
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), body, n);
	(void)!write(fd, bytes, head.len);
}

static void serve_one(int fd, const union request *r)
{
	static const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
						   .minor = FUSE_KERNEL_MINOR_VERSION,
						   .max_write = 65536 };
	static const struct fuse_attr_out root = {
		.attr = { .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2, .blksize = 4096 }
	};

	if (r->head.opcode == FUSE_INIT)
		answer(fd, r, &init, sizeof(init));
	else if (r->head.opcode == FUSE_GETATTR && r->head.nodeid == FUSE_ROOT_ID)
		answer(fd, r, &root, sizeof(root));
	else if (r->head.opcode == FUSE_STATFS)
		answer(fd, r, &(struct fuse_statfs_out){ .st.bsize = 4096 },
		       sizeof(struct fuse_statfs_out));
}

static _Noreturn void serve(int fd)
{
	static union request r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fd, &r, sizeof(r)) > 0)
		serve_one(fd, &r);
	_exit(0);
}

int fuse_mount(const char *dir, pid_t *ret, struct err *err)
{
	CLEANUP_FD int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[100];

	if (fd < 0)
		return err_sys(err, ERR_UNSUPPORTED, "open /dev/fuse");
	if (dir_make(dir, 0755, err) < 0)
		return -1;
	str_fmt(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		fd);
	if (mount("faults", dir, "fuse.faults", MS_NOSUID | MS_NODEV, options) < 0)
		return err_sys(err, ERR_IO, "mount a file system at %s", dir);
	*ret = fork();
	if (*ret == 0)
		serve(fd);
	return *ret < 0 ? err_sys(err, ERR_IO, "fork") : 0;
}

/* With its server everything that waits for an answer is let go. */
void fuse_unmount(const char *dir, pid_t daemon)
{
	if (daemon > 0 && kill(daemon, SIGKILL) == 0)
		waitpid(daemon, NULL, 0);
	(void)umount2(dir, MNT_DETACH);
	rmdir(dir);
}
