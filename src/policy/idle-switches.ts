/** Switches that can never take effect: somebody relies on them. */

/** Which of `retry.statuses` a switch needs to have any effect. */
const statusesOf: Readonly<Record<string, readonly number[]>> = {
  unsafeOn429: [429],
  unsafeOn503: [503],
  nackHeader: [503],
  trustProxyStatus: [502, 503, 504],
}

/**
 * Refuses switches of the `retry` section that allow what the rest of it rules out.
 *
 * @param path the section's name in messages
 * @throws TypeError that names both options
 */
export function refuseIdleSwitches(
  retry: { readonly optIns: ReadonlySet<string>; readonly statuses: readonly number[]; readonly attempts: number },
  path: string,
): void {
  const { optIns, statuses, attempts } = retry
  for (const optIn of optIns) {
    const needed = statusesOf[optIn]
    if (needed !== undefined && !needed.some((status) => statuses.includes(status)))
      throw new TypeError(`${path}.${optIn} has no effect: ${path}.statuses does not list ${needed.join(' or ')}`)
    // What is repeated for free is no further attempt, and one switch opens such a way.
    if (attempts === 1 && optIn !== 'unsafeOnHttp11Required')
      throw new TypeError(`${path}.${optIn} has no effect: ${path}.attempts is 1, and what it allows is one more`)
  }
}
