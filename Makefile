# SPDX-License-Identifier: Apache-2.0
# One non-recursive makefile. `make help` lists the targets a person calls.
# BUILD=DIR builds elsewhere; V=1 shows commands; CI=true makes warnings errors;
# SAN=address,undefined builds with those sanitizers (implies dynamic linking).

BUILD ?= build
PREFIX ?= /usr/local
LIBEXECDIR ?= $(PREFIX)/libexec/crossarch
BINDIR ?= $(PREFIX)/bin
SYSCONFDIR ?= /etc
VERSION := 0.1.0
REVISION := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

CC ?= gcc
CXX ?= g++
PROTOC ?= protoc-c
Q := $(if $(V),,@)
# Runs a command whose chatter only matters when it fails.
quietly = $(Q)log=$$(mktemp); $(1) >$$log 2>&1 || { cat $$log; rm -f $$log; exit 1; }; rm -f $$log
say = $(if $(V),,@printf '  %-8s %s\n' "$(1)" "$(2)")

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wformat=2 \
	-Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual -Wnull-dereference
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE \
	-fvisibility=hidden -fno-common
ifeq ($(shell uname -m),x86_64)
HARDEN += -fcf-protection
endif
CPPFLAGS += -D_GNU_SOURCE -I. -isystem $(BUILD)/gen -DCROSSARCH_VERSION='"$(VERSION)"' \
	-DCROSSARCH_REVISION='"$(REVISION)"' -DCROSSARCH_LIBEXECDIR='"$(LIBEXECDIR)"' \
	-DCROSSARCH_SYSCONFDIR='"$(SYSCONFDIR)"'
CFLAGS += -std=gnu11 -O2 -g -ffunction-sections -fdata-sections $(WARN) $(HARDEN)
LDFLAGS += -Wl,--gc-sections -Wl,-z,relro,-z,now
ifdef CI
CFLAGS += -Werror
endif
ifdef SAN
CFLAGS += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all -U_FORTIFY_SOURCE
LDFLAGS += -fsanitize=$(SAN)
LINKMODE := -pie
else
# Static: no dynamic loader to run (start is counted in milliseconds) and half its private memory.
LINKMODE := -static-pie
endif

