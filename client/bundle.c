#include "client/bundle.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "client/locale.h"
#include "client/plan.h"
#include "client/printable.h"
#include "exec/findings.h"
#include "exec/specs.h"

#define SHOWN_MAX 4096 /* bytes of a name in a message */
#define SHOWN_COLUMNS 160
#define GCC_WITH_EPOCH 7 /* the first one that takes SOURCE_DATE_EPOCH for __DATE__ and __TIME__ */

struct making {
	struct bundle *b;
	const struct bundle_request *q;
	char *reason, *why;
};

static int
decline(struct making *m, const char *word, const char *why)
{
	reason_set(m->reason, word, NULL);
	if (why != m->why)
		snprintf(m->why, 256, "%s", why);
	return IM_ERR_REFUSED;
}

/* --- outputs --- */

/* The folder part of a path as spelled: "." when it has none. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* The output's path without symbolic links on its way; NULL when its folder is not there. */
static char *
physical(const char *folder, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	char real[PATH_MAX], out[JOB_PATH_MAX + 1];
	int n;

	if (realpath(folder, real) == NULL)
		return NULL;
	n = snprintf(out, sizeof out, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
	return n > 0 && (size_t)n < sizeof out && job_path_ok(out) ? strdup(out) : NULL;
}

static int
add_output(struct making *m, const char *path, bool object, bool required)
{
	struct bundle *b = m->b;
	enum option_compiler compiler = m->q->args->compiler;
	size_t len = strlen(path);
	/* objcopy makes a .dwo as the assembler makes an object */
	bool made = required
	                    ? !m->q->args->assembly || compiler == FOR_CLANG
	                    : compiler == FOR_GCC && len > 4 && strcmp(path + len - 4, ".dwo") == 0;
	uint32_t i = b->job.noutputs;
	struct stat st;

	if (i == JOB_OUTPUTS_MAX)
		return decline(m, "output-special", "more outputs than a job may have");
	b->folders[b->nfolders] = folder_of(path);
	if (b->folders[b->nfolders] == NULL)
		return IM_ERR_MEMORY;
	b->paths[i] = physical(b->folders[b->nfolders++], path);
	if (b->paths[i] == NULL)
		return required ? decline(m, "path", "the output's folder is not there") : 0;
	for (uint32_t k = 0; k < i; k++)
		if (strcmp(b->paths[k], b->paths[i]) == 0) {
			free(b->paths[i]);
			b->paths[i] = NULL;
			return 0;
		}
	/* what the compiler opens for writing, it writes into; only the object is made anew */
	b->products[i] = (struct product){.path = path,
	        .way = output_way(path, compiler, !made),
	        .object = object,
	        .required = required,
	        .stood = stat(path, &st) == 0 && S_ISREG(st.st_mode)};
	b->products[i].linked =
	        b->products[i].way == OUTPUT_WRITE && b->products[i].stood && output_linked(path);
	if (b->products[i].way == OUTPUT_NOT_OURS || output_is_source(path, m->q->args->source))
		return decline(m, "output-special", path);
	b->outputs[i] = b->paths[i];
	b->job.noutputs = i + 1;
	return 0;
}

static int
add_outputs(struct making *m)
{
	const struct args *a = m->q->args;
	int err = add_output(m, a->output, !a->assembly, true);

	for (uint32_t i = 0; err == 0 && i < a->nproducts; i++)
		err = add_output(m, a->products[i], false, false);
	m->b->job.outputs = m->b->outputs;
	return err;
}

/* --- the tree of this job --- */

static int
put_markers(struct making *m)
{
	const struct tree *from = &m->b->set.own;
	struct bundle *b = m->b;
	struct tree *own = &b->own;
	struct digest marker;

	own->entries = calloc((size_t)from->n + b->job.noutputs + 1, sizeof *own->entries);
	if (own->entries == NULL)
		return IM_ERR_MEMORY;
	own->memory = own->entries;
	if (from->n > 0)
		memcpy(own->entries, from->entries, from->n * sizeof *own->entries);
	own->n = from->n;
	digest_of(&marker, RESULTS_MARKER, strlen(RESULTS_MARKER));
	for (uint32_t i = 0; i < b->job.noutputs; i++) {
		for (uint32_t k = 0; k < b->inputs.nfiles; k++)
			if (strcmp(b->inputs.files[k].path, b->paths[i]) == 0)
				return decline(
				        m, "output-special", "an output is an input as well");
		if (!b->products[i].stood)
			continue;
		own->entries[own->n++] = (struct tree_entry){.path = b->paths[i],
		        .digest = marker,
		        .size = strlen(RESULTS_MARKER),
		        .mode = 0644,
		        .kind = TREE_FILE};
	}
	if (b->native.specs.len > 0)
		own->entries[own->n++] = (struct tree_entry){.path = SPECS_PATH,
		        .digest = b->specs,
		        .size = b->native.specs.len,
		        .mode = 0644,
		        .kind = TREE_FILE};
	tree_sort(own);
	return 0;
}

/* What "native" means, where words ask for it. */
static int
find_native(struct making *m)
{
	const struct bundle_request *q = m->q;
	struct native_request r = {.args = q->args,
	        .compiler = q->compiler,
	        .toolchain = &q->toolchain,
	        .graph = q->graph,
	        .environment = q->environment,
	        .slots = q->slots};
	int err = native_find(&m->b->native, &r, m->why);

	if (m->b->native.specs.len > 0)
		digest_of(&m->b->specs, m->b->native.specs.data, m->b->native.specs.len);
	if (err == IM_ERR_REFUSED)
		reason_set(m->reason, "option", q->args->native);
	return err;
}

static int
make_forest(struct making *m)
{
	struct bundle *b = m->b;
	int err = forest_make(&b->forest, &b->inputs, b->graph);

	if (err == IM_ERR_LIMIT)
		return decline(m, "include-undecided", "the input set is too large for a job");
	if (err == IM_ERR_FORMAT)
		return decline(m, "path", "a file's name cannot be said to a peer");
	if (err != 0)
		return err;
	b->set = (struct recall){.ntrees = b->forest.ntrees,
	        .own = b->forest.own,
	        .nfiles = b->inputs.nfiles,
	        .flags = b->inputs.flags};
	memcpy(b->set.trees, b->forest.trees, sizeof b->set.trees);
	return 0;
}

static int
make_trees(struct making *m)
{
	struct bundle *b = m->b;
	int err = b->recalled ? 0 : make_forest(m);

	if (err == 0)
		err = put_markers(m);
	b->job.trees = b->set.trees;
	b->job.ntrees = b->set.ntrees;
	b->job.own = b->own;
	return err;
}

/* --- inputs --- */

/* Beside what the command line forces, what the compiler looks for by itself. */
static int
add_probes(struct making *m)
{
	struct search *s = &m->b->search;
	const char **all = calloc((size_t)s->nforced + PROBES_MAX, sizeof *all);

	if (all == NULL)
		return IM_ERR_MEMORY;
	if (s->nforced > 0)
		memcpy(all, s->forced, s->nforced * sizeof *all);
	m->b->forced = s->forced = all;
	probes_recall(m->q->probes, m->q->graph, &m->q->toolchain);
	s->nforced += probes_shown(m->q->probes, all + s->nforced);
	return 0;
}

static int
find_inputs(struct making *m)
{
	struct bundle *b = m->b;
	const struct bundle_request *q = m->q;
	int err = search_find(&b->search,
	        &(struct search_request){.args = q->args,
	                .compiler = q->compiler,
	                .toolchain = &q->toolchain,
	                .graph = q->graph,
	                .environment = q->environment,
	                .slots = q->slots},
	        m->why);

	b->request = (struct inputs_request){.cwd = b->cwd,
	        .source = q->args->source,
	        .search = &b->search,
	        .graph = q->graph,
	        .also = (const char *const *)b->folders,
	        .nalso = b->nfolders};
	if (err == 0)
		err = data_find(&b->data, q->args, b->cwd);
	b->request.data = b->data.names;
	b->request.ndata = b->data.n;
	if (err == 0)
		err = add_probes(m);
	if (err == 0)
		err = recall_key(&b->key, &b->request, b->outputs, b->job.noutputs);
	b->recalled = err == 0 && recall_find(&b->set, b->graph, &b->key) == 0;
	if (err == 0 && !b->recalled)
		err = inputs_find(&b->inputs, &b->request, m->why);
	if (err == IM_ERR_ABSENT)
		return decline(m, "no-source", "the source is not there");
	if (err == IM_ERR_UNSUPPORTED)
		return decline(m, "stdin", m->why);
	if (err == IM_ERR_EXISTS)
		return decline(m, "pch", m->why);
	if (err == IM_ERR_REFUSED || err == IM_ERR_LIMIT)
		return decline(m, "include-undecided",
		        err == IM_ERR_LIMIT ? "the input set is too large" : m->why);
	return err;
}

/* --- dates --- */

static bool
names_variable(const char *const *env, uint32_t n, const char *name)
{
	size_t len = strlen(name);

	for (uint32_t i = 0; i < n; i++)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			return true;
	return false;
}

/* __DATE__ and __TIME__ are this machine's time in this machine's zone: gcc prints SOURCE_DATE_EPOCH as it would print UTC, so the local
 * time is said as if it were UTC. Only for a compiler that knows the variable. */
static int
set_dates(struct making *m)
{
	struct bundle *b = m->b;
	bool knows = b->search.gcc_major >= GCC_WITH_EPOCH;
	time_t now = time(NULL);
	struct tm here;

	if (b->set.flags & INCLUDES_TIMESTAMP || (b->set.flags & INCLUDES_DATE && !knows))
		return decline(m, "date-time", "");
	if (!knows || names_variable(b->env, b->job.nenv, "SOURCE_DATE_EPOCH") ||
	        b->job.nenv == JOB_ENV_MAX)
		return 0;
	if (localtime_r(&now, &here) == NULL)
		return decline(m, "date-time", "the local time cannot be told");
	snprintf(b->epoch, sizeof b->epoch, "SOURCE_DATE_EPOCH=%lld", (long long)timegm(&here));
	b->env[b->job.nenv++] = b->epoch;
	return 0;
}

/* --- command line and environment --- */

static bool
is_locale(const char *variable)
{
	return strncmp(variable, "LC_", 3) == 0 || strncmp(variable, "LANG", 4) == 0;
}

static void
set_environment(struct making *m)
{
	struct bundle *b = m->b;
	const char *lc_all = NULL;
	uint32_t n = env_select(m->q->environment, b->env, JOB_ENV_MAX - 2), kept = 0;

	b->translated = !locale_remote(m->q->environment, &lc_all);
	for (uint32_t i = 0; i < n; i++)
		if (!is_locale(b->env[i]))
			b->env[kept++] = b->env[i];
	if (lc_all != NULL)
		b->env[kept++] = lc_all;
	b->job.env = b->env;
	b->job.nenv = kept;
}

static int
set_command(struct making *m)
{
	struct bundle *b = m->b;
	int err;

	terminal_look(&b->terminal, m->q->args, b->search.gcc_major);
	b->native.words.last = b->terminal.words;
	err = args_source(m->q->args, m->q->compiler, &b->native.words, &b->argv);
	if (err != 0)
		return err;
	b->job.argv = (const char **)b->argv;
	for (b->job.argc = 0; b->argv[b->job.argc] != NULL; b->job.argc++)
		;
	return 0;
}

int
bundle_make(struct bundle *b, const struct bundle_request *q, char reason[REASON_SIZE], char *why)
{
	struct making m = {.b = b, .q = q, .reason = reason, .why = why};
	int err;

	memset(b, 0, sizeof *b);
	reason[0] = why[0] = 0;
	b->graph = q->graph;
	b->probes = q->probes;
	b->job.mode = JOB_SOURCE;
	b->job.toolchain = q->toolchain;
	b->job.cwd = b->cwd;
	if (env_source(q->environment, reason) != 0)
		return IM_ERR_REFUSED;
	err = plan_cwd(getenv("PWD"), b->cwd);
	if (err != 0)
		err = decline(&m, "path", "the working directory cannot be said to a peer");
	if (err == 0)
		err = add_outputs(&m);
	if (err == 0)
		err = find_inputs(&m);
	if (err == 0)
		err = find_native(&m);
	if (err == 0)
		err = make_trees(&m);
	if (err == 0)
		err = set_command(&m);
	if (err == 0) {
		set_environment(&m);
		err = set_dates(&m);
	}
	if (err != 0 && reason[0] == 0)
		reason_set(reason, "system-error", NULL);
	return err;
}

void
bundle_fini(struct bundle *b)
{
	for (uint32_t i = 0; i < JOB_OUTPUTS_MAX; i++)
		free(b->paths[i]);
	for (unsigned i = 0; i < b->nfolders; i++)
		free(b->folders[i]);
	free(b->own.memory);
	if (b->recalled)
		recall_fini(&b->set);
	free(b->argv);
	free(b->forced);
	forest_fini(&b->forest);
	inputs_fini(&b->inputs);
	search_fini(&b->search);
	data_fini(&b->data);
	native_fini(&b->native);
	memset(b, 0, sizeof *b);
}

/* --- what a peer asks for --- */

static bool
same_trees(const struct bundle *b)
{
	bool same = b->forest.ntrees == b->set.ntrees;
	struct buf was, is;

	for (uint32_t i = 0; same && i < b->set.ntrees; i++)
		same = digest_equal(&b->forest.trees[i], &b->set.trees[i]);
	buf_init(&was, TREE_LEN_MAX);
	buf_init(&is, TREE_LEN_MAX);
	same = same && tree_encode(&b->set.own, &was) == 0 &&
	       tree_encode(&b->forest.own, &is) == 0 && was.len == is.len &&
	       memcmp(was.data, is.data, is.len) == 0;
	buf_fini(&was);
	buf_fini(&is);
	return same;
}

/* Finds the recalled set itself, when more of it is needed than the job. IM_ERR_DIGEST: it is another by now. */
static int
find_again(struct bundle *b)
{
	int err;

	if (b->inputs.memory != NULL || !b->recalled)
		return 0;
	err = inputs_find(&b->inputs, &b->request, b->why);
	if (err == 0)
		err = forest_make(&b->forest, &b->inputs, b->graph);
	if (err == 0 && !same_trees(b))
		err = IM_ERR_DIGEST;
	if (err == 0)
		return 0;
	forest_fini(&b->forest);
	inputs_fini(&b->inputs);
	return err == IM_ERR_MEMORY ? err : IM_ERR_DIGEST;
}

int
bundle_blob(struct bundle *b, const struct digest *d, struct buf *out)
{
	struct digest marker;
	int err;

	if (b->native.specs.len > 0 && digest_equal(d, &b->specs)) {
		buf_put(out, b->native.specs.data, b->native.specs.len);
		return buf_err(out);
	}
	digest_of(&marker, RESULTS_MARKER, strlen(RESULTS_MARKER));
	if (!digest_equal(d, &marker)) {
		err = find_again(b);
		return err == 0 ? forest_blob(&b->forest, d, out) : err;
	}
	buf_put(out, RESULTS_MARKER, strlen(RESULTS_MARKER));
	return buf_err(out);
}

uint32_t
bundle_blobs(const struct bundle *b)
{
	return b->set.nfiles + b->job.ntrees + 2;
}

/* --- what a peer found --- */

/* A compile that fails removes its outputs, and then looks for them. */
static bool
is_output(const struct bundle *b, const char *path)
{
	struct stat there, output;

	if (stat(path, &there) != 0)
		return false;
	for (uint32_t i = 0; i < b->job.noutputs; i++)
		if (stat(b->paths[i], &output) == 0 && output.st_ino == there.st_ino &&
		        output.st_dev == there.st_dev)
			return true;
	return false;
}

static int
refuse(char *why, const char *what, const char *path)
{
	struct buf shown;

	buf_init(&shown, SHOWN_MAX);
	text_clean(&shown, path, SHOWN_COLUMNS);
	snprintf(why, 256, "%s%.200s", what, buf_text(&shown) != NULL ? buf_text(&shown) : "");
	buf_fini(&shown);
	return IM_ERR_REFUSED;
}

/* A program that the compiler starts: showing the file would not make it run there, and how the compile ends without it is no result. */
static bool
is_program(const char *path)
{
	static const char *const names[] = {"as", "objcopy"};
	const char *base = strrchr(path, '/') + 1;
	size_t len = strlen(base);
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		return false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t n = strlen(names[i]);

		if (len >= n && strcmp(base + len - n, names[i]) == 0 &&
		        (len == n || base[len - n - 1] == '-'))
			return true;
	}
	return strncmp(base, "cc1", 3) == 0;
}

