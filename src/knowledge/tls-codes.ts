/**
 * Codes of TLS: OpenSSL's verdicts on a certificate, the alerts that a peer sends, and what OpenSSL says of bytes that
 * are no TLS. Node makes `ERR_SSL_` codes from OpenSSL's reason texts, which change between versions
 * (`ERR_SSL_SSLV3_ALERT_…` on Node 20 and 22, `ERR_SSL_SSL/TLS_ALERT_…` since 24): so they are matched by family.
 *
 * Only verdicts of our own, given before the handshake was complete, prove that nothing was sent. An alert does not:
 * with TLS 1.3 a server refuses a client's certificate after the client has begun to send.
 */

import { type CodeRow, invalid } from './code-row.js'

const verify = 'https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/'
const alerts = 'https://www.rfc-editor.org/rfc/rfc8446#section-6'
const reasons = 'openssl include/openssl/sslerr.h'
const node = 'https://nodejs.org/api/errors.html'

// Node verifies in the tick in which the handshake completes, before what waits to be written is encrypted.
const certificate = { kind: 'tls', tls: 'certificate', phase: 'tls', delivery: 'unsent', permanent: true } as const
const refusedCertificate = { kind: 'tls', tls: 'certificate', phase: 'tls', permanent: true } as const
const mismatch = { kind: 'tls', tls: 'mismatch', phase: 'tls', permanent: true } as const

export const tlsCodes: readonly CodeRow[] = [
  {
    codes: [
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_GET_CRL',
      'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
      'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
      'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_SIGNATURE_FAILURE',
      'CRL_SIGNATURE_FAILURE',
      'CERT_NOT_YET_VALID',
      'CERT_HAS_EXPIRED',
      'CRL_NOT_YET_VALID',
      'CRL_HAS_EXPIRED',
      'ERROR_IN_CERT_NOT_BEFORE_FIELD',
      'ERROR_IN_CERT_NOT_AFTER_FIELD',
      'ERROR_IN_CRL_LAST_UPDATE_FIELD',
      'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'CERT_CHAIN_TOO_LONG',
      'CERT_REVOKED',
      'INVALID_CA',
      'PATH_LENGTH_EXCEEDED',
      'INVALID_PURPOSE',
      'CERT_UNTRUSTED',
      'CERT_REJECTED',
      'HOSTNAME_MISMATCH',
    ],
    says: certificate,
    source: verify,
  },
  { codes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_FORMAT'], says: certificate, source: node },
  { codes: ['ERR_SSL_CERTIFICATE_VERIFY_FAILED'], says: certificate, source: reasons },

  // Alerts: the peer says why, and Node's code repeats it.
  {
    codes: [
      'ERR_SSL_*BAD_CERTIFICATE*',
      'ERR_SSL_*ALERT_UNSUPPORTED_CERTIFICATE',
      'ERR_SSL_*ALERT_CERTIFICATE_*',
      'ERR_SSL_*CERTIFICATE_UNOBTAINABLE',
      'ERR_SSL_*ALERT_NO_CERTIFICATE',
      'ERR_SSL_*ALERT_UNKNOWN_CA',
      'ERR_SSL_*ALERT_ACCESS_DENIED',
    ],
    says: refusedCertificate,
    source: alerts,
  },
  {
    codes: [
      'ERR_SSL_*ALERT_HANDSHAKE_FAILURE',
      'ERR_SSL_*ALERT_PROTOCOL_VERSION',
      'ERR_SSL_*ALERT_INSUFFICIENT_SECURITY',
      'ERR_SSL_*ALERT_NO_APPLICATION_PROTOCOL',
      'ERR_SSL_*INAPPROPRIATE_FALLBACK',
      'ERR_SSL_*ALERT_UNKNOWN_PSK_IDENTITY',
    ],
    says: mismatch,
    source: alerts,
  },
  {
    codes: ['ERR_SSL_*UNRECOGNIZED_NAME'],
    says: { kind: 'tls', tls: 'alert', phase: 'tls', permanent: true },
    source: `${alerts}; RFC 6066 §3`,
  },
  // The rest may pass: internal_error above all, which a server sends that cannot reach its keys.
  {
    codes: ['ERR_SSL_*ALERT_*', 'ERR_SSL_TLSV1_UNSUPPORTED_EXTENSION'],
    says: { kind: 'tls', tls: 'alert', phase: 'tls', permanent: false },
    source: alerts,
  },

  // OpenSSL's own word on what came: another version, or no TLS at all (plain HTTP on the TLS port).
  {
    codes: [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_WRONG_SSL_VERSION',
      'ERR_SSL_UNSUPPORTED_PROTOCOL',
      'ERR_SSL_UNKNOWN_PROTOCOL',
      'ERR_SSL_UNSUPPORTED_SSL_VERSION',
      'ERR_SSL_VERSION_TOO_LOW',
      'ERR_SSL_VERSION_TOO_HIGH',
      'ERR_SSL_HTTP_REQUEST',
      'ERR_SSL_HTTPS_PROXY_REQUEST',
      'ERR_SSL_PACKET_LENGTH_TOO_LONG',
      'ERR_SSL_NO_SHARED_*',
      'ERR_SSL_NO_SUITABLE_*',
      'ERR_SSL_WRONG_CIPHER_RETURNED',
      'ERR_SSL_UNKNOWN_CIPHER_RETURNED',
      'ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED',
      'ERR_SSL_DH_KEY_TOO_SMALL',
      'ERR_SSL_*_KEY_TOO_SMALL',
      'ERR_SSL_*_MD_TOO_WEAK',
      'ERR_SSL_NO_APPLICATION_PROTOCOL',
      'ERR_SSL_BAD_SRTP_*',
      'ERR_TLS_DH_PARAM_SIZE',
    ],
    says: mismatch,
    source: reasons,
  },
  { codes: ['ERR_SSL_UNEXPECTED_EOF_WHILE_READING'], says: { kind: 'closed', mute: true }, source: reasons },
  {
    codes: ['ERR_TLS_NO_CLOSE_NOTIFY'],
    says: { kind: 'closed', phase: 'body', delivery: 'partial' },
    source: 'https://www.rfc-editor.org/rfc/rfc8446#section-6.1',
  },
  // Our own options: no handshake was begun.
  {
    codes: [
      'ERR_SSL_NO_CIPHER_MATCH',
      'ERR_SSL_NO_CIPHERS_AVAILABLE',
      'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
      'ERR_TLS_INVALID_*',
      'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
      'ERR_TLS_REQUIRED_SERVER_NAME',
      'ERR_TLS_ALPN_CALLBACK_*',
      'ERR_TLS_PSK_*',
      'ERR_OSSL_*',
    ],
    says: invalid,
    source: node,
  },
  { codes: ['ERR_TLS_HANDSHAKE_TIMEOUT'], says: { kind: 'timeout', phase: 'tls', delivery: 'unsent' }, source: node },
  // A record that cannot be decrypted, a renegotiation that was refused, and whatever else OpenSSL says.
  { codes: ['ERR_SSL_*', 'ERR_TLS_*'], says: { kind: 'tls', phase: 'tls' }, source: reasons },
  // Node's https reports OpenSSL's errors so; the reason stands in the text.
  { codes: ['EPROTO'], says: { kind: 'tls', phase: 'tls' }, source: 'node src/crypto/crypto_tls.cc' },
]
