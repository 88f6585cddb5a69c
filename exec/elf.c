#include "exec/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 64 /* program headers looked at */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_ORDER ELFDATA2LSB
#else
#define NATIVE_ORDER ELFDATA2MSB
#endif

/* The fields of either class that matter here. */
struct headers {
	uint64_t offset;
	unsigned n, size;
};

static const char *
platform_of(unsigned machine, int is64)
{
	switch (machine) {
	case EM_X86_64:
		return is64 ? "x86_64" : NULL;
	case EM_386:
		return "i686";
	case EM_AARCH64:
		return "aarch64";
	case EM_ARM:
		return "armv7l";
	case EM_RISCV:
		return is64 ? "riscv64" : "riscv32";
	case EM_PPC64:
		return NATIVE_ORDER == ELFDATA2LSB ? "ppc64le" : "ppc64";
	case EM_S390:
		return is64 ? "s390x" : NULL;
	case EM_LOONGARCH:
		return is64 ? "loongarch64" : NULL;
	default:
		return NULL;
	}
}

static int
read_at(int fd, void *out, size_t size, uint64_t at)
{
	ssize_t n;

	if (at > INT64_MAX)
		return IM_ERR_FORMAT;
	n = pread(fd, out, size, (off_t)at);
	if (n < 0)
		return IM_ERR_SYSTEM;
	return (size_t)n == size ? 0 : IM_ERR_FORMAT;
}

static int
read_header(int fd, int is64, struct headers *h, unsigned *machine)
{
	union {
		Elf64_Ehdr e64;
		Elf32_Ehdr e32;
	} u;
	int r = read_at(fd, &u, is64 ? sizeof(u.e64) : sizeof(u.e32), 0);

	if (r != 0)
		return r;
	if (is64) {
		*h = (struct headers){u.e64.e_phoff, u.e64.e_phnum, u.e64.e_phentsize};
		*machine = u.e64.e_machine;
	} else {
		*h = (struct headers){u.e32.e_phoff, u.e32.e_phnum, u.e32.e_phentsize};
		*machine = u.e32.e_machine;
	}
	return h->size == (is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) ? 0 : IM_ERR_FORMAT;
}

/* Program header i as (type, offset, size in file). */
static int
read_segment(int fd, int is64, const struct headers *h, unsigned i, uint64_t out[3])
{
	union {
		Elf64_Phdr p64;
		Elf32_Phdr p32;
	} u;
	int r;

	if (h->offset > INT64_MAX / 2)
		return IM_ERR_FORMAT;
	r = read_at(fd, &u, h->size, h->offset + (uint64_t)i * h->size);
	if (r != 0)
		return r;
	out[0] = is64 ? u.p64.p_type : u.p32.p_type;
	out[1] = is64 ? u.p64.p_offset : u.p32.p_offset;
	out[2] = is64 ? u.p64.p_filesz : u.p32.p_filesz;
	return 0;
}

static int
find_interpreter(int fd, int is64, const struct headers *h, char out[ELF_INTERPRETER_SIZE])
{
	for (unsigned i = 0; i < h->n && i < HEADERS_MAX; i++) {
		uint64_t segment[3];
		int r = read_segment(fd, is64, h, i, segment);

		if (r != 0)
			return r;
		if (segment[0] != PT_INTERP)
			continue;
		if (segment[2] < 2 || segment[2] > ELF_INTERPRETER_SIZE)
			return IM_ERR_FORMAT;
		r = read_at(fd, out, (size_t)segment[2], segment[1]);
		if (r != 0)
			return r;
		return out[0] == '/' && memchr(out, '\0', (size_t)segment[2]) != NULL
		               ? 0
		               : IM_ERR_FORMAT;
	}
	out[0] = '\0';
	return 0;
}

int
elf_look(int fd, struct elf *out)
{
	unsigned char ident[EI_NIDENT] = {0};
	struct headers h;
	unsigned machine;
	ssize_t n = pread(fd, ident, sizeof(ident), 0);
	int is64, r;

	if (n < 0)
		return IM_ERR_SYSTEM;
	if (n >= 2 && ident[0] == '#' && ident[1] == '!')
		return IM_ERR_REFUSED;
	if (n < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return IM_ERR_FORMAT;
	if (ident[EI_DATA] != NATIVE_ORDER ||
	        (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
		return IM_ERR_UNSUPPORTED;
	is64 = ident[EI_CLASS] == ELFCLASS64;
	r = read_header(fd, is64, &h, &machine);
	if (r != 0)
		return r;
	out->platform = platform_of(machine, is64);
	if (out->platform == NULL)
		return IM_ERR_UNSUPPORTED;
	return find_interpreter(fd, is64, &h, out->interpreter);
}
