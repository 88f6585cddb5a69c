# Distributed under the terms of the ISC license

EAPI=8

inherit systemd toolchain-funcs

DESCRIPTION="Spreads C and C++ compiles over the spare cores of a network"
HOMEPAGE="https://wiki.gentoo.org/wiki/No_homepage"
SRC_URI="${P}.tar.gz"

LICENSE="ISC"
SLOT="0"
KEYWORDS="~amd64 ~arm64"
IUSE="clang test"
# Nobody serves the tarball: pkg_nofetch says how a clone makes it.
RESTRICT="fetch !test? ( test )"

DEPEND="
	app-arch/libarchive:=
	app-arch/lz4:=
	dev-libs/libevent:=
	dev-libs/libsodium:=
	dev-libs/msgpack:=
	sys-libs/libseccomp:=
	test? ( dev-util/cmocka )
"
RDEPEND="
	acct-group/icemesh
	acct-user/icemesh
	app-arch/libarchive:=
	app-arch/lz4:=
	dev-libs/libevent:=
	dev-libs/libsodium:=
	dev-libs/msgpack:=
	sys-libs/libseccomp:=
"
BDEPEND="virtual/pkgconfig"

pkg_nofetch() {
	einfo "In a clone of icemesh, with DISTDIR of your make.conf (portageq distdir prints it):"
	einfo "    git archive --prefix=${P}/ -o DISTDIR/${P}.tar.gz HEAD"
	einfo "and once, in the folder of this ebuild: ebuild ${PF}.ebuild manifest"
}

# settings: the variables of every make, in the array "make_settings".  STATIC is empty because sandbox follows a program without shared
# libraries by ptrace, and because a mended library should reach the wrapper.
settings() {
	local names=( cc c++ gcc g++ )
	use clang && names+=( clang clang++ )
	make_settings=(
		V=1
		STATIC=
		CC="$(tc-getCC)"
		AR="$(tc-getAR)"
		PKG_CONFIG="$(tc-getPKG_CONFIG)"
		PREFIX="${EPREFIX}/usr"
		LIBEXECDIR="${EPREFIX}/usr/libexec"
		SYSCONFDIR="${EPREFIX}/etc"
		DOCDIR="${EPREFIX}/usr/share/doc/${PF}"
		UNITDIR="$(systemd_get_systemunitdir)"
		LINKS="${names[*]} ${names[*]/#/${CHOST}-}"
	)
}

src_compile() {
	local make_settings
	settings
	emake "${make_settings[@]}"
}

# make test would install packages and build a LAN; the unit tests need neither.
src_test() {
	local make_settings
	settings
	emake "${make_settings[@]}" unit
}

src_install() {
	local make_settings
	settings
	emake "${make_settings[@]}" DESTDIR="${D}" install
	# acct-user makes the user; the license has its place in Portage; the sample becomes the configuration.
	rm -r "${ED}"/usr/lib/sysusers.d "${ED}/usr/share/doc/${PF}"/{LICENSE,icemesh.conf} || die
	insinto /etc/icemesh
	doins mesh/service/icemesh.conf
}

pkg_postinst() {
	elog "The daemon is started by nobody but you:"
	elog "    rc-update add icemeshd default && rc-service icemeshd start"
	elog "    systemctl enable --now icemeshd"
	elog "then 'icemesh init NAME' makes a mesh, 'icemesh join TOKEN' enters one."
	elog "To have emerge use it, in ${EROOT}/etc/portage/make.conf:"
	elog "    CC=\"icemesh-cc ${CHOST}-gcc\""
	elog "    CXX=\"icemesh-cc ${CHOST}-g++\""
	elog "and a MAKEOPTS that fits the mesh."
}
