/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/oci/rootfs_view.h"

/*
 * True when the program at @where (in the container, without links) is what starts a .NET
 * application: `dotnet` with its host/fxr beside it, or NAME with NAME.dll and
 * NAME.runtimeconfig.json. No file is read. An application published as a single file is not seen:
 * its mark is somewhere in the data of a program of many megabytes.
 */
bool dotnet_is(struct rootfs_view *v, const char *where);
