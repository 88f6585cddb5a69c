/*
 * Packing and unpacking: archives that lie, packings that must agree, and real compilers whose objects must equal the local ones.
 */
#include "tests/unit/helper_rig.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/time.h>
#include "exec/manifest.h"
#include "exec/toolchain.h"

#define WHY_SIZE 256
#define CONTENT "content"
#define BIG (40u << 20)

/* --- making archives by hand --- */

/* One entry of an archive to be made; what differs from the manifest is the attack. */
struct item {
	const char *path;
	mode_t type, perm;
	const char *content; /* of a file */
	const char *target;  /* of a link */
	int hard;            /* target is a hard link's */
};

static const struct item plain[] = {
        {"bin/cc", AE_IFREG, 0755, CONTENT, NULL, 0}, {"lib", AE_IFLNK, 0777, NULL, "usr/lib", 0}};

static struct manifest_entry
entry_of(const struct item *i, char *path)
{
	struct manifest_entry e = {.kind = MANIFEST_FILE, .mode = i->perm & 0777, .path = path};

	sprintf(path, "/%s", i->path);
	if (i->type == AE_IFLNK)
		e = (struct manifest_entry){
		        .kind = MANIFEST_LINK, .mode = 0777, .path = path, .target = i->target};
	if (i->content != NULL) {
		e.size = strlen(i->content);
		digest_of(&e.digest, i->content, e.size);
	}
	return e;
}

static void
put(struct archive *a, const struct item *i, const void *content, size_t len)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, i->path);
	archive_entry_set_filetype(e, i->type);
	archive_entry_set_perm(e, i->perm);
	archive_entry_set_size(e, (int64_t)len);
	if (i->hard)
		archive_entry_set_hardlink(e, i->target);
	else if (i->target != NULL)
		archive_entry_set_symlink(e, i->target);
	assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
	if (len > 0)
		assert_int_equal(archive_write_data(a, content, len), len);
	archive_entry_free(e);
}

/* An archive with a manifest (text, or the one of declared[n]) and items[m]. */
static int
make_archive(const char *text, const struct item *declared, int n, const struct item *items, int m)
{
	static char paths[16][64];
	struct manifest_entry entries[16];
	struct manifest man = {
	        .platform = "x86_64", .driver = "/bin/cc", .entries = entries, .n = (uint32_t)n};
	const struct item first = {MANIFEST_NAME, AE_IFREG, 0644, NULL, NULL, 0};
	struct archive *a = archive_write_new();
	int fd = memfd_create("archive", MFD_CLOEXEC);
	struct buf b;

	for (int i = 0; i < n; i++)
		entries[i] = entry_of(&declared[i], paths[i]);
	buf_init(&b, MANIFEST_LEN_MAX);
	if (text != NULL)
		buf_put(&b, text, strlen(text));
	else
		assert_int_equal(manifest_print(&man, &b), 0);
	archive_write_add_filter_lz4(a);
	archive_write_set_format_pax_restricted(a);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	put(a, &first, b.data, b.len);
	for (int i = 0; i < m; i++)
		put(a, &items[i], items[i].content,
		        items[i].content == NULL ? 0 : strlen(items[i].content));
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	buf_fini(&b);
	return fd;
}

/* Unpacks below a fresh folder; why says what was wrong.  Nothing may appear beside the folder. */
static int
unpack(int fd, char *why)
{
	char dir[] = "/tmp/icemesh-test-XXXXXX", inner[64], beside[64];
	int dir_fd, r;

	assert_non_null(mkdtemp(dir));
	snprintf(inner, sizeof(inner), "%s/in", dir);
	snprintf(beside, sizeof(beside), "%s/out", dir);
	assert_int_equal(mkdir(inner, 0755), 0);
	dir_fd = open(inner, O_RDONLY | O_DIRECTORY);
	why[0] = '\0';
	r = toolchain_unpack(fd, dir_fd, why);
	assert_int_not_equal(access(beside, F_OK), 0);
	close(dir_fd);
	close(fd);
	assert_int_equal(rig_remove_dir(dir), 0);
	return r;
}

/* The archive of items, whose manifest is that of `plain`, must be refused with a reason that holds the words. */
static void
refused(const struct item *items, int n, int err, const char *words)
{
	char why[WHY_SIZE];
	int r = unpack(make_archive(NULL, plain, 2, items, n), why);

	if (r != err || strstr(why, words) == NULL)
		fail_msg("%d: %s, instead of %d: %s", r, why, err, words);
}

