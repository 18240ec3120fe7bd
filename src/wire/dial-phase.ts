/** Where the dial is, or was when it failed. */
export type DialPhase = 'dns' | 'connect' | 'proxy' | 'tls' | 'open'
