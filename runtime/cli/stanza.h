/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/ctrd.h"
#include "runtime/cli/ctrd_config.h"

/*
 * The runtime handler in containerd's configuration: what text is right for the containerd that is
 * installed, and putting it there. Always into the main file: a drop-in replaces the whole CRI
 * plugin's table on 1.x and needs the same version as the main file on 2.x (shim-protocol.md 7.3).
 */
struct stanza {
	char version[64]; /* of containerd */
	struct buf main;  /* the main file as it is, empty without one */
	struct buf dump;  /* the effective configuration before */
	struct ctrd_config main_config, config;
	char text[2048]; /* what to add; "" when everything is there */
};

#define STANZA_INIT                                                     \
	{                                                               \
		.main = BUF_INIT(1u << 20), .dump = BUF_INIT(1u << 20), \
	}
#define CLEANUP_STANZA CLEANUP(stanza_deinit)
void stanza_deinit(struct stanza *s);

/*
 * Reads and decides. ERR_PRECONDITION: something a person has to change first, and what (the CRI
 * plugin is disabled, or a handler of our name is something else).
 */
MUST_CHECK int stanza_make(const struct ctrd *c, struct stanza *ret, struct err *err);

/*
 * Adds the text to the main file. The new file is first given to containerd itself, and only
 * installed when it loads, has our handler and has lost nothing; the old one is kept as
 * @ret_backup ("" when there was none).
 */
MUST_CHECK int stanza_install(const struct ctrd *c, const struct stanza *s, char *ret_backup,
			      size_t size, struct err *err);
