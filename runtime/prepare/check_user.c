/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/oci/user.h"
#include "runtime/plan/choice_line.h"
#include "runtime/prepare/prepare.h"

/* No image has such files as long as this; then nothing is known. */
#define FILE_MAX (4u << 20)

/*
 * containerd looked the user up in the node's own variant of the image (runtime/choose). Who the
 * process would be has to be the same in the one that runs: otherwise it would own other files, or
 * be root where the pod forbids root.
 */

/* False when the file is there and cannot be read. */
static bool read_file(struct prepare *p, const char *path, struct buf *ret)
{
	CLEANUP_FOUND struct found f = FOUND_INIT;
	struct err ignored;

	view_find(&p->view, "/", path, &f);
	if (f.kind == FOUND_MISSING)
		return true;
	return f.kind == FOUND_FILE && fd_read_all(f.fd, path, ret, &ignored) == 0 &&
	       strlen(buf_str(ret)) == ret->len;
}

static bool is_asked_for(const char *groups, int64_t group)
{
	char number[32];

	(void)str_fmt(number, sizeof(number), "%lld", (long long)group);
	while (*groups) {
		size_t n = strcspn(groups, ",");

		if (n == strlen(number) && memcmp(groups, number, n) == 0)
			return true;
		groups += n + (groups[n] == ',');
	}
	return false;
}

/* Whether /etc/group gives the user what config.json has beyond what the pod asks for. */
static bool same_groups(const struct prepare *p, json *user, const struct user_ids *ids)
{
	json *list = json_member(user, "additionalGids");

	if (str_eq(p->request.groups, "*") || !json_object_is_type(list, json_type_array))
		return true;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		int64_t group = json_object_get_int64(json_object_array_get_idx(list, i));

		if (!is_asked_for(p->request.groups, group) && !user_has_group(ids, (gid_t)group))
			return false;
	}
	return true;
}

static enum cause judge(const struct prepare *p, bool known, const struct user_ids *ids,
			struct choice_facts *f)
{
	json *user = json_member(json_member(p->document, "process"), "user");

	f->made_uid = (uid_t)json_object_get_int64(json_member(user, "uid"));
	f->made_gid = (gid_t)json_object_get_int64(json_member(user, "gid"));
	f->uid = ids->uid;
	f->gid = ids->gid;
	if (!known)
		return CAUSE_PLATFORM_NO_USER;
	if (f->uid != f->made_uid || f->gid != f->made_gid)
		return CAUSE_PLATFORM_DIFFERS;
	return same_groups(p, user, ids) ? CAUSE_NONE : CAUSE_PLATFORM_GROUPS;
}

bool check_user(struct prepare *p)
{
	CLEANUP_BUF struct buf passwd = BUF_INIT(FILE_MAX);
	CLEANUP_BUF struct buf group = BUF_INIT(FILE_MAX);
	struct choice_facts f = {
		.wanted = p->settings.wanted,
		.image = p->request.image,
		.reference = p->request.reference,
		.made = p->request.made,
		.user = p->request.user,
	};
	char line[DIAGNOSIS_MAX + 1];
	struct user_ids ids;
	enum cause cause;
	bool known;

	if (!*p->request.user || !read_file(p, "/etc/passwd", &passwd) ||
	    !read_file(p, "/etc/group", &group))
		return true;
	known = user_resolve(p->request.user, buf_str(&passwd), buf_str(&group), &ids);
	cause = judge(p, known, &ids, &f);
	if (cause == CAUSE_NONE)
		return true;
	choice_line(cause, &f, line);
	p->report.verdict = VERDICT_REFUSE;
	(void)str_copy(p->report.code, sizeof(p->report.code), cause_choice_row(cause)->code);
	(void)str_copy(p->report.line, sizeof(p->report.line), line);
	return false;
}
