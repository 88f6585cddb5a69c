# shellcheck shell=bash
# Meson and ninja, C: dav1d, its assembler files with nasm (which does not pass through icemesh-cc).
source=dav1d
compilers='gcc'
outside='*/meson-logs/* */meson-private/*.dat */.ninja_log */.ninja_deps'
least=90

build() {
	meson setup out
	ninja -C out -j"$J" -d keepdepfile
	ninja -C out -j"$J" -d keepdepfile tests/checkasm
}

try() {
	meson test -C out --no-rebuild
}
