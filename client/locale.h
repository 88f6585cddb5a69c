/*
 * Which locale makes a compiler on a peer print the text that it prints here.
 *
 * gcc picks its quotes by the codeset of LC_CTYPE and its language by LC_MESSAGES and LANGUAGE.  A
 * toolchain holds the locales C and C.UTF-8 and no catalogue of messages, so messages that are
 * translated here, by gcc, its assembler or the C library (strerror), or written in another
 * codeset than ASCII and UTF-8, are exact only here.  clang asks for no locale: any choice is
 * right for it.
 */
#ifndef CLIENT_LOCALE_H
#define CLIENT_LOCALE_H

#include <stdbool.h>

/* *lc_all receives "LC_ALL=C" or "LC_ALL=C.UTF-8", a constant, in the place of every locale
 * variable of the environment.  False when a compiler's messages are then not those of here.  One
 * access() at most when the locale in force is C, POSIX or C.UTF-8; otherwise it loads locales as
 * the C library does. */
bool locale_remote(char *const *environment, const char **lc_all);
/* True when the folder (as /usr/share/locale) has a catalogue that compilers use for one of the
 * locales' names, which are divided by colons; C and POSIX end the list, English needs none. */
bool locale_translated(const char *folder, const char *names);

#endif
