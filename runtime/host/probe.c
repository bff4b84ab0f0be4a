/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/host/probe.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/*
 * The kernel puts a stack at the end of what addresses there are, and memory below it. arm64 has
 * 39, 42, 47, 48 or 52 bits of them, by its configuration (Documentation/arch/arm64/memory.rst); 52
 * it uses on demand only.
 */
bool probe_high_addresses(void)
{
	return (uint64_t)(uintptr_t)__builtin_frame_address(0) >> 47;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#define INT80 0x80cd /* the two bytes of "int $0x80", as a little-endian number */
#define INT80_GETPID 20
#define X32_BIT 0x40000000

/* Under somebody's seccomp filter an odd system call may kill: then the question stays open. */
static bool filtered(void)
{
	return prctl(PR_GET_SECCOMP) != 0;
}

/* Steps over the instruction that faulted and lets it answer ENOSYS. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (*(const uint16_t *)regs[REG_RIP] != INT80) {
		signal(sig, SIG_DFL);
		return;
	}
	regs[REG_RIP] += 2;
	regs[REG_RAX] = -ENOSYS;
}

/* The kernel installs the 32-bit system call gate if and only if it loads 32-bit programs. */
enum host_can probe_compat32(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, old;
	long rc = INT80_GETPID;

	if (filtered() || sigaction(SIGSEGV, &act, &old) < 0)
		return HOST_UNKNOWN;
	__asm__ volatile("int $0x80" : "+a"(rc) : : "memory", "r8", "r9", "r10", "r11", "cc");
	sigaction(SIGSEGV, &old, NULL);
	return rc == -ENOSYS ? HOST_NO : HOST_YES;
}

enum host_can probe_x32(void)
{
	if (filtered())
		return HOST_UNKNOWN;
	return syscall(SYS_getpid | X32_BIT) < 0 ? HOST_NO : HOST_YES;
}

/*
 * The levels of the x86-64 psABI. Bits of leaf 1, leaf 7 and leaf 0x80000001; the vector registers
 * must also be enabled by the operating system (OSXSAVE and XCR0).
 */
#define V2_ECX1 (bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT | bit_CMPXCHG16B)
#define V3_ECX1 (bit_AVX | bit_FMA | bit_MOVBE | bit_F16C | bit_OSXSAVE)
#define V3_EBX7 (bit_AVX2 | bit_BMI | bit_BMI2)
#define V4_EBX7 (bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL)
#define XCR0_AVX 0x6u
#define XCR0_AVX512 0xe6u

static unsigned int xcr0(void)
{
	unsigned int low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

unsigned int probe_x86_level(void)
{
	unsigned int a, b, c1, d, b7, c7, c81, saved;

	if (!__get_cpuid(1, &a, &b, &c1, &d) || !__get_cpuid(0x80000001, &a, &b, &c81, &d))
		return 1;
	if ((c1 & V2_ECX1) != V2_ECX1 || !(c81 & bit_LAHF_LM))
		return 1;
	if ((c1 & V3_ECX1) != V3_ECX1 || !(c81 & bit_LZCNT) ||
	    !__get_cpuid_count(7, 0, &a, &b7, &c7, &d) || (b7 & V3_EBX7) != V3_EBX7)
		return 2;
	saved = xcr0();
	if ((saved & XCR0_AVX) != XCR0_AVX)
		return 2;
	return (b7 & V4_EBX7) == V4_EBX7 && (saved & XCR0_AVX512) == XCR0_AVX512 ? 4 : 3;
}

#else

/*
 * arm64 refuses this personality when no processor has 32-bit user mode (arch/arm64/kernel/sys.c).
 * A kernel without CONFIG_COMPAT, as most with pages of 64 KiB are, takes it all the same, but
 * then uname() does not say armv8l (COMPAT_UTS_MACHINE in its compat.h). Others tell nothing.
 */
enum host_can probe_compat32(void)
{
#if defined(__aarch64__)
	int old = personality(0xffffffff);
	struct utsname name;
	int rc;

	if (old < 0)
		return HOST_UNKNOWN;
	if (personality(PER_LINUX32) < 0)
		return errno == EINVAL ? HOST_NO : HOST_UNKNOWN;
	rc = uname(&name);
	(void)personality((unsigned long)old);
	if (rc < 0)
		return HOST_UNKNOWN;
	return strncmp(name.machine, "armv8", strlen("armv8")) == 0 ? HOST_YES : HOST_NO;
#else
	return HOST_UNKNOWN;
#endif
}

enum host_can probe_x32(void)
{
	return HOST_NO;
}

unsigned int probe_x86_level(void)
{
	return 0;
}
#endif
