/* sign.c - the signature on what is forwarded. */
#include <errno.h>
#include <string.h>

#include <sonoran-pushd/hmac.h>

#include "sign.h"

int sign_body(struct text *out, const char *secret, uint64_t time_s, struct span body, struct err *err)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    char signature[HMAC_HEX_BYTES + 1];

    text_addf(&said, "%llu.", (unsigned long long) time_s);
    text_add_bytes(&said, body.s, body.size);
    if (said.failed)
        return err_set(err, -ENOMEM, "no memory for a signature");
    if (hmac_hex(secret, (struct span){ said.s, said.size }, signature) < 0)
        return err_set(err, -EIO, "cannot make a signature: GnuTLS refuses");
    text_addf(out, "t=%llu,v1=%s", (unsigned long long) time_s, signature);
    return out->failed ? err_set(err, -ENOMEM, "no memory for a signature") : 0;
}
