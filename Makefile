# icemesh.  make, make test, make demo, make install, make help; V=1 shows commands, SAN=address,undefined instruments.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/icemesh
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
INITDIR ?= $(SYSCONFDIR)/init.d
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
VERSION = 0.1.0
B ?= build$(if $(SAN),-san)

CC ?= cc
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CFLAGS ?= -O2 -g
# Names under which libexec/icemesh/bin offers the wrapper.
LINKS ?= cc c++ gcc g++ clang clang++
Q = $(if $(V),,@)

# Answers of pkg-config, asked when first needed: this file must be readable on a machine that has none (make test installs it).
once = $(eval $(1) := $(2))$($(1))
pkg = $(if $(shell command -v $(firstword $(PKG_CONFIG))),$(shell $(PKG_CONFIG) $(1)),$(error \
	$(PKG_CONFIG) is missing; tests/deps.sh says what else is and installs it))
MSGPACK = $(call once,MSGPACK,$(shell $(PKG_CONFIG) --exists msgpack-c 2>/dev/null && echo msgpack-c || echo msgpack))
PKG_CFLAGS = $(call once,PKG_CFLAGS,$(call pkg,--cflags libsodium libevent_core liblz4 libarchive libseccomp $(MSGPACK)))
BASE_LIBS = $(call once,BASE_LIBS,$(call pkg,--libs liblz4 $(MSGPACK) libsodium))
# The wrapper starts once for each compile: with these libraries inside it starts 0.4 ms sooner, with the C library too (all) 0.7 ms.
# Portage's sandbox follows a program without shared libraries by ptrace, which costs more.  STATIC= for shared ones, as distributions do.
STATIC_PIE = printf 'int puts(const char *); int main(void) { return puts("s"); }' | \
	$(CC) $(CFLAGS) $(LDFLAGS) -x c - -o /dev/null -static-pie $(BASE_LIBS) 2>/dev/null
STATIC_ALL = $(if $(SAN)$(wildcard /usr/lib*/libsandbox.so),,$(shell $(STATIC_PIE) && echo all))
STATIC_SOME = $(if $(shell $(CC) -print-file-name=libsodium.a 2>/dev/null | grep /),libs)
STATIC ?= $(call once,STATIC_FOUND,$(or $(STATIC_ALL),$(STATIC_SOME)))
WRAPPER_LIBS = $(if $(filter all,$(STATIC)),-static-pie $(BASE_LIBS),$(if $(STATIC),-Wl$(comma)-Bstatic $(BASE_LIBS) \
	-Wl$(comma)-Bdynamic -pthread,$(BASE_LIBS)))
comma = ,
LOOP_LIBS = $(call once,LOOP_LIBS,$(call pkg,--libs libevent_core))
BOX_LIBS = $(call once,BOX_LIBS,$(call pkg,--libs libarchive libseccomp))
TEST_LIBS = $(call once,TEST_LIBS,$(call pkg,--libs cmocka))

WARN = -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
# Symbols are bound at the start: safer, and quicker for a wrapper that uses most of them once.
BIND = -Wl,-z,relro,-z,now
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. $(WARN) $(SANFLAGS) $(PKG_CFLAGS) -DIM_VERSION='"$(VERSION)"' \
	-DIM_LIBEXECDIR='"$(LIBEXECDIR)/icemesh"' -DIM_SYSCONFDIR='"$(SYSCONFDIR)"' $(CPPFLAGS) $(CFLAGS)

FOLDERS = crypto gossip exec mesh client
MAINS = exec/helper.c mesh/icemeshd.c client/icemesh_cc.c client/icemesh.c
PROGRAMS = $(addprefix $(B)/,icemeshd icemesh-exec icemesh-cc icemesh-c++ icemesh)

objs = $(patsubst %.c,$(B)/%.o,$(1))
libs = $(patsubst %,$(B)/lib%.a,$(1))

all: $(PROGRAMS)

