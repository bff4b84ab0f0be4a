# SPDX-License-Identifier: Apache-2.0
# One non-recursive makefile. `make help` lists the targets a person calls.
# BUILD=DIR builds elsewhere; V=1 shows commands; CI=true makes warnings errors;
# SAN=address,undefined builds with those sanitizers (implies dynamic linking).
# TARGET=arm64 builds for that architecture, by Debian's name, into build/arm64: with Debian's cross compilers and
# libraries, which hack/toolchain unpacks into the cache, or natively where the machine is one.
# CPPFLAGS, CFLAGS and LDFLAGS, on the command line or in the environment, come after the makefile's own flags,
# whose names are in lower case: they add to them, and win where both say something (CFLAGS=-O0).

MACHINE = $(shell dpkg --print-architecture)
# Empty unless TARGET is another architecture than this machine's.
FOREIGN := $(if $(TARGET),$(filter-out $(MACHINE),$(TARGET)))

# One name for the directory, however it is called: what depends on what is noted with it.
BUILD ?= build$(addprefix /,$(FOREIGN))
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
PREFIX ?= /usr/local
LIBEXECDIR ?= $(PREFIX)/libexec/crossarch
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
VERSION := $(shell hack/changelog version)
# A release says in hack/revision what it was made of.
REVISION := $(shell cat hack/revision 2>/dev/null || git rev-parse --short HEAD 2>/dev/null || echo unknown)

ifeq ($(FOREIGN),)
# make itself would call them cc and g++; who sets CC means it.
ifeq ($(origin CC),default)
CC := gcc
endif
CXX ?= g++
PKG_CONFIG ?= pkg-config
else ifneq ($(filter-out help clean format uninstall,$(or $(MAKECMDGOALS),all)),)
ifneq ($(and $(filter command%,$(origin CC)),$(CC)),)
$(error TARGET=$(TARGET) has compilers of its own: leave CC=$(CC) away, or TARGET)
endif
cross_tools := $(shell hack/toolchain $(FOREIGN) gcc g++ pkg-config)
ifeq ($(cross_tools),)
$(error nothing can be built for TARGET=$(TARGET))
endif
override CC := $(word 1,$(cross_tools))
override CXX := $(word 2,$(cross_tools))
override PKG_CONFIG := $(word 3,$(cross_tools))
endif
# That of the compiler: another architecture's cannot be read by just any.
ifeq ($(origin AR),default)
AR := $(shell $(CC) -print-prog-name=ar)
endif
PROTOC ?= protoc-c
Q := $(if $(V),,@)
# Runs a command whose chatter only matters when it fails.
quietly = $(Q)log=$$(mktemp); $(1) >$$log 2>&1 || { cat $$log; rm -f $$log; exit 1; }; rm -f $$log
say = $(if $(V),,@printf '  %-8s %s\n' "$(1)" "$(2)")

# Once make has built a file in which the words $(1) stand, one a line, it is newer than what was made before
# they changed.
keep = $(Q)mkdir -p $(@D); printf '%s\n' $(1) | cmp -s - $@ || printf '%s\n' $(1) >$@
comma := ,
quote = '$(subst ','\'',$(1))'

# --- flags ------------------------------------------------------------------------------------
is_clang := $(findstring clang,$(shell $(CC) --version))
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wformat=2 \
	-Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual -Wnull-dereference
ifneq ($(is_clang),)
# It takes text in protobuf-c's initialisers for constant, and { NULL } for an initialiser that is not complete.
warnings += -Wno-cast-qual -Wno-missing-field-initializers
endif
hardening := -fstack-protector-strong -fstack-clash-protection -fPIE -fvisibility=hidden -fno-common
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
hardening += -fcf-protection
endif
optimisation := $(if $(COVER),-O0,-O2)
# glibc's checks need an optimiser, and whoever asks for more of them (=3) has defined the macro already.
ifeq ($(filter -O0 -D_FORTIFY_SOURCE%,$(lastword $(filter -O%,$(optimisation) $(CFLAGS))) \
	$(filter -D_FORTIFY%,$(CPPFLAGS) $(CFLAGS)))$(SAN),)
hardening += -D_FORTIFY_SOURCE=2
endif

