/**
 * Texts that tell by themselves whose they are and how long they have to be: no part of one, and no mixture of two, is such a
 * text. Both sides make them from the same two words.
 */

const filler = 'abcdefghijklmnopqrstuvwxyz'

/** No text is shorter than its own first line. */
export const shortestText = 32

/**
 * @param {string} owner
 * @param {number} bytes at least {@link shortestText}
 */
export function knownText(owner, bytes) {
  const head = `${owner} ${bytes} `
  const from = owner.length
  return head + filler.repeat(Math.ceil(bytes / filler.length) + 1).slice(from, from + bytes - head.length)
}

/**
 * What is wrong with a text, in words; undefined for one that is whole.
 *
 * @param {string} text
 * @param {string} owner whose it has to be
 */
export function faultOf(text, owner) {
  const [found, bytes] = text.slice(0, 64).split(' ')
  if (found !== owner)
    return `${text.length} bytes that are not of ${owner} but begin ${JSON.stringify(text.slice(0, 40))}`
  if (Number(bytes) !== text.length) return `${text.length} bytes of ${bytes}`
  return text === knownText(owner, text.length)
    ? undefined
    : `${text.length} bytes, some of which are not as they were sent`
}
