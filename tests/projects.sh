#!/usr/bin/env bash
# make projects: other people's programs over a LAN of one client and three workers, from Debian's source packages (needs apt's
# network and deb-src, which it adds for itself alone).  P="jq busybox" takes some of tests/projects/, SOURCES=folder keeps what was
# fetched, COMPILERS=gcc takes one of the compilers, KEEP=folder keeps trees, messages and traces.
#
# Each project is built twice as its upstream says, at the same path: with the plain compiler, and with icemesh-cc before it (or
# as the compiler's launcher, or through the folder of links).  Then
#   - every file of the two trees must be the same: objects, archives, libraries, programs, .d files, generated sources, link
#     maps, caches of the build system, whatever it is, and no file more or less.  What a project's `outside` names is left aside,
#     which must be the build system's own logs and time stamps.  Where text files differ, the words that say icemesh-cc are
#     taken out before they are compared;
#   - both builds must have printed the same lines (their order is make's and ninja's), without those words;
#   - every compile must have gone in source mode, but for what is no compile and for the reasons that a project's `excused` names;
#   - the project's own tests must pass on the tree that came from the mesh.
#
# A file of tests/projects/ sets
#   source      Debian's source package
#   compilers   gcc, clang or both
#   way         how icemesh-cc is put before the compiler: words (CC="icemesh-cc gcc", the default), launcher ($LAUNCHER), links
#   outside     patterns of find -path
#   unsaid      a pattern of lines that the two builds need not have in common
#   excused     REASON:N, at most so many compiles that ran here for it; preprocessed:N
#   remote      only, where every command that is no compile is left to the plain compiler's rules; auto is the default
#   least       so many compiles at least
# and the functions prepare, build and try, which run in the project's folder, the last two on the client; $CC, $CXX,
# $LAUNCHER and $J (jobs) are in the environment of build.
set -u
cd "$(dirname "$0")/.." || exit 1
# Builds call make themselves; what this script was started with is not for them.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CC CXX CFLAGS CXXFLAGS LDFLAGS "${!ICEMESH_@}"
export LC_ALL=C.UTF-8
. tests/lan.sh
J=8

# P, or all of them.
chosen() {
	local name
	if [ -n "${P:-}" ]; then
		echo "$P"
	else
		for name in tests/projects/*.sh; do
			basename "$name" .sh
		done
	fi
}

# load NAME: its settings and functions, and nothing of another project's.
load() {
	source='' compilers=gcc way=words outside='' unsaid='' excused='' remote=auto least=20
	prepare() { :; }
	unset -f build try
	# shellcheck disable=SC1090
	. "tests/projects/$1.sh"
}

# with_apt COMMAND...: apt-get or apt-cache on lists of its own.
with_apt() {
	"$1" -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$SOURCES/parts" -o Dir::State::Lists="$SOURCES/lists" \
		-o Dir::Cache="$SOURCES/cache" -o APT::Sandbox::User=root "${@:2}" 2>&1
}

# download PACKAGE: the newest version that the servers still have; says why not.
download() {
	local version
	for version in $(with_apt apt-cache madison "$1" | awk '{ print $3 }' | sort -Vru | head -n 5); do
		(cd "$SOURCES" && with_apt apt-get source --download-only --tar-only "$1=$version") >"$SOURCES/log" && return
	done
	tail -n 5 "$SOURCES/log" 2>/dev/null
	return 1
}

archive() {
	local file
	for file in "$SOURCES/$1"_*.orig.tar.*[z2]; do
		[ ! -f "$file" ] || { echo "$file"; return 0; }
	done
	return 1
}

# Sources are fetched outside, where there is a network: into a folder that goes away with this script, unless SOURCES names one.
fetch() {
	local name file
	mkdir -p "$SOURCES/lists/partial" "$SOURCES/cache" "$SOURCES/parts"
	chmod 755 "$SOURCES"
	# the machine's own package sources, asked for source packages
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[ -f "$file" ] && sed 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' "$file" >"$SOURCES/parts/${file##*/}"
	done
	mv -f "$SOURCES/parts/sources.list" "$SOURCES/parts/main.list" 2>/dev/null
	for name; do
		load "$name"
		archive "$source" >/dev/null && continue
		# one package source that fails does not matter, as long as the others have what is wanted
		[ -n "${updated:-}" ] || with_apt apt-get update >/dev/null
		local updated=yes
		download "$source" || { echo "$name: no source package $source"; return 1; }
	done
}

