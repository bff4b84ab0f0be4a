/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/cri.pb-c.h"
#include "runtime/base/str.h"
#include "tests/bench/bench.h"

/*
 * What the kubelet does for a pod of one container, from nothing to a running container and back,
 * through CRI: with the stock shim, with ours, and with ours where the pod has no pause container.
 */

enum party { POD_STOCK, POD_OURS, POD_PAUSELESS, PARTIES };

/* Figures of the parties: all of it, and until the container runs. */
static const struct {
	const char *variable, *series, *all, *up;
} party[PARTIES] = {
	[POD_STOCK] = { "BENCH_POD_STOCK", "stock", "pod", "pod_up" },
	[POD_OURS] = { "BENCH_POD_OURS", "ours", "pod", "pod_up" },
	[POD_PAUSELESS] = { "BENCH_POD_PAUSELESS", "ours", "pauseless", "pauseless_up" },
};

struct pods {
	struct bench *bench;
	const char *handler[PARTIES];
	unsigned int serial;
	struct samples all[PARTIES], up[PARTIES];
};

static char *pb(const char *s)
{
	return (char *)(uintptr_t)s;
}

#define SERVICE "/runtime.v1.RuntimeService/"

static int call(struct pods *p, const char *method, const ProtobufCMessage *request,
		const ProtobufCMessageDescriptor *reply, struct arena *arena,
		ProtobufCMessage **ret, struct err *err)
{
	const struct rpc_call c = { .method = method, .request = request, .reply = reply };

	return rpc_unary(p->bench->rpc, &c, arena, ret, err) < 0 ? err_in(err, "%s", method) : 0;
}

/* A call that makes something: its id, in @arena. */
static int call_to_make(struct pods *p, const char *method, const ProtobufCMessage *request,
			struct arena *arena, const char **ret, struct err *err)
{
	ProtobufCMessage *reply;

	if (call(p, method, request, &cri__id_reply__descriptor, arena, &reply, err) < 0)
		return -1;
	*ret = ((const Cri__IdReply *)reply)->id;
	return 0;
}

/* A call about something that there is. */
static int call_on(struct pods *p, const char *method, const char *id, struct arena *arena,
		   struct err *err)
{
	Cri__IdRequest request = CRI__ID_REQUEST__INIT;
	ProtobufCMessage *reply;

	request.id = pb(id);
	return call(p, method, &request.base, &cri__empty__descriptor, arena, &reply, err);
}

/* What a request points at. */
struct pod_parts {
	char name[48];
	Cri__PodMetadata metadata;
	Cri__Namespaces namespaces;
	Cri__PodSecurity security;
	Cri__LinuxPod on_linux;
	Cri__PodConfig config;
};

static void parts_fill(struct pods *p, enum party who, struct pod_parts *parts)
{
	cri__pod_metadata__init(&parts->metadata);
	cri__namespaces__init(&parts->namespaces);
	cri__pod_security__init(&parts->security);
	cri__linux_pod__init(&parts->on_linux);
	cri__pod_config__init(&parts->config);
	str_fmt(parts->name, sizeof(parts->name), "bench-%d-%u", (int)who, p->serial++);
	parts->metadata.name = parts->metadata.uid = parts->name;
	parts->metadata.namespace_ = pb("default");
	parts->namespaces.pid = CRI__NAMESPACE_MODE__CONTAINER;
	parts->security.namespaces = &parts->namespaces;
	parts->on_linux.security = &parts->security;
	parts->on_linux.cgroup_parent = pb(p->bench->cgroup);
	parts->config.metadata = &parts->metadata;
	parts->config.hostname = parts->name;
	parts->config.on_linux = &parts->on_linux;
}

static int run_pod(struct pods *p, enum party who, struct pod_parts *parts, struct arena *arena,
		   const char **ret, struct err *err)
{
	Cri__RunPodRequest request = CRI__RUN_POD_REQUEST__INIT;

	request.config = &parts->config;
	request.runtime_handler = pb(p->handler[who]);
	return call_to_make(p, SERVICE "RunPodSandbox", &request.base, arena, ret, err);
}

static int create_container(struct pods *p, const char *pod, struct pod_parts *parts,
			    struct arena *arena, const char **ret, struct err *err)
{
	char *args[] = { pb("/bin/sleep"), pb("100000") };
	Cri__CreateRequest request = CRI__CREATE_REQUEST__INIT;
	Cri__ContainerConfig config = CRI__CONTAINER_CONFIG__INIT;
	Cri__ContainerMetadata metadata = CRI__CONTAINER_METADATA__INIT;
	Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;

	metadata.name = pb("sleep");
	image.image = pb(p->bench->image);
	config.metadata = &metadata;
	config.image = &image;
	config.command = args;
	config.n_command = ARRAY_SIZE(args);
	request.pod_id = pb(pod);
	request.config = &config;
	request.sandbox_config = &parts->config;
	return call_to_make(p, SERVICE "CreateContainer", &request.base, arena, ret, err);
}

/* In the order of the kubelet: containers are removed after their pod has stopped. */
static int take_down(struct pods *p, const char *pod, const char *container, struct arena *arena,
		     struct err *err)
{
	/* StopContainer has a field more, 0: kill at once. */
	if (call_on(p, SERVICE "StopContainer", container, arena, err) < 0 ||
	    call_on(p, SERVICE "StopPodSandbox", pod, arena, err) < 0 ||
	    call_on(p, SERVICE "RemoveContainer", container, arena, err) < 0)
		return -1;
	return call_on(p, SERVICE "RemovePodSandbox", pod, arena, err);
}

static int one(void *ctx, enum subject subject, bool counts, struct err *err)
{
	struct pods *p = ctx;
	enum party who = (enum party)subject;
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	const char *pod, *container;
	double begin = now_ms(), up;
	struct pod_parts parts;

	parts_fill(p, who, &parts);
	if (run_pod(p, who, &parts, &arena, &pod, err) < 0 ||
	    create_container(p, pod, &parts, &arena, &container, err) < 0 ||
	    call_on(p, SERVICE "StartContainer", container, &arena, err) < 0)
		return err_in(err, "handler %s", p->handler[who]);
	up = now_ms() - begin;
	if (take_down(p, pod, container, &arena, err) < 0)
		return err_in(err, "handler %s", p->handler[who]);
	if (!counts)
		return 0;
	samples_add(&p->up[who], up);
	samples_add(&p->all[who], now_ms() - begin);
	return 0;
}

/* The table compares series of one figure: the stock shim's samples stand beside both of ours. */
static void print(struct pods *p, enum party who, enum party beside)
{
	samples_print(p->bench, party[beside].all, party[who].series, true, &p->all[who]);
	samples_print(p->bench, party[beside].up, party[who].series, true, &p->up[who]);
}

/* The handlers are named by the environment; one that is not is left out. */
int bench_pod(struct bench *b, unsigned int n, struct err *err)
{
	struct pods p = { .bench = b };
	unsigned int parties = 0;

	while (parties < PARTIES && (p.handler[parties] = getenv(party[parties].variable)))
		parties++;
	if (parties < POD_PAUSELESS)
		return err_set(err, ERR_INVALID, "%s is not set", party[parties].variable);
	if (alternate(n, parties, one, &p, err) < 0)
		return -1;
	for (enum party who = POD_OURS; who < (enum party)parties; who++) {
		print(&p, POD_STOCK, who);
		print(&p, who, who);
	}
	for (enum party who = POD_STOCK; who < PARTIES; who++) {
		samples_deinit(&p.all[who]);
		samples_deinit(&p.up[who]);
	}
	return 0;
}
