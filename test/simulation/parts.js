// The code under test, as it was built: module by module, so that a fault can be planted into any of them.

const modules = [
  'call/call',
  'origin/origins',
  'wire/undici-connections',
  'wire/socket-record',
  'failure/errors',
  'options',
  'telemetry/channels',
]

/**
 * @param {URL} root the folder that was built into
 * @returns {Promise<import('./history.js').Parts>}
 */
export async function loadParts(root) {
  return Object.assign({}, ...(await Promise.all(modules.map((name) => import(new URL(`${name}.js`, root).href)))))
}
