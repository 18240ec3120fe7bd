/**
 * The certificates of the rude server. **Their private keys are public**: they are printed below and in every copy of this
 * package. They are for tests on loopback only. Trust the authority by handing {@link TEST_CA} to one client
 * (`tls.connect({ ca })`, `new Agent({ connect: { ca } })`); never install it on a machine.
 *
 * EC P-256, made with openssl; valid until 2120, save for the one that is expired.
 */

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/**
 * | name | what it is |
 * |---|---|
 * | `'good'` | signed by the test authority for localhost, 127.0.0.1 and ::1 |
 * | `'expired'` | the same, but its time was over on 1 February 2020 |
 * | `'wrong-name'` | signed by the test authority, for somewhere-else.test |
 * | `'self-signed'` | the right names, but signed by itself |
 */
export type CertificateName = 'good' | 'expired' | 'wrong-name' | 'self-signed'

/**
 * The authority that signed `'good'`, `'expired'` and `'wrong-name'`, PEM; also `server.ca`.
 *
 * @example
 * ```ts
 * import { connect } from 'node:tls'
 * import { rudeServer, TEST_CA } from 'offhook/testing'
 *
 * await using server = await rudeServer({ tls: true })
 * const socket = connect({ port: server.port, host: server.host, ca: TEST_CA })
 * socket.destroy()
 * ```
 */
export const TEST_CA = `-----BEGIN CERTIFICATE-----
MIIB3DCCAYKgAwIBAgICEAAwCgYIKoZIzj0EAwIwVDFAMD4GA1UEAww3b2ZmaG9v
ayB0ZXN0IENBIChrZXkgaXMgcHVibGljLCB0cnVzdCBpdCBpbiB0ZXN0cyBvbmx5
KTEQMA4GA1UECgwHb2ZmaG9vazAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAw
MDAwMFowVDFAMD4GA1UEAww3b2ZmaG9vayB0ZXN0IENBIChrZXkgaXMgcHVibGlj
LCB0cnVzdCBpdCBpbiB0ZXN0cyBvbmx5KTEQMA4GA1UECgwHb2ZmaG9vazBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABJOZyKxncuVnHYASngKD2hzlzBns+rZO7BkR
p3u+DrvJbd7RT9Y2yCrSzu0u36W+rsKXr6R6Ii1eRFIFY0p5afujQjBAMA8GA1Ud
EwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBSXOwP31ba6cXz0
Mb+XEEiiGrPVdTAKBggqhkjOPQQDAgNIADBFAiEAodKtp/tVndMNLpPdbUThm61d
gwuBsiO2U8QzFRkOrukCIDZJR33mtrzWnkln51trQ2ildGuPmDv0HHMbUz0HfWmv
-----END CERTIFICATE-----
`

