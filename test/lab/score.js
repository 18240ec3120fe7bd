// What the diagnoses of the lab are worth: hits, Brier scores, calibration, and whom they blame. Pure.
//
// The party is what is scored as a distribution: it is what a person asks for, and several stories may share it.

/** @typedef {import('../../src/failure/diagnosis.js').Party} Party */
/** @typedef {import('../../src/failure/diagnosis.js').Diagnosis} Diagnosis */
/** @typedef {import('./scenarios/scenario.js').Label} Label */
/** @typedef {Partial<Record<Party, number>>} Parties */

/**
 * One trial, judged.
 *
 * @typedef {object} Verdict
 * @property {string} scenario
 * @property {Label} label
 * @property {boolean} mechanism Named right.
 * @property {boolean} story The likeliest story is the true one, or the true one is among those said to look the same.
 * @property {Parties} parties What was said.
 * @property {Parties} byMessage What the error's message and code alone suggest.
 * @property {Party | undefined} claimed The party that was named as the culprit, if one was.
 */

/**
 * @typedef {object} Score
 * @property {number} trials
 * @property {number} mechanism Share named right.
 * @property {number} story Share whose class of stories holds the truth.
 * @property {number} party Share whose likeliest party is the true one.
 * @property {number} brier
 * @property {number} best The Brier score of one who knows the lab's own frequencies within every `looks`, and no more.
 * @property {number} calibration Expected calibration error of the likeliest party, ten bins of equal mass.
 * @property {number} claimed Share in which a culprit was named at all.
 * @property {number} claimedRight Share of those in which it was the true one.
 * @property {number} thirdBlamed Share of failures by the peer's application or ourselves for which a third party was named.
 */

/** Those who are neither the peer nor ourselves. */
const thirdParties = /** @type {readonly string[]} */ (['path', 'proxy', 'name-service'])
const ourselves = /** @type {readonly string[]} */ (['peer-application', 'local-host', 'self'])

/**
 * @param {Pick<Diagnosis, 'hypotheses'> | undefined} diagnosis
 * @returns {Parties}
 */
export function partiesOf(diagnosis) {
  /** @type {Parties} */
  const parties = {}
  for (const { party, probability } of diagnosis?.hypotheses ?? []) {
    parties[party] = (parties[party] ?? 0) + probability
  }
  return parties
}

/**
 * @param {Parties} parties
 * @returns {[Party | undefined, number]}
 */
function likeliest(parties) {
  const entries = /** @type {[Party, number][]} */ (Object.entries(parties))
  return entries.reduce((best, entry) => (entry[1] > best[1] ? entry : best), /** @type {any} */ ([undefined, 0]))
}

/**
 * The sum over all parties of (said − true)²: 0 is certain and right, 2 certain and wrong.
 *
 * @param {Parties} parties
 * @param {Party} truth
 */
export function brier(parties, truth) {
  let sum = (1 - (parties[truth] ?? 0)) ** 2
  for (const [party, said] of Object.entries(parties)) {
    if (party !== truth) sum += said ** 2
  }
  return sum
}

/**
 * @param {Verdict[]} verdicts
 * @param {(verdict: Verdict) => Parties} says Whose answers are scored.
 */
export function answersOf(verdicts, says) {
  return {
    party: mean(verdicts, (verdict) => Number(likeliest(says(verdict))[0] === verdict.label.party)),
    brier: mean(verdicts, (verdict) => brier(says(verdict), verdict.label.party)),
    thirdBlamed: mean(
      verdicts.filter(({ label }) => ourselves.includes(label.party)),
      (verdict) => {
        const [party, probability] = likeliest(says(verdict))
        return Number(probability >= 0.6 && thirdParties.includes(String(party)))
      },
    ),
  }
}

/**
 * @param {Verdict[]} verdicts
 * @param {Verdict[]} [among] All of the lab's, by which the best achievable is reckoned.
 * @returns {Score}
 */
export function scoreOf(verdicts, among = verdicts) {
  const { party, brier: score } = answersOf(verdicts, ({ parties }) => parties)
  const best = bestAchievable(among)
  const claims = verdicts.filter(({ claimed }) => claimed !== undefined)
  const innocent = verdicts.filter(({ label }) => ourselves.includes(label.party))
  return {
    trials: verdicts.length,
    mechanism: mean(verdicts, ({ mechanism }) => Number(mechanism)),
    story: mean(verdicts, ({ story }) => Number(story)),
    party,
    brier: score,
    best: mean(verdicts, (verdict) => brier(best.get(verdict.label.looks) ?? {}, verdict.label.party)),
    calibration: calibrationError(verdicts),
    claimed: mean(verdicts, ({ claimed }) => Number(claimed !== undefined)),
    claimedRight: mean(claims, ({ claimed, label }) => Number(claimed === label.party)),
    thirdBlamed: mean(innocent, ({ claimed }) => Number(claimed !== undefined && thirdParties.includes(claimed))),
  }
}

/**
 * Within what looks the same nobody can do better than to know how often each party is behind it.
 *
 * @param {Verdict[]} verdicts
 * @returns {Map<string, Parties>}
 */
export function bestAchievable(verdicts) {
  /** @type {Map<string, Label[]>} */
  const groups = new Map()
  for (const { label } of verdicts) groups.set(label.looks, [...(groups.get(label.looks) ?? []), label])
  return new Map(
    [...groups].map(([looks, labels]) => {
      /** @type {Parties} */
      const parties = {}
      for (const { party } of labels) parties[party] = (parties[party] ?? 0) + 1 / labels.length
      return [looks, parties]
    }),
  )
}

/** @param {Verdict[]} verdicts */
export function calibrationBins(verdicts) {
  const sorted = verdicts
    .map(({ parties, label }) => {
      const [party, probability] = likeliest(parties)
      return { probability, right: Number(party === label.party) }
    })
    .sort((one, other) => one.probability - other.probability)
  const bins = Math.min(10, sorted.length)
  return Array.from({ length: bins }, (_, bin) => {
    const from = Math.round((bin * sorted.length) / bins)
    const members = sorted.slice(from, Math.round(((bin + 1) * sorted.length) / bins))
    return {
      trials: members.length,
      said: mean(members, ({ probability }) => probability),
      right: mean(members, ({ right }) => right),
    }
  })
}

/** @param {Verdict[]} verdicts */
function calibrationError(verdicts) {
  const weighed = calibrationBins(verdicts).map(({ trials, said, right }) => trials * Math.abs(said - right))
  return weighed.reduce((sum, part) => sum + part, 0) / Math.max(1, verdicts.length)
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => number} value
 */
function mean(items, value) {
  return items.length === 0 ? Number.NaN : items.reduce((sum, item) => sum + value(item), 0) / items.length
}
