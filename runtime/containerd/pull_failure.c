/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/pull_failure.h"

#include <string.h>

#include "runtime/base/mem.h"

/* The first that occurs counts: "not found" is also how longer sentences end. */
static const struct {
	const char *part;
	enum pull_failure failure;
} words[] = {
	{ "no space left on device", PULL_DISK_FULL },
	{ "disk quota exceeded", PULL_DISK_FULL },
	{ "no match for platform", PULL_NO_PLATFORM },
	{ "unexpected commit digest", PULL_CORRUPT },
	{ "unexpected commit size", PULL_CORRUPT },
	{ "failed size validation", PULL_CORRUPT },
	{ "unexpected digest", PULL_CORRUPT },
	{ "invalid checksum", PULL_CORRUPT },
	{ "wrong diff id", PULL_CORRUPT },
	{ "401 Unauthorized", PULL_DENIED },
	{ "403 Forbidden", PULL_DENIED },
	{ "pull access denied", PULL_DENIED },
	{ "authorization failed", PULL_DENIED },
	{ "no basic auth credentials", PULL_DENIED },
	{ "insufficient_scope", PULL_DENIED },
	{ "failed to fetch anonymous token", PULL_DENIED },
	{ "failed to fetch oauth token", PULL_DENIED },
	{ "429 Too Many Requests", PULL_LATER },
	{ "500 Internal Server Error", PULL_LATER },
	{ "502 Bad Gateway", PULL_LATER },
	{ "503 Service Unavailable", PULL_LATER },
	{ "504 Gateway Timeout", PULL_LATER },
	{ "unexpected EOF", PULL_LATER },
	{ "connection reset by peer", PULL_LATER },
	{ "dial tcp", PULL_UNREACHABLE },
	{ "no such host", PULL_UNREACHABLE },
	{ "server gave HTTP response to HTTPS client", PULL_UNREACHABLE },
	{ "tls: ", PULL_UNREACHABLE },
	{ "x509: ", PULL_UNREACHABLE },
	{ "i/o timeout", PULL_UNREACHABLE },
	{ "TLS handshake timeout", PULL_UNREACHABLE },
	{ "Socket closed", PULL_GONE },
	{ "Connection reset by peer", PULL_GONE },
	{ "Broken pipe", PULL_GONE },
	{ "connect to ", PULL_GONE },
	{ "grpc: the client connection is closing", PULL_GONE },
	{ "not found", PULL_NOT_FOUND },
	{ "404 Not Found", PULL_NOT_FOUND },
};

enum pull_failure pull_failure_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(text, words[i].part))
			return words[i].failure;
	return PULL_OTHER;
}

const char *pull_failure_advice(enum pull_failure failure)
{
	static const char *const advice[PULL_FAILURE_N] = {
		[PULL_DENIED] =
			"The registry refuses the credentials of this node, or there is no such "
			"repository. The node's belong into /var/lib/kubelet/config.json; those of "
			"pods are not used.",
		[PULL_NO_PLATFORM] = "The image has nothing for that platform.",
		[PULL_NOT_FOUND] = "The registry has no image of that name, or not all of it.",
		[PULL_CORRUPT] = "The registry, or a mirror or proxy before it, gives other bytes "
				 "than the digest says; containerd has thrown them away.",
		[PULL_DISK_FULL] = "The file system of containerd's root is full: remove images "
				   "(crictl rmi --prune), then try again.",
		[PULL_LATER] = "The registry, or what is before it, could not go on. What has "
			       "arrived is kept: try again.",
		[PULL_UNREACHABLE] = "This node does not reach the registry: look at its name, at "
				     "the proxy of containerd's service and at hosts.toml.",
		[PULL_GONE] = "containerd went away. What has arrived is kept: try again.",
		[PULL_OTHER] = "",
	};

	return advice[failure];
}
