/* text_secret.c - a text that grows and leaves nothing behind. */
#include <sonoran-pushd/text_secret.h>

void text_add_secret(struct text *text, const char *s, size_t size)
{
    if (text->room - text->size > size) {
        text_add_bytes(text, s, size);
        return;
    }
    struct text larger = TEXT_INIT;
    if (!text_reserve(&larger, size <= TEXT_MAX_BYTES ? text->size + size : size)) {
        text->failed = true;
        return;
    }
    text_add_bytes(&larger, text->s, text->size);
    text_add_bytes(&larger, s, size);
    larger.failed |= text->failed;
    text_wipe(text);
    *text = larger;
}
