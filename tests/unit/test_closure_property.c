/* For random include trees, every file that gcc -M and clang -M say they open is in the input set.
 * Arguments: the seed, then how many trees. */
#include "client/inputs.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "tests/unit/include_tree.h"
#include "tests/unit/inputs_rig.h"

#define TREES 2000
#define PROCESSES 2
#define CLANG_EVERY 20 /* it takes ten times as long to start */

extern char **environ;

static uint64_t seed;
static unsigned trees = TREES;
static char cc1[PATH_MAX];

struct counts {
	unsigned compared, files, decided, failed, wrong;
};

/* True when the file and the name it was opened by are in the set. */
static bool
has(const struct rig *rig, const char *path)
{
	char folder[PATH_MAX], real[PATH_MAX], name[2 * PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1,
	        slash ? path : ".");
	if (!realpath(path, real))
		return true; /* no file: what -M made of a name that it did not find */
	if (!rig_file(rig, real) || !realpath(folder, real))
		return false;
	snprintf(name, sizeof(name), "%s/%s", real, slash ? slash + 1 : path);
	return rig_file(rig, name);
}

/* Runs the compiler (gcc: the program behind its driver, which has nothing to say here); its rule
 * is in "deps", the list of headers as it opened them in "opened". */
static int
run_compiler(const char *compiler, struct include_tree *t)
{
	char *argv[TREE_WORDS + 12];
	posix_spawn_file_actions_t files;
	unsigned n = 0;
	int status = -1;
	pid_t pid;

	argv[n++] = (char *)compiler;
	if (compiler == cc1) {
		argv[n++] = "-E";
		argv[n++] = "-quiet";
	}
	for (unsigned i = 0; i < t->nwords; i++)
		argv[n++] = (char *)t->words[i];
	argv[n++] = "-nostdinc";
	argv[n++] = "-w";
	argv[n++] = "-M";
	argv[n++] = "-H";
	argv[n++] = "-MF";
	argv[n++] = "deps";
	argv[n++] = "src/a.c";
	argv[n] = NULL;
	unlink("deps");
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, "opened", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (posix_spawnp(&pid, compiler, &files, NULL, argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&files);
	return status;
}

/* Checks each prerequisite of the rule in text. */
static void
check_rule(const struct rig *rig, struct counts *c, char *text)
{
	char name[PATH_MAX];
	size_t len = 0;
	char *p = strchr(text, ':');

	for (p = p ? p + 1 : text + strlen(text);; p++) {
		if (p[0] == '\\' && p[1] == ' ') {
			name[len++] = *++p;
		} else if (p[0] == '\\' && p[1] == '\n') {
			p++;
		} else if (*p && *p != ' ' && *p != '\n' && len < sizeof(name) - 1) {
			name[len++] = *p;
		} else if (len) {
			name[len] = '\0';
			len = 0;
			c->files++;
			if (!has(rig, name)) {
				c->wrong++;
				fprintf(stderr, "not in the set: %s\n", name);
			}
		}
		if (!*p)
			break;
	}
}

/* The same for the lines of -H: dots, a blank, the name. They are there even after an error; then
 * clang has also opened what might have been meant, which is the guard's business (exec/guard.h).
 * */
static void
check_opened(const struct rig *rig, struct counts *c, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t dots = strspn(line, ".");

		if (!dots || line[dots] != ' ')
			continue;
		c->files++;
		if (!has(rig, line + dots + 1)) {
			c->wrong++;
			fprintf(stderr, "not in the set: %s\n", line + dots + 1);
		}
	}
}

static void
check_with(const char *compiler, struct rig *rig, struct include_tree *t, struct counts *c)
{
	int status = run_compiler(compiler, t);
	size_t len;
	char *text;

	c->compared++;
	c->failed += status != 0;
	text = scratch_read("deps", &len);
	if (text && status == 0)
		check_rule(rig, c, text);
	free(text);
	text = scratch_read("opened", &len);
	if (text && (status == 0 || compiler == cc1))
		check_opened(rig, c, text);
	free(text);
}

static void
check_tree(struct rig *rig, struct include_tree *t, bool clang, struct counts *c)
{
	int r;

	if (rig->graph && graph_full(rig->graph))
		(void)!rig_graph(rig, 4u << 20);
	rig->search = tree_search(t);
	r = rig_find(rig, rig->cwd, "src/a.c");
	if (r != 0) {
		if (r != IM_ERR_REFUSED) {
			c->wrong++;
			fprintf(stderr, "error %d: %s\n", r, rig->why);
		}
		return;
	}
	c->decided++;
	check_with(cc1, rig, t, c);
	if (clang)
		check_with("clang", rig, t, c);
}

/* Trees number first, first + PROCESSES...; each is a function of the seed and its number, but
 * for what trees before left there. */
static int
work(unsigned first, bool clang, struct counts *c)
{
	struct include_tree *t = calloc(1, sizeof(*t));
	void *state;
	int r = -1;

	if (t && rig_enter(&state) == 0) {
		t->rng.state = rng_mix(seed + first);
		t->fresh = true;
		r = 0;
		for (unsigned i = first; i < trees && r == 0 && c->wrong == 0; i += PROCESSES) {
			r = tree_make(t);
			if (r == 0)
				check_tree(state, t, clang && i % CLANG_EVERY < PROCESSES, c);
			if (c->wrong)
				fprintf(stderr, "seed %" PRIu64 ", tree %u\n", seed, i);
		}
		/* KEEP leaves what it stumbled over. */
		if (c->wrong && getenv("KEEP"))
			fprintf(stderr, "left in %s\n", ((struct rig *)state)->cwd);
		else
			rig_leave(&state);
	}
	free(t);
	return r;
}

static bool
runs(const char *compiler)
{
	char *argv[] = {(char *)compiler, "--version", NULL};
	posix_spawn_file_actions_t files;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, compiler, &files, NULL, argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&files);
	return status == 0;
}

static bool
find_cc1(void)
{
	FILE *f = popen("gcc -print-prog-name=cc1", "re");

	if (!f)
		return false;
	if (!fgets(cc1, sizeof(cc1), f))
		cc1[0] = '\0';
	cc1[strcspn(cc1, "\n")] = '\0';
	return pclose(f) == 0 && cc1[0] == '/';
}

static void
what_compilers_open_is_in_the_set(void **state)
{
	bool clang = runs("clang");
	struct counts sum = {0};
	int pipes[2];

	(void)state;
	if (!find_cc1())
		skip();
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	fflush(NULL);
	for (unsigned i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct counts c = {0};

			if (work(i, clang, &c) != 0)
				c.wrong++;
			_exit(write(pipes[1], &c, sizeof(c)) != sizeof(c));
		}
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct counts c;
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		assert_int_equal(read(pipes[0], &c, sizeof(c)), sizeof(c));
		sum.compared += c.compared;
		sum.files += c.files;
		sum.decided += c.decided;
		sum.failed += c.failed;
		sum.wrong += c.wrong;
	}
	printf("# seed %" PRIu64 ": %u trees, %u decided, %u compiles (%u failed), %u files\n",
	        seed, trees, sum.decided, sum.compared, sum.failed, sum.files);
	assert_int_equal(sum.wrong, 0);
	/* A run that compares nothing proves nothing. */
	assert_true(sum.decided > trees * 3 / 5);
	assert_true(sum.files > 3 * sum.decided);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_compilers_open_is_in_the_set)};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = argc > 1 ? strtoull(argv[1], NULL, 10)
	                : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	if (argc > 2)
		trees = (unsigned)strtoul(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
