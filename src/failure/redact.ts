/** Takes out of a text what must not be logged: credentials, query strings, and the values of telling headers. */

// The texts are not ours, and may be long: quantifiers that could meet themselves are bounded, and begin at the start of
// a word.
const rules: readonly (readonly [RegExp, string])[] = [
  // The user part of a URL, up to the last @ of its authority: a password may hold one that nobody has encoded.
  [/\/\/[^/\s?#]{1,512}@/g, '//'],
  [/(?<![^\s/?#@'"`(=])[^\s/?#@'"`(=:]{1,128}:[^\s/?#@]{1,256}@(?=[\w[])/g, ''],
  [/\?[^\s…]\S*/g, '?…'],
  // A fragment with a value: tokens travel so in redirects.
  [/#[^\s#=]{0,128}=\S*/g, '#…'],
  [/\b([Bb]earer|[Bb]asic|[Dd]igest|[Nn]egotiate) +(?=\S{0,40}[\dA-Z=_-])[^\s,;]{6,}/g, '$1 …'],
  [
    /(?<![\w-])([\w-]{0,40}?(?:authorization|cookie|api[-_]?key|token|secret|passw(?:or)?d)["']?)(\s{0,4}[:=]\s{0,4})[^\n]+/gi,
    '$1$2…',
  ],
]

/**
 * A foreign message or URL, safe to print: `https://user:secret@host/path?token=1` becomes `https://host/path?…`.
 *
 * @param text any text, of any length
 */
export function redactText(text: string): string {
  return rules.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text)
}

/** How much of a foreign text is looked at. */
const readLength = 4000

/**
 * A foreign text as part of one line of a log: redacted, without line breaks or control characters, and not longer
 * than `length`, the mark of the cut included.
 */
export function redactLine(text: string, length: number): string {
  // What is cut off in the middle of a word cannot be recognised, and so not redacted: the word goes with it.
  const whole = text.length > readLength ? text.slice(0, readLength).replace(/\S+$/, '…') : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const line = redactText(whole).replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}

/** A path without its query string and fragment. */
export function redactPath(path: string): string {
  const end = path.search(/[?#]/)
  return end === -1 ? path : path.slice(0, end)
}
