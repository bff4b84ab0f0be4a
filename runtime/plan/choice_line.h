/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "runtime/arch/platform.h"
#include "runtime/plan/cause.h"
#include "runtime/plan/diagnosis.h"

/*
 * The line of a refusal that is about choosing a platform of an image: those for which
 * cause_is_choice() holds. What is below is all it draws on; nothing is owned, and what is not
 * known stays zero.
 */
struct choice_facts {
	struct platform wanted;
	const char *image;     /* as the pod names it */
	const char *reference; /* REPOSITORY@DIGEST of the wanted one */
	const char *made;      /* platform that the container was made of */
	const char *has;      /* CAUSE_PLATFORM_UNAVAILABLE: the platforms there are, as one text */
	const char *text;     /* containerd's words, or of _HELD the reason */
	const char *settings; /* file that the node's settings are in, NULL: SETTINGS_FILE */
	const char *credentials; /* setting of that name, "" or NULL: the kubelet's */
	uint64_t arrived, total; /* bytes of a pull; total 0: not known */
	uint64_t max_mb;	 /* setting pull_max_mb */
	/* CAUSE_PLATFORM_DIFFERS, _GROUPS and _NO_USER */
	const char *user; /* of the wanted one's configuration; "" is root */
	uid_t uid, made_uid;
	gid_t gid, made_gid;
};

/*
 * Writes the whole line for @c. A pull's progress is told in tenths, so that events of the same
 * pull are few and aggregate; from containerd's words goes what differs from one try to the next or
 * is nobody's business: ports of this node, and what follows the ? of an address.
 */
void choice_line(enum cause c, const struct choice_facts *f, char line[DIAGNOSIS_MAX + 1]);
