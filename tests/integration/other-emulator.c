/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands for an emulator that is no qemu: it tells its version as box64 does, expects its arguments
 * as the one it is named after, and runs programs by a real qemu-user that is in the same file,
 * from PAYLOAD on. So it is one file that needs nothing else, as such emulators have to be in
 * containers.
 *
 * Without a C library, so that it can be built for the 32-bit sister of any compiler's machine.
 *
 *   -DSERVER="NAME"   it needs another program beside itself, as FEX does
 */
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>

#define PAYLOAD 65536

#if defined(__i386__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %esp, %eax\n and $-16, %esp\n"
	"sub $12, %esp\n push %eax\n call begin\n");
#elif defined(__x86_64__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0, sp\n bl begin\n");
#endif

static long call(long nr, long a, long b, long c, long d, long e)
{
#if defined(__i386__)
	__asm__ volatile("int $0x80"
			 : "+a"(nr)
			 : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return nr;
#elif defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;

	__asm__ volatile("syscall"
			 : "+a"(nr)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return nr;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#endif
}

static unsigned long length(const char *s)
{
	unsigned long n = 0;

	while (s[n])
		n++;
	return n;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void __attribute__((noreturn)) end(const char *text, int status)
{
	(void)call(__NR_write, status ? 2 : 1, (long)text, (long)length(text), 0, 0);
	for (;;)
		(void)call(__NR_exit_group, status, 0, 0, 0, 0);
}

/* The qemu in a file of its own, in memory. */
static long unpack(void)
{
	long self = call(__NR_openat, AT_FDCWD, (long)"/proc/self/exe", O_CLOEXEC, 0, 0);
	long file = call(__NR_memfd_create, (long)"qemu", MFD_CLOEXEC, 0, 0, 0);
	static char bytes[PAYLOAD];
	long n;

	if (self < 0 || file < 0 || call(__NR_lseek, self, PAYLOAD, 0, 0, 0) < 0)
		end("stand-in: no file of its own\n", 1);
	while ((n = call(__NR_read, self, (long)bytes, sizeof(bytes), 0, 0)) > 0)
		if (call(__NR_write, file, (long)bytes, n, 0, 0) != n)
			end("stand-in: no room\n", 1);
	return file;
}

#ifdef SERVER
static void need_server(void)
{
	static char path[4096];
	long n = call(__NR_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)path,
		      sizeof(path) / 2, 0);

	while (n > 0 && path[n - 1] != '/')
		n--;
	for (const char *s = SERVER; n >= 0 && *s; s++)
		path[n++] = *s;
	if (call(__NR_faccessat, AT_FDCWD, (long)path, 0, 0, 0) < 0)
		end("FEXServerClient: Failure to setup client\n", 255);
}
#endif

/* Of flag O: the kernel has opened the program. */
static int by_descriptor(char **envp)
{
	unsigned long *aux;

	while (*envp)
		envp++;
	for (aux = (unsigned long *)(envp + 1); aux[0] != AT_NULL; aux += 2)
		if (aux[0] == AT_EXECFD)
			return 1;
	return 0;
}

__attribute__((used, noreturn)) static void begin(long *stack)
{
	long argc = *stack, n = 0;
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	static char *args[1024];

	if (argc == 2 && (same(argv[1], "-v") || same(argv[1], "--version")))
		end("Box64 with Dynarec v0.3.4 1234567 built on Jan  1 2025 00:00:00\n", 0);
#ifdef SERVER
	need_server();
	/* As FEX: of flag P it knows by flag O. */
	if (argc > 2 && by_descriptor(envp)) {
		args[n++] = "qemu";
		args[n++] = "-0";
		args[n++] = argv[2];
		args[n++] = argv[1];
		argv += 3;
		argc -= 3;
	}
#endif
	(void)by_descriptor;
	for (long i = 0; i < argc && n < 1023; i++)
		args[n++] = argv[i];
	(void)call(__NR_execveat, unpack(), (long)"", (long)args, (long)envp, AT_EMPTY_PATH);
	end("stand-in: cannot start its qemu\n", 1);
}
