#!/usr/bin/env bash
# make install puts everything below DESTDIR, what is there works, and make uninstall leaves no file.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

in_place() {
	local file
	for file in bin/icemesh bin/icemesh-cc bin/icemesh-c++ sbin/icemeshd libexec/icemesh/icemesh-exec libexec/icemesh/bin/gcc \
		libexec/icemesh/bin/c++ share/man/man1/icemesh-cc.1 share/man/man8/icemeshd.8 share/doc/icemesh/icemesh.conf lib/systemd/system/icemeshd.service \
		share/bash-completion/completions/icemesh share/bash-completion/completions/icemesh-cc share/zsh/site-functions/_icemesh \
		share/fish/vendor_completions.d/icemesh.fish; do
		[ -e "$dest/opt/ice/$file" ] || { echo "$file is missing"; return 1; }
	done
	[ -x "$dest/etc/init.d/icemeshd" ] && grep -q '/opt/ice/sbin/icemeshd' "$dest/etc/init.d/icemeshd" "$dest/opt/ice/lib/systemd/system/icemeshd.service"
}

# Outside of PREFIX there are only /etc/init.d.
nothing_else() {
	! find "$dest" ! -type d | grep -vE "^$dest/(opt/ice|etc/init.d)/"
}

masquerade() {
	echo 'int x;' >"$W/src/x.c"
	on a env PATH="$dest/opt/ice/libexec/icemesh/bin:$PATH" gcc -c "$W/src/x.c" -o "$W/src/x.o" && [ -s "$W/src/x.o" ] &&
		[ "$(on a env PATH="$dest/opt/ice/libexec/icemesh/bin:$PATH" gcc --version)" = "$(gcc --version)" ]
}

installed_daemon() {
	rm "$W"/bin/*
	PATH=$dest/opt/ice/sbin:$dest/opt/ice/bin:$PATH
	mesh_up a && [ "$(on a icemesh peers --json | jq -r '.[0].sandbox')" != null ]
}

plan 8
lan_up a
dest=$W/src/dest
copy_tree "$W/src/src"
cd "$W/src/src" || bail "no sources"
check "make install DESTDIR PREFIX" make -s -j4 install DESTDIR="$dest" PREFIX=/opt/ice CFLAGS=-O0
check "every file is in its place" in_place
check "nothing is anywhere else" nothing_else
check "the sample configuration holds the defaults" on a "$dest/opt/ice/sbin/icemeshd" -n -c "$dest/opt/ice/share/doc/icemesh/icemesh.conf"
check "the links find the real compiler" masquerade
check "the installed daemon runs with its helper" installed_daemon
check "make uninstall" make -s uninstall DESTDIR="$dest" PREFIX=/opt/ice CFLAGS=-O0
check "leaves no file" [ -z "$(find "$dest" ! -type d)" ]
