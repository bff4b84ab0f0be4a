/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/containerd/pull_cause.h"
#include "runtime/plan/choice_line.h"

#define DIGEST "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

static const struct choice_facts facts = {
	.wanted = { "linux", "arm64", "" },
	.image = "docker.io/library/python:3.12",
	.reference = "docker.io/library/python@" DIGEST,
	.made = "linux/amd64",
	.has = "linux/amd64, linux/s390x",
	.text = "unexpected status code 500 Internal Server Error",
	.arrived = 12345678,
	.total = 61999999,
	.max_mb = 50,
	.user = "app",
	.uid = 2000,
	.gid = 2001,
	.made_uid = 1000,
	.made_gid = 1001,
};

static const char *text_for(enum cause cause)
{
	if (cause == CAUSE_PLATFORM_HELD)
		return "containerd copied it for the pod's user namespace";
	if (cause == CAUSE_PLATFORM_PULL_UNREACHABLE)
		return "dial tcp: lookup registry.example: no such host";
	return facts.text;
}

/* Each of them stands on the page of causes, in the directory that tests are started in. */
static void each_cause(void **state)
{
	static const struct {
		enum cause cause;
		const char *line;
	} rows[] = {
		{ CAUSE_PLATFORM_UNAVAILABLE,
		  "crossarch[platform-unavailable]: docker.io/library/python:3.12 has nothing for"
		  " linux/arm64; it has linux/amd64, linux/s390x. Fix: ask for one of those in "
		  "the annotation io.crossarch.platform, or use an image that is built for "
		  "linux/arm64." },
		{ CAUSE_PLATFORM_NEVER,
		  "crossarch[platform-mismatch]: the pod is to get linux/arm64 of "
		  "docker.io/library/python:3.12, which is not on this node; it is not pulled for"
		  " it, since the setting pull (annotation io.crossarch.pull) is never. Fix: run "
		  "\"crossarch pull --platform linux/arm64 docker.io/library/python:3.12\" on the"
		  " node, or write \"image: "
		  "docker.io/library/python@" DIGEST "\""
		  " in the pod." },
		{ CAUSE_PLATFORM_HELD,
		  "crossarch[platform-mismatch]: the pod is to get linux/arm64 of "
		  "docker.io/library/python:3.12 but its root file system is that of linux/amd64;"
		  " it cannot be replaced: containerd copied it for the pod's user namespace. "
		  "Fix: write \"image: "
		  "docker.io/library/python@" DIGEST "\""
		  " in the pod." },
		{ CAUSE_PLATFORM_PULLING,
		  "crossarch[platform-pulling]: linux/arm64 of docker.io/library/python:3.12 is "
		  "being pulled, 12 of 62 MB; the pull goes on while the kubelet tries again. "
		  "Fix: wait, or run \"crossarch pull --platform linux/arm64 "
		  "docker.io/library/python:3.12\" on the node before the pod comes; one try may "
		  "take the kubelet's runtimeRequestTimeout." },
		{ CAUSE_PLATFORM_QUEUED,
		  "crossarch[platform-pulling]: linux/arm64 of docker.io/library/python:3.12 is "
		  "still to be pulled; this node pulls other images, as many at once as the "
		  "setting pulls_at_once permits. Fix: wait, since the kubelet tries again, or "
		  "raise pulls_at_once in /etc/crossarch/config.json." },
		{ CAUSE_PLATFORM_PULL_DENIED,
		  "crossarch[platform-pull-denied]: linux/arm64 of docker.io/library/python:3.12 "
		  "cannot be pulled; the registry refuses the credentials of this node, which are"
		  " not those of the pod, or has no such repository. Fix: write \"image: "
		  "docker.io/library/python@" DIGEST "\""
		  " in the pod, which the kubelet pulls with the pod's imagePullSecrets, or put "
		  "credentials for the registry into /var/lib/kubelet/config.json on the node." },
		{ CAUSE_PLATFORM_PULL_FAILED,
		  "crossarch[platform-pull-failed]: linux/arm64 of docker.io/library/python:3.12 "
		  "cannot be pulled; containerd says: unexpected status code 500 Internal Server "
		  "Error. Fix: run \"crossarch pull --platform linux/arm64 "
		  "docker.io/library/python:3.12\" on the node to see it fail, or write \"image: "
		  "docker.io/library/python@" DIGEST "\""
		  " in the pod." },
		{ CAUSE_PLATFORM_PULL_NOT_FOUND,
		  "crossarch[platform-pull-failed]: linux/arm64 of docker.io/library/python:3.12 "
		  "cannot be pulled; the registry does not have it any more, though it is in the "
		  "image that this node has. Fix: push the image again and let the kubelet pull "
		  "it (imagePullPolicy: Always)." },
		{ CAUSE_PLATFORM_PULL_CORRUPT,
		  "crossarch[platform-pull-failed]: linux/arm64 of docker.io/library/python:3.12 "
		  "cannot be pulled; the registry, or a mirror or proxy before it, sends other "
		  "bytes than the digest says. Fix: push the image again, or repair the mirror "
		  "that hosts.toml on the node names." },
		{ CAUSE_PLATFORM_PULL_DISK_FULL,
		  "crossarch[platform-pull-failed]: linux/arm64 of docker.io/library/python:3.12 "
		  "cannot be pulled; the file system of containerd's root is full. Fix: run "
		  "\"crictl rmi --prune\" on the node, or make that file system larger." },
		{ CAUSE_PLATFORM_PULL_UNREACHABLE,
		  "crossarch[platform-pull-failed]: linux/arm64 of docker.io/library/python:3.12 "
		  "cannot be pulled; this node does not reach the registry: dial tcp: lookup "
		  "registry.example: no such host. Fix: look at the registry's name, at the proxy"
		  " of containerd's service and at hosts.toml." },
		{ CAUSE_PLATFORM_PULL_GONE,
		  "crossarch[platform-pull-failed]: linux/arm64 of docker.io/library/python:3.12 "
		  "cannot be pulled; containerd went away meanwhile. Fix: wait: what has arrived "
		  "is kept, and the kubelet tries again." },
		{ CAUSE_PLATFORM_PULL_TOO_LARGE,
		  "crossarch[platform-pull-failed]: linux/arm64 of docker.io/library/python:3.12 "
		  "is not pulled; it has 62 MB and the setting pull_max_mb is 50. Fix: run "
		  "\"crossarch pull --platform linux/arm64 docker.io/library/python:3.12\" on the"
		  " node, or raise pull_max_mb in /etc/crossarch/config.json." },
		{ CAUSE_PLATFORM_DIFFERS,
		  "crossarch[platform-differs]: linux/arm64 of docker.io/library/python:3.12 is "
		  "to run as app (2000:2001) but the container was made for 1000:1001; containerd"
		  " took the user from the image for linux/amd64. Fix: set \"runAsUser: 2000\" "
		  "and \"runAsGroup: 2001\" in the pod's securityContext, or build the image with"
		  " the same numeric USER for all platforms." },
		{ CAUSE_PLATFORM_GROUPS,
		  "crossarch[platform-differs]: linux/arm64 of docker.io/library/python:3.12 has "
		  "its user app in fewer groups than the container was made for; containerd took "
		  "the groups from /etc/group of the image for linux/amd64. Fix: write \"image: "
		  "docker.io/library/python@" DIGEST "\""
		  " in the pod." },
		{ CAUSE_PLATFORM_NO_PROGRAM,
		  "crossarch[platform-differs]: linux/arm64 of docker.io/library/python:3.12 "
		  "names no program to start; its configuration has neither an Entrypoint nor a "
		  "Cmd, that of linux/amd64 has one, and the pod gives no command. Fix: set "
		  "command in the pod." },
		{ CAUSE_PLATFORM_NO_USER,
		  "crossarch[platform-differs]: linux/arm64 of docker.io/library/python:3.12 is "
		  "to run as app; its /etc/passwd or /etc/group has no such name, and containerd "
		  "took the user from the image for linux/amd64. Fix: set runAsUser and "
		  "runAsGroup in the pod's securityContext, or repair the image." },
	};
	CLEANUP_BUF struct buf page = BUF_INIT(1u << 20);
	char line[DIAGNOSIS_MAX + 1];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, "hack/causes.md", &page, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct choice_facts f = facts;

		f.text = text_for(rows[i].cause);
		choice_line(rows[i].cause, &f, line);
		assert_string_equal(line, rows[i].line);
		if (!strstr(buf_str(&page), line))
			fail_msg("hack/causes.md does not have: %s", line);
	}
	assert_int_equal(ARRAY_SIZE(rows), CAUSE_PLATFORM_NO_USER - CAUSE_PLATFORM_UNAVAILABLE + 1);
}