/* A manifest with these lines after its header must be refused. */
static void
refused_manifest(const char *lines)
{
	char text[4096], why[WHY_SIZE];
	int r;

	snprintf(text, sizeof(text), "icemesh-toolchain 1\nplatform x86_64\ndriver /bin/cc\n\n%s",
	        lines);
	r = unpack(make_archive(text, NULL, 0, NULL, 0), why);
	if (r == 0 || strstr(why, "manifest line") == NULL)
		fail_msg("%s: %d: %s", lines, r, why);
}

/* --- tests --- */

static void
honest_archive_unpacks(void **state)
{
	char why[WHY_SIZE];
	int r = unpack(make_archive(NULL, plain, 2, plain, 2), why);

	(void)state;
	if (r != 0)
		fail_msg("%s", why);
}

static void
lying_entries_are_refused(void **state)
{
	const struct item cc = plain[0], lib = plain[1];
	const struct item up[] = {{"../out", AE_IFREG, 0755, CONTENT, NULL, 0}, lib};
	const struct item inside[] = {{"bin/../../out", AE_IFREG, 0755, CONTENT, NULL, 0}, lib};
	const struct item absolute[] = {{"/tmp/out", AE_IFREG, 0755, CONTENT, NULL, 0}, lib};
	const struct item device[] = {{"bin/cc", AE_IFCHR, 0755, NULL, NULL, 0}, lib};
	const struct item fifo[] = {{"bin/cc", AE_IFIFO, 0755, NULL, NULL, 0}, lib};
	const struct item setuid[] = {{"bin/cc", AE_IFREG, 04755, CONTENT, NULL, 0}, lib};
	const struct item hard[] = {{"bin/cc", AE_IFREG, 0755, NULL, "lib", 1}, lib};
	const struct item link[] = {{"bin/cc", AE_IFLNK, 0777, NULL, "/etc/passwd", 0}, lib};
	const struct item other_link[] = {cc, {"lib", AE_IFLNK, 0777, NULL, "/etc", 0}};
	const struct item mode[] = {{"bin/cc", AE_IFREG, 0644, CONTENT, NULL, 0}, lib};
	const struct item altered[] = {{"bin/cc", AE_IFREG, 0755, "Content", NULL, 0}, lib};
	const struct item longer[] = {{"bin/cc", AE_IFREG, 0755, CONTENT "s", NULL, 0}, lib};
	const struct item extra[] = {cc, lib, {"more", AE_IFREG, 0644, CONTENT, NULL, 0}};
	const struct item twice[] = {cc, cc, lib};
	const struct item through[] = {cc, lib, {"lib/x", AE_IFREG, 0644, CONTENT, NULL, 0}};

	(void)state;
	refused(up, 2, IM_ERR_FORMAT, "leads out");
	refused(inside, 2, IM_ERR_FORMAT, "leads out");
	refused(absolute, 2, IM_ERR_FORMAT, "leads out");
	refused(device, 2, IM_ERR_FORMAT, "neither file");
	refused(fifo, 2, IM_ERR_FORMAT, "neither file");
	refused(setuid, 2, IM_ERR_FORMAT, "setuid");
	refused(hard, 2, IM_ERR_FORMAT, "hard link");
	refused(link, 2, IM_ERR_FORMAT, "kind");
	refused(other_link, 2, IM_ERR_FORMAT, "not the link");
	refused(mode, 2, IM_ERR_FORMAT, "mode");
	refused(altered, 2, IM_ERR_DIGEST, "digest");
	refused(longer, 2, IM_ERR_FORMAT, "size");
	refused(extra, 3, IM_ERR_FORMAT, "not in the manifest");
	refused(twice, 3, IM_ERR_FORMAT, "not in the manifest");
	refused(through, 3, IM_ERR_FORMAT, "not in the manifest");
	refused(plain, 1, IM_ERR_TRUNCATED, "/lib: missing");
}

static void
lying_manifests_are_refused(void **state)
{
	(void)state;
	refused_manifest("l 0777 0 - /lib ../etc\n");
	refused_manifest("l 0777 0 - /a/lib b/../../../etc\n");
	refused_manifest("d 0755 0 - /../x\n");
	refused_manifest("d 0755 0 - x\n");
	refused_manifest("l 0777 0 - /lib /tmp\nd 0755 0 - /lib/x\n");
	refused_manifest("d 0755 0 - /b\nd 0755 0 - /a\n");
	refused_manifest("d 0755 0 - /a\nd 0755 0 - /a\n");
	refused_manifest("f 4755 0 "
	                 "0000000000000000000000000000000000000000000000000000000000000000 /a\n");
	refused_manifest("f 0755 99999999999 "
	                 "0000000000000000000000000000000000000000000000000000000000000000 /a\n");
}

