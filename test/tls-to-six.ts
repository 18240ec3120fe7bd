/** Node 22.23.3 does not find `::1` in a certificate for `0:0:0:0:0:0:0:1`, which is the same address. */

import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/** Whether this Node's TLS can be used with a certificate for ::1 at all. */
export const tlsKnowsSix =
  checkServerIdentity('::1', { subjectaltname: 'IP Address:0:0:0:0:0:0:0:1' } as PeerCertificate) === undefined
