/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/mount_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* Somebody else may take the device between asking for a free one and configuring it. */
#define TRIES 64

static int free_number(struct err *err)
{
	CLEANUP_FD int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);

	if (number < 0)
		return err_sys(err, ERR_IO, "find a free loop device");
	return number;
}

static uint32_t flags_of(const struct mount_options *o)
{
	uint32_t flags = LO_FLAGS_AUTOCLEAR;

	flags |= o->flags & MS_RDONLY ? LO_FLAGS_READ_ONLY : 0u;
	return flags | (o->direct_io ? LO_FLAGS_DIRECT_IO : 0u);
}

int loop_attach(const char *source, const struct mount_options *o, char *ret_path, size_t size,
		int *ret_fd, struct err *err)
{
	int mode = o->flags & MS_RDONLY ? O_RDONLY : O_RDWR;
	CLEANUP_FD int file = open(source, mode | O_CLOEXEC);
	struct loop_config config = {
		.fd = (uint32_t)file,
		.info.lo_flags = flags_of(o),
	};

	if (file < 0)
		return err_sys(err, ERR_IO, "open %.200s", source);
	for (int i = 0; i < TRIES; i++) {
		CLEANUP_FD int device = -1;
		int number = free_number(err);

		if (number < 0)
			return -1;
		(void)str_fmt(ret_path, size, "/dev/loop%d", number);
		device = open(ret_path, mode | O_CLOEXEC);
		if (device < 0)
			return err_sys(err, ERR_IO, "open %s", ret_path);
		if (ioctl(device, LOOP_CONFIGURE, &config) == 0) {
			*ret_fd = fd_steal(&device);
			return 0;
		}
		if (errno != EBUSY)
			return err_sys(err, ERR_IO, "attach %.200s to %s", source, ret_path);
	}
	return err_set(err, ERR_LIMIT, "no loop device stays free");
}
