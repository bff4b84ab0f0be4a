/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_service.h"

#include <string.h>

#include "proto/cri_image.pb-c.h"
#include "runtime/base/str.h"

#define ANSWER_MAX (16u << 20)

/* protobuf-c's fields are not const, and packing writes to none. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)(s ? s : "");
}

static int take_digest(const char *digest, char ret[static DIGEST_MAX], struct err *err)
{
	if (!digest_is_valid(digest))
		return err_set(err, ERR_INVALID, "containerd names the image \"%.80s\"", digest);
	str_copy(ret, DIGEST_MAX, digest);
	return 0;
}

int pull_begin(struct rpc *rpc, const struct pull_request *request, struct rpc_pending **ret,
	       struct err *err)
{
	CriImage__Pull pull = CRI_IMAGE__PULL__INIT;
	CriImage__Spec spec = CRI_IMAGE__SPEC__INIT;
	CriImage__Auth auth = CRI_IMAGE__AUTH__INIT;
	CriImage__Sandbox sandbox = CRI_IMAGE__SANDBOX__INIT;
	CriImage__Pair pair = CRI_IMAGE__PAIR__INIT, *pairs[] = { &pair };
	const struct rpc_call call = {
		.method = "/runtime.v1.ImageService/PullImage",
		.request = &pull.base,
		.reply = &cri_image__pull_reply__descriptor,
	};

	spec.image = text(request->image);
	spec.runtime_handler = text(request->handler);
	pull.image = &spec;
	auth.username = text(request->username);
	auth.password = text(request->password);
	pull.auth = request->username ? &auth : NULL;
	pair.key = text("io.containerd.cri.runtime-handler");
	pair.value = text(request->handler);
	sandbox.n_annotations = 1;
	sandbox.annotations = pairs;
	pull.sandbox = request->handler ? &sandbox : NULL;
	return rpc_begin(rpc, &call, ret, err);
}

int pull_finish(struct rpc_pending *take, char ret[static DIGEST_MAX], struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	ProtobufCMessage *m;

	if (rpc_finish(take, &arena, &m, err) < 0) {
		err->code = err->code == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_IO;
		return -1;
	}
	return take_digest(((const CriImage__PullReply *)(const void *)m)->image, ret, err);
}

int image_status(struct rpc *rpc, const char *image, bool *ret_here, char ret[static DIGEST_MAX],
		 uint64_t *ret_size, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	CriImage__StatusGet request = CRI_IMAGE__STATUS_GET__INIT;
	CriImage__Spec spec = CRI_IMAGE__SPEC__INIT;
	const struct rpc_call call = {
		.method = "/runtime.v1.ImageService/ImageStatus",
		.request = &request.base,
		.reply = &cri_image__status_reply__descriptor,
	};
	const CriImage__Image *found;
	ProtobufCMessage *m;

	spec.image = text(image);
	request.image = &spec;
	if (rpc_unary(rpc, &call, &arena, &m, err) < 0)
		return -1;
	found = ((const CriImage__StatusReply *)(const void *)m)->image;
	*ret_here = found != NULL;
	if (!found)
		return 0;
	*ret_size = found->size;
	return take_digest(found->id, ret, err);
}
