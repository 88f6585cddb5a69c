/* ELF headers: of this program, of things that are none, of damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "exec/elf.h"

static int
look_at(const void *bytes, size_t len, struct elf *out)
{
	int r, fd = memfd_create("elf", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, len), len);
	r = elf_look(fd, out);
	close(fd);
	return r;
}

static void
own_program_is_understood(void **state)
{
	struct utsname u;
	struct elf e;
	int fd = open("/proc/self/exe", O_RDONLY);

	(void)state;
	assert_int_equal(uname(&u), 0);
	assert_int_equal(elf_look(fd, &e), 0);
	assert_int_equal(e.interpreter[0], '/');
	assert_int_equal(access(e.interpreter, X_OK), 0);
	if (sizeof(void *) == 8)
		assert_string_equal(e.platform, u.machine);
	close(fd);
}

static void
others_are_refused(void **state)
{
	struct elf e;
	char head[4096];
	int fd = open("/proc/self/exe", O_RDONLY);
	Elf64_Ehdr *h = (Elf64_Ehdr *)(void *)head;

	(void)state;
	assert_int_equal(look_at("#!/bin/sh\n", 10, &e), IM_ERR_REFUSED);
	assert_int_equal(look_at("", 0, &e), IM_ERR_FORMAT);
	assert_int_equal(look_at("\x7f"
	                         "ELF",
	                         4, &e),
	        IM_ERR_FORMAT);
	assert_int_equal(read(fd, head, sizeof(head)), sizeof(head));
	close(fd);
	for (size_t len = 0; len < sizeof(Elf64_Ehdr); len++)
		assert_int_not_equal(look_at(head, len, &e), 0);
	if (head[EI_CLASS] != ELFCLASS64)
		return;
	h->e_phoff = UINT64_MAX - 8;
	assert_int_equal(look_at(head, sizeof(head), &e), IM_ERR_FORMAT);
	h->e_phoff = sizeof(head) - 8;
	assert_int_equal(look_at(head, sizeof(head), &e), IM_ERR_FORMAT);
	h->e_machine = EM_VAX;
	assert_int_equal(look_at(head, sizeof(head), &e), IM_ERR_UNSUPPORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(own_program_is_understood), cmocka_unit_test(others_are_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
