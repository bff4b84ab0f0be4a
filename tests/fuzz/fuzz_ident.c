/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <string.h>

#include "runtime/arch/table.h"
#include "runtime/base/mem.h"
#include "runtime/image/ident.h"
#include "tests/fuzz/fuzz.h"

/* The machine, read with the C library's own declarations: a second opinion. */
static uint16_t machine_of(const uint8_t *bytes)
{
	uint16_t machine;

	memcpy(&machine, bytes + offsetof(Elf64_Ehdr, e_machine), sizeof(machine));
	return bytes[EI_DATA] == ELFDATA2LSB ? le16toh(machine) : be16toh(machine);
}

static void check_segments(const struct ident *id, const uint8_t *bytes, size_t n)
{
	size_t table = ident_table_size(id);
	struct segments s, whole;

	ASSERT(table <= SEGMENTS_MAX && (!table || table / id->phnum == id->phentsize));
	for (size_t take = 0; take <= n; take += n / 8 + 1) {
		segments_read(id, bytes + n - take, take, n, 4096, &s);
		ASSERT(take || (s.empty && !s.interp && !s.dead));
		ASSERT((s.largest_page & (s.largest_page - 1)) == 0);
		ASSERT(property_x86_level(id, bytes + n - take, take) <= 4);
		ASSERT(notes_system(id, bytes + n - take, take) < SYSTEM_N);
	}
	/* In a file without end no segment is cut. */
	segments_read(id, bytes, n, UINT64_MAX, 4096, &whole);
	ASSERT(!whole.cut);
}

/* Whatever a kernel takes for its own program is read with its class and order. */
static void check_by_node(const uint8_t *bytes, size_t n)
{
	struct host host = { .arch = arch_by_name("amd64", 5), .page_size = 4096 };
	uint8_t head[256] = { 0 };
	struct ident id;

	memcpy(head, bytes, n < sizeof(head) ? n : sizeof(head));
	if (ident_read_by(&host, head, n < sizeof(head) ? n : sizeof(head), &id) != IDENT_ELF)
		return;
	ASSERT(id.machine != EM_386 || head[18] != EM_386 || head[19] ||
	       (id.cls == ELFCLASS32 && id.order == ELFDATA2LSB));
}

/* The header, and whatever follows it as program headers and as notes. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	struct ident id, cut;

	check_by_node(bytes, n);
	if (ident_read(bytes, n, &id) != IDENT_ELF)
		return;
	ASSERT(id.cls == bytes[EI_CLASS] && id.order == bytes[EI_DATA]);
	ASSERT(id.machine == machine_of(bytes));
	(void)arch_of_elf(id.machine, id.cls, id.order, id.flags);
	ASSERT(ident_read(bytes,
			  id.cls == ELFCLASS64 ? sizeof(Elf64_Ehdr) - 1 : sizeof(Elf32_Ehdr) - 1,
			  &cut) == IDENT_CUT);
	check_segments(&id, bytes, n);
}
