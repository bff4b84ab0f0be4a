/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/shimctl/message.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "proto/any.pb-c.h"
#include "proto/events.pb-c.h"
#include "proto/metrics.pb-c.h"
#include "proto/options.pb-c.h"
#include "proto/sandbox.pb-c.h"
#include "proto/task.pb-c.h"
#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define FILE_MAX (8u << 20)

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* What an Any may hold, and what may be encoded by name. */
static const struct {
	const char *url;
	const ProtobufCMessageDescriptor *type;
} known[] = {
	{ "containerd.runc.v1.Options", &crossarch__runc_options__descriptor },
	{ "containerd.runc.v1.CheckpointOptions", &crossarch__checkpoint_options__descriptor },
	{ "containerd.runc.v1.ProcessDetails", &crossarch__process_details__descriptor },
	{ "runtime.v1.PodSandboxConfig", &crossarch__pod_config__descriptor },
	{ "PodLinux", &crossarch__pod_linux__descriptor },
	{ "PodSysctl", &crossarch__pod_sysctl__descriptor },
	{ "runtimeoptions.v1.Options", &crossarch__runtime_options__descriptor },
	{ "containerd.runtime.bootstrap.v1.BootstrapParams",
	  &crossarch__bootstrap_params__descriptor },
	{ "io.containerd.cgroups.v1.Metrics", &crossarch__metrics__v1_metrics__descriptor },
	{ "io.containerd.cgroups.v2.Metrics", &crossarch__metrics__v2_metrics__descriptor },
	{ "containerd.events.TaskCreate", &crossarch__task_create__descriptor },
	{ "containerd.events.TaskStart", &crossarch__task_notice__descriptor },
	{ "containerd.events.TaskOOM", &crossarch__task_notice__descriptor },
	{ "containerd.events.TaskPaused", &crossarch__task_notice__descriptor },
	{ "containerd.events.TaskResumed", &crossarch__task_notice__descriptor },
	{ "containerd.events.TaskExit", &crossarch__task_exit__descriptor },
	{ "containerd.events.TaskDelete", &crossarch__task_delete__descriptor },
	{ "containerd.events.TaskExecAdded", &crossarch__task_exec__descriptor },
	{ "containerd.events.TaskExecStarted", &crossarch__task_exec__descriptor },
	{ "containerd.events.TaskCheckpointed", &crossarch__task_checkpointed__descriptor },
	{ "Any", &crossarch__any__descriptor },
	{ "Mount", &crossarch__mount__descriptor },
	{ "Extension", &crossarch__extension__descriptor },
	{ "RuntimeInfo", &crossarch__runtime_info__descriptor },
	{ "BootstrapResult", &crossarch__bootstrap_result__descriptor },
	{ "DeleteResponse", &crossarch__delete_response__descriptor },
};

const ProtobufCMessageDescriptor *message_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(known[i].url, name))
			return known[i].type;
	return NULL;
}

/* --- words to bytes ------------------------------------------------------------------------- */

static int add_varint(struct buf *b, uint64_t v, struct err *err)
{
	uint8_t bytes[10];
	size_t n = 0;

	do {
		bytes[n] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (bytes[n++] & 0x80);
	return buf_add(b, bytes, n, err);
}

static int add_bytes(struct buf *b, uint32_t id, const void *bytes, size_t n, struct err *err)
{
	if (add_varint(b, (uint64_t)id << 3 | WIRE_BYTES, err) < 0 || add_varint(b, n, err) < 0)
		return -1;
	return buf_add(b, bytes, n, err);
}

static int add_number(struct buf *b, uint32_t id, const char *value, struct err *err)
{
	uint64_t v;

	if (str_eq(value, "true") || str_eq(value, "false"))
		v = str_eq(value, "true");
	else if (str_u64(value, "number", UINT64_MAX, &v, err) < 0)
		return -1;
	if (add_varint(b, (uint64_t)id << 3 | WIRE_VARINT, err) < 0)
		return -1;
	return add_varint(b, v, err);
}

static int add_any(struct buf *b, uint32_t id, const char *value, struct err *err)
{
	struct buf CLEANUP_BUF any = BUF_INIT(FILE_MAX);
	struct buf CLEANUP_BUF bytes = BUF_INIT(FILE_MAX);
	const char *colon = strchr(value, ':');

	if (!colon)
		return err_set(err, ERR_INVALID, "\"%.80s\" is not TYPE:FILE", value);
	if (file_read(AT_FDCWD, colon + 1, &bytes, err) < 0 ||
	    add_bytes(&any, 1, value, (size_t)(colon - value), err) < 0 ||
	    add_bytes(&any, 2, bytes.data, bytes.len, err) < 0)
		return -1;
	return add_bytes(b, id, any.data, any.len, err);
}

static int add_file(struct buf *b, uint32_t id, const char *path, struct err *err)
{
	struct buf CLEANUP_BUF bytes = BUF_INIT(FILE_MAX);

	if (file_read(AT_FDCWD, path, &bytes, err) < 0)
		return -1;
	return add_bytes(b, id, bytes.data, bytes.len, err);
}

int message_add(const ProtobufCMessageDescriptor *type, const char *word, struct buf *b,
		struct err *err)
{
	const ProtobufCFieldDescriptor *f;
	const char *equals = strchr(word, '=');
	char name[64];

	if (!equals || !str_fmt(name, sizeof(name), "%.*s", (int)(equals - word), word))
		return err_set(err, ERR_INVALID, "\"%.80s\" is not FIELD=VALUE", word);
	f = protobuf_c_message_descriptor_get_field_by_name(type, name);
	if (!f)
		return err_set(err, ERR_INVALID, "%s has no field %s", type->short_name, name);
	if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_BYTES)
		return add_bytes(b, f->id, equals + 1, strlen(equals + 1), err);
	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return add_number(b, f->id, equals + 1, err);
	if (f->descriptor == &crossarch__any__descriptor)
		return add_any(b, f->id, equals + 1, err);
	return add_file(b, f->id, equals + 1, err);
}