/* A name that the compile looked for in vain. */
static int
check_miss(struct bundle *b, const char *path, char *why)
{
	static const char lacked[] = "the input set lacked ";
	bool shown;

	if (!inputs_lacks(&b->inputs, path) || is_output(b, path))
		return 0;
	if (inputs_cover(&b->inputs, path))
		return refuse(why, lacked, path);
	if (is_program(path))
		return refuse(why, "the toolchain lacks ", path);
	if (probes_know(b->probes, path, &shown))
		return shown && b->probes->fresh == 0 ? refuse(why, lacked, path) : 0;
	if (probes_learn(b->probes, path) != 0)
		return refuse(why, lacked, path);
	refuse(why, "the compiler looks for more of this machine: ", path);
	return 0;
}

int
bundle_findings(
        struct bundle *b, const struct buf *findings, const struct digest *digest, char *why)
{
	const char *path;
	enum finding what;
	size_t at = 0;
	int r, err = 0;

	/* the disk answered as it did when these were checked: client/recall.h */
	if (b->recalled && digest_equal(digest, &b->set.findings))
		return 0;
	if (find_again(b) != 0)
		return refuse(why, "changed meanwhile: the input set of ", b->request.source);
	b->probes->fresh = 0;
	while (err == 0 && (r = findings_next((const char *)findings->data, findings->len, &at,
	                            &what, &path)) == 1) {
		if (what == FINDING_MISS)
			err = check_miss(b, path, why);
		else
			err = refuse(why,
			        what == FINDING_EXTRA ? "it also writes "
			                              : "the peer could not note all names",
			        path);
	}
	inputs_keep(&b->inputs);
	if (err != 0)
		return err;
	if (r != 0)
		return refuse(why, "the peer's findings cannot be read", "");
	if (b->probes->fresh == 0) {
		b->set.findings = *digest;
		b->checked = true;
		return 0;
	}
	probes_keep(b->probes, b->graph, &b->job.toolchain);
	return IM_ERR_ABSENT;
}

void
bundle_keep(const struct bundle *b)
{
	if (b->checked)
		recall_keep(&b->set, b->graph, &b->key, &b->inputs, b->outputs, b->job.noutputs);
}
