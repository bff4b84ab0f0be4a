/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "runtime/base/err.h"
#include "runtime/cli/containerd_process.h"

/*
 * The distributions of Kubernetes bring a containerd each, and keep its files in places of their
 * own. One row says all that is known of one; whoever needs a socket, a file or the command that
 * restarts it, asks here. The namespace is CRI's in all of them, k8s.io.
 */

/* Who writes the file that containerd is started with, and what it takes from us. */
enum config_source {
	CONFIG_BY_PERSON,   /* nobody writes it anew: it, or a drop-in that it imports */
	CONFIG_BY_BOOT,	    /* it is written anew at every boot, from a text elsewhere */
	CONFIG_BY_TEMPLATE, /* from a template, perhaps with a drop-in directory besides */
	CONFIG_BY_MERGE,    /* from all files of a directory, which it merges itself */
};

struct distribution {
	const char *name, *title;
	const char *socket;
	const char *config;  /* the file that its containerd is started with */
	const char *part;    /* of the path of that file, wherever its data are; NULL: any */
	const char *program; /* containerd, when none runs; NULL: in PATH */
	const char *sign;    /* a file or directory that only its nodes have; NULL */
	enum config_source source;
	/* Beside @config; of templates the one for version 3 of the file first, and NULL without */
	const char *templates[2];
	const char *drop_ins; /* CONFIG_BY_MERGE: the directory */
	const char *units[4]; /* of the service manager; the first where nothing else is known */
	const char *restart;  /* in the place of restarting a unit; NULL */
	bool by_itself;	      /* it sees a changed file and restarts its containerd */
};

/* All of them; the last one is any other containerd. */
const struct distribution *distributions(size_t *ret_n);

#define INSTALLATION_COMMAND_MAX 160

/* A distribution's containerd on this node, as found or as told. */
struct installation {
	const struct distribution *distribution;
	const char *socket;
	struct containerd containerd;
	char restart[INSTALLATION_COMMAND_MAX]; /* a command without quotes */
};

#define CLEANUP_INSTALLATION CLEANUP(installation_deinit)
void installation_deinit(struct installation *n);

/*
 * @name: of a distribution, NULL: find out. @socket: of its containerd, NULL: the one that belongs
 * to the distribution; it has to stay. Without a name it goes by the file that the process behind
 * the socket was started with, then by the socket, then by what is installed. ERR_INVALID for an
 * unknown name, with those there are; ERR_NOT_FOUND when there is no containerd.
 */
MUST_CHECK int installation_find(const char *name, const char *socket, struct installation *ret,
				 struct err *err);

/*
 * Only the socket, for a command that asks containerd and nothing else: @socket if it is not NULL,
 * else that of the distribution. ERR_INVALID for an unknown name.
 */
MUST_CHECK int installation_socket(const char *name, const char *socket, const char **ret,
				   struct err *err);

/* The rows of both options, for a table of options. */
#define INSTALLATION_OPTIONS(socket_, name_)                                      \
	{ "address",  'a',    CLI_STRING,                                         \
	  &(socket_), "SOCK", "containerd's socket (that of the distribution)" }, \
	{                                                                         \
		"distribution", 'D', CLI_STRING, &(name_), "NAME",                \
			"k3s, rke2, k0s, microk8s, eks or containerd (found out)" \
	}
