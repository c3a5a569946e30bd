/* sign.h - inside src/actions: the signature on what is forwarded.
 *
 * Shape:   Sonoran-Signature: t=1764000000,v1=HEX. HEX is the HMAC-SHA256, 64 digits in lower case, with the secret
 *          as key, over what stands after t=, a full stop, and the bytes of the body.
 * Units:   t is seconds since 1970 UTC: of the try, so that a receiver can refuse what is repeated later by others.
 * Errors:  negative errno and a sentence.
 * Source:  hmac.h.
 */
#pragma once

#include <sonoran-pushd/text.h>

/* Adds "t=…,v1=…" to out. */
int sign_body(struct text *out, const char *secret, uint64_t time_s, struct span body, struct err *err) MUST_CHECK;
