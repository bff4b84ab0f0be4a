/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The other containers of a pod whose shim said version 3. containerd 2.3 and later run no `delete`
 * for them, not even when the shim was killed: they are the sandbox's to clean up. Each has a
 * bundle beside the sandbox's, with the sandbox's id in the file `sandbox` (core/runtime/v2/
 * shim_manager.go, Start()).
 */

/* Calls @clean for the bundle of each container of the sandbox @id, whose own is @bundle. */
void siblings_each(const char *bundle, const char *id,
		   void (*clean)(char *bundle, const char *id, void *arg), void *arg);
