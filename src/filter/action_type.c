/* action_type.c - what is rendered for a delivery. */
#include <sonoran-pushd/action_type.h>

void action_payload_free(struct action_payload *payload)
{
    text_wipe(&payload->body); /* a key may be in it */
    text_wipe(&payload->secret);
    words_free(&payload->words);
    words_free(&payload->environment);
    payload->event_id = 0;
}