static void progress_in_tenths(void **state)
{
	static const struct {
		uint64_t arrived, total;
		const char *part;
	} rows[] = {
		{ 0, 0, "is being pulled;" },
		{ 9, 0, "is being pulled;" },
		{ 0, 1, ", 0 of 1 MB;" },
		{ 1, 1, ", 1 of 1 MB;" },
		{ 5999999, 62000000, ", 0 of 62 MB;" },
		{ 7000000, 62000000, ", 6 of 62 MB;" },
		{ 61999999, 62000000, ", 62 of 62 MB;" },
		{ 63000000, 62000000, ", 62 of 62 MB;" },
		{ 559000000, 1000000000, ", 500 of 1000 MB;" },
		{ UINT64_MAX, UINT64_MAX, ", 18446744073710 of 18446744073710 MB;" },
	};
	char line[DIAGNOSIS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct choice_facts f = facts;

		f.arrived = rows[i].arrived;
		f.total = rows[i].total;
		choice_line(CAUSE_PLATFORM_PULLING, &f, line);
		if (!strstr(line, rows[i].part))
			fail_msg("\"%s\" is not in: %s", rows[i].part, line);
	}
}

/* What differs from one try to the next would make an event of its own each time. */
static void containerds_words(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "read tcp 127.0.0.1:52814->10.0.0.1:5000: read: connection reset by peer.",
		  "says: read tcp 10.0.0.1:5000: read: connection reset by peer. Fix: " },
		{ "dial tcp [fe80::1]:4711->[::1]:5000: x", "says: dial tcp [::1]:5000: x. Fix: " },
		{ "Get \"https://cdn.example/a?X-Signature=abc&t=1\": 403 (see a?b)",
		  "says: Get \"https://cdn.example/a\": 403 (see a?b). Fix: " },
		{ "from https://cdn.example/a?token=s status 500",
		  "says: from https://cdn.example/a status 500. Fix: " },
		{ "two\nlines\r\n\x1b[31m of \xff", "says: two lines  ?[31m of ?. Fix: " },
		{ "ends with 10.0.0.1:1->", "says: ends with. Fix: " },
		{ "...", "says: nothing. Fix: " },
		{ NULL, "says: nothing. Fix: " },
	};
	char line[DIAGNOSIS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct choice_facts f = facts;

		f.text = rows[i].text;
		choice_line(CAUSE_PLATFORM_PULL_FAILED, &f, line);
		if (!strstr(line, rows[i].shown))
			fail_msg("\"%s\" is not in: %s", rows[i].shown, line);
	}
}

