/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/cri.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/cli/cli.h"
#include "runtime/containerd/rpc.h"

/*
 * The CRI client of the tests: it sends what the kubelet sends and prints errors as the kubelet
 * has them. One process per call; everything it allocates lives in the arena of its connection,
 * and main() ends with _exit().
 */
struct cri {
	struct rpc *rpc;
	struct arena arena;
};

/*
 * How global options reach a command: main() puts them into the environment, where a test script
 * may set them for all its calls.
 */
#define CRI_ENDPOINT "CRI_ENDPOINT" /* socket of the runtime */
#define CRI_TIMEOUT "CRI_TIMEOUT"   /* seconds for one command; the kubelet's default is 120 */
#define CRI_ENDPOINT_DEFAULT "/run/containerd/containerd.sock"
#define CRI_TIMEOUT_DEFAULT "120"

/* Connects. False: the error is printed. */
bool cri_open(struct cri *cri);

/*
 * One call of runtime.v1; @method is "RuntimeService/StartContainer". The reply lives in the arena
 * of @cri; NULL when the call failed and the error is printed.
 */
const void *cri_call(struct cri *cri, const char *method, const ProtobufCMessage *request,
		     const ProtobufCMessageDescriptor *reply);

/* As cri_call() for the many requests that are one id and replies that say nothing. */
int cri_call_id(struct cri *cri, const char *method, const char *id);

/* The whole of a command that takes one id and nothing else. */
int cri_run_id(const struct cli_command *self, int argc, char **argv, const char *method);

/* For commands without options. */
extern const struct cli_option cri_no_options[1];

/* Memory and texts in the arena of @cri; out of memory ends the program. */
void *cri_alloc(struct cri *cri, size_t n);
__attribute__((format(printf, 2, 3))) char *cri_text(struct cri *cri, const char *fmt, ...);

/* protobuf-c's fields are not const, and packing never writes to them. */
static inline char *pb(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* A growing list of pairs in the arena, for maps and environments. */
struct cri_pairs {
	Cri__Pair **v;
	size_t n, cap;
};

void cri_pairs_add(struct cri *cri, struct cri_pairs *pairs, const char *key, const char *value);

/* Adds every "key=value" of @list. False: the faulty one is reported. */
bool cri_pairs_parse(struct cri *cri, struct cri_pairs *pairs, const struct cli_command *self,
		     const struct cli_list *list);

/* The JSON text that a verbose status carries under "info", or NULL. */
const char *cri_info(Cri__Pair *const *info, size_t n);

/*
 * The string or number at @path ("config.linux.cgroup_parent") of a JSON text, in the arena; ""
 * when there is none.
 */
const char *cri_json_at(struct cri *cri, const char *json, const char *path);

/* The security profile "runtime/default", "unconfined" or a path; false: not one of these. */
bool cri_profile_parse(const char *text, Cri__Profile *ret);

/* Sends the verbose status request that the kubelet uses; NULL as cri_call(). */
const Cri__ContainerStatusReply *cri_container_status(struct cri *cri, const char *id);

/* The image @name as the runtime knows it; NULL: the error is printed, also when it is not there.
 */
const Cri__Image *cri_image(struct cri *cri, const char *name);

/* The configuration pod @id was made with, for CreateContainer; NULL: the error is printed. */
Cri__PodConfig *cri_pod_config(struct cri *cri, const char *id);

extern const struct cli_command cmd_version;
extern const struct cli_command cmd_handlers;
extern const struct cli_command cmd_runp;
extern const struct cli_command cmd_stopp;
extern const struct cli_command cmd_rmp;
extern const struct cli_command cmd_pods;
extern const struct cli_command cmd_podstatus;
extern const struct cli_command cmd_pull;
extern const struct cli_command cmd_image;
extern const struct cli_command cmd_images;
extern const struct cli_command cmd_rmi;
extern const struct cli_command cmd_create;
extern const struct cli_command cmd_start;
extern const struct cli_command cmd_stop;
extern const struct cli_command cmd_rm;
extern const struct cli_command cmd_ps;
extern const struct cli_command cmd_status;
extern const struct cli_command cmd_wait;
extern const struct cli_command cmd_update;
extern const struct cli_command cmd_stats;
extern const struct cli_command cmd_podstats;
extern const struct cli_command cmd_exec;
extern const struct cli_command cmd_talk;
extern const struct cli_command cmd_attach;
extern const struct cli_command cmd_logs;
extern const struct cli_command cmd_checkpoint;
