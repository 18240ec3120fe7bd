/**
 * Bare fetch, as it is where nobody has installed undici: which undici fetch sends by is noted in a slot of the global
 * object, and every copy of undici writes its name there when it is loaded. Import this file before anything that
 * imports undici, and call {@link makeBare} after that.
 */

export const bareFetch = globalThis.fetch

await bareFetch('data:,')

export const slots = [1, 2].map((number) => Symbol.for(`undici.globalDispatcher.${number}`))
const builtIn = slots.map((slot) => Reflect.get(globalThis, slot) as object | undefined)

/** Gives the slots back to the undici that is built in. */
export function makeBare(): void {
  for (const [index, slot] of slots.entries())
    if (builtIn[index] !== undefined) Reflect.set(globalThis, slot, builtIn[index])
}
