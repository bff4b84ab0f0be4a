/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/cause.h"

#include <stddef.h>

#include "runtime/base/mem.h"

#define FOREIGN "{foreign}"
#define IS_FOR "{program} is {platform}"
#define NO_PROGRAM "Linux does not run such files"

static const struct cause_row rows[CAUSE_WARN_LABEL] = {
	[CAUSE_NONE] = {
		"none",
		"",
		"",
		"",
	},
	[CAUSE_NO_EMULATOR] = {
		"no-emulator",
		FOREIGN,
		"no binfmt_misc handler matches it ({enabled})",
		"{obtain}",
	},
	[CAUSE_HANDLER_DISABLED] = {
		"emulator-disabled",
		FOREIGN,
		"the handler {handler} matches it but is disabled",
		"{enable}",
	},
	[CAUSE_BINFMT_OFF] = {
		"emulator-disabled",
		FOREIGN,
		"the handler {handler} matches it but binfmt_misc as a whole is switched off",
		"on the node run \"echo 1 > /proc/sys/fs/binfmt_misc/status\"",
	},
	[CAUSE_NOT_PINNED] = {
		"emulator-not-pinned",
		FOREIGN,
		"the handler {handler} lacks flag F, so its interpreter {emulator} must be in "
		"the image and is not",
		"{pin}",
	},
	[CAUSE_EMULATOR_MODE] = {
		"emulator-broken",
		FOREIGN,
		"the interpreter {emulator} of the handler {handler} is not executable "
		"({emulator-mode})",
		"{reinstall}",
	},
	[CAUSE_EMULATOR_KIND] = {
		"emulator-broken",
		FOREIGN,
		"the interpreter {emulator} of the handler {handler} is {emulator-kind}",
		"{reinstall}",
	},
	[CAUSE_EMULATOR_FOREIGN] = {
		"emulator-broken",
		FOREIGN,
		"the interpreter {emulator} of the handler {handler} is itself a "
		"{emulator-platform} program",
		"{reinstall-own}",
	},
	[CAUSE_EMULATOR_SELF] = {
		"emulator-broken",
		FOREIGN,
		"the handler {handler} matches its own interpreter {emulator}, which the kernel "
		"refuses as a loop",
		"remove that handler and register it anew: {install}",
	},
	[CAUSE_EMULATOR_LOADER] = {
		"emulator-broken",
		FOREIGN,
		"the interpreter {emulator} of the handler {handler} is dynamically linked and "
		"its loader {emulator-loader} is not in the image",
		"{pin-static}",
	},
	[CAUSE_EMULATOR_SCRIPT] = {
		"emulator-broken",
		FOREIGN,
		"the interpreter {emulator} of the handler {handler} is a script, and the kernel "
		"cannot start {emulator-loader} for it in this container",
		"{reinstall}",
	},
	[CAUSE_NOT_MOUNTED] = {
		"binfmt-not-mounted",
		FOREIGN,
		"binfmt_misc is not mounted on the node, so no emulator is registered",
		"on the node run \"mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc\", "
		"then {install-bare}",
	},
	[CAUSE_UNSUPPORTED] = {
		"binfmt-unsupported",
		FOREIGN,
		"the node's kernel has no binfmt_misc and so cannot use emulators",
		"load the module binfmt_misc or use a node image with CONFIG_BINFMT_MISC, or "
		"{schedule}",
	},
	[CAUSE_HIDDEN] = {
		"emulator-hidden",
		FOREIGN,
		"the pod's user namespace has a binfmt_misc of its own, which hides the node's "
		"handlers until the pod ends",
		"do not mount binfmt_misc inside the pod, and start the pod anew",
	},
	[CAUSE_HEADER] = {
		"header-not-matched",
		FOREIGN,
		"the handler {handler} is for this architecture but rejects byte {byte} of the "
		"file's header",
		"{unregister}, then {install-bare}, whose mask leaves such bytes out",
	},
	[CAUSE_NO_32BIT] = {
		"no-32bit",
		FOREIGN,
		"this processor or kernel does not run 32-bit programs of its family",
		"{obtain-32bit}",
	},
	[CAUSE_X32] = {
		"no-32bit",
		FOREIGN,
		"the kernel has no x32 ABI, and qemu has none either",
		"use an image built for linux/amd64",
	},
	[CAUSE_ABI_NODE] = {
		"abi-mismatch",
		FOREIGN,
		"the processor is of the right family, the ABI or byte order is not",
		"{obtain}",
	},
	[CAUSE_ABI_HANDLER] = {
		"abi-mismatch",
		FOREIGN,
		"the handler {near} is for the same processor but another ABI or byte order",
		"{obtain}",
	},
	[CAUSE_ABI_LOADER] = {
		"abi-mismatch",
		IS_FOR,
		"{through}its loader {loader} is not in the image, which has {other-loader} of another "
		"ABI instead",
		"use a program built for the image's ABI, or a base image with {loader}",
	},
	[CAUSE_CPU_PROGRAM] = {
		"cpu-level",
		"{program} is built for x86-64-v{level}",
		"this node's processor offers x86-64-v{node-level} only",
		"schedule the pod on nodes with a newer processor (a virtual machine: give it "
		"the host's CPU type), or use an image built for x86-64-v{node-level}",
	},
	[CAUSE_CPU_DECLARED] = {
		"cpu-level",
		"the image of {program} declares {declared}",
		"this node's processor offers x86-64-v{node-level} only",
		"schedule the pod on nodes with a newer processor, or use an image built for "
		"x86-64-v{node-level}",
	},
	[CAUSE_CPU_EMULATED] = {
		"cpu-level",
		"{program} is built for x86-64-v{level}",
		"{through}qemu imitates a processor of x86-64-v{qemu-level} at most",
		"use an image built for x86-64-v{qemu-level}{or-native-nodes}",
	},
	[CAUSE_CPU_MODEL] = {
		"cpu-level",
		"{program} is built for x86-64-v{level}",
		"{through}{processor}",
		"set the annotation io.crossarch.cpu to max, and remove QEMU_CPU from the "
		"container's environment if it is there",
	},
	[CAUSE_CPU_DECLARED_EMULATED] = {
		"cpu-level",
		"the image of {program} declares {declared}",
		"{through}{processor}",
		"{raise-level}use an image built for x86-64-v{model-level}{or-native-nodes}",
	},
	[CAUSE_ILLEGAL] = {
		"cpu-level",
		FOREIGN,
		"it ran through the handler {handler} and died of an illegal instruction (exit code "
		"132): the processor its emulator imitates lacks what it uses",
		"{better-processor}",
	},
	[CAUSE_PAGE_SIZE] = {
		"page-size",
		IS_FOR,
		"{through}its segments load with pages of up to {program-page} bytes and this kernel's "
		"pages have {page}",
		"rebuild it with \"-Wl,-z,max-page-size={page}\"{or-smaller-pages}",
	},
	[CAUSE_ALLOCATOR] = {
		"page-size",
		IS_FOR,
		"the memory allocator jemalloc in {allocator} was built for pages of up to "
		"{allocator-page} bytes and this kernel's pages have {page}, so there was no memory and "
		"it crashed",
		"use an image whose jemalloc was built for larger pages (--with-lg-page=16; of Rust "
		"programs: JEMALLOC_SYS_WITH_LG_PAGE=16){or-smaller-pages}",
	},
	[CAUSE_LOADER_MISSING] = {
		"loader-missing",
		IS_FOR,
		"{through}it is dynamically linked and its loader {loader} is not in the image",
		"use a base image that has {loader}, or link the program statically",
	},
	[CAUSE_LOADER_OTHER] = {
		"loader-missing",
		IS_FOR,
		"{through}its loader {loader} is not in the image, which has {other-loader}: it was built "
		"for another C library",
		"build the program on the image's own base, use a base image with {loader}, or "
		"link it statically",
	},
	[CAUSE_LOADER_MODE] = {
		"loader-missing",
		IS_FOR,
		"{through}its loader {loader} is not executable ({loader-mode})",
		"{repair-loader}",
	},
	[CAUSE_LOADER_NOEXEC] = {
		"not-executable",
		IS_FOR,
		"its loader {loader} is on a mount with the option noexec",
		"mount {loader-place} without noexec, or put {loader} elsewhere",
	},
	[CAUSE_LOADER_FOREIGN] = {
		"loader-foreign",
		IS_FOR,
		"{through}its loader {loader} is {loader-platform}",
		"rebuild the image from one base of one platform",
	},
	[CAUSE_LOADER_NOT_ELF] = {
		"loader-foreign",
		IS_FOR,
		"{through}its loader {loader} is {loader-kind}",
		"repair {loader} in the image",
	},
	[CAUSE_LOADER_BROKEN] = {
		"file-damaged",
		IS_FOR,
		"its loader {loader} is cut off, or has load segments that contradict each other",
		"{renew-loader}",
	},
	[CAUSE_LIBRARY] = {
		"library-missing",
		IS_FOR,
		"it needs the shared library {library}, which its loader finds nowhere in the image, "
		"and ended with exit code 127",
		"install the package with {library} in the image, or link the program statically",
	},
	[CAUSE_LIBRARY_PAGES] = {
		"page-size",
		IS_FOR,
		"its shared library {library} loads with pages of up to {library-page} bytes and this "
		"kernel's pages have {page}, so that its loader ended it with exit code 127",
		"rebuild that library with \"-Wl,-z,max-page-size={page}\"{or-smaller-pages}",
	},
	[CAUSE_NO_SHEBANG] = {
		"script-no-shebang",
		"{program} is {kind}",
		"it has no #! line, so the kernel does not know how to run it",
		"{shebang}",
	},
	[CAUSE_BOM] = {
		"script-no-shebang",
		"{program} is {kind}",
		"it starts with a byte order mark instead of #!, which only an editor can see",
		"save {file} as UTF-8 without a byte order mark",
	},
	[CAUSE_NAMELESS] = {
		"script-no-shebang",
		"{program} is {kind}",
		"its #! line names no interpreter",
		"{shebang}",
	},
	[CAUSE_LONG] = {
		"script-no-shebang",
		"{program} is {kind}",
		"the interpreter's name in its #! line is longer than the kernel reads (255 bytes)",
		"make that name shorter, or give it a short link in the image and name that",
	},
	[CAUSE_UTF16] = {
		"script-no-shebang",
		"{program} is {kind}",
		"the kernel reads #! in ASCII or UTF-8 only",
		"save {file} as UTF-8 without a byte order mark",
	},
	[CAUSE_APE] = {
		"script-no-shebang",
		"{program} is {kind}",
		"it has no #! line and no ELF header: it wants to be started by a shell",
		"{start-by-shell}",
	},
	[CAUSE_NOT_IT] = {
		"file-damaged",
		"{program} is {kind}",
		"something else than the program was stored under its name",
		"{fetch}",
	},
	[CAUSE_CRLF] = {
		"script-crlf",
		"{scripts} is a script with Windows line ends",
		"the carriage return is taken as part of the interpreter's name, and no such "
		"file exists",
		"convert {script} to Unix line ends (dos2unix; in git: *.sh text eol=lf)",
	},
	[CAUSE_INTERPRETER_MISSING] = {
		"script-interpreter-missing",
		"{scripts} is a script",
		"its interpreter {file} is not in the image",
		"install {file} in the image, or name an interpreter it has in the #! line of "
		"{script}",
	},
	[CAUSE_EMPTY] = {
		"file-empty",
		"{program} is an empty file",
		"there is nothing in it to run",
		"{renew}",
	},
	[CAUSE_ZEROS] = {
		"file-damaged",
		"{program} is a file of zero bytes",
		"its contents were never written",
		"{renew}",
	},
	[CAUSE_CUT] = {
		"file-damaged",
		"{program} is an ELF file with broken headers",
		"the file is cut off or overwritten",
		"{renew}",
	},
	[CAUSE_CUT_SEGMENT] = {
		"file-damaged",
		IS_FOR,
		"the file ends before the segments its start needs",
		"{renew}",
	},
	[CAUSE_SEGMENTS] = {
		"file-damaged",
		IS_FOR,
		"the sizes or addresses of its load segments contradict each other, so the kernel "
		"cannot map it",
		"{renew}",
	},
	[CAUSE_INTERP] = {
		"file-damaged",
		IS_FOR,
		"the name of its dynamic loader (PT_INTERP) is empty, cut off or without an end",
		"{renew}",
	},
	[CAUSE_NOT_LINUX] = {
		"not-linux",
		"{program} is {kind}",
		NO_PROGRAM,
		"build the program for {node}, or correct the command",
	},
	[CAUSE_JAVA] = {
		"not-linux",
		"{program} is {kind}",
		NO_PROGRAM,
		"{start-java}",
	},
	[CAUSE_ASSEMBLY] = {
		"not-linux",
		"{program} is {kind}",
		NO_PROGRAM,
		"{start-assembly}",
	},
	[CAUSE_SYSTEM] = {
		"not-linux",
		"{program} is {system} program for this processor",
		"Linux lacks the loader and the system calls it needs",
		"build it for linux (Go: GOOS=linux), or use an image whose programs are Linux's",
	},
	[CAUSE_OBJECT] = {
		"not-linux",
		"{program} is {kind}",
		NO_PROGRAM,
		"link it into a program in the image's build (without -c), or correct the command",
	},
	[CAUSE_NO_PROGRAM] = {
		"not-linux",
		"{program} is {kind}",
		NO_PROGRAM,
		"name a program in the command",
	},
	[CAUSE_WASM] = {
		"not-linux",
		"{program} is {kind}",
		NO_PROGRAM,
		"use a RuntimeClass for WebAssembly",
	},
	[CAUSE_NO_X_BIT] = {
		"not-executable",
		"{program} has no execute permission",
		"its mode is {mode}",
		"{allow-execution}",
	},
	[CAUSE_DIRECTORY] = {
		"not-executable",
		"{program} is a directory",
		"only a file can be run",
		"name a program in the command",
	},
	[CAUSE_SPECIAL] = {
		"not-executable",
		"{program} is a FIFO, socket or device",
		"only a regular file can be run",
		"name a program in the command",
	},
	[CAUSE_LOOP] = {
		"not-executable",
		"{program} is a symbolic link that leads back to itself",
		"the kernel follows no more than 40 links",
		"repair the link {file}",
	},
	[CAUSE_NOEXEC] = {
		"not-executable",
		"{program} is on a mount with the option noexec",
		"the kernel runs nothing from there",
		"put the program elsewhere, or mount {place} without noexec",
	},
	[CAUSE_TOO_DEEP] = {
		"not-executable",
		"{program} is a chain of scripts",
		"the kernel follows no more than five interpreters",
		"name a program instead of a script in one of the #! lines",
	},
	[CAUSE_PLATFORM] = {
		"platform-mismatch",
		"{asking} for {wanted} but {program} is {platform}",
		"the image reference led to another platform than the one asked for",
		"name the image for {wanted} by its digest (crossarch check IMAGE lists them), "
		"or {ask-not}",
	},
	[CAUSE_PLATFORM_DECLARED] = {
		"platform-mismatch",
		"{asking} for {wanted} but its image declares {declared}",
		"the image reference led to another platform than the one asked for",
		"name the image for {wanted} by its digest (crossarch check IMAGE lists them), "
		"or {ask-not}",
	},
	[CAUSE_NEVER] = {
		"emulation-refused",
		FOREIGN,
		"it would need an emulator and emulation is set to never",
		"set emulation (annotation io.crossarch.emulation) to auto, or {schedule}",
	},
	[CAUSE_SECCOMP] = {
		"seccomp-blocks-emulator",
		FOREIGN,
		"the pod's seccomp profile is kept as it is and does not allow {syscall}, which "
		"the emulator needs",
		"set io.crossarch.seccomp to adapt, or use the RuntimeDefault profile",
	},
	[CAUSE_SECCOMP_DENIED] = {
		"seccomp-blocks-emulator",
		FOREIGN,
		"a rule of the pod's seccomp profile denies {syscall}, which the emulator needs, "
		"and such rules are not lifted",
		"remove {syscall} from that rule, or use the RuntimeDefault profile",
	},
	[CAUSE_PRIVATE_PRIVILEGED] = {
		"private-emulator-unavailable",
		FOREIGN,
		"private emulators are asked for and the container is privileged",
		"remove securityContext.privileged, or set io.crossarch.private-emulators to false",
	},
	[CAUSE_PRIVATE_HOST_PID] = {
		"private-emulator-unavailable",
		FOREIGN,
		"private emulators are asked for and the pod shares the node's processes",
		"remove hostPID, or set io.crossarch.private-emulators to false",
	},
	[CAUSE_PRIVATE_TAKEN] = {
		"private-emulator-unavailable",
		FOREIGN,
		"private emulators are asked for and somebody else mounted binfmt_misc in the "
		"pod's user namespace",
		"do not mount binfmt_misc inside the pod, and start the pod anew",
	},
	[CAUSE_PRIVATE_MISSING] = {
		"private-emulator-unavailable",
		FOREIGN,
		"private emulators are asked for and the node has no emulator for it",
		"{private}{schedule}",
	},
	[CAUSE_CONFIG] = {
		"bad-config",
		"",
		"",
		"",
	},
};

const struct cause_row *cause_refusal_row(enum cause c)
{
	ASSERT(c < CAUSE_WARN_LABEL && rows[c].code);
	return &rows[c];
}
