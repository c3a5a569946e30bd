/* sign.c - HMAC-SHA256; the one file that uses GnuTLS, which libmicrohttpd has brought along. */
#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "sign.h"

#define DIGEST_BYTES 32

int sign_body(struct text *out, const char *secret, uint64_t time_s, struct span body, struct err *err)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    unsigned char digest[DIGEST_BYTES];

    text_addf(&said, "%llu.", (unsigned long long) time_s);
    text_add_bytes(&said, body.s, body.size);
    if (said.failed)
        return err_set(err, -ENOMEM, "no memory for a signature");
    if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret, strlen(secret), said.s, said.size, digest) < 0)
        return err_set(err, -EIO, "cannot make a signature: GnuTLS refuses");

    text_addf(out, "t=%llu,v1=", (unsigned long long) time_s);
    for (unsigned i = 0; i < DIGEST_BYTES; i++)
        text_addf(out, "%02x", digest[i]);
    return out->failed ? err_set(err, -ENOMEM, "no memory for a signature") : 0;
}