# --- sources ----------------------------------------------------------------------------------
dir_c = $(foreach d,$(1),$(wildcard $(d)/*.c))
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

BASE_C := $(call dir_c,runtime/base) runtime/prepare/report.c runtime/prepare/request.c
CORE_C := $(call dir_c,runtime/arch runtime/image runtime/binfmt runtime/host runtime/oci runtime/plan)
PREPARE_C := $(filter-out runtime/prepare/main.c runtime/prepare/report.c runtime/prepare/request.c, \
	$(call dir_c,runtime/prepare))
CLI_C := $(filter-out runtime/cli/main.c,$(call dir_c,runtime/containerd runtime/cli))
SHIM_C := $(filter-out shim/main.c,$(call dir_c,shim shim/loop shim/ttrpc shim/task shim/engine shim/host))
SHIM_PROTO := $(filter-out proto/containerd.proto proto/cri.proto,$(wildcard proto/*.proto))
PROTO_C := $(patsubst %.proto,$(BUILD)/gen/%.pb-c.c,$(wildcard proto/*.proto))
PROTO_H := $(PROTO_C:.c=.h)
proto_obj = $(patsubst %.proto,$(BUILD)/gen/%.pb-c.o,$(1))

BIN := $(BUILD)/bin
SHIM := $(BIN)/containerd-shim-crossarch-v2
PREPARE := $(BIN)/crossarch-prepare
CLI := $(BIN)/crossarch
CRI := $(BIN)/cri-client
SHIMCTL := $(BIN)/shimctl

.PHONY: all help check check-asan check-memory test demo install clean cri format
.DELETE_ON_ERROR:
.SECONDARY:

all: $(SHIM) $(PREPARE) $(CLI) ## build the three programs into build/bin

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- generated protobuf code ------------------------------------------------------------------
$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h: %.proto
	$(call say,PROTO,$<)
	$(Q)mkdir -p $(BUILD)/gen
	$(call quietly,$(PROTOC) -I. --c_out=$(BUILD)/gen $<)
$(BUILD)/gen/%.pb-c.o: $(BUILD)/gen/%.pb-c.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out $(WARN) -Werror,$(CFLAGS)) -c -o $@ $<
$(PROTO_C:.c=.o): | $(PROTO_H)

# --- objects and archives ---------------------------------------------------------------------
$(BUILD)/%.o: %.c | $(PROTO_H)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define archive
$(BUILD)/lib$(1).a: $(2)
	$(call say,AR,$$@)
	$(Q)rm -f $$@; $(AR) rcs $$@ $(2)
endef
$(eval $(call archive,base,$(call obj,$(BASE_C))))
$(eval $(call archive,core,$(call obj,$(CORE_C) $(PREPARE_C))))
$(eval $(call archive,cli,$(call obj,$(CLI_C)) $(call proto_obj,proto/containerd.proto)))
$(eval $(call archive,shim,$(call obj,$(SHIM_C)) $(call proto_obj,$(SHIM_PROTO))))
LIBBASE := $(BUILD)/libbase.a
LIBCORE := $(BUILD)/libcore.a
LIBCLI := $(BUILD)/libcli.a
LIBSHIM := $(BUILD)/libshim.a

# --- programs ---------------------------------------------------------------------------------
GRPC_LIBS = -Wl,--start-group -lgrpc_unsecure -lgpr -laddress_sorting -lupb -lre2 \
	$(shell pkg-config --libs --static grpc_unsecure 2>/dev/null) -Wl,--end-group -lcares -lz -lpthread

$(SHIM): $(BUILD)/shim/main.o $(LIBSHIM) $(LIBBASE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LINKMODE) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lprotobuf-c
$(PREPARE): $(BUILD)/runtime/prepare/main.o $(LIBCORE) $(LIBBASE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LINKMODE) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljson-c -lseccomp
# gRPC resolves host names through getaddrinfo; the linker's warnings about it do not concern unix sockets.
$(CLI): $(BUILD)/runtime/cli/main.o $(LIBCLI) $(LIBCORE) $(LIBBASE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(call quietly,$(CXX) $(LINKMODE) $(LDFLAGS) -o $@ $^ -lprotobuf-c -ljson-c -lseccomp $(GRPC_LIBS))
CRI_OBJ := $(call obj,$(wildcard tests/cri/*.c)) $(call proto_obj,proto/cri.proto)
$(CRI): $(CRI_OBJ) $(LIBCLI) $(LIBCORE) $(LIBBASE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(call quietly,$(CXX) $(LINKMODE) $(LDFLAGS) -o $@ $^ -lprotobuf-c -ljson-c $(GRPC_LIBS))
SHIMCTL_OBJ := $(call obj,$(wildcard tests/tools/*.c)) $(call proto_obj,proto/metrics.proto)
$(SHIMCTL): $(SHIMCTL_OBJ) $(LIBSHIM) $(LIBBASE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LINKMODE) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lprotobuf-c
cri: $(CRI) $(SHIMCTL) ## build the clients the tests use: of the CRI, and of the Task API (handy by hand)

# --- tests ------------------------------------------------------------------------------------
# Argument vectors are written as literals there.
$(BUILD)/tests/unit/%.o: CFLAGS += -Wno-cast-qual -Wno-write-strings
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(LIBSHIM) $(LIBCLI) $(LIBCORE) $(LIBBASE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIBSHIM) $(LIBCLI) $(LIBCORE) $(LIBBASE) -lcmocka -lprotobuf-c -ljson-c -lseccomp

check: $(UNIT) $(PREPARE) ## unit tests only
	$(Q)hack/check-layers
	$(Q)BUILD=$(abspath $(BUILD)) hack/tally $(UNIT)

test: ## install what is missing, build, run unit tests and the integration suite (root)
	$(Q)hack/setup
	$(Q)$(MAKE) -j$$(nproc) --no-print-directory all cri $(UNIT)
	$(Q)BUILD=$(abspath $(BUILD)) hack/tally $(UNIT) $(sort $(wildcard tests/integration/*.test))

check-asan: ## unit tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SAN=address,undefined check

check-memory: all cri ## memory of an idle shim beside the stock one, per containerd (root)
	$(Q)BUILD=$(abspath $(BUILD)) CONTAINERDS="installed trixie sid" tests/bench/memory

demo: ## install what is missing, build, and show four pods: native, emulated twice, refused (root)
	$(Q)hack/setup
	$(Q)$(MAKE) -j$$(nproc) --no-print-directory all cri
	$(Q)BUILD=$(abspath $(BUILD)) hack/demo

# --- installation -----------------------------------------------------------------------------
install: all ## install below DESTDIR/PREFIX
	install -D -m 0755 $(SHIM) $(DESTDIR)$(BINDIR)/containerd-shim-crossarch-v2
	install -D -m 0755 $(CLI) $(DESTDIR)$(BINDIR)/crossarch
	install -D -m 0755 $(PREPARE) $(DESTDIR)$(LIBEXECDIR)/crossarch-prepare

format: ## rewrite the sources in the project's format
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

clean: ## remove what was built
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
