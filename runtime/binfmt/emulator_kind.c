/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/binfmt/emulator_kind.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/*
 * How each registers itself, and where that was read.
 *
 * qemu: Debian's qemu-user-static, /usr/lib/binfmt.d/qemu-TARGET.conf, with the interpreter
 * /usr/libexec/qemu-binfmt/TARGET-binfmt-P or /usr/bin/qemu-TARGET-static. Fedora:
 * qemu-TARGET-static.conf. tonistiigi/binfmt: handler qemu-TARGET, /usr/bin/qemu-TARGET.
 *
 * rosetta: no package. Whoever starts the virtual machine mounts it and writes
 * ":rosetta:M::...:PATH/rosetta:OCF" (lima 05-rosetta-volume.sh: /mnt/lima-rosetta/rosetta; podman
 * machine: /var/mnt/rosetta; apple/container: /run/rosetta/rosetta; UTM and vfkit say the same to
 * do by hand). OrbStack maps it as /mnt/rv/[rosetta] (orbstack#2683). It refuses 32-bit programs.
 * x86-64-v3: crc-org/vfkit#265. Linux 6.13: podman-machine-os#98, apple/container#1142.
 *
 * box64: system/box64.conf.cmake and box32.conf.cmake, handlers box64 and box32 in /etc/binfmt.d,
 * both with PREFIX/bin/box64, no flags. The static build: its docs/COMPILE.md. box64 -v: "Box64
 * arm64 v0.4.5 GITREV with Dynarec built on ...", before 0.3.6 "Box64 with Dynarec v0.2.4 ...", to
 * stdout or stderr (src/build_info.h).
 *
 * box86: the same by the same author, a 32-bit Arm program for 32-bit x86.
 *
 * fex: Data/binfmts/FEX-x86_64.conf.in and FEX-x86.conf.in, handlers FEX-x86_64 and FEX-x86 in
 * PREFIX/lib/binfmt.d, PREFIX/bin/FEX (FEXInterpreter before 2510), flags POCF. It takes the
 * argument of flag P for what it is only with the descriptor of flag O, and talks to a FEXServer
 * that it starts from its own directory (Source/Common/FEXServerClient.cpp). FEXGetConfig
 * --version: "FEX-2508".
 */
static const struct emulator_kind kinds[] = {
	{
		.name = "qemu",
		.label = "qemu-user",
		.files = "",
		.handlers = "",
		.flags = "P",
		.limits = "",
		.remedy = "use a static one (Debian, Ubuntu: package qemu-user-static)",
		/* Debian reads more out of its own name than "-version" */
		.version_option = "-version",
		.version_starts = "qemu-",
		.version_before = " version ",
	},
	{
		.name = "rosetta",
		.label = "Rosetta",
		.files = "rosetta [rosetta]",
		.handlers = "rosetta",
		.guests = "amd64",
		.limits = "works only in virtual machines on a Mac; runs no 32-bit programs "
			  "(386); up to macOS 15 nothing for x86-64-v3, and nothing at all on "
			  "Linux 6.13 or newer",
		.remedy = "have the virtual machine register it again, with flag F",
	},
	{
		.name = "box64",
		.label = "box64",
		.files = "box64",
		.handlers = "box64 box32",
		.guests = "amd64 386",
		.flags = "",
		.limits = "uses libraries of the node, which containers do not have, unless it "
			  "is built with STATICBUILD, which its makers call experimental; 386 "
			  "only if built with BOX32",
		.remedy = "build it with -DSTATICBUILD=ON, or use qemu",
		.version_option = "-v",
		.version_starts = "Box64",
		.version_before = " v",
	},
	{
		.name = "box86",
		.label = "box86",
		.files = "box86",
		.handlers = "box86",
		.guests = "386",
		.flags = "",
		.limits = "is a 32-bit Arm program, and uses libraries of the node, which "
			  "containers do not have",
		.remedy = "use qemu",
		.version_option = "-v",
		.version_starts = "Box86",
		.version_before = " v",
	},
	{
		.name = "fex",
		.label = "FEX",
		.files = "FEX FEXInterpreter FEXLoader",
		.handlers = "FEX-x86_64 FEX-x86",
		.guests = "amd64 386",
		.flags = "PO",
		.limits = "needs libraries of the node and its own FEXServer beside each "
			  "program, which containers do not have",
		.remedy = "use qemu; its own packages are for programs of the node only",
		.version_program = "FEXGetConfig",
		.version_option = "--version",
		.version_starts = "FEX-",
		.version_before = "",
	},
	{
		.name = "unknown",
		.label = "an emulator",
		.files = "",
		.handlers = "",
		.flags = "P",
		.limits = "",
		.remedy = "use a statically linked one",
		/* Perhaps a qemu under another name. */
		.version_option = "-version",
		.version_starts = "qemu-",
		.version_before = " version ",
	},
};

#define QEMU (&kinds[0])
#define UNKNOWN (&kinds[ARRAY_SIZE(kinds) - 1])

const struct emulator_kind *emulator_kinds(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(kinds);
	return kinds;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const struct emulator_kind *emulator_kind_of_file(const char *path)
{
	const char *name = file_name(path);

	/* Debian's own name for it says qemu only in the directory. */
	if (name != path && (str_after(name, "qemu-") || strstr(path, "/qemu-binfmt/")))
		return QEMU;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_lists(kinds[i].files, name, strlen(name)))
			return &kinds[i];
	/* What people call their own builds of it: box64-static, box64-rpi5. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = *kinds[i].files ? str_after(name, kinds[i].name) : NULL;

		if (rest && *rest == '-')
			return &kinds[i];
	}
	return UNKNOWN;
}

const struct emulator_kind *emulator_kind_of(const struct binfmt_entry *e)
{
	const struct emulator_kind *k = emulator_kind_of_file(e->interpreter);

	for (size_t i = 0; k == UNKNOWN && i < ARRAY_SIZE(kinds); i++)
		if (str_lists(kinds[i].handlers, e->name, strlen(e->name)))
			k = &kinds[i];
	return k;
}

const struct emulator_kind *emulator_kind_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (&kinds[i] != UNKNOWN && str_eq(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

bool emulator_kind_is_qemu(const struct emulator_kind *k)
{
	return k == QEMU;
}

bool emulator_kind_is_other(const struct emulator_kind *k)
{
	return k != QEMU && k != UNKNOWN;
}

bool emulator_kind_is_foreign(const struct binfmt_entry *e)
{
	return emulator_kind_is_other(emulator_kind_of(e)) && !str_after(e->name, EMULATOR_PREFIX);
}

bool emulator_kind_runs(const struct emulator_kind *k, const struct arch *a)
{
	return k->guests ? str_lists(k->guests, a->name, strlen(a->name)) : a->qemu != NULL;
}

bool emulator_kind_version(const struct emulator_kind *k, const char *text, char *ret, size_t size)
{
	const char *at = k->version_option ? strstr(text, k->version_starts) : NULL;
	size_t n;

	if (!at)
		return false;
	at += strlen(k->version_starts);
	do {
		at = strstr(at, k->version_before);
		if (!at)
			return false;
		at += strlen(k->version_before);
		n = strspn(at, "0123456789.");
	} while (!n && *k->version_before);
	return n && str_fmt(ret, size, "%.*s", (int)n, at);
}