static void
too_many_entries_are_refused(void **state)
{
	struct buf b;
	char why[WHY_SIZE];

	(void)state;
	buf_init(&b, MANIFEST_LEN_MAX);
	buf_printf(&b, "icemesh-toolchain 1\nplatform x86_64\ndriver /bin/cc\n\n");
	for (unsigned i = 0; i <= TOOLCHAIN_FILES_MAX; i++)
		buf_printf(&b, "d 0755 0 - /%08u\n", i);
	assert_int_equal(unpack(make_archive(buf_text(&b), NULL, 0, NULL, 0), why), IM_ERR_LIMIT);
	buf_fini(&b);
}

static void
bomb_is_refused(void **state)
{
	char *zeros = malloc(BIG + 1), why[WHY_SIZE];
	struct item big = {"bin/cc", AE_IFREG, 0755, zeros, NULL, 0};

	(void)state;
	memset(zeros, '0', BIG);
	zeros[BIG] = '\0';
	assert_int_equal(unpack(make_archive(NULL, &big, 1, &big, 1), why), IM_ERR_LIMIT);
	assert_non_null(strstr(why, "times its size"));
	free(zeros);
}

static void
damaged_bytes_are_refused(void **state)
{
	char why[WHY_SIZE];
	struct stat st;
	int fd = make_archive(NULL, plain, 2, plain, 2);

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size * 2 / 3), 0);
	assert_int_not_equal(unpack(fd, why), 0);
	assert_int_not_equal(why[0], '\0');
	fd = make_archive(NULL, plain, 2, plain, 2);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, st.st_size / 3), 4);
	assert_int_not_equal(unpack(fd, why), 0);
	fd = rig_memfd("#!/bin/sh\n", 10);
	assert_int_not_equal(unpack(fd, why), 0);
}

/* The helper keeps nothing of what it refused. */
static int
count_entries(const struct rig *r)
{
	char command[128], text[32] = "";
	FILE *f;

	snprintf(command, sizeof(command), "ls -A %s/toolchains | wc -l", r->dir);
	f = popen(command, "r");
	assert_non_null(fgets(text, sizeof(text), f));
	pclose(f);
	return atoi(text);
}

static const char *const limits[4] = {"0", "70368744177664", "60", "268435456"};

static void
helper_keeps_only_what_is_right(void **state)
{
	struct digest other = {{1}};
	struct rig r;
	int fd = make_archive(NULL, plain, 2, plain, 2);

	(void)state;
	rig_start(&r, limits);
	rig_unpack(&r, fd, &other);
	assert_int_equal(r.msg.err, IM_ERR_DIGEST);
	assert_int_equal(count_entries(&r), 0);
	rig_unpack(&r, make_archive(NULL, plain, 2, plain, 1), NULL);
	assert_int_equal(r.msg.err, IM_ERR_TRUNCATED);
	assert_int_equal(count_entries(&r), 0);
	rig_unpack(&r, fd, NULL);
	assert_int_equal(r.msg.err, 0);
	assert_int_equal(count_entries(&r), 1);
	rig_unpack(&r, fd, NULL);
	assert_int_equal(r.msg.err, 0);
	assert_int_equal(count_entries(&r), 1);
	rig_drop(&r);
	assert_int_equal(r.msg.err, 0);
	assert_int_equal(count_entries(&r), 0);
	rig_drop(&r);
	assert_int_not_equal(r.msg.err, 0);
	close(fd);
	rig_stop(&r);
}

static void
packings_agree(void **state)
{
	static char err[RIG_TEXT_SIZE];
	char dir[] = "/tmp/icemesh-test-XXXXXX", path[64], command[256];
	const struct timeval times[2] = {{1000, 0}, {1000, 0}};
	struct digest a, b;
	uint64_t size;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mycc", dir);
	snprintf(command, sizeof(command), "cp /bin/true %s", path);
	assert_int_equal(system(command), 0);
	fd = rig_pack(path, err);
	assert_int_equal(digest_of_fd(&a, &size, fd), 0);
	close(fd);
	assert_int_equal(utimes(path, times), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 65534, 65534), 0);
	fd = rig_pack(path, err);
	assert_int_equal(digest_of_fd(&b, &size, fd), 0);
	close(fd);
	assert_true(digest_equal(&a, &b));
	snprintf(command, sizeof(command), "printf '#!/bin/sh\\nexec cc\\n' > %s", path);
	assert_int_equal(system(command), 0);
	assert_int_equal(rig_pack(path, err), -1);
	assert_non_null(strstr(err, "script"));
	assert_int_equal(rig_pack("/no/such/cc", err), -1);
	assert_int_equal(rig_remove_dir(dir), 0);
}

