/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/log.h"

/*
 * What `delete` of a sandbox must know of the other containers of its pod after their shim was
 * killed. From containerd 2.3 on (shim/README.md, Starting) none runs for these, and their
 * bundles, with what they say of the engine, may be gone by then. So the sandbox's bundle keeps a
 * second name of each one's record, in <sandbox's bundle>/crossarch.pod/ID, where it is read as in
 * a bundle (engine_record.h).
 */

/*
 * The record of the container of @about in @bundle becomes known to the sandbox whose bundle is
 * @home. If that fails the container is as one of the stock shim's, and the log says so. Nothing is
 * done without a
 * @home, "", or if it is the container's own bundle.
 */
void pod_record_keep(const char *home, const char *bundle, struct log_subject about);

/* The engine has forgotten the container. */
void pod_record_drop(const char *home, const char *id);

/* Calls @clean for each container that the bundle @home knows of, with the place of its record. */
void pod_record_each(const char *home, void (*clean)(char *record, const char *id, void *arg),
		     void *arg);
