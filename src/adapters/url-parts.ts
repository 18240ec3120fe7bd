/**
 * The origin of a URL as a slice of the one string that it keeps: its getter joins a new one on each call, which whoever
 * looks it up has to read through.
 */
export function originOf(url: URL): string {
  const { href } = url
  const origin = href.slice(0, href.indexOf('/', 'https://'.length))
  return origin.includes('@') ? url.origin : origin
}

/** What a request asks for: the path with the query. */
export function pathOf({ pathname, search }: URL): string {
  return search === '' ? pathname : `${pathname}${search}`
}
