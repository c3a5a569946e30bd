/* base64.c - base64 and SHA-1, by GnuTLS as in hmac.c. */
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <sonoran-pushd/base64.h>

int base64_encode(struct span bytes, char *ret)
{
    gnutls_datum_t in = { .size = (unsigned) bytes.size }, out = { 0 };
    memcpy(&in.data, &bytes.s, sizeof(in.data)); /* it is only read */
    if (gnutls_base64_encode2(&in, &out) < 0)
        return -ENOMEM;
    memcpy(ret, out.data, out.size);
    ret[out.size] = '\0';
    gnutls_free(out.data);
    return 0;
}

int base64_sha1(struct span said, char ret[BASE64_BYTES(BASE64_SHA1_BYTES) + 1])
{
    char digest[BASE64_SHA1_BYTES];
    if (gnutls_hash_fast(GNUTLS_DIG_SHA1, said.s, said.size, digest) < 0)
        return -EIO;
    return base64_encode((struct span){ digest, sizeof(digest) }, ret);
}