if [ -z "${LAN_INSIDE:-}" ]; then
	projects=$(chosen)
	for name in $projects; do
		[ -f "tests/projects/$name.sh" ] || { echo "no project $name; there are:" tests/projects/*.sh >&2; exit 2; }
	done
	if [ -z "${SOURCES:-}" ]; then
		SOURCES=$(mktemp -d)
		trap 'rm -rf "$SOURCES"' EXIT
	fi
	SOURCES=$(realpath "$SOURCES")
	export SOURCES
	# shellcheck disable=SC2086
	fetch $projects || exit 1
	(lan_enter "$@")
	exit
fi
lan_enter "$@"

seconds() {
	awk -v ms=$(($(now_ms) - $1)) 'BEGIN { printf "%.1f", ms / 1000 }'
}

# project NAME COMPILER
project() {
	local name=$1 cc=$2 begin local_s mesh_s dir=$W/src/$1 trace=$W/src/$1.$2.trace
	rm -rf "$dir" "$W/src/local" "$trace"
	mkdir -p "$dir"
	tar -C "$dir" --strip-components=1 -xf "$(archive "$source")" && (cd "$dir" && prepare) || bail "$name: no sources"
	cp -a "$dir" "$W/src/pristine"
	begin=$(now_ms)
	build_with local "$cc" || bail "$name: the local build fails"
	local_s=$(seconds "$begin")
	mv "$dir" "$W/src/local" && mv "$W/src/pristine" "$dir"
	begin=$(now_ms)
	check "$name, $cc: builds over the mesh" build_with mesh "$cc" ICEMESH_REMOTE="$remote" ICEMESH_TRACE="$trace"
	mesh_s=$(seconds "$begin")
	check "$name, $cc: every file is the local build's" same_trees "$W/src/local" "$dir"
	echo "#   $(tail -n 1 <<<"$said")"
	check "$name, $cc: both builds print the same" same_lines
	check "$name, $cc: every compile in source mode" all_in_source_mode "$trace"
	echo "#   $(tail -n 1 <<<"$said"); local $local_s s, mesh $mesh_s s on the same cores"
	if declare -F try >/dev/null && [ "$cc" = "${compilers%% *}" ]; then
		check "$name, $cc: its own tests pass" on_client try
	fi
	[ -z "${KEEP:-}" ] || keep "$KEEP/$name.$cc"
	rm -rf "$W/src/local" "$dir"
}

# keep FOLDER: what tells why something failed.
keep() {
	rm -rf "$1" && mkdir -p "$1" && cp -a "$W/src/local" "$dir" "$W/src/"*.said "$trace" "$W/src/modes" "$1/"
}

# on_client FUNCTION [VARIABLE=VALUE...]: in the project's folder, with standard input empty.
on_client() {
	local step=$1
	shift
	(cd "$dir" && on client env J=$J W="$W" "$@" bash -c "$(declare -f "$step"); set -e; $step") </dev/null
}

# build_with local|mesh COMPILER [VARIABLE=VALUE...]; what it says is in $W/src/local.said, mesh.said.
build_with() {
	local which=$1 cc=$2 cxx=g++ words='' path=$PATH launcher=''
	shift 2
	[ "$cc" = gcc ] || cxx=clang++
	case $which.$way in
	mesh.words) words='icemesh-cc ' ;;
	mesh.launcher) launcher=icemesh-cc ;;
	mesh.links) path=$W/links:$PATH ;;
	esac
	on_client build CC="$words$cc" CXX="$words$cxx" LAUNCHER="$launcher" PATH="$path" "$@" >"$W/src/$which.said" 2>&1 ||
		{ tail -n 40 "$W/src/$which.said"; return 1; }
}

# plainly FILE: without what tells how the compiler was called.
plainly() {
	sed -E "s|$W/links:||g; s|\"icemesh-cc\", ||g; s|($W/bin/)?icemesh-cc[ ;]*||g" "$1"
}

# Every file below FOLDER but what is outside, with its kind.
list() {
	local pattern not=()
	set -f
	for pattern in $outside; do
		not+=(! -path "$pattern")
	done
	set +f
	(cd "$1" && find . ! -type d "${not[@]}" -printf '%y %P\n' | sort)
}

# same_trees LOCAL MESH
same_trees() {
	local kind file bad=0 n=0
	list "$1" >"$W/src/files" && list "$2" | diff "$W/src/files" - || bad=1
	while read -r kind file; do
		n=$((n + 1))
		if [ "$kind" = l ]; then
			[ "$(readlink "$1/$file")" = "$(readlink "$2/$file")" ]
		elif ! cmp -s "$1/$file" "$2/$file"; then
			grep -qI '' "$1/$file" && diff <(plainly "$1/$file") <(plainly "$2/$file") >"$W/src/diff"
		fi || { bad=$((bad + 1)); echo "$file differs"; [ ! -s "$W/src/diff" ] || head -n 5 "$W/src/diff" | cut -c 1-200; : >"$W/src/diff"; }
	done <"$W/src/files"
	echo "$n files: $(made '\.o') .o, $(made '\.a') .a, $(made '\.(d|P[lo]o?)') dependency files, $(made '\.so[.0-9]*') .so, $(made_programs "$2") other ELF files; $bad differ"
	[ $bad = 0 ]
}

made() {
	grep -cE "^f .*$1\$" "$W/src/files"
}

# What else is ELF, being an object or a shared library.
made_programs() {
	sed -nE '/\.(o|so[.0-9]*)$/d; s/^f //p' "$W/src/files" | (cd "$1" && while read -r file; do
		LC_ALL=C grep -qaE -m 1 $'^\x7fELF' "$file" && echo
	done) | wc -l
}

same_lines() {
	local which
	for which in local mesh; do
		plainly "$W/src/$which.said" | sed -E 's/^\[[0-9]+\/[0-9]+\] //' | grep -vE -- "${unsaid:-^$}" | sort >"$W/src/$which.sorted"
	done
	diff "$W/src/local.sorted" "$W/src/mesh.sorted" >"$W/src/diff" || { head -n 20 "$W/src/diff" | cut -c 1-200; return 1; }
}

# Links, -E, -MM and questions are no compiles.  The last line sums up.
all_in_source_mode() {
	jq -rs --arg excused "$excused" --argjson least "$least" '
		def count(f): map(select(f)) | length;
		def sums: group_by(.)[] | "\(.[0]) \(length)";
		map(.reason // "" | if IN("linking", "preprocess-only", "asks-compiler", "no-source", "configure-probe") then . else empty end) as $others |
		map(select(.reason | IN("linking", "preprocess-only", "asks-compiler", "no-source", "configure-probe") | not)) |
		($excused | split(" ") | map(split(":") | {key: .[0], value: (.[1] | tonumber)}) | from_entries) as $allowed |
		map(if .verdict != "remote" then . + {why: .reason} elif .mode != "source" then . + {why: .mode} else . end) as $all |
		($all | map(select(.why)) | group_by(.why)) as $groups |
		[$groups[] | select(length > ($allowed[.[0].why] // 0))] as $bad |
		($bad[][] | "\(.why): \(.file) \(.text)"),
		(if length < $least then "only \(length) compiles" else empty end),
		"\($bad | length)",
		"\(length) compiles: \($all | count(.why == null)) source, \($all | count(.why == "preprocessed")) preprocessed, " +
		"\($all | count(.verdict != "remote")) here\([$groups[] | " \(.[0].why) \(length)"] | join("")); no compiles: \([$others | sums] | join(", "))"
	' "$1" >"$W/src/modes"
	cat "$W/src/modes"
	[ "$(tail -n 2 "$W/src/modes" | head -n 1)" = 0 ] && ! grep -q '^only' "$W/src/modes"
}

# Checks of one project with one compiler.
checks() {
	declare -F try >/dev/null && [ "$1" = "${compilers%% *}" ] && echo 5 || echo 4
}

# each COMMAND...: with NAME COMPILER behind it, loaded.
each() {
	local name cc
	for name in $(chosen); do
		load "$name"
		for cc in $compilers; do
			case " ${COMPILERS:-$compilers} " in *" $cc "*) "$@" "$name" "$cc" ;; esac
		done
	done
}

count_checks() {
	all=$((all + $(checks "$2")))
}

all=0
each count_checks
plan $all
lan_up client w1 w2 w3
config client 'slots = 0'
for host in w1 w2 w3; do
	config $host 'slots = 4'
done
mesh_up client w1 w2 w3 || bail "no mesh of four"
mkdir "$W/links"
for cc in cc c++ gcc g++ clang clang++; do
	ln -s ../bin/icemesh-cc "$W/links/$cc"
done
for host in w1 w2 w3; do
	hide_compilers "$host"
done
# Toolchains are brought first: while they travel, local slots help.
echo 'int first;' >"$W/src/first.c"
for cc in gcc g++ clang clang++; do
	for host in w1 w2 w3; do
		wait_until 30 on client env ICEMESH_REMOTE=only ICEMESH_PEER=$host icemesh-cc $cc -c "$W/src/first.c" -o "$W/src/first.o" 2>/dev/null || bail "$cc does not reach $host"
	done
done
each project
[ "$test_failed" = 0 ]
