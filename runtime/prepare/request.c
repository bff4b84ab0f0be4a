/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/request.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* One row per plain member, so that both directions and the list of keys cannot drift apart. */
struct text_field {
	const char *key;
	size_t offset;
};

struct number_field {
	const char *key;
	size_t offset;
};

#define TEXT(key_, member)                                     \
	{                                                      \
		key_, offsetof(struct prepare_request, member) \
	}
static const struct text_field texts[] = {
	TEXT("id", id),
	TEXT("namespace", namespace),
	TEXT("sandbox", sandbox),
	TEXT("traceparent", traceparent),
	TEXT("bundle", bundle),
	TEXT("config-path", config_path),
	TEXT("config-body", config_body),
	TEXT("settings", settings),
	TEXT("binary-name", binary_name),
	TEXT("root", root),
	TEXT("shim-cgroup", shim_cgroup),
	TEXT("criu-image-path", criu_image_path),
	TEXT("criu-work-path", criu_work_path),
	TEXT("exec", exec),
	TEXT("process", process),
	TEXT("pod", pod),
	TEXT("pod-files", pod_files),
	TEXT("program", program),
	TEXT("guest", guest),
	TEXT("declared", declared),
	TEXT("image", image),
	TEXT("reference", reference),
	TEXT("made", made),
	TEXT("user", user),
	TEXT("groups", groups),
};
static const struct number_field numbers[] = {
	TEXT("init-pid", init_pid), TEXT("exit-status", exit_status),
	TEXT("io-uid", io_uid),	    TEXT("io-gid", io_gid),
	TEXT("flags", flags),	    TEXT("guest-row", guest_row),
};

static const char **text_at(struct prepare_request *r, size_t offset)
{
	return (const char **)(void *)((char *)r + offset);
}

static uint64_t *number_at(struct prepare_request *r, size_t offset)
{
	return (uint64_t *)(void *)((char *)r + offset);
}

struct log_subject request_subject(const struct prepare_request *r)
{
	return (struct log_subject){ .namespace = r->namespace,
				     .sandbox = r->sandbox,
				     .id = r->id,
				     .exec_id = r->exec,
				     .traceparent = r->traceparent };
}

static int add_text(struct buf *out, const char *key, const char *value, struct err *err)
{
	if (buf_printf(out, err, "%s=", key) < 0)
		return -1;
	return buf_add(out, value, strlen(value) + 1, err);
}

static int add_mount(struct buf *out, const struct prepare_mount *m, struct err *err)
{
	if (add_text(out, "mount", m->type, err) < 0 || add_text(out, "source", m->source, err) < 0)
		return -1;
	if (m->target && *m->target && add_text(out, "target", m->target, err) < 0)
		return -1;
	for (const char **o = m->options; o && *o; o++)
		if (add_text(out, "option", *o, err) < 0)
			return -1;
	return 0;
}

int request_encode(const struct prepare_request *r, struct buf *out, struct err *err)
{
	struct prepare_request copy = *r;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *value = *text_at(&copy, texts[i].offset);

		if (value && *value && add_text(out, texts[i].key, value, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t value = *number_at(&copy, numbers[i].offset);

		if (value && (buf_printf(out, err, "%s=%llu", numbers[i].key,
					 (unsigned long long)value) < 0 ||
			      buf_add(out, "", 1, err) < 0))
			return -1;
	}
	for (size_t i = 0; i < r->n_mounts; i++)
		if (add_mount(out, &r->mounts[i], err) < 0)
			return -1;
	return 0;
}

int request_memfd(const struct prepare_request *r, int *ret_fd, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(REQUEST_MAX);
	CLEANUP_FD int fd = memfd_create("crossarch-request", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(err, ERR_IO, "create the request for crossarch-prepare");
	if (request_encode(r, &text, err) < 0)
		return err_in(err, "request for crossarch-prepare");
	if (fd_write_all(fd, text.data, text.len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "write the request for crossarch-prepare");
	*ret_fd = fd_steal(&fd);
	return 0;
}

/* How many strings of the text form start with @prefix: sizes the arrays before they are filled. */
static size_t count_prefix(const char *p, const char *end, const char *prefix)
{
	size_t n = 0;

	for (; p < end; p += strlen(p) + 1)
		n += str_after(p, prefix) != NULL;
	return n;
}

static int take_plain(struct prepare_request *r, const char *entry, bool *ret_taken,
		      struct err *err)
{
	const char *value = strchr(entry, '=');
	size_t n = value ? (size_t)(value - entry) : 0;

	*ret_taken = true;
	for (size_t i = 0; n && i < ARRAY_SIZE(texts); i++)
		if (strlen(texts[i].key) == n && memcmp(texts[i].key, entry, n) == 0) {
			*text_at(r, texts[i].offset) = value + 1;
			return 0;
		}
	for (size_t i = 0; n && i < ARRAY_SIZE(numbers); i++)
		if (strlen(numbers[i].key) == n && memcmp(numbers[i].key, entry, n) == 0)
			return str_u64(value + 1, numbers[i].key, UINT64_MAX,
				       number_at(r, numbers[i].offset), err);
	*ret_taken = false;
	return 0;
}

struct mount_filler {
	struct prepare_mount *at; /* the mount being filled, NULL before the first */
	const char **options;	  /* where its next option goes; always room for the final NULL */
};

static bool take_mount(struct prepare_request *r, struct mount_filler *f, const char *entry)
{
	const char *value;

	if ((value = str_after(entry, "mount="))) {
		f->options += f->at ? 1 : 0; /* the NULL that ends the previous list */
		f->at = &r->mounts[r->n_mounts++];
		*f->at = (struct prepare_mount){ value, "", "", f->options };
	} else if (!f->at) {
		return false;
	} else if ((value = str_after(entry, "source="))) {
		f->at->source = value;
	} else if ((value = str_after(entry, "target="))) {
		f->at->target = value;
	} else if ((value = str_after(entry, "option="))) {
		*f->options++ = value;
	} else {
		return false;
	}
	return true;
}

int request_decode(const void *bytes, size_t n, struct arena *arena, struct prepare_request *ret,
		   struct err *err)
{
	struct mount_filler filler = { NULL, NULL };
	char *text = arena_alloc(arena, n + 1);
	const char *end;
	size_t mounts;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*text_at(ret, texts[i].offset) = "";
	if (!text)
		return err_set(err, ERR_NOMEM, "request: no memory for %zu bytes", n);
	end = text + n;
	if (n)
		memcpy(text, bytes, n);
	if (n && text[n - 1])
		return err_set(err, ERR_INVALID, "request: last string is not terminated");
	mounts = count_prefix(text, end, "mount=");
	ret->mounts = arena_alloc(arena, mounts * sizeof(*ret->mounts) + 1);
	filler.options = arena_alloc(arena, (mounts + count_prefix(text, end, "option=") + 1) *
						    sizeof(char *));
	if (!ret->mounts || !filler.options)
		return err_set(err, ERR_NOMEM, "request: no memory for %zu mounts", mounts);
	for (const char *p = text; p < end; p += strlen(p) + 1) {
		bool taken;

		if (take_plain(ret, p, &taken, err) < 0)
			return err_in(err, "request");
		if (!taken && !take_mount(ret, &filler, p))
			return err_set(err, ERR_INVALID, "request: unknown entry \"%.40s\"", p);
	}
	ret->process_len = strlen(ret->process);
	return 0;
}
