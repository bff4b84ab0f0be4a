/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/cli.h"
#include "runtime/cli/distribution.h"
#include "runtime/containerd/image_pull.h"

/* What "pull" and "resolve" share: their options, the connection, and the words for what went
 * wrong. */

struct puller_options {
	const char *socket, *distribution, *platform, *handler, *credentials;
	bool fresh, quiet;
};

#define PULLER_OPTIONS_INIT    \
	{                      \
		.socket = NULL \
	}

/* The rows of the shared options, for a table that is @o's. */
#define PULLER_OPTIONS(o)                                                                            \
	{ "platform", 'p', CLI_STRING, &(o).platform, "P", "the platform wanted: linux/arm64" },     \
		{ "fresh",    0,    CLI_FLAG,                                                        \
		  &(o).fresh, NULL, "ask the registry, also for names that the node has" },          \
		{ "credentials", 'c',                                                                \
		  CLI_STRING,	 &(o).credentials,                                                   \
		  "FILE",	 "a config.json for registries, in place of the kubelet's" },        \
		{ "handler",	0,	CLI_STRING,                                                  \
		  &(o).handler, "NAME", "runtime handler, where one has a snapshotter of its own" }, \
		INSTALLATION_OPTIONS((o).socket, (o).distribution),                                  \
	{                                                                                            \
		"quiet", 'q', CLI_FLAG, &(o).quiet, NULL, "print nothing that is no error"           \
	}

struct puller {
	struct image_puller images;
	struct platform wanted;
	const char *files[2]; /* of --credentials */
};

/*
 * Connects; the strings of @o live on. CLI_DONE, or what the command returns, and then it has been
 * said why. The connection is never closed: main() ends with _exit().
 */
MUST_CHECK int puller_open(const struct cli_command *self, const struct puller_options *o,
			   struct puller *ret);

/*
 * Says why @name could not be had, and what to do; @found is what it led to, or NULL when it led to
 * nothing. Returns CLI_FAILED.
 */
int puller_fail(const struct cli_command *self, const char *name, const struct image_found *found,
		const struct err *err);
