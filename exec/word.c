#include "exec/word.h"

#include <stddef.h>
#include <string.h>

void
word_read(struct word *w, const char *const *argv, uint32_t argc, uint32_t i,
        enum option_compiler compiler)
{
	memset(w, 0, sizeof(*w));
	w->text = argv[i];
	w->count = 1;
	w->is_option = w->text[0] == '-' && w->text[1];
	if (!w->is_option)
		return;
	w->row = option_find(w->text, compiler, &w->form);
	if (!w->row)
		return;
	if (w->form == FORM_JOINED)
		w->value = w->text + strlen(w->row->name);
	else if (w->form == FORM_EQUALS)
		w->value = w->text + strlen(w->row->name) + 1;
	else if (w->form == FORM_SEPARATE && i + 1 < argc) {
		w->value = argv[i + 1];
		w->count = 2;
	}
}

bool
word_is(const struct word *w, const char *name)
{
	return w->row && strcmp(w->row->name, name) == 0;
}