/* --- bytes to lines ------------------------------------------------------------------------- */

static void print_message(const ProtobufCMessage *m, const char *prefix, FILE *out);

static void print_any(const Crossarch__Any *any, const char *path, FILE *out)
{
	const ProtobufCMessageDescriptor *type = message_type(any->type_url);
	struct err err;

	fprintf(out, "%s=%s\n", path, any->type_url);
	if (!type)
		fprintf(out, "%s.value=%.*s\n", path, (int)any->value.len,
			(const char *)any->value.data);
	else if (message_print(type, any->value.data, any->value.len, path, out, &err) < 0)
		fprintf(out, "%s.value=(%s)\n", path, err.text);
}

/* One value, at @at in the message. Zeros, which the wire leaves out, are printed all the same. */
static void print_value(const ProtobufCFieldDescriptor *f, const void *at, const char *path,
			FILE *out)
{
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessage *m = *(const ProtobufCMessage *const *)at;

		if (m && f->descriptor == &crossarch__any__descriptor)
			print_any((const Crossarch__Any *)(const void *)m, path, out);
		else if (m)
			print_message(m, path, out);
	} else if (f->type == PROTOBUF_C_TYPE_STRING) {
		fprintf(out, "%s=%s\n", path, *(const char *const *)at);
	} else if (f->type == PROTOBUF_C_TYPE_BYTES) {
		const ProtobufCBinaryData *d = at;

		fprintf(out, "%s=%.*s\n", path, (int)d->len, (const char *)d->data);
	} else if (f->type == PROTOBUF_C_TYPE_BOOL) {
		fprintf(out, "%s=%s\n", path, *(const protobuf_c_boolean *)at ? "true" : "false");
	} else if (f->type == PROTOBUF_C_TYPE_UINT64 || f->type == PROTOBUF_C_TYPE_INT64) {
		fprintf(out, "%s=%" PRIu64 "\n", path, *(const uint64_t *)at);
	} else if (f->type == PROTOBUF_C_TYPE_DOUBLE) {
		fprintf(out, "%s=%g\n", path, *(const double *)at);
	} else {
		fprintf(out, "%s=%" PRIu32 "\n", path, *(const uint32_t *)at);
	}
}

static size_t size_of(const ProtobufCFieldDescriptor *f)
{
	switch ((int)f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	default:
		return sizeof(uint32_t);
	}
}

static void print_message(const ProtobufCMessage *m, const char *prefix, FILE *out)
{
	char path[256];

	for (unsigned int i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const char *at = (const char *)m + f->offset;

		(void)str_fmt(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", f->name);
		if (f->label != PROTOBUF_C_LABEL_REPEATED) {
			print_value(f, at, path, out);
			continue;
		}
		at = *(const char *const *)(const void *)at;
		for (size_t k = *(const size_t *)(const void *)((const char *)m +
								f->quantifier_offset);
		     k > 0; k--, at += size_of(f))
			print_value(f, at, path, out);
	}
}

int message_print(const ProtobufCMessageDescriptor *type, const void *bytes, size_t n,
		  const char *prefix, FILE *out, struct err *err)
{
	static const uint8_t none[1];
	ProtobufCMessage *m = protobuf_c_message_unpack(type, NULL, n, n ? bytes : none);

	if (!m)
		return err_set(err, ERR_INVALID, "%zu bytes do not decode as %s", n,
			       type->short_name);
	print_message(m, prefix, out);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}
