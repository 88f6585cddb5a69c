#include "exec/options.h"

#include <stddef.h>
#include <string.h>

#define E FORM_EXACT
#define J FORM_JOINED
#define S FORM_SEPARATE
#define Q FORM_EQUALS
#define ANY FOR_BOTH
#define GCC FOR_GCC
#define CLANG FOR_CLANG
#define OPTION "option"
#define CPP_ONLY "preprocess-only"
#define ASKS "asks-compiler"

/* clang-format off */
/* Sorted by name in byte order; a name occurs twice only for different compilers. */
static const struct option rows[] = {
	{"-###", E, ANY, OPT_ASK, ASKS},
	{"--", E, ANY, OPT_LOCAL, OPTION},
	{"--all-warnings", E, ANY, OPT_SHIP, NULL},
	{"--analyze", E, ANY, OPT_LOCAL, OPTION},
	{"--analyzer-output", S, ANY, OPT_LOCAL, OPTION},
	{"--ansi", E, ANY, OPT_SHIP, NULL},
	{"--autocomplete", J, ANY, OPT_ASK, ASKS},
	{"--config", S | Q, ANY, OPT_LOCAL, OPTION},
	{"--coverage", E, ANY, OPT_SOURCE, OPTION},
	{"--dependencies", E, ANY, OPT_LOCAL, CPP_ONLY},
	{"--driver-mode", Q, CLANG, OPT_LOCAL, OPTION},
	{"--embed-dir", Q, ANY, OPT_CPP, NULL},
	{"--end-no-unused-arguments", E, CLANG, OPT_SHIP, NULL},
	{"--gcc-install-dir", Q, CLANG, OPT_CPP, NULL},
	{"--gcc-toolchain", S | Q, ANY, OPT_CPP, NULL},
	{"--help", E | Q, ANY, OPT_ASK, ASKS},
	{"--no-default-config", E, CLANG, OPT_SHIP, NULL},
	{"--no-system-header-prefix", Q, CLANG, OPT_CPP, NULL},
	{"--no-warnings", E, ANY, OPT_SHIP, NULL},
	{"--param", S | Q, ANY, OPT_SHIP, NULL},
	{"--pedantic", E, ANY, OPT_SHIP, NULL},
	{"--precompile", E, ANY, OPT_LOCAL, OPTION},
	{"--prefix", S | Q, ANY, OPT_LOCAL, OPTION},
	{"--preprocess", E, ANY, OPT_LOCAL, CPP_ONLY},
	{"--print-", J, ANY, OPT_ASK, ASKS},
	{"--print-missing-file-dependencies", E, ANY, OPT_LOCAL, OPTION},
	{"--save-temps", E | Q, ANY, OPT_SOURCE, OPTION},
	{"--serialize-diagnostics", S, CLANG, OPT_SOURCE, OPTION},
	{"--specs", Q, ANY, OPT_LOCAL, OPTION},
	{"--start-no-unused-arguments", E, CLANG, OPT_SHIP, NULL},
	{"--std", Q, ANY, OPT_SHIP, NULL},
	{"--sysroot", S | Q, ANY, OPT_CPP, NULL},
	{"--system-header-prefix", Q, CLANG, OPT_CPP, NULL},
	{"--target", Q, CLANG, OPT_SHIP, NULL},
	{"--target-help", E, ANY, OPT_ASK, ASKS},
	{"--user-dependencies", E, ANY, OPT_LOCAL, CPP_ONLY},
	{"--verbose", E, ANY, OPT_ASK, ASKS},
	{"--version", E, ANY, OPT_ASK, ASKS},
	{"--write-dependencies", E, ANY, OPT_DEP, NULL},
	{"--write-user-dependencies", E, ANY, OPT_DEP, NULL},
	{"-A", J | S, ANY, OPT_CPP, NULL},
	{"-B", J | S, ANY, OPT_LOCAL, OPTION},
	{"-C", E, ANY, OPT_SOURCE, OPTION},
	{"-CC", E, ANY, OPT_SOURCE, OPTION},
	{"-D", J | S, ANY, OPT_CPP, NULL},
	{"-E", E, ANY, OPT_LOCAL, CPP_ONLY},
	{"-F", J | S, ANY, OPT_CPP, NULL},
	{"-H", E, ANY, OPT_CPP, NULL},
	{"-I", J | S, ANY, OPT_CPP, NULL},
	{"-L", J | S, ANY, OPT_CPP, NULL},
	{"-M", E, ANY, OPT_LOCAL, CPP_ONLY},
	{"-MD", E, ANY, OPT_DEP, NULL},
	{"-MF", J | S, ANY, OPT_DEP, NULL},
	{"-MG", E, ANY, OPT_LOCAL, OPTION},
	{"-MJ", J | S, CLANG, OPT_LOCAL, OPTION},
	{"-MM", E, ANY, OPT_LOCAL, CPP_ONLY},
	{"-MMD", E, ANY, OPT_DEP, NULL},
	{"-MP", E, ANY, OPT_DEP, NULL},
	{"-MQ", J | S, ANY, OPT_DEP, NULL},
	{"-MT", J | S, ANY, OPT_DEP, NULL},
	{"-MV", E, CLANG, OPT_DEP, NULL},
	{"-Mmodules", E, GCC, OPT_LOCAL, OPTION},
	{"-Mno-modules", E, GCC, OPT_LOCAL, OPTION},
	{"-O", E | J, ANY, OPT_SHIP, NULL},
	{"-ObjC", E, ANY, OPT_LOCAL, OPTION},
	{"-ObjC++", E, ANY, OPT_LOCAL, OPTION},
	{"-P", E, ANY, OPT_SOURCE, OPTION},
	{"-Q", E, ANY, OPT_LOCAL, OPTION},
	{"-Qunused-arguments", E, CLANG, OPT_SHIP, NULL},
	{"-Rpass", Q, CLANG, OPT_SHIP, NULL},
	{"-Rpass-analysis", Q, CLANG, OPT_SHIP, NULL},
	{"-Rpass-missed", Q, CLANG, OPT_SHIP, NULL},
	{"-S", E, ANY, OPT_COMPILE, NULL},
	{"-T", J | S, ANY, OPT_CPP, NULL},
	{"-U", J | S, ANY, OPT_CPP, NULL},
	{"-V", E, ANY, OPT_ASK, ASKS},
	{"-W", E | J, ANY, OPT_SHIP, NULL},
	{"-Wa,", J, ANY, OPT_SHIP, NULL},
	{"-Wdocumentation", E | J, CLANG, OPT_SOURCE, OPTION},
	{"-Werror=misleading-indentation", E, GCC, OPT_SOURCE, OPTION},
	{"-Weverything", E, CLANG, OPT_SOURCE, OPTION},
	{"-Wl,", J, ANY, OPT_CPP, NULL},
	{"-Wmisleading-indentation", E, GCC, OPT_SOURCE, OPTION},
	{"-Wmissing-include-dirs", E, ANY, OPT_CPP, NULL},
	{"-Wp,", J, ANY, OPT_CPP, NULL},
	{"-Xanalyzer", S, ANY, OPT_LOCAL, OPTION},
	{"-Xarch_", J, ANY, OPT_LOCAL, OPTION},
	{"-Xassembler", S, ANY, OPT_SOURCE, OPTION},
	{"-Xclang", S, CLANG, OPT_SHIP, NULL},
	{"-Xlinker", S, ANY, OPT_CPP, NULL},
	{"-Xpreprocessor", S, ANY, OPT_SOURCE, OPTION},
	{"-ansi", E, ANY, OPT_SHIP, NULL},
	{"-arch", S, ANY, OPT_LOCAL, OPTION},
	{"-arcmt-migrate-report-output", S, ANY, OPT_LOCAL, OPTION},
	{"-aux-info", S | Q, GCC, OPT_SOURCE, OPTION},
	{"-b", S, ANY, OPT_LOCAL, OPTION},
	{"-c", E, ANY, OPT_COMPILE, NULL},
	{"-canonical-prefixes", E, ANY, OPT_SHIP, NULL},
	{"-ccc-", J, ANY, OPT_LOCAL, OPTION},
	{"-coverage", E, ANY, OPT_SOURCE, OPTION},
	{"-cxx-isystem", J | S, CLANG, OPT_CPP, NULL},
	{"-d", J, ANY, OPT_LOCAL, OPTION},
	{"-dependency-dot", S, ANY, OPT_LOCAL, OPTION},
	{"-dependency-file", S, ANY, OPT_LOCAL, OPTION},
	{"-dsym-dir", S, ANY, OPT_LOCAL, OPTION},
	{"-dumpbase", S, ANY, OPT_LOCAL, OPTION},
	{"-dumpbase-ext", S, ANY, OPT_LOCAL, OPTION},
	{"-dumpdir", S, ANY, OPT_LOCAL, OPTION},
	{"-dumpfullversion", E, ANY, OPT_ASK, ASKS},
	{"-dumpmachine", E, ANY, OPT_ASK, ASKS},
	{"-dumpspecs", E, ANY, OPT_ASK, ASKS},
	{"-dumpversion", E, ANY, OPT_ASK, ASKS},
	{"-e", S, ANY, OPT_CPP, NULL},
	{"-emit-", J, ANY, OPT_LOCAL, OPTION},
	{"-emit-llvm", E, CLANG, OPT_SOURCE, OPTION},
	{"-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang", E, CLANG, OPT_SHIP, NULL},
	{"-f", J, ANY, OPT_SHIP, NULL},
	{"-falign-functions", Q, ANY, OPT_SHIP, NULL},
	{"-falign-jumps", Q, ANY, OPT_SHIP, NULL},
	{"-falign-labels", Q, ANY, OPT_SHIP, NULL},
	{"-falign-loops", Q, ANY, OPT_SHIP, NULL},
	{"-fasan-shadow-offset", Q, ANY, OPT_SHIP, NULL},
	{"-fauto-profile", E | Q, ANY, OPT_INPUT, OPTION},
	{"-fbasic-block-sections", Q, CLANG, OPT_LOCAL, OPTION},
	{"-fbasic-block-sections=all", E, CLANG, OPT_SHIP, NULL},
	{"-fbasic-block-sections=labels", E, CLANG, OPT_SHIP, NULL},
	{"-fbasic-block-sections=list", Q, CLANG, OPT_INPUT, OPTION},
	{"-fbasic-block-sections=none", E, CLANG, OPT_SHIP, NULL},
	{"-fbranch-probabilities", E, GCC, OPT_INPUT, OPTION},
	{"-fbranch-probabilities", E, CLANG, OPT_LOCAL, OPTION},
	{"-fbuild-session-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fbuiltin-module-map", E, ANY, OPT_LOCAL, OPTION},
	{"-fc++-abi", Q, CLANG, OPT_SHIP, NULL},
	{"-fcallgraph-info", E | Q, ANY, OPT_SOURCE, OPTION},
	{"-fcf-protection", E | Q, ANY, OPT_SHIP, NULL},
	{"-fchecking", Q, GCC, OPT_SHIP, NULL},
	{"-fclang-abi-compat", Q, CLANG, OPT_SHIP, NULL},
	{"-fcompare-debug", E | Q, ANY, OPT_LOCAL, OPTION},
	{"-fcondition-coverage", E, ANY, OPT_SOURCE, OPTION},
	{"-fconstexpr-ops-limit", Q, ANY, OPT_SHIP, NULL},
	{"-fcoverage-compilation-dir", Q, CLANG, OPT_SHIP, NULL},
	{"-fcoverage-prefix-map", Q, ANY, OPT_SHIP, NULL},
	{"-fcrash-diagnostics-dir", Q, ANY, OPT_LOCAL, OPTION},
	{"-fcs-profile-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fcs-profile-generate", E | Q, CLANG, OPT_SOURCE, OPTION},
	{"-fcxx-modules", E, ANY, OPT_LOCAL, OPTION},
	{"-fdbg-cnt", Q, ANY, OPT_LOCAL, OPTION},
	{"-fdebug-compilation-dir", Q, CLANG, OPT_SHIP, NULL},
	{"-fdebug-cpp", E, ANY, OPT_LOCAL, OPTION},
	{"-fdebug-macro", E, ANY, OPT_SOURCE, OPTION},
	{"-fdebug-prefix-map", Q, ANY, OPT_SHIP, NULL},
	{"-fdeps-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fdiagnostics-add-output", Q, ANY, OPT_LOCAL, OPTION},
	{"-fdiagnostics-color", Q, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-column-unit", Q, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-escape-format", Q, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-format", Q, ANY, OPT_LOCAL, OPTION},
	{"-fdiagnostics-format=clang", E, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-format=json", E, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-format=json-stderr", E, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-format=msvc", E, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-format=sarif-stderr", E, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-format=text", E, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-format=vi", E, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-path-format", Q, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-set-output", Q, ANY, OPT_LOCAL, OPTION},
	{"-fdiagnostics-show-location", Q, ANY, OPT_SHIP, NULL},
	{"-fdiagnostics-urls", Q, ANY, OPT_SHIP, NULL},
	{"-fdirectives-only", E, ANY, OPT_SOURCE, OPTION},
	{"-fdisable-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fdump-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fembed-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fembed-bitcode", E | Q, ANY, OPT_LOCAL, OPTION},
	{"-femit-struct-debug-detailed", Q, ANY, OPT_SHIP, NULL},
	{"-fenable-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fexcess-precision", Q, ANY, OPT_SHIP, NULL},
	{"-fexec-charset", Q, ANY, OPT_LOCAL, OPTION},
	{"-fextend-arguments", Q, CLANG, OPT_SHIP, NULL},
	{"-ffile-compilation-dir", Q, CLANG, OPT_SHIP, NULL},
	{"-ffile-prefix-map", Q, ANY, OPT_SHIP, NULL},
	{"-ffp-contract", Q, ANY, OPT_SHIP, NULL},
	{"-ffp-eval-method", Q, CLANG, OPT_SHIP, NULL},
	{"-ffp-exception-behavior", Q, CLANG, OPT_SHIP, NULL},
	{"-ffp-model", Q, CLANG, OPT_SHIP, NULL},
	{"-fgnuc-version", Q, CLANG, OPT_SHIP, NULL},
	{"-fimplicit-module", J | E, ANY, OPT_LOCAL, OPTION},
	{"-finline-limit", Q, ANY, OPT_SHIP, NULL},
	{"-finput-charset", Q, ANY, OPT_CPP, NULL},
	{"-finstrument-functions-exclude-file-list", Q, ANY, OPT_SHIP, NULL},
	{"-finstrument-functions-exclude-function-list", Q, ANY, OPT_SHIP, NULL},
	{"-fira-algorithm", Q, ANY, OPT_SHIP, NULL},
	{"-fira-region", Q, ANY, OPT_SHIP, NULL},
	{"-flax-vector-conversions", Q, CLANG, OPT_SHIP, NULL},
	{"-flive-patching", Q, ANY, OPT_SHIP, NULL},
	{"-flto", E | Q, ANY, OPT_SHIP, NULL},
	{"-flto-partition", Q, ANY, OPT_SHIP, NULL},
	{"-fltrans", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fmacro-prefix-map", Q, ANY, OPT_SHIP, NULL},
	{"-fmax-include-depth", Q, ANY, OPT_CPP, NULL},
	{"-fmem-report", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fmodule", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fms-compatibility-version", Q, CLANG, OPT_SHIP, NULL},
	{"-fno-integrated-as", E, ANY, OPT_SOURCE, OPTION},
	{"-fno-sanitize", Q, ANY, OPT_SHIP, NULL},
	{"-fno-sanitize-coverage", Q, CLANG, OPT_SHIP, NULL},
	{"-fno-sanitize-recover", Q, CLANG, OPT_SHIP, NULL},
	{"-fno-sanitize-trap", Q, CLANG, OPT_SHIP, NULL},
	{"-fobjc-runtime", Q, CLANG, OPT_SHIP, NULL},
	{"-foffload", E | Q, ANY, OPT_LOCAL, OPTION},
	{"-foffload-options", Q, ANY, OPT_LOCAL, OPTION},
	{"-fopenmp", E | Q, ANY, OPT_SHIP, NULL},
	{"-fopenmp-targets", Q, ANY, OPT_LOCAL, OPTION},
	{"-fopenmp-version", Q, CLANG, OPT_SHIP, NULL},
	{"-fopt-info", J | E, ANY, OPT_SOURCE, OPTION},
	{"-foptimization-record-file", Q, ANY, OPT_SOURCE, OPTION},
	{"-foptimization-record-passes", Q, ANY, OPT_SOURCE, OPTION},
	{"-fpack-struct", E | Q, ANY, OPT_SHIP, NULL},
	{"-fpass-plugin", Q, ANY, OPT_LOCAL, OPTION},
	{"-fpatchable-function-entry", Q, ANY, OPT_SHIP, NULL},
	{"-fpath-coverage", E, ANY, OPT_SOURCE, OPTION},
	{"-fpch-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fpermitted-flt-eval-methods", Q, ANY, OPT_SHIP, NULL},
	{"-fplugin", Q, ANY, OPT_LOCAL, OPTION},
	{"-fplugin-arg-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fpost-ipa-mem-report", E, ANY, OPT_LOCAL, OPTION},
	{"-fpre-ipa-mem-report", E, ANY, OPT_LOCAL, OPTION},
	{"-fprebuilt-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fpreprocessed", E, ANY, OPT_LOCAL, OPTION},
	{"-fproc-stat-report", E | Q, ANY, OPT_LOCAL, OPTION},
	{"-fprofile-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fprofile-abs-path", E, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-arcs", E, ANY, OPT_SOURCE, OPTION},
	{"-fprofile-correction", E, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-dir", Q, ANY, OPT_SOURCE, OPTION},
	{"-fprofile-exclude-files", Q, ANY, OPT_SOURCE, OPTION},
	{"-fprofile-filter-files", Q, ANY, OPT_SOURCE, OPTION},
	{"-fprofile-generate", E | Q, ANY, OPT_SOURCE, OPTION},
	{"-fprofile-info-section", E | Q, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-instr-generate", E | Q, CLANG, OPT_SOURCE, OPTION},
	{"-fprofile-instr-use", E | Q, CLANG, OPT_INPUT, OPTION},
	{"-fprofile-list", Q, CLANG, OPT_INPUT, OPTION},
	{"-fprofile-note", Q, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-partial-training", E, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-prefix-map", Q, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-prefix-path", Q, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-remapping-file", Q, CLANG, OPT_INPUT, OPTION},
	{"-fprofile-reorder-functions", E, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-reproducible", Q, GCC, OPT_SOURCE, OPTION},
	{"-fprofile-sample-use", E | Q, CLANG, OPT_INPUT, OPTION},
	{"-fprofile-update", Q, ANY, OPT_SOURCE, OPTION},
	{"-fprofile-use", E | Q, ANY, OPT_INPUT, OPTION},
	{"-fprofile-values", E, GCC, OPT_SOURCE, OPTION},
	{"-framework", S, ANY, OPT_CPP, NULL},
	{"-frandom-seed", Q, ANY, OPT_SHIP, NULL},
	{"-frecord-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-frecord-gcc-switches", E, GCC, OPT_SOURCE, OPTION},
	{"-freorder-blocks-algorithm", Q, ANY, OPT_SHIP, NULL},
	{"-frewrite-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fsanitize", Q, GCC, OPT_SHIP, NULL},
	{"-fsanitize", Q, CLANG, OPT_SOURCE, OPTION},
	{"-fsanitize-address-destructor", Q, CLANG, OPT_SHIP, NULL},
	{"-fsanitize-address-use-after-return", Q, CLANG, OPT_SHIP, NULL},
	{"-fsanitize-blacklist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-coverage", Q, ANY, OPT_SHIP, NULL},
	{"-fsanitize-coverage-allowlist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-coverage-blacklist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-coverage-ignorelist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-coverage-whitelist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-hwaddress-abi", Q, CLANG, OPT_SHIP, NULL},
	{"-fsanitize-ignorelist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-recover", E | Q, ANY, OPT_SHIP, NULL},
	{"-fsanitize-system-blacklist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-system-ignorelist", Q, CLANG, OPT_INPUT, OPTION},
	{"-fsanitize-trap", Q, ANY, OPT_SHIP, NULL},
	{"-fsave-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fsave-optimization-record", E | Q, ANY, OPT_SOURCE, OPTION},
	{"-fsched-stalled-insns", Q, GCC, OPT_SHIP, NULL},
	{"-fself-test", Q, ANY, OPT_LOCAL, OPTION},
	{"-fshow-overloads", Q, CLANG, OPT_SHIP, NULL},
	{"-fsimd-cost-model", Q, ANY, OPT_SHIP, NULL},
	{"-fsso-struct", Q, GCC, OPT_SHIP, NULL},
	{"-fstack-check", E | Q, ANY, OPT_SHIP, NULL},
	{"-fstack-limit-register", Q, ANY, OPT_SHIP, NULL},
	{"-fstack-limit-symbol", Q, ANY, OPT_SHIP, NULL},
	{"-fstack-reuse", Q, ANY, OPT_SHIP, NULL},
	{"-fstack-usage", E, ANY, OPT_SOURCE, OPTION},
	{"-fstats", E, ANY, OPT_LOCAL, OPTION},
	{"-fstrict-flex-arrays", Q, ANY, OPT_SHIP, NULL},
	{"-fstrong-eval-order", Q, GCC, OPT_SHIP, NULL},
	{"-fswift-async-fp", Q, CLANG, OPT_SHIP, NULL},
	{"-fsyntax-only", E, ANY, OPT_LOCAL, CPP_ONLY},
	{"-ftest-coverage", E, ANY, OPT_SOURCE, OPTION},
	{"-fthin-link-bitcode", Q, ANY, OPT_LOCAL, OPTION},
	{"-fthinlto-index", Q, ANY, OPT_LOCAL, OPTION},
	{"-ftime-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-ftime-trace", E | Q, CLANG, OPT_SOURCE, OPTION},
	{"-ftime-trace-granularity", Q, CLANG, OPT_SOURCE, OPTION},
	{"-ftime-trace-verbose", E, CLANG, OPT_SOURCE, OPTION},
	{"-ftls-model", Q, ANY, OPT_SHIP, NULL},
	{"-ftrap-function", Q, CLANG, OPT_SHIP, NULL},
	{"-ftrivial-auto-var-init", Q, ANY, OPT_SHIP, NULL},
	{"-fuse-cuid", E, ANY, OPT_LOCAL, OPTION},
	{"-fuse-ld", Q, ANY, OPT_CPP, NULL},
	{"-fveclib", Q, CLANG, OPT_SHIP, NULL},
	{"-fvect-cost-model", Q, ANY, OPT_SHIP, NULL},
	{"-fverbose-asm", E, GCC, OPT_LOCAL, OPTION},
	{"-fverbose-asm", E, CLANG, OPT_SOURCE, OPTION},
	{"-fvisibility", Q, ANY, OPT_SHIP, NULL},
	{"-fvisibility-dllexport", Q, CLANG, OPT_SHIP, NULL},
	{"-fvisibility-nodllstorageclass", Q, CLANG, OPT_SHIP, NULL},
	{"-fvtable-verify", Q, GCC, OPT_SHIP, NULL},
	{"-fvtv-", J | E, ANY, OPT_LOCAL, OPTION},
	{"-fwide-exec-charset", Q, ANY, OPT_LOCAL, OPTION},
	{"-fwpa", E | Q, ANY, OPT_LOCAL, OPTION},
	{"-fxray-always-instrument", Q, CLANG, OPT_INPUT, OPTION},
	{"-fxray-attr-list", Q, CLANG, OPT_INPUT, OPTION},
	{"-fxray-instrumentation-bundle", Q, CLANG, OPT_SHIP, NULL},
	{"-fxray-modes", Q, CLANG, OPT_SHIP, NULL},
	{"-fxray-never-instrument", Q, CLANG, OPT_INPUT, OPTION},
	{"-fzero-call-used-regs", Q, ANY, OPT_SHIP, NULL},
	{"-g", E | J, ANY, OPT_SHIP, NULL},
	{"-g3", E, GCC, OPT_SOURCE, OPTION},
	{"-gcc-toolchain", S, CLANG, OPT_CPP, NULL},
	{"-gembed-source", E, ANY, OPT_SOURCE, OPTION},
	{"-ggdb3", E, GCC, OPT_SOURCE, OPTION},
	{"-gmodules", E, ANY, OPT_LOCAL, OPTION},
	{"-grecord-command-line", E, ANY, OPT_LOCAL, OPTION},
	{"-grecord-gcc-switches", E, CLANG, OPT_LOCAL, OPTION},
	{"-gsplit-dwarf", E | Q, ANY, OPT_SOURCE, OPTION},
	{"-help", E, ANY, OPT_ASK, ASKS},
	{"-ibuiltininc", E, CLANG, OPT_CPP, NULL},
	{"-idirafter", J | S, ANY, OPT_CPP, NULL},
	{"-iframework", J | S, ANY, OPT_CPP, NULL},
	{"-iframeworkwithsysroot", J | S, CLANG, OPT_CPP, NULL},
	{"-imacros", J | S, ANY, OPT_CPP, NULL},
	{"-imultiarch", S, GCC, OPT_CPP, NULL},
	{"-imultilib", S, GCC, OPT_CPP, NULL},
	{"-include", J | S, ANY, OPT_CPP, NULL},
	{"-include-pch", S, ANY, OPT_LOCAL, OPTION},
	{"-index-store-path", S | Q, ANY, OPT_LOCAL, OPTION},
	{"-iplugindir", J, ANY, OPT_LOCAL, OPTION},
	{"-iprefix", J | S, ANY, OPT_CPP, NULL},
	{"-iquote", J | S, ANY, OPT_CPP, NULL},
	{"-isysroot", J | S, ANY, OPT_CPP, NULL},
	{"-isystem", J | S, ANY, OPT_CPP, NULL},
	{"-isystem-after", J | S, CLANG, OPT_CPP, NULL},
	{"-ivfsoverlay", S, ANY, OPT_LOCAL, OPTION},
	{"-iwithprefix", J | S, ANY, OPT_CPP, NULL},
	{"-iwithprefixbefore", J | S, ANY, OPT_CPP, NULL},
	{"-iwithsysroot", J | S, CLANG, OPT_CPP, NULL},
	{"-l", J | S, ANY, OPT_CPP, NULL},
	{"-load", S, ANY, OPT_LOCAL, OPTION},
	{"-m", J, ANY, OPT_SHIP, NULL},
	{"-march", Q, ANY, OPT_SHIP, NULL},
	{"-march=native", E, ANY, OPT_LOCAL, OPTION},
	{"-mcpu", Q, ANY, OPT_SHIP, NULL},
	{"-mcpu=native", E, ANY, OPT_LOCAL, OPTION},
	{"-meabi", S, CLANG, OPT_SHIP, NULL},
	{"-mllvm", S, CLANG, OPT_SHIP, NULL},
	{"-mmcu", Q, ANY, OPT_LOCAL, OPTION},
	{"-module-dependency-dir", S, ANY, OPT_LOCAL, OPTION},
	{"-mthread-model", S, CLANG, OPT_SHIP, NULL},
	{"-mtune", Q, ANY, OPT_SHIP, NULL},
	{"-mtune=native", E, ANY, OPT_LOCAL, OPTION},
	{"-no-canonical-prefixes", E, ANY, OPT_SHIP, NULL},
	{"-no-integrated-as", E, ANY, OPT_SOURCE, OPTION},
	{"-no-integrated-cpp", E, ANY, OPT_SOURCE, OPTION},
	{"-no-pie", E, ANY, OPT_SHIP, NULL},
	{"-nobuiltininc", E, CLANG, OPT_CPP, NULL},
	{"-nodefaultlibs", E, ANY, OPT_SHIP, NULL},
	{"-nolibc", E, ANY, OPT_SHIP, NULL},
	{"-nopie", E, ANY, OPT_SHIP, NULL},
	{"-nostartfiles", E, ANY, OPT_SHIP, NULL},
	{"-nostdinc", E, ANY, OPT_CPP, NULL},
	{"-nostdinc++", E, ANY, OPT_CPP, NULL},
	{"-nostdlib", E, ANY, OPT_SHIP, NULL},
	{"-nostdlib++", E, ANY, OPT_SHIP, NULL},
	{"-nostdlibinc", E, CLANG, OPT_CPP, NULL},
	{"-o", J | S, ANY, OPT_OUTPUT, NULL},
	{"-objc-isystem", J, ANY, OPT_LOCAL, OPTION},
	{"-objcmt-", J, ANY, OPT_LOCAL, OPTION},
	{"-object-file-name", Q, CLANG, OPT_LOCAL, OPTION},
	{"-p", E, ANY, OPT_SHIP, NULL},
	{"-pedantic", E, ANY, OPT_SHIP, NULL},
	{"-pedantic-errors", E, ANY, OPT_SHIP, NULL},
	{"-pg", E, ANY, OPT_SHIP, NULL},
	{"-pie", E, ANY, OPT_SHIP, NULL},
	{"-pipe", E, ANY, OPT_SHIP, NULL},
	{"-print-", J, ANY, OPT_ASK, ASKS},
	{"-pthread", E, ANY, OPT_SHIP, NULL},
	{"-r", E, ANY, OPT_CPP, NULL},
	{"-rdynamic", E, ANY, OPT_SHIP, NULL},
	{"-relocatable-pch", E, ANY, OPT_LOCAL, OPTION},
	{"-remap", E, ANY, OPT_CPP, NULL},
	{"-resource-dir", S | Q, ANY, OPT_LOCAL, OPTION},
	{"-rpath", S, ANY, OPT_CPP, NULL},
	{"-rtlib", Q, CLANG, OPT_CPP, NULL},
	{"-s", E, ANY, OPT_SHIP, NULL},
	{"-save-stats", E | Q, ANY, OPT_LOCAL, OPTION},
	{"-save-temps", E | Q, ANY, OPT_SOURCE, OPTION},
	{"-serialize-diagnostics", S, CLANG, OPT_SOURCE, OPTION},
	{"-shared", E, ANY, OPT_SHIP, NULL},
	{"-shared-libgcc", E, ANY, OPT_SHIP, NULL},
	{"-shared-libsan", E | J, ANY, OPT_SHIP, NULL},
	{"-specs", Q, ANY, OPT_LOCAL, OPTION},
	{"-static", E, ANY, OPT_SHIP, NULL},
	{"-static-lib", E | J, ANY, OPT_SHIP, NULL},
	{"-static-libgcc", E, ANY, OPT_SHIP, NULL},
	{"-static-libstdc++", E, ANY, OPT_SHIP, NULL},
	{"-static-pie", E, ANY, OPT_SHIP, NULL},
	{"-std", Q, ANY, OPT_SHIP, NULL},
	{"-stdlib", Q, CLANG, OPT_CPP, NULL},
	{"-stdlib++-isystem", J | S, CLANG, OPT_CPP, NULL},
	{"-symbolic", E, ANY, OPT_SHIP, NULL},
	{"-target", S, CLANG, OPT_SHIP, NULL},
	{"-time", E, ANY, OPT_LOCAL, OPTION},
	{"-traditional", E, ANY, OPT_LOCAL, OPTION},
	{"-traditional-cpp", E, ANY, OPT_CPP, NULL},
	{"-trigraphs", E, ANY, OPT_SHIP, NULL},
	{"-u", J | S, ANY, OPT_CPP, NULL},
	{"-undef", E, ANY, OPT_CPP, NULL},
	{"-unwindlib", Q, CLANG, OPT_CPP, NULL},
	{"-v", E, ANY, OPT_ASK, ASKS},
	{"-verify-pch", E, ANY, OPT_LOCAL, OPTION},
	{"-w", E, ANY, OPT_SHIP, NULL},
	{"-working-directory", S | Q, ANY, OPT_LOCAL, OPTION},
	{"-wrapper", S | Q, ANY, OPT_LOCAL, OPTION},
	{"-x", J | S, ANY, OPT_LANGUAGE, NULL},
	{"-z", J | S, ANY, OPT_CPP, NULL},
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define NAME_MAX_LEN 80

const struct option *
option_row(unsigned i)
{
	return i < ROWS ? &rows[i] : NULL;
}

/* The first row named by the first len bytes of word, or ROWS. */
static size_t
row_named(const char *word, size_t len)
{
	size_t low = 0, high = ROWS;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strncmp(rows[middle].name, word, len);

		if (c == 0 && rows[middle].name[len])
			c = 1;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < ROWS && strncmp(rows[low].name, word, len) == 0 && !rows[low].name[len])
		return low;
	return ROWS;
}

bool
option_harmless(const char *text)
{
	static const char *const words[] = {"yes", "no", "true", "false", "all", "none", "auto"};
	const char *value = strchr(text, '=');

	if (!value)
		return !strchr(text, '/');
	value++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0)
			return memchr(text, '/', (size_t)(value - text)) == NULL;
	return *value && value[strspn(value, "0123456789")] == 0 &&
	       memchr(text, '/', (size_t)(value - text)) == NULL;
}

/* A general row takes a word that has no row of its own only when it cannot name a file. */
static bool
general_accepts(const struct option *row, const char *rest)
{
	static const char wordlike[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	        "-+_=.,:*";

	if (strcmp(row->name, "-f") == 0)
		return option_harmless(rest);
	if (row->name[1] && !row->name[2] && strchr("mWOg", row->name[1]))
		return rest[strspn(rest, wordlike)] == 0;
	return true;
}

/* How the row matches a word that begins with its name, 0 when it does not. */
static enum option_form
row_form(const struct option *row, const char *rest)
{
	if (!*rest)
		return (enum option_form)(row->forms & (FORM_EXACT | FORM_SEPARATE));
	if (*rest == '=' && row->forms & FORM_EQUALS)
		return FORM_EQUALS;
	if (row->forms & FORM_JOINED && general_accepts(row, rest))
		return FORM_JOINED;
	return (enum option_form)0;
}

const struct option *
option_find(const char *word, enum option_compiler compiler, enum option_form *form)
{
	size_t len = strnlen(word, NAME_MAX_LEN);

	for (; len > 0; len--) {
		for (size_t i = row_named(word, len); i < ROWS; i++) {
			enum option_form how;

			if (strncmp(rows[i].name, word, len) != 0 || rows[i].name[len])
				break;
			how = row_form(&rows[i], word + len);
			if (!(rows[i].compilers & compiler) || !how)
				continue;
			*form = how;
			return &rows[i];
		}
	}
	return NULL;
}
