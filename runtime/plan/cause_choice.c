/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "runtime/base/mem.h"
#include "runtime/plan/cause.h"

#define AT(cause) ((cause)-CAUSE_PLATFORM_UNAVAILABLE)
#define NOT_PULLED "{wanted} of {image} cannot be pulled"
#define WRITE "write \"image: {reference}\" in the pod"

static const struct cause_row rows[] = {
	[AT(CAUSE_PLATFORM_UNAVAILABLE)] = {
		"platform-unavailable",
		"{image} has nothing for {wanted}",
		"it has {has}",
		"ask for one of those in the annotation io.crossarch.platform, or use an image that "
		"is built for {wanted}",
	},
	[AT(CAUSE_PLATFORM_NEVER)] = {
		"platform-mismatch",
		"the pod is to get {wanted} of {image}, which is not on this node",
		"it is not pulled for it, since the setting pull (annotation io.crossarch.pull) is "
		"never",
		"run \"{pull}\" on the node, or " WRITE,
	},
	[AT(CAUSE_PLATFORM_HELD)] = {
		"platform-mismatch",
		"the pod is to get {wanted} of {image} but its root file system is that of {made}",
		"it cannot be replaced: {text}",
		WRITE,
	},
	[AT(CAUSE_PLATFORM_PULLING)] = {
		"platform-pulling",
		"{wanted} of {image} is being pulled{progress}",
		"the pull goes on while the kubelet tries again",
		"wait, or run \"{pull}\" on the node before the pod comes; one try may take the "
		"kubelet's runtimeRequestTimeout",
	},
	[AT(CAUSE_PLATFORM_QUEUED)] = {
		"platform-pulling",
		"{wanted} of {image} is still to be pulled",
		"this node pulls other images, as many at once as the setting pulls_at_once permits",
		"wait, since the kubelet tries again, or raise pulls_at_once in {settings}",
	},
	[AT(CAUSE_PLATFORM_PULL_DENIED)] = {
		"platform-pull-denied",
		NOT_PULLED,
		"the registry refuses the credentials of this node, which are not those of the pod, "
		"or has no such repository",
		WRITE ", which the kubelet pulls with the pod's imagePullSecrets, or put "
		      "credentials for the registry into {credentials} on the node",
	},
	[AT(CAUSE_PLATFORM_PULL_FAILED)] = {
		"platform-pull-failed",
		NOT_PULLED,
		"containerd says: {text}",
		"run \"{pull}\" on the node to see it fail, or " WRITE,
	},
	[AT(CAUSE_PLATFORM_PULL_NOT_FOUND)] = {
		"platform-pull-failed",
		NOT_PULLED,
		"the registry does not have it any more, though it is in the image that this node has",
		"push the image again and let the kubelet pull it (imagePullPolicy: Always)",
	},
	[AT(CAUSE_PLATFORM_PULL_CORRUPT)] = {
		"platform-pull-failed",
		NOT_PULLED,
		"the registry, or a mirror or proxy before it, sends other bytes than the digest says",
		"push the image again, or repair the mirror that hosts.toml on the node names",
	},
	[AT(CAUSE_PLATFORM_PULL_DISK_FULL)] = {
		"platform-pull-failed",
		NOT_PULLED,
		"the file system of containerd's root is full",
		"run \"crictl rmi --prune\" on the node, or make that file system larger",
	},
	[AT(CAUSE_PLATFORM_PULL_UNREACHABLE)] = {
		"platform-pull-failed",
		NOT_PULLED,
		"this node does not reach the registry: {text}",
		"look at the registry's name, at the proxy of containerd's service and at hosts.toml",
	},
	[AT(CAUSE_PLATFORM_PULL_GONE)] = {
		"platform-pull-failed",
		NOT_PULLED,
		"containerd went away meanwhile",
		"wait: what has arrived is kept, and the kubelet tries again",
	},
	[AT(CAUSE_PLATFORM_PULL_TOO_LARGE)] = {
		"platform-pull-failed",
		"{wanted} of {image} is not pulled",
		"it has {total} MB and the setting pull_max_mb is {max}",
		"run \"{pull}\" on the node, or raise pull_max_mb in {settings}",
	},
	[AT(CAUSE_PLATFORM_DIFFERS)] = {
		"platform-differs",
		"{wanted} of {image} is to run as {user} ({ids}) but the container was made for "
		"{made-ids}",
		"containerd took the user from the image for {made}",
		"set {run-as} in the pod's securityContext, or build the image with the same "
		"numeric USER for all platforms",
	},
	[AT(CAUSE_PLATFORM_GROUPS)] = {
		"platform-differs",
		"{wanted} of {image} has its user {user} in fewer groups than the container was made "
		"for",
		"containerd took the groups from /etc/group of the image for {made}",
		WRITE,
	},
	[AT(CAUSE_PLATFORM_NO_PROGRAM)] = {
		"platform-differs",
		"{wanted} of {image} names no program to start",
		"its configuration has neither an Entrypoint nor a Cmd, that of {made} has one, and "
		"the pod gives no command",
		"set command in the pod",
	},
	[AT(CAUSE_PLATFORM_NO_USER)] = {
		"platform-differs",
		"{wanted} of {image} is to run as {user}",
		"its /etc/passwd or /etc/group has no such name, and containerd took the user from "
		"the image for {made}",
		"set runAsUser and runAsGroup in the pod's securityContext, or repair the image",
	},
};

const struct cause_row *cause_choice_row(enum cause c)
{
	ASSERT(cause_is_choice(c) && rows[AT(c)].code);
	return &rows[AT(c)];
}
