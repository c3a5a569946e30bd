/* hmac.h - what only somebody who has the secret can have said.
 *
 * Shape:   64 hexadecimal digits in lower case: HMAC-SHA256 with the secret as key.
 * Threads: any.
 * Errors:  -EIO: GnuTLS refuses.
 * Source:  RFC 2104; GnuTLS's gnutls_hmac_fast.
 */
#pragma once

#include <sonoran-pushd/base.h>

#define HMAC_HEX_BYTES 64

int hmac_hex(const char *secret, struct span said, char ret_hex[HMAC_HEX_BYTES + 1]) MUST_CHECK;