# What asserts and debugging information say is the same in whatever directory the tree and what is generated are.
cppflags := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -isystem $(BUILD)/gen -fmacro-prefix-map=$(BUILD)/gen=gen \
	$(if $(REPORT_VERSION),-DREPORT_VERSION=$(REPORT_VERSION))
cflags := -std=gnu11 $(optimisation) -g -fdebug-prefix-map=$(BUILD)/gen=gen -fdebug-prefix-map=$(CURDIR)=. \
	-ffunction-sections -fdata-sections $(warnings) $(hardening)
ldflags := -Wl,--gc-sections -Wl,-z,relro,-z,now
# Static: no dynamic loader to run (start is counted in milliseconds) and half its private memory.
# At any address (pie) where the C library can do that: Debian's for armhf cannot.
linkmode := -static$(if $(filter /%,$(shell $(CC) -print-file-name=rcrt1.o)),-pie)
ifdef SAN
cflags += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
ldflags += -fsanitize=$(SAN)
linkmode := -pie
endif
ifdef COVER
# gcc's own idea of exec writes counters in a child that may share our memory, that of fork needs a shared libc.
cflags += --coverage -fprofile-update=atomic \
	$(patsubst %,-fno-builtin-%,fork execl execle execlp execv execve execvp)
ldflags += --coverage
endif

compile = $(CC) $(cppflags) $(CPPFLAGS) $(cflags) $(if $(CI),-Werror) $(CFLAGS)

# All that is built depends on this file: other flags, another compiler or sanitizer in the same directory build
# anew.
made_with := $(CC) $(CXX) $(cppflags) $(CPPFLAGS) $(cflags) $(CFLAGS) $(linkmode) $(ldflags) $(LDFLAGS)
FLAGS := $(BUILD)/gen/flags
$(FLAGS): FORCE
	$(call keep,$(call quote,$(made_with)))
.PHONY: FORCE

