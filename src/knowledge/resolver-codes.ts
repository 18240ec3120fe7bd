/**
 * Codes of name resolution: of getaddrinfo, by which Node looks up hosts, and of c-ares, behind `dns.resolve`. The two
 * share some names; c-ares puts the query (`queryA`) where others have a system call.
 */

import { type CodeRow, resolving } from './code-row.js'

const getaddrinfo = 'https://man7.org/linux/man-pages/man3/getaddrinfo.3.html#RETURN_VALUE'
const cares = 'https://nodejs.org/api/dns.html#error-codes'

const noSuchName = { ...resolving, temporary: false } as const
const noAnswer = { ...resolving, temporary: true } as const

export const resolverCodes: readonly CodeRow[] = [
  // Node folds EAI_NONAME and EAI_NODATA into ENOTFOUND.
  {
    codes: ['ENOTFOUND', 'EAI_NONAME', 'EAI_NODATA', 'EAI_ADDRFAMILY', 'EAI_FAIL'],
    says: noSuchName,
    source: getaddrinfo,
  },
  { codes: ['EAI_AGAIN', 'EAI_SYSTEM', 'EAI_MEMORY', 'EAI_CANCELED'], says: noAnswer, source: getaddrinfo },
  {
    codes: [
      'EAI_BADFLAGS',
      'EAI_BADHINTS',
      'EAI_FAMILY',
      'EAI_SERVICE',
      'EAI_SOCKTYPE',
      'EAI_OVERFLOW',
      'EAI_PROTOCOL',
    ],
    says: { ...noSuchName, permanent: true },
    source: getaddrinfo,
  },
  { codes: ['ENODATA', 'ENONAME'], says: noSuchName, source: cares },
  // The name cannot be asked for, or the question is not one.
  {
    codes: ['EBADNAME', 'EBADQUERY', 'EBADFAMILY', 'EBADSTR', 'EBADFLAGS', 'EBADHINTS'],
    says: { ...noSuchName, permanent: true },
    source: cares,
  },
  // ETIMEOUT is c-ares's, ETIMEDOUT the kernel's.
  {
    codes: [
      'ETIMEOUT',
      'ESERVFAIL',
      'EREFUSED',
      'EFORMERR',
      'ENOTIMP',
      'EBADRESP',
      'EFILE',
      'EDESTRUCTION',
      'ECANCELLED',
      'ENOTINITIALIZED',
      'ELOADIPHLPAPI',
      'EADDRGETNETWORKPARAMS',
    ],
    says: noAnswer,
    source: cares,
  },
  // What would mean the peer in another call means the name server in this one.
  {
    codes: ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EOF', 'ENOMEM', 'EMFILE', 'ENETUNREACH', 'EHOSTUNREACH'],
    at: ['resolve'],
    says: noAnswer,
    source: cares,
  },
  // A `lookup` function that returned something else than addresses.
  {
    codes: ['ERR_INVALID_IP_ADDRESS', 'ERR_INVALID_ADDRESS_FAMILY'],
    says: { ...noSuchName, permanent: true },
    source: 'https://nodejs.org/api/errors.html#err_invalid_ip_address',
  },
]
