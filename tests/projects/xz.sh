# shellcheck shell=bash
# Autotools with libtool, C: XZ Utils; each library object twice (with and without -fPIC).  Through the folder of links.
source=xz-utils
compilers=gcc
way=links
outside='./config.log */test-suite.log'
least=180

build() {
	./configure
	make -j"$J" -O
}

try() {
	make -j"$J" check
}
