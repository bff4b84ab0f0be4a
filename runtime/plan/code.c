/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/code.h"

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define ENOEXEC_LINE "\"exec format error\" in the container's log after it was started"
#define ENOENT_LINE "\"no such file or directory\" about a program that is there"

static const struct code_row rows[] = {
	{
		"no-emulator",
		false,
		"The program is for another processor and no binfmt_misc handler takes it.",
		ENOEXEC_LINE,
		"ELF header of the program, all handlers in /proc/sys/fs/binfmt_misc.",
		"Install an emulator on the node (crossarch emulators install ARCH), or let the "
		"scheduler choose a node of that architecture (nodeSelector kubernetes.io/arch).",
	},
	{
		"emulator-disabled",
		false,
		"A handler would take the program, but it is switched off, alone or with all "
		"others.",
		ENOEXEC_LINE,
		"First line of the handler's entry, and the file status beside it.",
		"Write 1 to the entry, or to status, in /proc/sys/fs/binfmt_misc on the node.",
	},
	{
		"emulator-not-pinned",
		false,
		"The handler was registered without flag F: the kernel looks for its interpreter "
		"in "
		"the container, where images do not have it.",
		ENOENT_LINE,
		"Flags of the handler's entry, and a look for its interpreter in the container.",
		"Register it with flag F (crossarch emulators install ARCH does).",
	},
	{
		"emulator-broken",
		false,
		"The interpreter of the handler cannot be started: not executable, empty, for "
		"another "
		"processor, matched by its own handler, or without its loader.",
		ENOEXEC_LINE ", \"permission denied\", or " ENOENT_LINE,
		"Mode, ELF header and loader of the interpreter.",
		"Install a statically linked emulator (qemu-user-static) built for this node.",
	},
	{
		"binfmt-not-mounted",
		false,
		"binfmt_misc is not mounted on the node, so the kernel has no handlers. Since "
		"Linux "
		"6.7 handlers vanish with the last mount, for example that of an installer's "
		"container.",
		ENOEXEC_LINE,
		"File system type of /proc/sys/fs/binfmt_misc, and the kernel's table itself.",
		"Mount it on the node, keep it mounted, and register the emulators again.",
	},
	{
		"binfmt-unsupported",
		false,
		"The node's kernel has no binfmt_misc.",
		ENOEXEC_LINE,
		"The kernel's answer to a mount, and /proc/filesystems.",
		"Load the module binfmt_misc, or use a kernel with CONFIG_BINFMT_MISC.",
	},
	{
		"emulator-hidden",
		false,
		"The pod has a user namespace of its own in which somebody mounted binfmt_misc. "
		"Such "
		"an instance replaces the node's, and unmounting does not bring that back.",
		ENOEXEC_LINE ", only in this pod",
		"User namespace and mounts of the pod's processes.",
		"Do not mount binfmt_misc in the pod; start the pod anew.",
	},
	{
		"header-not-matched",
		false,
		"There is a handler for this processor, but its mask does not accept this file's "
		"header.",
		ENOEXEC_LINE " for one program only",
		"The kernel's own comparison of magic and mask with the first bytes of the file.",
		"Register the handler with the mask that qemu itself recommends (crossarch "
		"emulators "
		"install ARCH), or rebuild the program with an ordinary header.",
	},
	{
		"no-32bit",
		false,
		"A 32-bit program of the node's own family on a processor or kernel that only runs "
		"64-bit programs, or an x32 program.",
		ENOEXEC_LINE " although the architecture seems right",
		"ELF header; a 32-bit system call (x86) or personality (Arm) tried on the node.",
		"Use a 64-bit image; on x86 boot with ia32_emulation=1; or install the emulator "
		"for "
		"the 32-bit architecture.",
	},
	{
		"abi-mismatch",
		false,
		"The processor is right, but not the byte order or the ABI: hard and soft float "
		"Arm, "
		"ELFv1 and ELFv2 PowerPC, the three of MIPS.",
		ENOEXEC_LINE ", or " ENOENT_LINE,
		"Class, byte order and flags in the ELF header; which loaders the image has.",
		"Use a program and a base image of one ABI, or install the emulator for this one.",
	},
	{
		"cpu-level",
		false,
		"The program or its C library was built for a later level of x86-64 than this "
		"processor has.",
		"\"CPU does not support x86-64-v3\", or exit status 132 (illegal instruction)",
		"Notes in the program and its loader, the image's variant, and CPUID.",
		"Use nodes with newer processors, give the virtual machine the host's CPU type, or "
		"use an image built for the lower level.",
	},
	{
		"page-size",
		false,
		"The program's segments cannot be mapped with the pages of this kernel (16 or 64 "
		"KiB).",
		"A crash or \"exec format error\" at the start",
		"Program headers and the node's page size.",
		"Rebuild with -Wl,-z,max-page-size=65536, or use nodes with 4 KiB pages.",
	},
	{
		"loader-missing",
		false,
		"The program is dynamically linked and its loader is not in the image, often "
		"because "
		"it was built with glibc for a musl base or copied into an empty image.",
		ENOENT_LINE,
		"PT_INTERP of the program and a look for it in the container.",
		"Build on the base image that is used, or link statically.",
	},
	{
		"loader-foreign",
		false,
		"The loader that the program names is for another architecture or no program at "
		"all: "
		"the image is a mixture.",
		"\"accessing a corrupted shared library\" or an input/output error",
		"ELF header of the loader.",
		"Rebuild the image from one base of one platform.",
	},
	{
		"script-no-shebang",
		false,
		"The program is a text file without a #! line, with an empty one, or with a byte "
		"order mark in front of it.",
		"\"exec format error\" on the right architecture",
		"First bytes of the file.",
		"Make #!/bin/sh the first line, or start it as an argument of a shell.",
	},
	{
		"script-crlf",
		false,
		"The script has Windows line ends, so the interpreter's name ends in a carriage "
		"return.",
		ENOENT_LINE,
		"The #! line and a look for the name it gives.",
		"Convert the file (dos2unix) and keep it so (git: *.sh text eol=lf).",
	},
	{
		"script-interpreter-missing",
		false,
		"The interpreter that the #! line names is not in the image, for example bash on "
		"an "
		"image that has only sh.",
		ENOENT_LINE,
		"The #! line and a look for the name it gives.",
		"Install the interpreter or name another one.",
	},
	{
		"file-empty",
		false,
		"The program is an empty file: the node's copy of the image is damaged, or it was "
		"built so.",
		"\"exec format error\" on the right architecture, often on one node only",
		"Size of the file.",
		"Remove the image from the node and pull it again.",
	},
	{
		"file-damaged",
		false,
		"The program is cut off, or consists of zero bytes: an interrupted unpacking, a "
		"crash "
		"or a full disk.",
		"\"exec format error\" or a crash, often on one node only",
		"ELF header and program headers against the size of the file.",
		"Remove the image from the node and pull it again.",
	},
	{
		"not-linux",
		false,
		"The file is no Linux program: macOS, Windows, WebAssembly, Java, an object file, "
		"a "
		"core dump, an archive.",
		ENOEXEC_LINE,
		"First bytes of the file.",
		"Build for Linux (GOOS=linux), correct the command, or for WebAssembly use another "
		"RuntimeClass.",
	},
	{
		"not-executable",
		false,
		"The file cannot be started whatever is in it: no execute permission, a directory "
		"or "
		"device, links in a circle, a mount with noexec.",
		"\"permission denied\"",
		"Type and mode of the file, and options of the mount it is on.",
		"chmod +x in the image's build; mount without noexec; correct the command.",
	},
	{
		"platform-mismatch",
		false,
		"The pod asks for a platform (io.crossarch.platform) and its image is for another "
		"one, usually the node's: containerd chooses that from images for several.",
		"nothing: the wrong program runs",
		"The annotation against the program's ELF header, or the image's declaration.",
		"Name the image for the platform by its digest; crossarch check IMAGE lists them.",
	},
	{
		"emulation-refused",
		false,
		"The program needs an emulator and the configuration says never.",
		"nothing: this is crossarch's own rule",
		"emulation in the node's configuration or io.crossarch.emulation of the pod.",
		"Set it to auto, or schedule the pod on nodes of its architecture.",
	},
	{
		"seccomp-blocks-emulator",
		false,
		"The pod's seccomp profile was written for the program and filters the emulator, "
		"which cannot start under it; the configuration says to keep it as it is.",
		"exit status 127, 139 or 159 and an odd message of the emulator",
		"Rules of the profile against the system calls every emulator makes.",
		"Set io.crossarch.seccomp to adapt, or use RuntimeDefault.",
	},
	{
		"private-emulator-unavailable",
		false,
		"The pod asks for emulators of its own and cannot have them here: the kernel is "
		"older than 6.7, no static emulator is on the node or root of the pod's user "
		"namespace cannot read it, the pod is privileged or has hostPID, or somebody else "
		"mounted binfmt_misc in its user namespace. The line says which.",
		"nothing: this is crossarch's own rule",
		"private_emulators in the node's configuration or the pod's annotation, the "
		"specification, and what the kernel answered inside the user namespace.",
		"What the line says; or set it to false and use emulators of the node.",
	},
	{
		"bad-config",
		false,
		"The node's configuration, the runtime's options or an annotation is wrong.",
		"nothing: this is crossarch's own rule",
		"/etc/crossarch/config.json or the file named by ConfigPath; io.crossarch.*.",
		"Correct what the line names; it lists the values that exist.",
	},
	{
		"label-mismatch",
		true,
		"The image declares one platform and the program is for another: a build error of "
		"the publisher.",
		"\"exec format error\" on nodes of the declared platform",
		"ELF header against the image's configuration.",
		"Report it to the publisher.",
	},
	{
		"setuid-without-credentials",
		true,
		"The program is set-user-ID, and a handler without flag C starts it without that.",
		"sudo: \"effective uid is not 0\"",
		"Mode of the program, flags of the handler.",
		"crossarch emulators install --credentials ARCH, if programs must gain privileges.",
	},
	{
		"emulator-replaced",
		true,
		"The emulator was upgraded, but the kernel still uses the file it opened when the "
		"handler was registered.",
		"nothing, until somebody looks for the upgrade's effect",
		"Time of the last change of the file against the time of registration.",
		"Register it again: crossarch emulators install ARCH.",
	},
	{
		"several-emulators",
		true,
		"More than one handler matches, or one matches programs the node could run itself. "
		"The kernel uses the one registered last.",
		"odd errors of an emulator nobody expected, or slowness",
		"All handlers and the times of their registration.",
		"Remove the one that is not wanted: crossarch emulators remove.",
	},
	{
		"argv0-convention",
		true,
		"The emulator expects its program's name as an extra argument (flag P), and the "
		"handler does not pass it.",
		"\"applet not found\", or arguments that are off by one",
		"Name of the interpreter against the handler's flags.",
		"Register it again: crossarch emulators install ARCH.",
	},
	{
		"old-emulator",
		true,
		"The emulator is a qemu older than version 8, which crashes with some programs.",
		"\"uncaught target signal 11\", exit status 139",
		"The version in the emulator's own file.",
		"Install a newer qemu-user-static.",
	},
	{
		"small-memory-limit",
		true,
		"The container's memory limit leaves little room beside the emulator.",
		"exit status 137, OOMKilled",
		"linux.resources.memory.limit of the container.",
		"Raise resources.limits.memory, or set overhead in the RuntimeClass.",
	},
};

const struct code_row *code_rows(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}

const struct code_row *code_find(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_eq(rows[i].code, code))
			return &rows[i];
	return NULL;
}
