/* base64.h - base64 and SHA-1 for protocols that ask for them. Neither keeps a secret: that is hmac.h.
 *
 * Shape:   base64 with padding, and a NUL behind it.
 * Threads: any.
 * Errors:  -EIO: GnuTLS refuses. -ENOMEM.
 * Source:  RFC 3174, RFC 4648; GnuTLS's gnutls_hash_fast, gnutls_base64_encode2.
 */
#pragma once

#include <sonoran-pushd/base.h>

#define BASE64_BYTES(n) (((n) + 2) / 3 * 4)
#define BASE64_SHA1_BYTES 20

/* ret has room for BASE64_BYTES(bytes.size) + 1. */
int base64_encode(struct span bytes, char *ret) MUST_CHECK;

/* The digest, in base64. */
int base64_sha1(struct span said, char ret[BASE64_BYTES(BASE64_SHA1_BYTES) + 1]) MUST_CHECK;
