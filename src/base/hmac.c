/* hmac.c - HMAC-SHA256 by GnuTLS, which libmicrohttpd has brought along. */
#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>

#include <sonoran-pushd/hmac.h>

#define DIGEST_BYTES (HMAC_HEX_BYTES / 2)

int hmac_hex(const char *secret, struct span said, char ret_hex[HMAC_HEX_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[DIGEST_BYTES];
    if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret, strlen(secret), said.s, said.size, digest) < 0)
        return -EIO;
    for (unsigned i = 0; i < DIGEST_BYTES; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[HMAC_HEX_BYTES] = '\0';
    return 0;
}
