/**
 * Bare fetch, as it is where nobody has installed undici: importing undici before the first use of fetch would make
 * fetch send by that undici. Import this file before anything that imports undici.
 */

export const bareFetch = globalThis.fetch

await bareFetch('data:,')
