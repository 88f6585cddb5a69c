/* token_parse(): what it takes must print as text that parses to the same token. */
#include "tests/fuzz/fuzz.h"

#include "crypto/token.h"
#include "tests/fuzz/sample.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token t, again;
	struct buf b;
	char *text = malloc(size + 1);

	if (text == NULL || crypto_start() != 0)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (token_parse(&t, text) == 0) {
		buf_init(&b, TOKEN_TEXT_MAX);
		token_print(&t, &b);
		if (buf_text(&b) == NULL || token_parse(&again, buf_text(&b)) != 0 ||
		        memcmp(&t, &again, sizeof t) != 0)
			abort();
		buf_fini(&b);
	}
	free(text);
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	struct token t = {.hosts = "host.example:9777,[::1]:9777"};
	struct key root;
	struct buf b;

	if (i > 0)
		return 0;
	sample_key(&root, 1);
	memcpy(t.root_pk, root.sign_pk, SIGN_PK_LEN);
	buf_init(&b, TOKEN_TEXT_MAX);
	token_print(&t, &b);
	return sample_give(&b, out);
}