# --- sources ----------------------------------------------------------------------------------
dir_c = $(foreach d,$(1),$(wildcard $(d)/*.c))
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

BASE_C := $(call dir_c,runtime/base) runtime/prepare/client.c runtime/prepare/report.c runtime/prepare/request.c
CORE_C := $(call dir_c,runtime/arch runtime/image runtime/binfmt runtime/host runtime/oci runtime/plan)
PREPARE_C := $(filter-out $(BASE_C) runtime/prepare/main.c,$(call dir_c,runtime/prepare))
CLI_C := $(filter-out runtime/cli/main.c,$(call dir_c,runtime/containerd runtime/choose runtime/cli))
SHIM_C := $(filter-out shim/main.c,$(call dir_c,shim shim/loop shim/ttrpc shim/task shim/sandbox shim/engine shim/host))
PAUSE_C := $(filter-out runtime/pause/main.c,$(call dir_c,runtime/pause))
SHIM_PROTO := $(filter-out proto/containerd.proto proto/cri.proto proto/cri_image.proto proto/bench.proto,$(wildcard proto/*.proto))
PROTO_C := $(patsubst %.proto,$(BUILD)/gen/%.pb-c.c,$(wildcard proto/*.proto))
PROTO_H := $(PROTO_C:.c=.h)
proto_obj = $(patsubst %.proto,$(BUILD)/gen/%.pb-c.o,$(1))

BIN := $(BUILD)/bin
SHIM := $(BIN)/containerd-shim-crossarch-v2
PREPARE := $(BIN)/crossarch-prepare
PAUSE := $(BIN)/crossarch-pause
CLI := $(BIN)/crossarch
CRI := $(BIN)/cri-client
SHIMCTL := $(BIN)/shimctl
BENCH_BIN := $(BIN)/bench
PURE := $(BIN)/pure
COUNTED := $(BIN)/counted
FOR_VALGRIND := $(BUILD)/for-valgrind
INSTRUCTIONS_C := $(patsubst %,tests/bench/%.c,pure counted under_valgrind)

.PHONY: all help check check-one check-asan check-memory check-choice check-instructions test bench bench-cgroup2 bench-emulated bench-scan demo install clean cri format analyze fuzz
.PHONY: test-faults test-soak test-hostile test-cgroup2 test-node test-arm64 test-asan test-containers test-verdicts
.DELETE_ON_ERROR:
.SECONDARY:

##@ Build
all: $(SHIM) $(PREPARE) $(PAUSE) $(CLI) ## build the four programs into build/bin

help: ## list the targets
	@awk -F':.*## ' '/^##@ / { print (n++ ? "\n" : "") substr($$0, 5) ":" } \
		/^[a-z0-9%-]+:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\n%s\n' 'Settings: BUILD=DIR V=1 CI=true SAN=address,undefined CC=clang TARGET=arm64; CFLAGS and the like are added.'

clean: ## remove what was built
	rm -rf $(BUILD)

# --- generated protobuf code ------------------------------------------------------------------
$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h: %.proto
	$(call say,PROTO,$<)
	$(Q)mkdir -p $(BUILD)/gen
	$(call quietly,$(PROTOC) -I. --c_out=$(BUILD)/gen $<)
# Generated code is not ours to warn about.
$(BUILD)/gen/%.pb-c.o: $(BUILD)/gen/%.pb-c.c $(FLAGS)
	$(call say,CC,$<)
	$(Q)$(filter-out $(warnings) -Werror,$(compile)) -c -o $@ $<
$(PROTO_C:.c=.o): | $(PROTO_H)

# Where things are, and which commit this is, are in files of their own, so that another prefix or commit
# recompiles what says so and nothing else.
$(BUILD)/gen/config.h: FORCE
	$(call keep,'#define CROSSARCH_VERSION "$(VERSION)"' '#define CROSSARCH_LIBEXECDIR "$(LIBEXECDIR)"' \
		'#define CROSSARCH_SYSCONFDIR "$(SYSCONFDIR)"')
$(BUILD)/gen/revision.h: FORCE
	$(call keep,'#define CROSSARCH_REVISION "$(REVISION)"')
GENERATED_H := $(PROTO_H) $(BUILD)/gen/config.h $(BUILD)/gen/revision.h

# --- objects and archives ---------------------------------------------------------------------
# With system headers among the dependencies: to the compiler, the generated ones are such.
$(BUILD)/%.o: %.c $(FLAGS) | $(GENERATED_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -MD -MP -c -o $@ $<

define archive
$(BUILD)/lib$(1).a: $(2)
	$(call say,AR,$$@)
	$(Q)rm -f $$@; $(AR) rcs $$@ $(2)
endef
$(eval $(call archive,base,$(call obj,$(BASE_C))))
$(eval $(call archive,core,$(call obj,$(CORE_C) $(PREPARE_C))))
$(eval $(call archive,cli,$(call obj,$(CLI_C)) $(call proto_obj,proto/containerd.proto proto/cri.proto proto/cri_image.proto)))
$(eval $(call archive,shim,$(call obj,$(SHIM_C)) $(call proto_obj,$(SHIM_PROTO))))
$(eval $(call archive,pause,$(call obj,$(PAUSE_C))))
LIBBASE := $(BUILD)/libbase.a
LIBCORE := $(BUILD)/libcore.a
LIBCLI := $(BUILD)/libcli.a
LIBSHIM := $(BUILD)/libshim.a
LIBPAUSE := $(BUILD)/libpause.a

# --- programs ---------------------------------------------------------------------------------
GRPC_LIBS = -Wl,--start-group -lgrpc_unsecure -lgpr -laddress_sorting -lupb -lre2 \
	$(shell $(PKG_CONFIG) --libs --static grpc_unsecure 2>/dev/null) -Wl,--end-group -lcares -lz -lpthread

# link,HOW,LIBRARIES,grpc: the recipe of every program, of what it depends on. gRPC is C++; it resolves host names
# through getaddrinfo, and the linker's warnings about that do not concern unix sockets.
linked = $(filter %.o %.a,$^) $(2)
define link
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(if $(3),$(call quietly,$(CXX) $(1) $(CFLAGS) $(ldflags) $(LDFLAGS) -o $@ $(linked) $(GRPC_LIBS)),$(Q)$(CC) $(1) \
		$(cflags) $(CFLAGS) $(ldflags) $(LDFLAGS) -o $@ $(linked))
endef

# The linker's map says what is inside (hack/sbom); with COVER, some calls are not what they seem (hack/cover.c).
product = $(linkmode) $(seams) -Wl,-Map=$(BUILD)/gen/$(@F).map
ifdef COVER
seams := $(patsubst %,-Wl$(comma)--wrap=%,_exit seccomp_load syscall)
$(SHIM) $(PREPARE) $(PAUSE) $(CLI): $(BUILD)/hack/cover.o
endif

$(SHIM): $(BUILD)/shim/main.o $(LIBSHIM) $(LIBBASE)
	$(call link,$(product),-lprotobuf-c)
$(PREPARE): $(BUILD)/runtime/prepare/main.o $(LIBCORE) $(LIBBASE)
	$(call link,$(product),-ljson-c -lseccomp)
$(PAUSE): $(BUILD)/runtime/pause/main.o $(LIBPAUSE) $(LIBBASE)
	$(call link,$(product))
# Of libarchive only tar and two filters are called, so that its other libraries are not needed. It comes last: what
# the shim's calls of this program bring into memory is to have no gaps.
$(CLI): GRPC_LIBS += -larchive -lzstd -lz
$(CLI): $(BUILD)/runtime/cli/main.o $(LIBCLI) $(LIBCORE) $(LIBBASE)
	$(call link,$(product),-lprotobuf-c -ljson-c -lseccomp -lyaml,grpc)

# What the tests use.
FAULTS_BIN := $(BIN)/faults
$(CRI): $(call obj,$(wildcard tests/tools/cri/*.c)) $(LIBCLI) $(LIBCORE) $(LIBBASE)
	$(call link,$(linkmode),-lprotobuf-c -ljson-c,grpc)
$(SHIMCTL): $(call obj,$(wildcard tests/tools/shimctl/*.c)) $(call proto_obj,proto/metrics.proto) $(LIBSHIM) $(LIBBASE)
	$(call link,$(linkmode),-lprotobuf-c)
$(FAULTS_BIN): $(call obj,$(wildcard tests/tools/faults/*.c)) $(LIBSHIM) $(LIBCLI) $(LIBCORE) $(LIBBASE)
	$(call link,$(linkmode),-lprotobuf-c)
$(BENCH_BIN): $(call obj,$(filter-out $(INSTRUCTIONS_C),$(wildcard tests/bench/*.c))) \
		$(call proto_obj,proto/bench.proto proto/cri.proto) $(LIBSHIM) $(LIBCLI) $(LIBCORE) $(LIBBASE)
	$(call link,$(linkmode),-lprotobuf-c -ljson-c -lseccomp -lm,grpc)
$(PURE): $(BUILD)/tests/bench/pure.o $(LIBSHIM) $(LIBCORE) $(LIBBASE)
	$(call link,$(linkmode),-lprotobuf-c -ljson-c -lseccomp)
$(COUNTED): $(BUILD)/tests/bench/counted.o $(LIBCORE) $(LIBBASE)
	$(call link,$(linkmode))
# What users run, but for the few calls that valgrind cannot follow.
for_valgrind := $(linkmode) $(patsubst %,-Wl$(comma)--wrap=%,seccomp_init seccomp_load syscall probe_compat32 probe_x32)
$(FOR_VALGRIND)/containerd-shim-crossarch-v2: $(BUILD)/shim/main.o $(BUILD)/tests/bench/under_valgrind.o $(LIBSHIM) $(LIBBASE)
	$(call link,$(for_valgrind),-lprotobuf-c)
$(FOR_VALGRIND)/crossarch-prepare: $(BUILD)/runtime/prepare/main.o $(BUILD)/tests/bench/under_valgrind.o $(LIBCORE) $(LIBBASE)
	$(call link,$(for_valgrind),-ljson-c -lseccomp)
cri: $(CRI) $(SHIMCTL) $(FAULTS_BIN) ## build the clients the tests use: of the CRI, and of the Task API (handy by hand)

# --- tests ------------------------------------------------------------------------------------
# Argument vectors are written as literals there.
$(BUILD)/tests/unit/%.o: cflags += -Wno-cast-qual -Wno-write-strings
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(LIBSHIM) $(LIBCLI) $(LIBCORE) $(LIBPAUSE) $(LIBBASE)
	$(call link,-pie,-lcmocka -lprotobuf-c -ljson-c -lseccomp -lyaml -larchive)

.PHONY: units cover
units: $(UNIT)

##@ Tests that take a minute or two
# T is the name of a file of tests/unit.
check-one: $(PREPARE) $(PAUSE) $(if $(wildcard tests/unit/$(T).c),$(BUILD)/unit/$(T)) ## one unit test (T=test_plan)
	$(Q)$(if $(wildcard tests/unit/$(T).c),BUILD=$(abspath $(BUILD)) $(BUILD)/unit/$(T),\
		echo "make check-one T=NAME, one of:" $(notdir $(UNIT)) && exit 2)

check: $(UNIT) sanitized $(PREPARE) $(PAUSE) ## unit tests, and what the fuzz harnesses found so far
	$(Q)BUILD=$(BUILD) hack/check-layers
	$(Q)BUILD=$(abspath $(BUILD)) hack/tally $(UNIT) $(REPLAY)

check-asan: ## unit tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SAN=address,undefined check

check-cross: ## unit tests built for other processors, run under qemu-user (CROSS="arm64 armhf riscv64 s390x")
	$(Q)BUILD=$(BUILD) hack/cross $(or $(CROSS),arm64 armhf riscv64 s390x)

##@ Tests with real containers (root)
test: ## install what is missing, build, run unit tests and the integration suite (root)
	$(Q)hack/setup
	$(Q)$(MAKE) -j$$(nproc) --no-print-directory all cri $(TREES) $(ORACLE) $(UNIT) sanitized
	$(Q)BUILD=$(abspath $(BUILD)) hack/tally $(UNIT) $(REPLAY) $(sort $(wildcard tests/integration/*.test))

# The clients of the suites are as always; what they talk to is under the tool.
CHECKED := tests/integration/10-ctr.test tests/integration/20-cri.test
test-asan: cri ## 10-ctr and 20-cri with a shim, prepare and command line under the sanitizers (root)
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SAN=address,undefined all
	$(Q)ln -sf $(abspath $(CRI) $(SHIMCTL)) $(BUILD)/asan/bin/
	$(Q)BUILD=$(abspath $(BUILD)/asan) ENGINES="$(or $(ENGINES),runc)" tests/integration/checked asan $(CHECKED)

# Long forms of suites that `make test` runs in short ones.
test-faults: all cri ## injected faults, long (root; FAULTS=2000 HOLD=60 KILLS=20)
	$(Q)BUILD=$(abspath $(BUILD)) FAULTS=$$((($(or $(FAULTS),2000) * 11 / 10 + 1) / 2)) HOLD=$(or $(HOLD),60) \
		KILLS=$(or $(KILLS),20) TALLY_LINES=8 tests/integration/41-injected.test

test-soak: all cri ## lives in one shim and in many, long (root; CYCLES=10000 PER_SHIM=10 ENGINES=crun)
	$(Q)BUILD=$(abspath $(BUILD)) CYCLES=$(or $(CYCLES),10000) PER_SHIM=$(or $(PER_SHIM),10) \
		tests/integration/42-soak.test

test-hostile: all cri ## hostile peers of a live shim, long (root; CONNECTIONS=10000 NOISE=300)
	$(Q)BUILD=$(abspath $(BUILD)) CONNECTIONS=$(or $(CONNECTIONS),10000) NOISE=$(or $(NOISE),300) \
		tests/integration/51-peers.test

test-containers: all cri ## programs as people run them, emulated and natively, beside the stock shim (root; APPS="nginx postgres")
	$(Q)BUILD=$(abspath $(BUILD)) APPS="$(or $(APPS),$(filter-out inits,$(notdir $(wildcard hack/apps/*))))" \
		CONTAINERDS="$(or $(CONTAINERDS),installed trixie sid)" SUITE_LIMIT=$(or $(SUITE_LIMIT),7200) V=1 \
		hack/tally tests/integration/47-containers.test

test-cgroup2: all cri ## what has to do with cgroups, in a virtual machine with cgroup v2 only (root; no KVM needed)
	$(Q)hack/setup
	$(Q)BUILD=$(abspath $(BUILD)) SUITE_LIMIT=$(or $(SUITE_LIMIT),7200) hack/tally $(sort $(wildcard tests/machines/*.test))

test-node: all cri ## a Debian 13 node in a virtual machine: pods, restarts, a reboot, upgrade, purge (root; SHORT=1)
	$(Q)hack/setup
	$(Q)BUILD=$(abspath $(BUILD)) SUITE_LIMIT=$(or $(SUITE_LIMIT),2400) hack/tally tests/machines/node/node.test

# The programs for it are in a directory of their own, BUILD/arm64, unless this machine is one itself.
test-arm64: ## an arm64 node in a virtual machine: pods, suites, other processors and pages (root; SHORT=1)
	$(Q)hack/setup
	$(Q)$(MAKE) --no-print-directory TARGET=arm64 all cri
	$(Q)BUILD=$(abspath $(BUILD)) SUITE_LIMIT=$(or $(SUITE_LIMIT),2400) hack/tally \
		$(if $(SHORT),tests/machines/arm64/short.test,$(filter-out %/short.test,$(wildcard tests/machines/arm64/*.test)))

##@ Measurements
# What CI asks for is the figure without suites.
COVER_SUITES ?= 10-ctr 20-cri 55-causes 60-cli 61-check 62-config 63-pull 64-platform
cover: $(if $(COVER_SUITES),cri) ## lines that are run by check and by suites, per directory (root; COVER_SUITES= for none)
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/cover COVER=1 all units sanitized
	$(Q)$(if $(COVER_SUITES),ln -sf $(abspath $(CRI) $(SHIMCTL)) $(BUILD)/cover/bin/)
	$(Q)BUILD=$(abspath $(BUILD)/cover) CI=$(CI) ENGINES="$(or $(ENGINES),runc)" hack/cover $(COVER_SUITES)

check-memory: all cri ## memory of an idle shim beside the stock one, per containerd (root)
	$(Q)BUILD=$(abspath $(BUILD)) CONTAINERDS="$(or $(CONTAINERDS),installed trixie sid)" tests/bench/memory

check-choice: all cri ## what choosing a platform adds to Create, against a bound (root; ROUNDS=40)
	$(Q)BUILD=$(abspath $(BUILD)) tests/bench/choice

check-instructions: all cri $(PURE) $(COUNTED) $(addprefix $(FOR_VALGRIND)/,containerd-shim-crossarch-v2 crossarch-prepare) ## instructions and system calls of parts and whole programs, against bounds (root, valgrind)
	$(Q)BUILD=$(abspath $(BUILD)) tests/bench/instructions

bench-scan: all ## crossarch scan of a thousand images, against a bound (root; IMAGES=1000)
	$(Q)BUILD=$(abspath $(BUILD)) tests/bench/scan

bench: all cri $(BENCH_BIN) ## both shims side by side, as table, JSON and SVG in build/bench (root; BENCH=short)
	$(Q)BUILD=$(abspath $(BUILD)) BENCH=$(or $(BENCH),long) CONTAINERDS="$(or $(CONTAINERDS),installed trixie sid)" \
		tests/bench/bench

bench-cgroup2: all cri $(BENCH_BIN) ## the same with cgroup v2, in a virtual machine, in build/bench-cgroup2 (root)
	$(Q)mkdir -p $(BUILD)/bench-cgroup2
	$(Q)BUILD=$(abspath $(BUILD)) BENCH=$(or $(BENCH),short) CONTAINERDS="$(or $(CONTAINERDS),installed trixie sid)" \
		RESULTS=/run/vm/results VM_RESULTS=$(abspath $(BUILD))/bench-cgroup2 tests/machines/boot tests/bench/bench

bench-emulated: ## real programs of other architectures under the emulators that Debian has, in build/bench-emulated (root; BENCH=short)
	$(Q)BUILD=$(abspath $(BUILD)) BENCH=$(or $(BENCH),long) tests/bench/emulated

# --- hostile input ----------------------------------------------------------------------------
# One source per harness, three ways to run it: `make check` replays its corpus with a plain main and the
# sanitizers, fuzz-NAME hands it to libFuzzer, and FUZZ_CC=afl-clang-fast makes a program for afl-fuzz.
SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_BUILD := $(BUILD)/$(notdir $(FUZZ_CC))
FUZZ_MAIN := $(if $(findstring fuzzer,$(SAN)),-fsanitize=fuzzer,$(BUILD)/tests/fuzz/replay.o)
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/entry.o $(filter %.o,$(FUZZ_MAIN)) \
		$(LIBSHIM) $(LIBCLI) $(LIBCORE) $(LIBPAUSE) $(LIBBASE)
	$(call link,-pie $(filter -f%,$(FUZZ_MAIN)),-lprotobuf-c -ljson-c -lseccomp -lyaml -larchive)

##@ Tests that look for the unexpected
fuzz-%: ## run one harness of tests/fuzz with libFuzzer (SECONDS=60)
	$(Q)$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC=$(FUZZ_CC) SAN=fuzzer-no-link,address,undefined \
		$(FUZZ_BUILD)/fuzz/fuzz_$*
	$(Q)mkdir -p $(FUZZ_BUILD)/found/$*
	$(Q)$(FUZZ_BUILD)/fuzz/fuzz_$* -max_total_time=$(SECONDS) -timeout=5 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$(FUZZ_BUILD)/found/$*- $(FUZZ_BUILD)/found/$* tests/fuzz/corpus/$*

fuzz: ## run every harness (SECONDS=60 each) and minimise the corpora
	$(Q)$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC=$(FUZZ_CC) SAN=fuzzer-no-link,address,undefined \
		$(patsubst tests/fuzz/%.c,$(FUZZ_BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
	$(Q)tests/fuzz/minimise $(FUZZ_BUILD)/fuzz $(SECONDS)

# What runs under the sanitizers in an ordinary `make check` and `make test`.
SAN_BUILD := $(if $(SAN)$(COVER),$(BUILD),$(BUILD)/asan)
REPLAY := $(patsubst tests/fuzz/%.c,$(SAN_BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c)) $(SAN_BUILD)/sequence/sequence
.PHONY: sanitized test-sequence
ifneq ($(SAN)$(COVER),)
sanitized: $(REPLAY) $(PREPARE)
else
sanitized:
	$(Q)$(MAKE) --no-print-directory BUILD=$(SAN_BUILD) SAN=address,undefined sanitized
endif

# Random orders of calls against a model of the Task and Sandbox APIs; the stub starts fast, without sanitizers.
STEPS ?= 100000
SEED ?= 1
SEQUENCE_STUB := $(BUILD)/sequence/stub
$(SEQUENCE_STUB): tests/fuzz/sequence/stub.c tests/fuzz/sequence/stub.h $(FLAGS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cppflags) $(CPPFLAGS) -std=gnu11 -O2 -static $(warnings) -o $@ $<
$(BUILD)/tests/fuzz/sequence/%.o: cflags += -Wno-switch-enum # most calls are like each other
SEQUENCE_OBJ := $(call obj,$(filter-out tests/fuzz/sequence/stub.c,$(wildcard tests/fuzz/sequence/*.c)))
SEQUENCE_SEAMS := bundle_unmount child_fork private_emulators_any clock_gettime # tests/fuzz/sequence/seams.c
$(BUILD)/sequence/sequence: $(SEQUENCE_OBJ) $(LIBSHIM) $(LIBBASE) | $(SEQUENCE_STUB)
	$(call link,-pie $(SEQUENCE_SEAMS:%=-Wl$(comma)--wrap=%),-lprotobuf-c)

test-sequence: sanitized ## random orders of calls against a model of both APIs (STEPS=100000 SEED=1)
	$(Q)$(SAN_BUILD)/sequence/sequence -n $(STEPS) -s $(SEED)

TREES := $(BIN)/hostile-trees
$(TREES): $(call obj,$(wildcard tests/verdicts/trees/*.c)) $(LIBCORE) $(LIBBASE)
	$(call link,$(linkmode),-lpthread)

ORACLE := $(BIN)/oracle
$(ORACLE): $(call obj,$(wildcard tests/verdicts/*.c) tests/verdicts/trees/build.c tests/verdicts/trees/observe.c tests/verdicts/trees/run.c) \
		$(LIBCORE) $(LIBBASE)
	$(call link,$(linkmode),-lpthread)

test-verdicts: all $(ORACLE) ## verdicts against real executions of generated programs, long (root; SEED=1 CASES=20000)
	$(Q)BUILD=$(abspath $(BUILD)) SEED=$(SEED) CASES=$(or $(CASES),20000) tests/integration/58-verdicts.test

# --- installation -----------------------------------------------------------------------------
##@ Try and install
demo: ## install what is missing, build, and show four pods: native, emulated twice, refused (root)
	$(Q)hack/setup
	$(Q)$(MAKE) -j$$(nproc) --no-print-directory all cri
	$(Q)BUILD=$(abspath $(BUILD)) hack/demo

install: all ## install below DESTDIR/PREFIX
	install -D -m 0755 $(SHIM) $(DESTDIR)$(BINDIR)/containerd-shim-crossarch-v2
	install -D -m 0755 $(CLI) $(DESTDIR)$(BINDIR)/crossarch
	install -D -m 0755 $(PREPARE) $(DESTDIR)$(LIBEXECDIR)/crossarch-prepare
	install -D -m 0755 $(PAUSE) $(DESTDIR)$(LIBEXECDIR)/crossarch-pause
	install -D -m 0644 -t $(DESTDIR)$(MANDIR)/man8 hack/man/crossarch.8 hack/man/containerd-shim-crossarch-v2.8
	install -D -m 0644 hack/completion/crossarch.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/crossarch
	install -D -m 0644 hack/completion/_crossarch $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_crossarch

uninstall: ## take away what install put there
	rm -f $(DESTDIR)$(BINDIR)/containerd-shim-crossarch-v2 $(DESTDIR)$(BINDIR)/crossarch \
		$(DESTDIR)$(MANDIR)/man8/crossarch.8 $(DESTDIR)$(MANDIR)/man8/containerd-shim-crossarch-v2.8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/crossarch \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_crossarch
	rm -rf $(DESTDIR)$(LIBEXECDIR)
	rm -f $(DESTDIR)/run/crossarch/cpu-levels $(DESTDIR)/run/crossarch/outcomes
	rmdir $(DESTDIR)/run/crossarch/binfmt $(DESTDIR)/run/crossarch 2>/dev/null || :

# The programs for ARCH, in BUILD, or below it if that is for another (built_in of hack/lib/cross.sh).
ARCHES ?= $(or $(TARGET),amd64 arm64)
all-%:
	$(Q)$(MAKE) --no-print-directory TARGET=$* \
		$(if $(filter-out $(or $(TARGET),$(MACHINE)),$*),BUILD=$(BUILD)/$* CC= CXX=) all

##@ Release
.PHONY: uninstall dist deb image image-talos sysext shim-archive test-deb
dist: $(ARCHES:%=all-%) ## a release in build/dist: the sources, its notes, the SBOMs of the programs (ARCHES="amd64 arm64")
	$(Q)BUILD=$(BUILD) hack/dist
	$(Q)BUILD=$(BUILD) TARGET=$(TARGET) ARCHES="$(ARCHES)" hack/sbom
	$(Q)hack/changelog notes >$(BUILD)/dist/crossarch-$(VERSION).md

deb: ## Debian packages in build/deb (needs debhelper; TARGET=arm64: in build/arm64/deb)
	$(Q)BUILD=$(BUILD) TARGET=$(TARGET) hack/deb

image: $(ARCHES:%=all-%) ## the node installer for Kubernetes as an OCI archive in build/image (ARCHES="amd64 arm64")
	$(Q)BUILD=$(BUILD) TARGET=$(TARGET) ARCHES="$(ARCHES)" hack/kubernetes/image

node_archive = $(Q)BUILD=$(BUILD) TARGET=$(TARGET) ARCHES="$(ARCHES)" hack/kubernetes/archive
image-talos: $(ARCHES:%=all-%) ## a system extension for Talos as an OCI archive in build/image
	$(node_archive) talos

sysext: $(ARCHES:%=all-%) ## system extensions for Flatcar and others with systemd-sysext, in build/image
	$(node_archive) sysext

shim-archive: $(ARCHES:%=all-%) ## tarballs for runtime-class-manager, in build/image
	$(node_archive) shim

test-deb: all cri ## install, upgrade and purge the packages in fresh Debian systems; Docker (root, slow)
	$(Q)BUILD=$(abspath $(BUILD)) SUITE_LIMIT=$(or $(SUITE_LIMIT),1800) hack/tally $(wildcard tests/machines/packages/*.test)

##@ Code
analyze: $(GENERATED_H) ## gcc -fanalyzer, clang-tidy, cppcheck and shellcheck, clean
	$(Q)BUILD=$(BUILD) hack/analyze

format: ## rewrite the sources in the project's format
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)
