/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/level_program.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/cli/trial_program.h"

/*
 * The same bits as in host/probe.c, which has them in C for the node's own processor. %edi counts;
 * every jump goes to "end".
 */
static const uint8_t code[] = {
	0xbf, 0x41, 0, 0, 0, /* mov $LEVEL_STATUS + 1,%edi */
	0xb8, 1, 0, 0, 0,    /* mov $1,%eax */
	0x0f, 0xa2,	     /* cpuid */
	0x89, 0xce,	     /* mov %ecx,%esi */
	0xb8, 1, 0, 0, 0x80, /* mov $0x80000001,%eax */
	0x0f, 0xa2,	     /* cpuid */
	0x89, 0xcd,	     /* mov %ecx,%ebp */

	/* SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF */
	0x89, 0xf0,		   /* mov %esi,%eax */
	0x25, 0x01, 0x22, 0x98, 0, /* and $0x982201,%eax */
	0x3d, 0x01, 0x22, 0x98, 0, /* cmp $0x982201,%eax */
	0x75, 0x71,		   /* jne end */
	0xf7, 0xc5, 1, 0, 0, 0,	   /* test $1,%ebp */
	0x74, 0x69,		   /* je end */
	0xff, 0xc7,		   /* inc %edi */

	/* FMA, MOVBE, OSXSAVE, AVX, F16C; LZCNT */
	0x81, 0xe6, 0, 0x10, 0x40, 0x38, /* and $0x38401000,%esi */
	0x81, 0xfe, 0, 0x10, 0x40, 0x38, /* cmp $0x38401000,%esi */
	0x75, 0x59,			 /* jne end */
	0xf7, 0xc5, 0x20, 0, 0, 0,	 /* test $0x20,%ebp */
	0x74, 0x51,			 /* je end */
	0x31, 0xc0,			 /* xor %eax,%eax */
	0x0f, 0xa2,			 /* cpuid */
	0x83, 0xf8, 7,			 /* cmp $7,%eax */
	0x72, 0x48,			 /* jb end */
	0xb8, 7, 0, 0, 0,		 /* mov $7,%eax */
	0x31, 0xc9,			 /* xor %ecx,%ecx */
	0x0f, 0xa2,			 /* cpuid */

	/* BMI1, AVX2, BMI2; what the operating system saves of the vector registers */
	0x89, 0xde,		   /* mov %ebx,%esi */
	0x81, 0xe6, 0x28, 1, 0, 0, /* and $0x128,%esi */
	0x81, 0xfe, 0x28, 1, 0, 0, /* cmp $0x128,%esi */
	0x75, 0x2f,		   /* jne end */
	0x31, 0xc9,		   /* xor %ecx,%ecx */
	0x0f, 0x01, 0xd0,	   /* xgetbv */
	0x89, 0xc6,		   /* mov %eax,%esi */
	0x83, 0xe0, 6,		   /* and $6,%eax */
	0x83, 0xf8, 6,		   /* cmp $6,%eax */
	0x75, 0x20,		   /* jne end */
	0xff, 0xc7,		   /* inc %edi */

	/* AVX-512 F, DQ, CD, BW, VL */
	0x81, 0xe3, 0, 0, 3, 0xd0, /* and $0xd0030000,%ebx */
	0x81, 0xfb, 0, 0, 3, 0xd0, /* cmp $0xd0030000,%ebx */
	0x75, 0x10,		   /* jne end */
	0x81, 0xe6, 0xe6, 0, 0, 0, /* and $0xe6,%esi */
	0x81, 0xfe, 0xe6, 0, 0, 0, /* cmp $0xe6,%esi */
	0x75, 2,		   /* jne end */
	0xff, 0xc7,		   /* inc %edi */

	/* end */
	0xb8, 60, 0, 0, 0, /* mov $60,%eax */
	0x0f, 0x05,	   /* syscall */
};

int level_program_open(int *ret_fd, struct err *err)
{
	const struct arch *amd64 = arch_by_name("amd64", strlen("amd64"));
	uint8_t file[TRIAL_HEADERS + sizeof(code)];

	memcpy(file, code, sizeof(code));
	return trial_file(file, trial_wrap(amd64, 0, file, sizeof(code)), ret_fd, err);
}
