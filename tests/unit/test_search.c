/* With the compilers of this machine (one that is not there is skipped): every header that a
 * compiler finds lies in a folder that the search names; an answer is asked for once. */
#include "client/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "tests/unit/scratch.h"
#include "tests/unit/words.h"

extern char **environ;

static const struct digest toolchain = {{1, 2, 3}};
static const char *const variables[] = {
        "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "GCC_EXEC_PREFIX"};

struct world {
	char cwd[PATH_MAX];
	struct graph *graph;
};

static int
enter(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	int fd = memfd_create("graph", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*state = w;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	if (!w || fd < 0 || ftruncate(fd, GRAPH_FILE_MIN) != 0 ||
	        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0 ||
	        graph_open(&w->graph, fd) != 0)
		return -1;
	return scratch_enter(w->cwd);
}

static int
leave(void **state)
{
	struct world *w = *state;
	int r = scratch_leave(w->cwd);

	graph_free(w->graph);
	free(w);
	return r;
}

/* Its absolute path; false when it is not installed. */
static bool
locate(const char *name, char path[PATH_MAX])
{
	static const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/bin"};

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, PATH_MAX, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	print_message("%s is not here\n", name);
	return false;
}

static int
find(struct search *s, const char *compiler, const char *line, struct graph *graph, char why[256])
{
	struct words w;
	struct args a;
	int r;

	words_split(&w, line);
	args_analyse(&a, w.argc, w.argv, args_compiler(compiler));
	why[0] = 0;
	r = search_find(s,
	        &(struct search_request){.args = &a,
	                .compiler = compiler,
	                .toolchain = &toolchain,
	                .graph = graph,
	                .environment = environ},
	        why);
	args_fini(&a);
	return r;
}

static bool
has(const struct search *s, const char *folder)
{
	bool found = false;

	for (unsigned i = 0; i < s->nfolders; i++) {
		found = found || strcmp(s->folders[i], folder) == 0;
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(s->folders[i], s->folders[k]);
	}
	return found;
}

/* The compile's own list of headers, by -M. */
static char *
dependencies(const char *compiler, const char *line)
{
	char text[4096];
	size_t len;
	struct words w;
	pid_t pid;
	int status = -1;

	snprintf(text, sizeof(text), "%s -M -MF deps", line);
	words_split(&w, text);
	w.argv[0] = (char *)(uintptr_t)compiler;
	assert_int_equal(posix_spawn(&pid, compiler, NULL, NULL, w.argv, environ), 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	return scratch_read("deps", &len);
}

/* True when the header lies in or below one of the folders, as spelled or as gcc shortens it. */
static bool
lies_in(const struct search *s, const char *header)
{
	char real[PATH_MAX];

	for (unsigned i = 0; i < s->nfolders; i++) {
		size_t len = strlen(s->folders[i]);

		if (strncmp(header, s->folders[i], len) == 0 && header[len] == '/')
			return true;
		if (strcmp(s->folders[i], ".") == 0 && !strchr(header, '/'))
			return true; /* gcc leaves "./" out */
		if (!realpath(s->folders[i], real))
			continue;
		len = strlen(real);
		if (strncmp(header, real, len) == 0 && header[len] == '/')
			return true;
	}
	return false;
}

/* Every header lies in one of the folders. */
static void
covers(const char *name, const char *line)
{
	char path[PATH_MAX], why[256], *deps, *save = NULL;
	struct search s;
	unsigned seen = 0;

	if (!locate(name, path))
		return;
	assert_int_equal(find(&s, path, line, NULL, why), 0);
	assert_int_equal(s.gcc_major != 0, args_compiler(path) == FOR_GCC);
	deps = dependencies(path, line);
	assert_non_null(deps);
	for (char *d = strtok_r(deps, " \\\n", &save); d; d = strtok_r(NULL, " \\\n", &save)) {
		if (strncmp(d, "a.", 2) != 0 && !lies_in(&s, d))
			fail_msg("%s %s: %s lies in no folder", name, line, d);
		seen++;
	}
	assert_true(seen > 2);
	free(deps);
	search_fini(&s);
}

static void
real_compilers(void **state)
{
	(void)state;
	assert_int_equal(mkdir("inc", 0755), 0);
	assert_int_equal(mkdir("env", 0755), 0);
	assert_int_equal(mkdir("root", 0755), 0);
	assert_int_equal(mkdir("root/sub", 0755), 0);
	assert_int_equal(scratch_text("inc/i.h", ""), 0);
	assert_int_equal(scratch_text("env/e.h", ""), 0);
	assert_int_equal(scratch_text("here.h", ""), 0);
	assert_int_equal(scratch_text("root/sub/s.h", ""), 0);
	assert_int_equal(scratch_text("a.c", "#include <stdio.h>\n#include <stddef.h>\n"
	                                     "#include <limits.h>\n#include <i.h>\n"),
	        0);
	assert_int_equal(scratch_text("a.cc", "#include <vector>\n#include <cstdio>\n"
	                                      "#include <stdarg.h>\n#include <i.h>\n"),
	        0);
	assert_int_equal(scratch_text("a.e.c", "#include <e.h>\n#include <here.h>\n"), 0);
	assert_int_equal(scratch_text("a.s.c", "#include <s.h>\n#include <stddef.h>\n"), 0);
	covers("gcc", "gcc -Iinc -O2 -Wall -c a.c");
	covers("g++", "g++ -Iinc -std=c++17 -c a.cc");
	covers("clang", "clang -Iinc -c a.c");
	covers("clang++", "clang++ -Iinc -c a.cc");
	covers("aarch64-linux-gnu-gcc", "gcc -isystem inc -c a.c");
	covers("gcc",
	        "gcc -nostdinc -Iroot/sub -isystem /usr/lib/gcc -I/usr/include/linux -c a.s.c "
	        "-include stddef.h");
	covers("gcc", "gcc --sysroot=root -I=/sub -c a.s.c");
	covers("clang", "clang --sysroot=root -I=/sub -c a.s.c");
	setenv("CPATH", "env:", 1);
	covers("gcc", "gcc -c a.e.c");
	covers("clang", "clang -c a.e.c");
	unsetenv("CPATH");
}

/* Folders that do not exist yet are among the answer. */
static void
not_yet_there(void **state)
{
	char path[PATH_MAX], why[256];
	struct search s;

	(void)state;
	setenv("C_INCLUDE_PATH", "/no/such/folder:later", 1);
	if (locate("gcc", path)) {
		assert_int_equal(
		        find(&s, path, "gcc -m32 -Igen -DX=1 -include f.h -c a.c", NULL, why), 0);
		assert_true(has(&s, "/no/such/folder"));
		assert_true(has(&s, "later"));
		assert_true(has(&s, "gen"));
		assert_int_equal(s.nforced, 1);
		assert_string_equal(s.forced[0], "f.h");
		assert_int_equal(s.nmacros, 1);
		assert_string_equal(s.macros[0], "X=1");
		search_fini(&s);
		assert_int_equal(find(&s, path, "gcc -nostdinc -c a.c", NULL, why), 0);
		assert_true(has(&s, "/no/such/folder"));
		assert_false(has(&s, "/usr/include"));
		search_fini(&s);
	}
	unsetenv("C_INCLUDE_PATH");
	if (locate("clang", path)) {
		assert_int_equal(find(&s, path, "clang -nostdinc -Ia -Ia -c a.c", NULL, why), 0);
		assert_true(has(&s, "a"));
		search_fini(&s);
	}
}

/* How often the script that stands for the compiler ran. */
static size_t
runs(void)
{
	size_t len = 0;

	free(scratch_read("count", &len));
	return len;
}

static const char script[] = "#!/bin/sh\n"
                             "printf x >>%s/count\n"
                             "echo 'gcc version 13.1' >&2\n"
                             "echo 'Selected GCC installation: %s/gccs/12' >&2\n"
                             "echo '#include <...> search starts here:' >&2\n"
                             "echo \" /usr/include$CPATH\" >&2\n"
                             "echo 'End of search list.' >&2\n";

/* One question and what it costs in runs. */
static void
costs(struct world *w, const char *line, size_t more)
{
	char compiler[PATH_MAX + 8], why[256];
	size_t before = runs();
	struct search s;

	snprintf(compiler, sizeof(compiler), "%s/cc", w->cwd);
	assert_int_equal(find(&s, compiler, line, w->graph, why), 0);
	assert_int_equal(runs() - before, more);
	assert_int_equal(s.gcc_major, 13);
	assert_int_equal(s.nfolders, 1);
	search_fini(&s);
}

static void
asked_once(void **state)
{
	struct world *w = *state;
	char text[3 * PATH_MAX];

	snprintf(text, sizeof(text), script, w->cwd, w->cwd);
	assert_int_equal(scratch_write("cc", text, strlen(text), 0755), 0);
	assert_int_equal(mkdir("gccs", 0755), 0);
	assert_int_equal(mkdir("other", 0755), 0);
	costs(w, "gcc -c a.c -o a.o", 1);
	costs(w, "gcc -c a.c -o a.o", 0);
	costs(w, "gcc -O2 -g -Wall -DX -MMD -c b.c -o b.o", 0);
	costs(w, "gcc -m32 -c a.c", 1);
	costs(w, "gcc -c a.cc", 1);
	setenv("CPATH", "/x", 1);
	costs(w, "gcc -c a.c", 1);
	costs(w, "gcc -c a.c", 0);
	assert_int_equal(chdir("other"), 0);
	costs(w, "gcc -c a.c", 0);
	assert_int_equal(chdir(w->cwd), 0);
	setenv("CPATH", "/y", 1);
	costs(w, "gcc -c a.c", 1);
	unsetenv("CPATH");
	costs(w, "gcc -c a.c", 0);
	assert_int_equal(mkdir("gccs/13", 0755), 0); /* a newer gcc for clang's C++ */
	costs(w, "gcc -c a.c", 1);
	costs(w, "gcc -c a.c", 0);
}

/* With a relative name in it, an answer holds for one working directory. */
static void
relative_names(void **state)
{
	struct world *w = *state;
	char text[3 * PATH_MAX];

	snprintf(text, sizeof(text), script, w->cwd, w->cwd);
	assert_int_equal(scratch_write("cc", text, strlen(text), 0755), 0);
	assert_int_equal(mkdir("other", 0755), 0);
	setenv("CPATH", "/x:", 1);
	costs(w, "gcc -c a.c", 1);
	assert_int_equal(scratch_text("other/count", ""), 0);
	assert_int_equal(symlink("../count", "other/link"), 0);
	assert_int_equal(rename("other/link", "other/count"), 0);
	assert_int_equal(chdir("other"), 0);
	costs(w, "gcc -c a.c", 1);
	costs(w, "gcc -c a.c", 0);
	unsetenv("CPATH");
	costs(w, "gcc --sysroot=s -c a.c", 1);
	assert_int_equal(chdir(w->cwd), 0);
	costs(w, "gcc --sysroot=s -c a.c", 1);
	costs(w, "gcc --sysroot=/s -c a.c", 1);
	assert_int_equal(chdir("other"), 0);
	costs(w, "gcc --sysroot=/s -c a.c", 0);
	assert_int_equal(chdir(w->cwd), 0);
}

static void
failures(void **state)
{
	struct search s = {.nfolders = 77};
	struct world *w = *state;
	char compiler[PATH_MAX + 8], why[256];

	snprintf(compiler, sizeof(compiler), "%s/cc", w->cwd);
	assert_int_equal(find(&s, compiler, "gcc -c a.c", w->graph, why), IM_ERR_SYSTEM);
	assert_int_equal(scratch_write("cc", "#!/bin/sh\nexit 0\n", 17, 0755), 0);
	assert_int_equal(find(&s, compiler, "gcc -c a.c", w->graph, why), IM_ERR_SYSTEM);
	assert_int_equal(find(&s, compiler, "gcc -I- -c a.c", w->graph, why), IM_ERR_REFUSED);
	assert_string_equal(why, "option -I-");
	setenv("CPATH", "/a\n/b", 1);
	assert_int_equal(find(&s, compiler, "gcc -c a.c", w->graph, why), IM_ERR_REFUSED);
	assert_string_equal(why, "line break in CPATH");
	unsetenv("CPATH");
	assert_int_equal(s.nfolders, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(real_compilers, enter, leave),
	        cmocka_unit_test_setup_teardown(not_yet_there, enter, leave),
	        cmocka_unit_test_setup_teardown(asked_once, enter, leave),
	        cmocka_unit_test_setup_teardown(relative_names, enter, leave),
	        cmocka_unit_test_setup_teardown(failures, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