static void expect_whole(const char *line)
{
	if (!str_after(line, "crossarch[platform-") || !str_ends(line, ".") ||
	    !strstr(line, ". Fix: ") || strpbrk(line, "{}\n") || strstr(line, "  ") ||
	    strlen(line) >= DIAGNOSIS_MAX)
		fail_msg("not a whole line: %s", line);
}

/* A name that cannot be typed as it stands is replaced by a word. */
static void with_all_and_with_nothing(void **state)
{
	static char name[1025], path[4097], text[5000], reference[400];
	struct choice_facts most = facts, none = { .wanted = { "linux", "arm64", "" } };
	char line[DIAGNOSIS_MAX + 1];

	(void)state;
	memset(name, 'n', 255);
	memset(path, 'p', sizeof(path) - 1);
	memset(text, 't', sizeof(text) - 1);
	(void)str_fmt(reference, sizeof(reference), "%s@" DIGEST, name);
	most.image = name;
	most.reference = reference;
	most.has = most.text = text;
	most.settings = most.credentials = path;
	most.user = path;
	most.uid = most.made_uid = most.gid = most.made_gid = UINT32_MAX;
	most.wanted = (struct platform){ "linux", "aaaaaaaaaaaaaaaaaaaaaaa", "vvvvvvvvvvvvvvv" };
	for (int c = CAUSE_PLATFORM_UNAVAILABLE; c <= CAUSE_PLATFORM_NO_USER; c++) {
		choice_line((enum cause)c, &most, line);
		expect_whole(line);
		choice_line((enum cause)c, &none, line);
		expect_whole(line);
	}
	none.image = "an image; reboot";
	choice_line(CAUSE_PLATFORM_NEVER, &none, line);
	assert_non_null(strstr(line, "run \"crossarch pull --platform linux/arm64 IMAGE\""));
	assert_non_null(strstr(line, "\"image: NAME@DIGEST\""));
}

static void each_failure_has_a_cause(void **state)
{
	(void)state;
	for (int i = 0; i < PULL_FAILURE_N; i++)
		assert_true(cause_is_choice(pull_cause((enum pull_failure)i)));
	assert_int_equal(pull_cause(PULL_DENIED), CAUSE_PLATFORM_PULL_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause),
		cmocka_unit_test(progress_in_tenths),
		cmocka_unit_test(containerds_words),
		cmocka_unit_test(with_all_and_with_nothing),
		cmocka_unit_test(each_failure_has_a_cause),
	};

	return cmocka_run_group_tests_name("choice_line", tests, NULL, NULL);
}
