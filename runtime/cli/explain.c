/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/explain.h"

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

static const struct explanation table[] = {
	{ "no-emulator", false, "a foreign program and nothing that could run it",
	  "The program is machine code of another architecture, and no handler of binfmt_misc is "
	  "registered for it. Without crossarch the container would start, print \"exec format "
	  "error\" and go into CrashLoopBackOff.",
	  "The ELF header of the program (or of the interpreter its #! line leads to) names a "
	  "machine this node cannot run, and the kernel's own match over every enabled handler's "
	  "magic and mask finds none.",
	  "crossarch emulators install ARCH on the node (needs qemu-user-static there)\n"
	  "schedule the pod where it is native: nodeSelector kubernetes.io/arch: ARCH\n"
	  "use an image for this node's platform: crossarch check IMAGE lists what there is" },
	{ "emulator-disabled", false, "the emulator is registered and switched off",
	  "Somebody wrote 0 to the handler's file, or to binfmt_misc's status file, which switches "
	  "all of them off.",
	  "The first line of the matching handler, or of the status file, says \"disabled\".",
	  "echo 1 > /proc/sys/fs/binfmt_misc/HANDLER, or for all of them .../status\n"
	  "crossarch emulators shows the state of each" },
	{ "emulator-not-pinned", false, "the emulator is looked for inside the image",
	  "A handler without flag F makes the kernel open the emulator at the moment a program "
	  "starts, by its path in the container's own root, where it does not exist. The kernel's "
	  "\"no such file or directory\" then names the program instead of the emulator. With flag "
	  "F the emulator is opened once, when it is registered.",
	  "The handler that matches lacks F, and its interpreter's path does not exist in the root "
	  "file system and mounts of this container.",
	  "crossarch emulators install ARCH registers it with flag F\n"
	  "or copy the static emulator into the image, under the same path" },
	{ "emulator-broken", false, "the emulator itself cannot be run",
	  "The interpreter that a handler names is missing, empty, not executable, a program of "
	  "another architecture, dynamically linked in a container without its loader, or matched "
	  "by the handler itself.",
	  "The interpreter's file is looked at like any program: its mode, its ELF header, its "
	  "loader; on the node with flag F, in the container without.",
	  "reinstall the emulator's package, then crossarch emulators install ARCH\n"
	  "crossarch emulators test runs every emulator and says which do not work" },
	{ "binfmt-not-mounted", false, "the node has no binfmt_misc mounted",
	  "Handlers live in the binfmt_misc file system. If nothing keeps it mounted on the node, "
	  "there are none; since Linux 6.7 they also vanish with the last mount, for instance when "
	  "an installer container that mounted it ends.",
	  "Neither a mount on /proc/sys/fs/binfmt_misc nor an entry in the kernel's table.",
	  "crossarch emulators install ARCH mounts it in the node's mount namespace\n"
	  "systemctl enable --now proc-sys-fs-binfmt_misc.mount keeps it over reboots" },
	{ "binfmt-unsupported", false, "this kernel cannot use emulators",
	  "The kernel was built without CONFIG_BINFMT_MISC, or the module is not there.",
	  "/proc/filesystems does not name it, and mounting it fails with ENODEV.",
	  "modprobe binfmt_misc\n"
	  "use a node image whose kernel has CONFIG_BINFMT_MISC\n"
	  "schedule the pod where it is native" },
	{ "emulator-hidden", false, "the pod's user namespace hides the node's emulators",
	  "Since Linux 6.7 every user namespace can have its own binfmt_misc. The nearest one "
	  "counts alone: once somebody mounted it in the pod, the node's handlers are invisible "
	  "there, even after it is unmounted.",
	  "The container's user namespace is not the node's, and a binfmt_misc is mounted in it or "
	  "by it.",
	  "do not mount binfmt_misc in the pod, and start the pod anew\n"
	  "give the pod the node's user namespace (hostUsers: true)" },
	{ "header-not-matched", false, "the handler rejects this one file's header",
	  "There is a handler for the architecture, but its magic and mask insist on a byte that "
	  "is different in this file: the ABI version, the OS ABI, a flag. Distributions ship "
	  "different masks.",
	  "The kernel's match is repeated byte by byte; the message names the first that differs, "
	  "with the value wanted and the mask.",
	  "crossarch emulators install ARCH registers a handler that matches what the kernel's "
	  "own loader would accept\n"
	  "or rebuild the program with the usual header" },
	{ "no-32bit", false, "32-bit programs do not run here",
	  "The program is the 32-bit sister of this node's architecture, and the processor or the "
	  "kernel has no 32-bit mode: arm on many arm64 servers, 386 with ia32_emulation off, or "
	  "x32, which hardly any kernel has.",
	  "A 32-bit system call is made and its answer looked at; nothing is read from a "
	  "configuration file.",
	  "on amd64: boot with ia32_emulation=1\n"
	  "crossarch emulators install ARCH, where there is an emulator for it\n"
	  "use the 64-bit image" },
	{ "abi-mismatch", false, "right machine, wrong ABI",
	  "The instruction set is one that could run, but the program was built for another "
	  "convention on it: soft-float against hard-float arm, ELFv1 against ELFv2 on ppc64, n32 "
	  "MIPS, old-world LoongArch, or the other byte order.",
	  "The flags, class or byte order of the ELF header, compared with the node's, the "
	  "handler's or the loader's.",
	  "use an image whose programs all come from one distribution and architecture\n"
	  "rebuild the program for the ABI of its base image" },
	{ "cpu-level", false, "the program wants a newer processor",
	  "The program or image is built for x86-64-v2, v3 or v4 (or an arm version) beyond this "
	  "processor. It would end with SIGILL, exit code 132, perhaps much later. As a warning: a "
	  "model of qemu's is set for a program that another emulator runs, where it has no "
	  "effect.",
	  "The GNU property note in the ELF file or the variant in the image's platform, against "
	  "the processor's CPUID bits and what the kernel enables of them; of an emulated program, "
	  "against what the emulator says that it has with the model that QEMU_CPU names "
	  "(crossarch cpu-models amd64).",
	  "schedule the pod on newer machines; node-feature-discovery and crossarch labels label "
	  "them\n"
	  "in a virtual machine: give it the host's CPU type\n"
	  "of an emulated program: set io.crossarch.cpu to max, where an older model is set\n"
	  "use an image for an older level" },
	{ "page-size", false, "the program was built for smaller pages",
	  "This kernel uses pages of 16 or 64 KiB, and the program's segments are aligned for "
	  "less. Or they are not, and the memory allocator in it, jemalloc, was built for smaller "
	  "ones: then it writes \"<jemalloc>: Unsupported system page size\" and crashes, exit "
	  "code "
	  "133, 134 or 139.",
	  "The alignment of the load segments in the program headers, of the program, of its "
	  "loader and, once that has failed, of its libraries, against the kernel's page size. "
	  "Emulated programs run all the same, unless "
	  "the alignment contradicts itself and qemu is older than 8. After a crash, the size that "
	  "jemalloc's code compares the kernel's with.",
	  "rebuild with -Wl,-z,max-page-size=65536, jemalloc with --with-lg-page=16 (of Rust "
	  "programs: JEMALLOC_SYS_WITH_LG_PAGE=16)\n"
	  "schedule the pod on nodes with 4 KiB pages\n"
	  "on a Raspberry Pi 5: kernel=kernel8.img in config.txt gives the node 4 KiB pages" },
	{ "loader-missing", false, "the dynamic loader is not in the image",
	  "A dynamically linked program names its loader, and the image does not have that file. "
	  "Typical: a glibc program in a musl image (Alpine), or in an empty one (scratch). The "
	  "kernel's message would name the program, which does exist.",
	  "PT_INTERP of the program, looked up in the container's root and mounts. Of an emulated "
	  "program, where qemu looks: below QEMU_LD_PREFIX first.",
	  "build the program on the base image it runs on\n"
	  "use a base image with the right C library\n"
	  "link it statically (Go: CGO_ENABLED=0)" },
	{ "loader-foreign", false, "the dynamic loader is for another architecture",
	  "The loader exists but is a program of another architecture, or no program at all: two "
	  "platforms were mixed in one image, usually by COPY --from or a cached layer.",
	  "The loader's own ELF header; of an emulated program, against the program's.",
	  "rebuild the image from stages of one platform (docker buildx build --platform)\n"
	  "remove the build cache, then build again" },
	{ "library-missing", false, "a shared library is not in the image",
	  "The program started, and its dynamic loader could not find a library it needs: exit "
	  "code "
	  "127, and the name in the container's log. Typical: a program copied into a smaller "
	  "image without its libraries, or those of another architecture. Said after the end, for "
	  "a program may bring its libraries with it in ways that only its start shows.",
	  "DT_NEEDED of the program and of what it needs, looked for in RPATH and RUNPATH, "
	  "LD_LIBRARY_PATH, ld.so.cache or musl's path file, and the default directories. Nothing "
	  "is said when any of these is not known.",
	  "install the library's package in the image\n"
	  "copy what ldd PROGRAM lists along with the program\n"
	  "link it statically (Go: CGO_ENABLED=0)" },
	{ "script-no-shebang", false, "a script without a #! line",
	  "The kernel runs scripts only when their first two bytes are #!. A byte order mark "
	  "before them has the same effect and is invisible in editors. Shells hide this by "
	  "running such files themselves; container engines do not.",
	  "The file is text, and does not start with #! and an interpreter, or with one whose name "
	  "is beyond the 255 bytes that the kernel reads. UTF-16 and APE files count as such. The "
	  "language is guessed by the file's name and first lines.",
	  "make #!/bin/sh, or #!/usr/bin/env python3 and the like, the first line\n"
	  "or name the interpreter: command: [\"/bin/sh\", \"/entrypoint.sh\"]\n"
	  "save the file as UTF-8 without byte order mark" },
	{ "script-crlf", false, "a script with Windows line ends",
	  "The carriage return before the line feed becomes part of the interpreter's name: the "
	  "kernel looks for \"/bin/sh\\r\" and says \"no such file or directory\" of the script.",
	  "The #! line ends with a carriage return, and the name without it exists.",
	  "dos2unix FILE, or sed -i 's/\\r$//' FILE in the Dockerfile\n"
	  "in git: *.sh text eol=lf in .gitattributes" },
	{ "script-interpreter-missing", false, "the script's interpreter is not in the image",
	  "The #! line names a program the image does not have, such as bash in an Alpine image "
	  "or env in one without it.",
	  "The #! line's path, looked up in the container's root and mounts.",
	  "install the interpreter in the image\n"
	  "or change the #! line to one that is there, such as /bin/sh" },
	{ "file-empty", false, "the program is an empty file",
	  "The file has 0 bytes. After a crash or a full disk a snapshot can have lost its data; "
	  "or the image was built so.",
	  "The size of the file.",
	  "remove the image on this node and pull it again\n"
	  "look at the node's disk: kernel log, free space, file system check\n"
	  "if it stays: rebuild the image" },
	{ "file-damaged", false, "the program's file is damaged",
	  "The file is full of zero bytes, or ends inside its headers or the segments its start "
	  "needs, or its headers contradict themselves. Or another file was stored under its name: "
	  "a server's error page, a git-lfs pointer. As a warning: only the last segment is cut, "
	  "so "
	  "it may run and crash.",
	  "ELF and program headers against the size of the file; the first bytes of a text.",
	  "remove the image on this node and pull it again\n"
	  "look at the node's disk: kernel log, free space, file system check\n"
	  "download with curl -f, and compare a checksum; git lfs pull before the build\n"
	  "if it stays: rebuild the image" },
	{ "not-linux", false, "not a program for Linux",
	  "A Windows, macOS, WebAssembly, .NET or Java file, an object file or a core dump: "
	  "complete, but nothing Linux can start. Or a program of FreeBSD, NetBSD, OpenBSD, "
	  "DragonFly, illumos or Android, which the kernel may start but not serve.",
	  "The first bytes of the file; of ELF files the notes, the loader's name and the OS ABI. "
	  "By "
	  "the OS ABI alone it is a warning, for some linkers set it without a reason.",
	  "build the program for linux (Go: GOOS=linux)\n"
	  ".NET: command: [\"dotnet\", \"/app/PROGRAM.dll\"]\n"
	  "WebAssembly: use a RuntimeClass made for it\n"
	  "Java: start it with java -jar" },
	{ "not-executable", false, "the file may not be run",
	  "No execute permission, a directory, a device, a link that leads back to itself, a mount "
	  "with the option noexec (of the program or its loader), or too many interpreters in a "
	  "row: the kernel replaces a program five times, an emulator being one.",
	  "Mode, kind and mount options of the file as the container will see them.",
	  "RUN chmod +x FILE in the image's build; in git: git update-index --chmod=+x FILE\n"
	  "mount the volume without noexec, or copy the program elsewhere\n"
	  "a ConfigMap as program: set defaultMode: 0755" },
	{ "platform-mismatch", false, "not the platform that was asked for",
	  "The annotation io.crossarch.platform, or the key platform in the settings of the pod's "
	  "runtime class, names a platform, and what would run is of another one. A single "
	  "manifest has only the platform it has; one of an index is exchanged for the wanted one, "
	  "unless the setting pull is never and it is not on the node.",
	  "What is asked for against the program's ELF header and the platform the image declares.",
	  "name the image of the wanted platform by its digest: crossarch resolve, crossarch "
	  "check\n"
	  "or use an image that has several platforms\n"
	  "or bring it to the node: crossarch pull --platform P IMAGE\n"
	  "or remove the annotation, or choose another runtime class" },
	{ "platform-pulling", false, "the wanted platform is on its way to the node",
	  "containerd pulled the node's own platform of the image, and the pod asks for another "
	  "one, which is now pulled as well. That takes longer than the kubelet waits for a "
	  "start.",
	  "The pull was not over ten seconds before the end of the kubelet's request, or other "
	  "pulls are before it (setting pulls_at_once). It goes on after the refusal, and goes on "
	  "where it stopped if anything interrupts it.",
	  "wait: the kubelet tries again\n"
	  "crossarch pull --platform P IMAGE on the node, before the pod comes\n"
	  "raise runtimeRequestTimeout in the kubelet's configuration (2 minutes)\n"
	  "raise pulls_at_once in the settings" },
	{ "platform-pull-denied", false, "the node may not pull the wanted platform",
	  "The imagePullSecrets of a pod go to the kubelet and never to a runtime, so the wanted "
	  "platform is pulled with the credentials of the node: those in containerd's "
	  "configuration, else in /var/lib/kubelet/config.json, else in /root/.docker/config.json, "
	  "or in the file that the setting credentials names.",
	  "The registry answers 401 or 403, or that there is no such repository.",
	  "write the digest that the line names in the pod: the kubelet then pulls it with the "
	  "pod's secrets\n"
	  "crossarch resolve --platform P <pod.yaml writes such digests\n"
	  "put credentials for the registry into /var/lib/kubelet/config.json on the node" },
	{ "platform-pull-failed", false, "the wanted platform could not be pulled",
	  "The pull of the wanted platform ended with an error: the registry is out of reach or "
	  "lacks a part of the image, what it sends is not what the digest says, the disk is full, "
	  "or the image is larger than the setting pull_max_mb. The line says which.",
	  "What containerd answers to the pull, in its own words where they say more.",
	  "do what the line says\n"
	  "crossarch pull --platform P IMAGE on the node shows the pull and the whole error" },
	{ "platform-unavailable", false, "the image has nothing for the wanted platform",
	  "The list of platforms in the image (its index) has none that suits what the pod or its "
	  "runtime class asks for.",
	  "The index that the container was made of. Platforms are compared as containerd does: "
	  "linux/arm64 is linux/arm64/v8, and an older variant of the same architecture suits.",
	  "ask for a platform that it has; the line lists them\n"
	  "use another tag or image, or build it: docker buildx build --platform" },
	{ "platform-differs", false, "the platforms of the image have different users",
	  "containerd looks up the user and group of a container in the image for the node's own "
	  "platform. The one for the wanted platform has another user, or gives the same name "
	  "another number, so the program would run as somebody else.",
	  "USER of both images, with names looked up in the /etc/passwd and /etc/group of the one "
	  "that is to run, against the numbers in the container's specification.",
	  "set runAsUser and runAsGroup in the pod's securityContext: the line says to what\n"
	  "or name the image by the digest of the wanted platform\n"
	  "or build the image with a numeric USER that is the same for all platforms" },
	{ "emulation-refused", false, "it would need an emulator, and that is forbidden",
	  "An emulator is registered and would work, but the configuration or the pod says "
	  "\"never\".",
	  "The key emulation in /etc/crossarch/config.json or the annotation "
	  "io.crossarch.emulation.",
	  "set the annotation io.crossarch.emulation: auto\n"
	  "or schedule the pod where it is native" },
	{ "seccomp-blocks-emulator", false, "the seccomp profile stops the emulator",
	  "Under emulation it is the emulator that makes system calls, some of which the program's "
	  "profile need not allow. The pod asked to keep its profile as it is.",
	  "The profile is evaluated for every system call the emulator cannot do without.",
	  "set the annotation io.crossarch.seccomp: adapt\n"
	  "or use the RuntimeDefault profile\n"
	  "or allow the system call that the message names" },
	{ "private-emulator-unavailable", false, "no emulator for this pod alone",
	  "The pod asked for emulators that only its own user namespace can see, and cannot have "
	  "them: the kernel is older than 6.7, the node has no static emulator or root of the pod "
	  "cannot read it, the pod is privileged or shares the node's processes, or somebody else "
	  "mounted binfmt_misc in its user namespace. The line says which.",
	  "private_emulators in the configuration or the annotation, the specification, and what "
	  "the "
	  "kernel answers inside the user namespace.",
	  "do what the line says\n"
	  "or use the node's emulators: io.crossarch.private-emulators: \"false\"" },
	{ "bad-config", false, "a setting is wrong",
	  "A key or value in the node's configuration file, in containerd's options table or in an "
	  "annotation of the pod is not one that exists. Nothing is started on a guess.",
	  "Every key is checked against the table in product documentation; the message names the "
	  "place, the key and the values allowed.",
	  "correct the place the message names\n"
	  "crossarch check --bundle DIR shows whether it is right now" },
	{ "label-mismatch", true, "the image says it is for another platform",
	  "The image's configuration declares one platform and its program is of another. It runs, "
	  "but schedulers, scanners and pulls by platform are misled.",
	  "The platform in the image's configuration against the program's ELF header.",
	  "report it to whoever publishes the image\n"
	  "build with docker buildx build --platform, not with --build-arg" },
	{ "setuid-without-credentials", true, "set-user-ID has no effect",
	  "The program is set-user-ID or has file capabilities. Under an emulator registered "
	  "without flag C it runs with the caller's privilege: sudo, ping and su fail.",
	  "The mode of the program that the container starts, and the flags of the handler. Other "
	  "programs of the image are not looked for: su, mount and passwd are set-user-ID in "
	  "nearly "
	  "every distribution's image, so their presence says nothing of what the container does.",
	  "crossarch emulators install --credentials ARCH, if the pod must have it\n"
	  "or run the container as the user it needs" },
	{ "emulator-replaced", true, "an old emulator is still in use",
	  "Flag F pins the file that was there when the handler was registered. It has been "
	  "upgraded since, and the old one is used until it is registered again.",
	  "The file's change time is later than the handler's registration.",
	  "crossarch emulators install ARCH" },
	{ "several-emulators", true, "more than one handler matches",
	  "Two handlers match the program, or one matches programs that this node runs by itself. "
	  "The kernel takes the one registered last; a restart may change the order.",
	  "The kernel's match over all enabled handlers, and what the node runs natively.",
	  "crossarch emulators shows which is covered\n"
	  "echo -1 > /proc/sys/fs/binfmt_misc/HANDLER removes one; also remove its file in "
	  "/etc/binfmt.d or /usr/lib/binfmt.d" },
	{ "argv0-convention", true, "handler and emulator disagree about argv[0]",
	  "With flag P the kernel passes the program's own name as an extra argument. An emulator "
	  "that expects it, registered without, mistakes the first argument for it.",
	  "The name of the interpreter (Debian's NAME-binfmt-P) against the handler's flags.",
	  "crossarch emulators install ARCH tries both and keeps what works" },
	{ "old-emulator", true, "a qemu with known crashes",
	  "qemu before version 8 crashes with some programs, among them Go's and Node.js's run "
	  "times, with signal 11.",
	  "The version of the emulator that the handler names.",
	  "install qemu 8 or newer on the node, then crossarch emulators install ARCH" },
	{ "known-crash", true, "a program that crashes under this emulator",
	  "Go programs of amd64 use the top bits of addresses, which on arm64 qemu hands out where "
	  "the kernel has addresses of 48 bits (some have 39 or 47): they end at random with "
	  "lfstack.push or taggedPointerPack. Mended in Go 1.25.4 "
	  "(golang/go#69255). .NET writes its code through a second mapping of it since version 7, "
	  "and crashes under qemu, whichever the processors are (dotnet/runtime#13648).",
	  "The build information that Go's linker puts into the program; the files beside a .NET "
	  "program (host/fxr, NAME.dll and NAME.runtimeconfig.json).",
	  "Go: build the program with Go 1.25.4 or newer\n"
	  ".NET: try DOTNET_EnableWriteXorExecute=0 in the container's environment\n"
	  "use an image built for the node, or nodes that the image is built for" },
	{ "small-memory-limit", true, "little memory beside the emulator",
	  "Each emulated process needs 10 MiB and more for the emulator and its translations, and "
	  "that counts against the container's limit: OOMKilled, exit code 137.",
	  "The memory limit in the container's specification.",
	  "raise resources.limits.memory\n"
	  "put overhead.podFixed into the RuntimeClass: crossarch config kubernetes" },
};