define FOLDER_LIB
$(B)/lib$(1).a: $(call objs,$(filter-out $(MAINS),$(wildcard $(1)/*.c)))
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call FOLDER_LIB,$(f))))

# Changes when the compiler or its flags do, and everything is then built anew.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS))' > $@

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@$(if $(V),:,echo "  CC      $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define LINK
@mkdir -p $(@D)
@$(if $(V),:,echo "  LINK    $@")
$(Q)$(CC) $(SANFLAGS) $(CFLAGS) $(BIND) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)
endef

$(B)/icemesh-exec: $(B)/exec/helper.o $(call libs,exec crypto)
	$(LINK) $(BOX_LIBS) $(BASE_LIBS)
$(B)/icemeshd: $(B)/mesh/icemeshd.o $(call libs,mesh exec gossip crypto)
	$(LINK) $(LOOP_LIBS) $(BASE_LIBS)
$(B)/icemesh-cc: $(B)/client/icemesh_cc.o $(call libs,client mesh exec crypto)
	$(LINK) $(WRAPPER_LIBS)
$(B)/icemesh: $(B)/client/icemesh.o $(call libs,client mesh exec gossip crypto)
	$(LINK) $(BASE_LIBS)
$(B)/icemesh-c++: $(B)/icemesh-cc
	$(Q)ln -sf icemesh-cc $@

# --- tests ---
UNIT_FOLDERS ?= client mesh exec gossip crypto
UNIT = $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
FUZZ = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
HOSTILE = $(patsubst tests/hostile/%.c,$(B)/hostile/%,$(wildcard tests/hostile/*.c))
FUZZ_SECONDS ?= 5
SIM_RUNS ?= 4

$(B)/tests/%: $(B)/tests/unit/%.o $(call libs,$(UNIT_FOLDERS))
	$(LINK) $(TEST_LIBS) $(LOOP_LIBS) $(BOX_LIBS) $(BASE_LIBS)
# Hundreds of nodes in one process without the cost of their signatures, and how many are checked in a flood.
$(B)/tests/test_pace_of_mesh $(B)/tests/test_flood: LDFLAGS += -Wl,--wrap=key_verify
# Their stand-in for signatures goes before the real one.
$(B)/tests/test_relay $(B)/sim/sim: LDFLAGS += -Wl,--allow-multiple-definition
$(B)/sim/sim: $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c)) $(call libs,mesh gossip crypto)
	$(LINK) $(LOOP_LIBS) $(BASE_LIBS)
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/standalone.o $(call libs,$(UNIT_FOLDERS))
	$(LINK) $(LOOP_LIBS) $(BOX_LIBS) $(BASE_LIBS)
$(B)/hostile/%: $(B)/tests/hostile/%.o $(call libs,mesh exec gossip crypto)
	$(LINK) $(LOOP_LIBS) $(BASE_LIBS)

unit: all $(UNIT)
	$(Q)B=$(B) tests/run unit
tests: all $(UNIT) $(FUZZ) $(HOSTILE) $(B)/sim/sim
# What is missing is installed first, and only then can the rest of this file ask pkg-config: hence a make of its own.
test:
	@tests/deps.sh test
	+@$(MAKE) --no-print-directory tests
	@B=$(B) tests/run $(T)
demo:
	@tests/deps.sh demo
	+@$(MAKE) --no-print-directory all
	@B=$(B) tests/demo.sh
projects:
	@tests/deps.sh projects
	+@$(MAKE) --no-print-directory all
	@B=$(B) tests/projects.sh
sim: $(B)/sim/sim
	@$(B)/sim/sim --table $(SIM_RUNS) && $(B)/sim/sim --shares
lint: all
	@B=$(B) tests/run lint
fuzz: $(FUZZ)
	@B=$(B) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz

# --- installation ---
D = $(DESTDIR)
MAN = $(wildcard man/*.[1-9])
man_at = $(D)$(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))
SERVICE_SED = sed -e 's|@SBINDIR@|$(SBINDIR)|g'
INSTALLED = $(addprefix $(D)$(BINDIR)/,icemesh icemesh-cc icemesh-c++) $(D)$(SBINDIR)/icemeshd $(D)$(LIBEXECDIR)/icemesh/icemesh-exec \
	$(addprefix $(D)$(LIBEXECDIR)/icemesh/bin/,$(LINKS)) $(foreach m,$(MAN) icemesh-c++.1,$(call man_at,$(m))) $(D)$(DOCDIR)/icemesh.conf \
	$(D)$(DOCDIR)/README.md $(D)$(DOCDIR)/LICENSE $(D)$(UNITDIR)/icemeshd.service $(D)$(SYSUSERSDIR)/icemesh.conf $(D)$(INITDIR)/icemeshd \
	$(addprefix $(D)$(BASHCOMPDIR)/,icemesh icemesh-cc icemesh-c++) $(D)$(ZSHCOMPDIR)/_icemesh $(D)$(FISHCOMPDIR)/icemesh.fish

# The links lead from libexec/icemesh/bin to bin by a relative way, so that a tree below DESTDIR works where it stands.
install: all
	$(Q)$(INSTALL) -d $(D)$(BINDIR) $(D)$(SBINDIR) $(D)$(LIBEXECDIR)/icemesh/bin $(D)$(DOCDIR) $(D)$(UNITDIR) $(D)$(SYSUSERSDIR) $(D)$(INITDIR)
	$(Q)$(INSTALL) -m 755 $(B)/icemesh $(B)/icemesh-cc $(D)$(BINDIR)
	$(Q)ln -sf icemesh-cc $(D)$(BINDIR)/icemesh-c++
	$(Q)$(INSTALL) -m 755 $(B)/icemeshd $(D)$(SBINDIR)
	$(Q)$(INSTALL) -m 755 $(B)/icemesh-exec $(D)$(LIBEXECDIR)/icemesh
	$(Q)for name in $(LINKS); do \
		ln -sf "$$(realpath -ms --relative-to=$(LIBEXECDIR)/icemesh/bin $(BINDIR))/icemesh-cc" $(D)$(LIBEXECDIR)/icemesh/bin/$$name || exit 1; done
	$(Q)set -e; $(foreach m,$(MAN),$(INSTALL) -D -m 644 $(m) $(call man_at,$(m));)
	$(Q)ln -sf icemesh-cc.1 $(D)$(MANDIR)/man1/icemesh-c++.1
	$(Q)$(INSTALL) -m 644 mesh/service/icemesh.conf README.md LICENSE $(D)$(DOCDIR)
	$(Q)$(SERVICE_SED) mesh/service/icemeshd.service.in > $(D)$(UNITDIR)/icemeshd.service
	$(Q)$(INSTALL) -m 644 mesh/service/sysusers.conf $(D)$(SYSUSERSDIR)/icemesh.conf
	$(Q)$(SERVICE_SED) mesh/service/icemeshd.initd.in > $(D)$(INITDIR)/icemeshd
	$(Q)chmod 755 $(D)$(INITDIR)/icemeshd
	$(Q)chmod 644 $(D)$(UNITDIR)/icemeshd.service
	$(Q)$(INSTALL) -D -m 644 client/completion/icemesh.bash $(D)$(BASHCOMPDIR)/icemesh
	$(Q)for name in icemesh-cc icemesh-c++; do ln -sf icemesh $(D)$(BASHCOMPDIR)/$$name || exit 1; done
	$(Q)$(INSTALL) -D -m 644 client/completion/icemesh.zsh $(D)$(ZSHCOMPDIR)/_icemesh
	$(Q)$(INSTALL) -D -m 644 client/completion/icemesh.fish $(D)$(FISHCOMPDIR)/icemesh.fish

uninstall:
	$(Q)rm -f $(INSTALLED)
	$(Q)for dir in $(LIBEXECDIR)/icemesh/bin $(LIBEXECDIR)/icemesh $(DOCDIR); do \
		test ! -d $(D)$$dir || rmdir --ignore-fail-on-non-empty $(D)$$dir; done

# Debian's tools want debian/ at the top of a tree, which is therefore a copy.
DEB_TREE = $(B)/deb/icemesh-$(VERSION)
deb:
	$(Q)rm -rf $(B)/deb && mkdir -p $(DEB_TREE)
	$(Q)cp -R $(FOLDERS) man tests Makefile README.md LICENSE $(DEB_TREE)
	$(Q)cp -R client/package/debian $(DEB_TREE)/debian
	$(Q)cd $(DEB_TREE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b
	$(Q)rm -rf $(DEB_TREE) && ls $(B)/deb/*.deb

clean:
	rm -rf build build-san

help:
	@sed -n 's/^#> //p' Makefile
#> make                 programs in build/ (they run from there)      make install    DESTDIR, PREFIX, BINDIR, SYSCONFDIR...
#> make test            everything; T="unit/buf system" for a part    make uninstall  removes what install put there
#> make demo            four nodes build icemesh on this machine      make lint       style, layers, manual pages
#> make projects        other people's programs over a mesh; P="xz"   make fuzz       FUZZ_SECONDS=60 for each decoder
#> make deb             a Debian package in build/deb/              make sim        build times in the simulator, as a table
#> V=1 shows commands, SAN=address,undefined instruments (build-san/), B=folder builds elsewhere

FORCE:
.PHONY: all unit tests test demo projects lint fuzz sim install uninstall deb clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)