/** The built-in certificates by name. */
export const certificates: Readonly<Record<CertificateName, KeyPair>> = {
  good: {
    cert: `-----BEGIN CERTIFICATE-----
MIICETCCAbegAwIBAgICEAEwCgYIKoZIzj0EAwIwVDFAMD4GA1UEAww3b2ZmaG9v
ayB0ZXN0IENBIChrZXkgaXMgcHVibGljLCB0cnVzdCBpdCBpbiB0ZXN0cyBvbmx5
KTEQMA4GA1UECgwHb2ZmaG9vazAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAw
MDAwMFowJjESMBAGA1UEAwwJbG9jYWxob3N0MRAwDgYDVQQKDAdvZmZob29rMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdQvjgl+G7P1XC7sIWLPDx59fEp7ed72i
edlBvkXkcRpw7kupu6MGdaLmMxLVmkaxM6EY+IR0BR2DyyPifBSBSqOBpDCBoTAM
BgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcD
ATAsBgNVHREEJTAjgglsb2NhbGhvc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEw
HQYDVR0OBBYEFNyzWGa3QuPSymgzsjvfuiNKEiDpMB8GA1UdIwQYMBaAFJc7A/fV
trpxfPQxv5cQSKIas9V1MAoGCCqGSM49BAMCA0gAMEUCIQD9T1dgTHjNy40bQ55R
IN3VvgIkOElMwNKXMRNMAhaK2AIgby741e7EZXDh56LSaz2yetT7w7IRbLQtZS26
L0uBDss=
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0Sjq/Z4gelPJ1GJl
jlG3kP9UmOsgCVtY0MLFcwMoL+6hRANCAAR1C+OCX4bs/VcLuwhYs8PHn18Snt53
vaJ52UG+ReRxGnDuS6m7owZ1ouYzEtWaRrEzoRj4hHQFHYPLI+J8FIFK
-----END PRIVATE KEY-----
`,
  },
  expired: {
    cert: `-----BEGIN CERTIFICATE-----
MIICDjCCAbWgAwIBAgICEAIwCgYIKoZIzj0EAwIwVDFAMD4GA1UEAww3b2ZmaG9v
ayB0ZXN0IENBIChrZXkgaXMgcHVibGljLCB0cnVzdCBpdCBpbiB0ZXN0cyBvbmx5
KTEQMA4GA1UECgwHb2ZmaG9vazAeFw0yMDAxMDEwMDAwMDBaFw0yMDAyMDEwMDAw
MDBaMCYxEjAQBgNVBAMMCWxvY2FsaG9zdDEQMA4GA1UECgwHb2ZmaG9vazBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABL9zGqXNh4klV/KZN+cp9PvTwC29vA2irmRx
5okVB2nvuajQTYdSQpa8gUyLFnFzRA8+iTYuSaCUe5OjdnIA+B2jgaQwgaEwDAYD
VR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwEw
LAYDVR0RBCUwI4IJbG9jYWxob3N0hwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMB0G
A1UdDgQWBBQA4Dk9EK5mESSutCthn9kDKqDzGjAfBgNVHSMEGDAWgBSXOwP31ba6
cXz0Mb+XEEiiGrPVdTAKBggqhkjOPQQDAgNHADBEAiBANreLyh0J2Ym5dj0NZrwg
13Zf3tx4fbhf5E4Z7ui8SQIgRVCCHQrsFN36CD5gqsEDfR0xt0vUK2YuRdDrZVse
nJY=
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0etf3uREO8bQDXG5
/K1t/bju4cKtvCfPP9cblVtjO9ChRANCAAS/cxqlzYeJJVfymTfnKfT708AtvbwN
oq5kceaJFQdp77mo0E2HUkKWvIFMixZxc0QPPok2LkmglHuTo3ZyAPgd
-----END PRIVATE KEY-----
`,
  },
  'wrong-name': {
    cert: `-----BEGIN CERTIFICATE-----
MIICDTCCAbOgAwIBAgICEAMwCgYIKoZIzj0EAwIwVDFAMD4GA1UEAww3b2ZmaG9v
ayB0ZXN0IENBIChrZXkgaXMgcHVibGljLCB0cnVzdCBpdCBpbiB0ZXN0cyBvbmx5
KTEQMA4GA1UECgwHb2ZmaG9vazAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAw
MDAwMFowMDEcMBoGA1UEAwwTc29tZXdoZXJlLWVsc2UudGVzdDEQMA4GA1UECgwH
b2ZmaG9vazBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLMJpfdkX1Jbm3TtKMKC
EyJtuArUPT8Muc2w9Qq461FvXY6i4ADvgJY+KNYzI4EQeSgzdEltQEW6CWM8hhm4
rTKjgZYwgZMwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAww
CgYIKwYBBQUHAwEwHgYDVR0RBBcwFYITc29tZXdoZXJlLWVsc2UudGVzdDAdBgNV
HQ4EFgQUkITkiXSXMN3vQsZ5av/1lO6CQHQwHwYDVR0jBBgwFoAUlzsD99W2unF8
9DG/lxBIohqz1XUwCgYIKoZIzj0EAwIDSAAwRQIga3UQJGCfQbI85IWw/e7CMGPv
3PBGdQBbqkDvegSZNG0CIQDc5VH/+tZKUJK2hAtkY9CKfeJw0KCwz0IZwkWO6rA8
lA==
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSe0FI8AnarDBb5If
1cWbFzPWDrrY16Mupj04mC51kd+hRANCAASzCaX3ZF9SW5t07SjCghMibbgK1D0/
DLnNsPUKuOtRb12OouAA74CWPijWMyOBEHkoM3RJbUBFugljPIYZuK0y
-----END PRIVATE KEY-----
`,
  },
  'self-signed': {
    cert: `-----BEGIN CERTIFICATE-----
MIIBwzCCAWigAwIBAgICEAQwCgYIKoZIzj0EAwIwJjESMBAGA1UEAwwJbG9jYWxo
b3N0MRAwDgYDVQQKDAdvZmZob29rMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAx
MDAwMDAwWjAmMRIwEAYDVQQDDAlsb2NhbGhvc3QxEDAOBgNVBAoMB29mZmhvb2sw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATTqZE/X47qV+VZp4xZE8mL1vBW3FLC
OTVv1GordMbjYvR/yWrhjip0s1WYJ9HrRHg41Ou6Fg0lNfM3NLslLHPWo4GDMIGA
MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUF
BwMBMCwGA1UdEQQlMCOCCWxvY2FsaG9zdIcEfwAAAYcQAAAAAAAAAAAAAAAAAAAA
ATAdBgNVHQ4EFgQUGJaG4VDE8/dRJpxiHY3J5NNi2u8wCgYIKoZIzj0EAwIDSQAw
RgIhAMU9cQDqeAoa8BEip2QpL0PQBP+q9dEcf0382I0zi000AiEAyIuFQ1dl2ISe
3+NSNPIph7vex4Q64uUJr8T3aXauNnw=
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnY7k3zPY1sGXuwqu
hwRh+wzxh604BcuYIFTDmAfWXuChRANCAATTqZE/X47qV+VZp4xZE8mL1vBW3FLC
OTVv1GordMbjYvR/yWrhjip0s1WYJ9HrRHg41Ou6Fg0lNfM3NLslLHPW
-----END PRIVATE KEY-----
`,
  },
}