static const struct explained_message messages[] = {
	{ "no match for platform in manifest",
	  { EXPLAIN_NO_MATCH, false, "containerd's words: the image has nothing for this node",
	    "The name leads to an index, a list of platforms, and the node's own is not in it. "
	    "containerd's CRI pulls for the node's platform whatever the runtime class says, so "
	    "the "
	    "kubelet's pull fails, and neither crossarch nor another runtime is asked. Such images "
	    "are made by docker buildx for arm64 alone, say: its attestations need an index. An "
	    "image that is one manifest without an index is pulled whatever its platform is.",
	    "crossarch check IMAGE tells it where containerd has the index: 2.x keeps it after the "
	    "failed pull, 1.6 and 1.7 do not. crossarch resolve asks the registry.",
	    "write the digest of the platform in the pod: crossarch resolve --platform P <pod.yaml "
	    "does; that goes with imagePullSecrets, and on every node\n"
	    "crossarch pull --platform P IMAGE on the node: the name then stands for that platform "
	    "there, for pods whose imagePullPolicy is not Always (not where the image has the "
	    "node's own: its pods would get the other)\n"
	    "build the image for the node's platform as well, or without attestations: docker "
	    "buildx build --provenance=false --sbom=false" } },
};

const struct explanation *explanations(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}

const struct explanation *explanation_of(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (str_eq(table[i].code, code))
			return &table[i];
	return NULL;
}

const struct explained_message *explained_messages(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(messages);
	return messages;
}
