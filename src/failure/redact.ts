/** Takes out of a text what must not be logged: the user part of a URL and every query string. */

const userInfo = /\/\/[^/\s@?#]*@/g
const queryString = /\?[^\s'"`<>)\]}]+/g

/**
 * A foreign message or URL, safe to print: `https://user:secret@host/path?token=1` becomes `https://host/path?…`.
 *
 * @param text any text, of any length
 */
export function redactText(text: string): string {
  return text.replace(userInfo, '//').replace(queryString, '?…')
}

/** A path without its query string and fragment. */
export function redactPath(path: string): string {
  const end = path.search(/[?#]/)
  return end === -1 ? path : path.slice(0, end)
}
