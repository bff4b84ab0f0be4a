/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "tests/bench/bench.h"

/* Docker's and containerd's default for a container that asked for nothing. */
#define CAPABILITIES                                                                       \
	"[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FSETID\",\"CAP_FOWNER\",\"CAP_MKNOD\"," \
	"\"CAP_NET_RAW\",\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETFCAP\",\"CAP_SETPCAP\","   \
	"\"CAP_NET_BIND_SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_KILL\",\"CAP_AUDIT_WRITE\"]"

static const char mounts[] =
	"\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":["
	"\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":["
	"\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}],";

static const char paths[] =
	"\"maskedPaths\":[\"/proc/acpi\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\","
	"\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/sys/firmware\","
	"\"/proc/scsi\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\","
	"\"/proc/sysrq-trigger\"]";

int spec_process(words args, struct buf *out, struct err *err)
{
	if (buf_printf(out, err, "{\"user\":{\"uid\":0,\"gid\":0},\"args\":[") < 0)
		return -1;
	for (size_t i = 0; args[i]; i++)
		if (buf_printf(out, err, "%s\"%s\"", i ? "," : "", args[i]) < 0)
			return -1;
	return buf_printf(out, err,
			  "],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\",\"noNewPrivileges\":true,"
			  "\"capabilities\":{\"bounding\":%s,\"effective\":%s,\"permitted\":%s}}",
			  CAPABILITIES, CAPABILITIES, CAPABILITIES);
}

/*
 * Version 1.0.2, so that crun 1.8 takes it under every containerd. The network namespace is the
 * machine's: its making and its slow end in the kernel would be noise on both sides.
 */
int spec_container(const struct bench *b, const char *id, const char *group, words args,
		   struct buf *out, struct err *err)
{
	if (buf_printf(out, err, "{\"ociVersion\":\"1.0.2\",\"hostname\":\"bench\",\"process\":") <
		    0 ||
	    spec_process(args, out, err) < 0 ||
	    buf_printf(out, err, ",\"root\":{\"path\":\"rootfs\"},%s", mounts) < 0)
		return -1;
	return buf_printf(out, err,
			  "\"annotations\":{\"io.containerd.runc.v2.group\":\"%s\"},"
			  "\"linux\":{\"cgroupsPath\":\"%s/%s\",\"resources\":{\"devices\":"
			  "[{\"allow\":false,\"access\":\"rwm\"}]},\"namespaces\":["
			  "{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
			  "{\"type\":\"mount\"}],%s}}",
			  group ? group : id, b->cgroup, id, paths);
}
