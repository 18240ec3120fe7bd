/** NO_PROXY, word by word. */

import { describe, expect, it } from 'vitest'
import { readNoProxy } from '../../src/policy/no-proxy.js'

/** List, URL, whether it is reached without the proxy. */
const table: readonly (readonly [list: string, url: string, direct: boolean])[] = [
  ['', 'http://example.com', false],
  [' , ,', 'http://example.com', false],
  ['*', 'http://example.com', true],
  ['*', 'http://[::1]', true],
  ['other.com, *', 'http://example.com', true],
  // Names.
  ['example.com', 'http://example.com', true],
  ['example.com', 'http://EXAMPLE.com', true],
  ['EXAMPLE.COM', 'http://example.com', true],
  ['example.com', 'http://api.example.com', true],
  ['example.com', 'http://a.b.example.com', true],
  ['example.com', 'http://notexample.com', false],
  ['example.com', 'http://example.com.evil.org', false],
  ['example.com', 'http://com', false],
  ['.example.com', 'http://example.com', true],
  ['.example.com', 'http://api.example.com', true],
  ['.example.com', 'http://notexample.com', false],
  ['*.example.com', 'http://api.example.com', true],
  ['*.example.com', 'http://example.com', true],
  ['*.example.com', 'http://notexample.com', false],
  ['example.com.', 'http://example.com', true],
  ['example.com', 'http://example.com.', true],
  ['localhost', 'http://localhost', true],
  ['localhost', 'http://127.0.0.1', false],
  // Separators.
  ['a.com,b.com', 'http://b.com', true],
  ['a.com b.com', 'http://b.com', true],
  ['a.com,\tb.com\n', 'http://b.com', true],
  ['a.com,b.com', 'http://c.com', false],
  // Ports.
  ['example.com:8080', 'http://example.com:8080', true],
  ['example.com:8080', 'http://api.example.com:8080', true],
  ['example.com:8080', 'http://example.com', false],
  ['example.com:80', 'http://example.com', true],
  ['example.com:443', 'https://example.com', true],
  ['example.com:80', 'https://example.com', false],
  ['127.0.0.1:9', 'http://127.0.0.1:9', true],
  ['127.0.0.1:9', 'http://127.0.0.1:10', false],
  ['[::1]:9', 'http://[::1]:9', true],
  ['[::1]:9', 'http://[::1]:10', false],
  // Addresses.
  ['127.0.0.1', 'http://127.0.0.1', true],
  ['127.0.0.1', 'http://127.0.0.10', false],
  ['127.0.0.1', 'http://2130706433', true],
  ['0.0.1', 'http://127.0.0.1', false],
  ['::1', 'http://[::1]', true],
  ['[::1]', 'http://[::1]', true],
  ['0:0:0:0:0:0:0:1', 'http://[::1]', true],
  ['::1', 'http://[::2]', false],
  ['10.0.0.1', 'http://[::ffff:10.0.0.1]', true],
  ['10.0.0.0/8', 'http://10.255.0.1', true],
  ['10.0.0.0/8', 'http://11.0.0.1', false],
  ['10.0.0.0/8', 'http://10.example.com', false],
  ['192.168.1.0/25', 'http://192.168.1.127', true],
  ['192.168.1.0/25', 'http://192.168.1.128', false],
  ['0.0.0.0/0', 'http://8.8.8.8', true],
  ['0.0.0.0/0', 'http://[::1]', false],
  ['fd00::/8', 'http://[fd12:3456::1]', true],
  ['fd00::/8', 'http://[fe80::1]', false],
  ['10.0.0.1-10.0.0.9', 'http://10.0.0.5', true],
  ['10.0.0.1-10.0.0.9', 'http://10.0.0.10', false],
  // What is no address is a name, and meets nothing by accident.
  ['10.0.0.0/99', 'http://10.0.0.1', false],
  ['my-host', 'http://my-host', true],
]

describe('NO_PROXY', () => {
  it.each(table)('%j and %s: %s', (list, text, direct) => {
    const url = new URL(text)
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    expect(readNoProxy(list)(url.hostname, port)).toBe(direct)
    expect(readNoProxy(list.split(','))(url.hostname, port)).toBe(direct)
  })
})
