/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "runtime/base/mem.h"
#include "runtime/plan/cause.h"

#define AT(cause) ((cause)-CAUSE_WARN_LABEL)

static const struct cause_row rows[AT(CAUSE_N)] = {
	[AT(CAUSE_WARN_LABEL)] = {
		"label-mismatch",
		"{program} is {platform}",
		"its image declares {declared}",
		"report it to the publisher of the image; nothing to do if it runs",
	},
	[AT(CAUSE_WARN_SETUID)] = {
		"setuid-without-credentials",
		"{program} is a set-user-ID program",
		"the handler {handler} lacks flag C, so it gains no privilege",
		"{credentials}",
	},
	[AT(CAUSE_WARN_REPLACED)] = {
		"emulator-replaced",
		"{program} runs under the handler {handler}",
		"its interpreter {emulator} was replaced since it was registered, and the old "
		"one is still in use",
		"{install-again}",
	},
	[AT(CAUSE_WARN_SEVERAL)] = {
		"several-emulators",
		"{program} is {platform}",
		"two handlers match it, {handler} and {rival}; the kernel takes the one "
		"registered last",
		"remove the one that is not wanted, e.g. {unregister-rival}",
	},
	[AT(CAUSE_WARN_SHADOWED)] = {
		"several-emulators",
		"{program} is {platform}",
		"this node could run it by itself but the handler {handler} comes first",
		"{unregister} if that is not wanted",
	},
	[AT(CAUSE_WARN_ARGV0)] = {
		"argv0-convention",
		"{program} runs under the handler {handler}",
		"the name of its interpreter {emulator} promises flag P, which the handler "
		"lacks: programs get wrong arguments",
		"{install}",
	},
	[AT(CAUSE_WARN_OLD)] = {
		"old-emulator",
		"{program} runs under {emulator}",
		"qemu {emulator-version} crashes with some programs that newer versions run (Go, "
		"Node.js)",
		"install qemu-user-static 8 or newer on the node, then run {install-bare}",
	},
	[AT(CAUSE_WARN_MEMORY)] = {
		"small-memory-limit",
		"{program} runs under the handler {handler}",
		"the memory limit of {memory} MiB leaves little beside the emulator, which takes "
		"10 MiB and more for each process",
		"raise resources.limits.memory",
	},
	[AT(CAUSE_WARN_SYSTEM)] = {
		"not-linux",
		"{program} is marked as {system} program",
		"the kernel starts it all the same, but it dies at its first system calls unless the "
		"mark is wrong",
		"build it for linux (Go: GOOS=linux)",
	},
	[AT(CAUSE_WARN_GO)] = {
		"known-crash",
		"{program} is a Go program of amd64 ({go-version}) under qemu on arm64",
		"Go before 1.25.4 crashes there at random, with lfstack.push or taggedPointerPack: it "
		"has no room for arm64's addresses (golang/go#69255)",
		"build it with Go 1.25.4 or newer, or use an image built for {node}",
	},
	[AT(CAUSE_WARN_DOTNET)] = {
		"known-crash",
		"{program} is a .NET program under qemu",
		".NET 7 and newer crash there at random, and its makers do not support it "
		"(dotnet/runtime#13648)",
		"use an image built for {node}; where there is none, "
		"DOTNET_EnableWriteXorExecute=0 in the container's environment keeps some of them "
		"from it (dotnet/runtime#94909)",
	},
	[AT(CAUSE_WARN_MODEL)] = {
		"cpu-level",
		"{program} runs under {emulator-label}",
		"the processor model {wanted-model} that is set for it is one of qemu's, and has no "
		"effect here",
		"do without it (io.crossarch.cpu, or cpu in the configuration), or {use-qemu}",
	},
	[AT(CAUSE_WARN_CUT)] = {
		"file-damaged",
		"{program} is {platform}",
		"the file ends before its last segment and may crash",
		"{renew}",
	},
};

const struct cause_row *cause_warning_row(enum cause c)
{
	ASSERT(c >= CAUSE_WARN_LABEL && c < CAUSE_N && rows[AT(c)].code);
	return &rows[AT(c)];
}