/* --- real compilers --- */

static char *
read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *bytes = malloc(1 << 22);

	assert_non_null(f);
	*len = fread(bytes, 1, 1 << 22, f);
	fclose(f);
	return bytes;
}

/* Compiles the same preprocessed text here and in the sandbox, in the same folder with the same words. */
static void
compile_both_ways(const char *compiler, const char *suffix)
{
	char dir[] = "/tmp/icemesh-test-XXXXXX", source[64], text[64], object[64], command[512],
	     *here, *src;
	const char *argv[] = {compiler, "-O2", "-g", "-Wall", "-c", text, "-o", object, NULL},
	           *env[] = {NULL};
	const char *outputs[] = {object};
	struct job_input in = {.path = text, .mode = 0644, .streamed = 1};
	struct job j = {.argv = argv,
	        .argc = 8,
	        .env = env,
	        .inputs = &in,
	        .ninputs = 1,
	        .outputs = outputs,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
	struct rig r;
	size_t here_len, src_len;
	int input;

	assert_non_null(mkdtemp(dir));
	j.cwd = dir;
	snprintf(source, sizeof(source), "%s/a.%s", dir, strcmp(suffix, "i") == 0 ? "c" : "cc");
	snprintf(text, sizeof(text), "%s/a.%s", dir, suffix);
	snprintf(object, sizeof(object), "%s/a.o", dir);
	snprintf(command, sizeof(command),
	        "cd %s && printf '#include <stdio.h>\\nint twice(int x) { int y; "
	        "printf(\"%%%%d\\\\n\", x); return x * 2; }\\n' > %s && "
	        "%s -E %s -o %s && %s -O2 -g -Wall -c %s -o %s 2> local.txt",
	        dir, source, compiler, source, text, compiler, text, object);
	assert_int_equal(system(command), 0);
	here = read_file(object, &here_len);
	src = read_file(text, &src_len);
	rig_start(&r, limits);
	rig_toolchain(&r, compiler);
	input = rig_memfd(src, src_len);
	rig_run(&r, &j, &input, 1);
	if (r.msg.result.end != JOB_EXITED || r.msg.result.exit_code != 0)
		fail_msg("%s: %s %d %s: %s", compiler, job_end_name(r.msg.result.end),
		        r.msg.result.exit_code, r.msg.text, rig_text(&r, 1));
	assert_int_equal(r.nfds, 3);
	assert_int_equal(r.msg.result.outputs[2].size, here_len);
	src = realloc(src, here_len + 1);
	assert_int_equal(pread(r.fds[2], src, here_len, 0), here_len);
	assert_memory_equal(src, here, here_len);
	assert_non_null(strstr(rig_text(&r, 1), "unused variable"));
	free(here);
	free(src);
	close(input);
	rig_stop(&r);
	assert_int_equal(rig_remove_dir(dir), 0);
}

static void
objects_equal_the_local_ones(void **state)
{
	struct rig r;
	bool boxed;
	static const char *const compilers[][2] = {{"/usr/bin/gcc", "i"}, {"/usr/bin/g++", "ii"},
	        {"/usr/bin/clang", "i"}, {"/usr/bin/clang++", "ii"},
	        {"/usr/bin/aarch64-linux-gnu-gcc", "i"}};

	(void)state;
	rig_start(&r, limits);
	boxed = r.msg.level == 3;
	if (!boxed)
		print_message("skipped: no sandbox on this machine: %s\n", r.msg.text);
	rig_stop(&r);
	if (!boxed)
		skip();
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++) {
		if (access(compilers[i][0], X_OK) == 0)
			compile_both_ways(compilers[i][0], compilers[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(honest_archive_unpacks),
	        cmocka_unit_test(lying_entries_are_refused),
	        cmocka_unit_test(lying_manifests_are_refused),
	        cmocka_unit_test(too_many_entries_are_refused), cmocka_unit_test(bomb_is_refused),
	        cmocka_unit_test(damaged_bytes_are_refused),
	        cmocka_unit_test(helper_keeps_only_what_is_right), cmocka_unit_test(packings_agree),
	        cmocka_unit_test(objects_equal_the_local_ones)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
