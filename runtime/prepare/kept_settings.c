/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/prepare/configure.h"
#include "runtime/prepare/prepare.h"

/* Written in the form of a request, because later modes read it in place of their own. */
#define KEPT "crossarch.settings"
#define KEPT_MAX (CONFIGURE_MAX + JSON_MAX)

/* Only what settings come from; the rest of a request is about one run. */
static void copy(const struct prepare_request *from, struct prepare_request *to)
{
	to->config_path = from->config_path;
	to->config_body = from->config_body;
	to->settings = from->settings;
	to->binary_name = from->binary_name;
	to->root = from->root;
	to->shim_cgroup = from->shim_cgroup;
	to->criu_image_path = from->criu_image_path;
	to->criu_work_path = from->criu_work_path;
	to->io_uid = from->io_uid;
	to->io_gid = from->io_gid;
	to->flags |=
		from->flags & (REQUEST_SYSTEMD_CGROUP | REQUEST_NO_PIVOT | REQUEST_NO_NEW_KEYRING);
}

int kept_write(const struct prepare *p, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(KEPT_MAX);
	struct prepare_request kept = { .id = p->request.id };
	CLEANUP_FD int fd = -1;

	/* Always a new one: in a bundle that is only looked at (crossarch check) it is a link. */
	(void)unlinkat(FD_BUNDLE, KEPT, 0);
	fd = fd_openat2(FD_BUNDLE, KEPT, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, 0);
	copy(&p->request, &kept);
	if (fd < 0)
		return err_sys(err, ERR_IO, "create " KEPT);
	if (request_encode(&kept, &text, err) < 0)
		return err_in(err, KEPT);
	return fd_write_all(fd, text.data, text.len) < 0 ? err_sys(err, ERR_IO, "write " KEPT) : 0;
}

int kept_read(struct prepare *p, bool *ret_bad, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(KEPT_MAX);
	struct prepare_request kept;

	*ret_bad = false;
	if (file_read_regular(FD_BUNDLE, KEPT, &text, err) < 0)
		return err->code == ERR_NOT_FOUND ? load_settings_file(p, ret_bad, err) : -1;
	if (request_decode(buf_str(&text), text.len, &p->arena, &kept, err) < 0)
		return err_in(err, KEPT);
	copy(&kept, &p->request);
	return 0;
}
