// What a budget and a limit on concurrency are meant to do, written once more and as simply as can be: lists and sums.

const unit = 1_000_000
/** @param {number} amount */
const micro = (amount) => Math.round(amount * unit)

/** The retry budget: every deposit of the window in a list, with the slot that it was made in. */
export class BudgetModel {
  /** @type {import('../../src/policy/budget-options.js').BudgetSettings} */
  #numbers
  /** @type {{ slot: number, amount: number }[]} */
  #deposits = []
  #slot = Number.NEGATIVE_INFINITY
  #reserve
  #paid = 0
  #allowed
  #allowedAt = Number.NEGATIVE_INFINITY

  /** @param {import('../../src/policy/budget-options.js').BudgetSettings} numbers */
  constructor(numbers) {
    this.#numbers = numbers
    this.#reserve = micro(numbers.reserve)
    this.#allowed = micro((numbers.perSecond * numbers.windowMs) / 1000)
  }

  /** @param {number} now */
  success(now) {
    this.#deposit(now, micro(this.#numbers.ratio))
    this.#reserve = Math.min(micro(this.#numbers.reserve), this.#reserve + micro(this.#numbers.refill))
  }

  failure() {
    this.#reserve = Math.max(0, this.#reserve - micro(this.#numbers.failureCost))
  }

  /**
   * @param {number} now
   * @param {number} cost
   */
  grants(now, cost) {
    const { unlimited, retryCost, threshold } = this.#numbers
    if (unlimited) return true
    const price = micro(cost * retryCost)
    const level = this.level(now)
    if (price > level || (threshold > 0 && level <= micro(threshold))) return false
    this.#paid += price
    let left = price
    for (const deposit of this.#deposits) {
      const part = Math.min(deposit.amount, left)
      deposit.amount -= part
      left -= part
    }
    const allowed = Math.min(this.#allowed, left)
    this.#allowed -= allowed
    this.#reserve -= left - allowed
    return true
  }

  /**
   * @param {number} now
   * @param {number} cost
   */
  refund(now, cost) {
    const { refund, unlimited, retryCost, retriesEarn, ratio, refill } = this.#numbers
    if (!refund || unlimited) return
    const owed = Math.min(micro(cost * retryCost), this.#paid)
    this.#paid -= owed
    const due = retriesEarn ? owed : Math.max(0, owed - micro(ratio) - micro(refill))
    const room = Math.min(due, micro(this.#numbers.reserve) - this.#reserve)
    this.#reserve += room
    if (ratio > 0) this.#deposit(now, due - room)
  }

  /** @param {number} now */
  level(now) {
    const { perSecond, windowMs } = this.#numbers
    this.#moveTo(now)
    if (perSecond > 0 && now > this.#allowedAt) {
      const most = micro((perSecond * windowMs) / 1000)
      this.#allowed = Math.min(most, this.#allowed + (now - this.#allowedAt) * (micro(perSecond) / 1000))
      this.#allowedAt = now
    }
    return this.#deposits.reduce((sum, { amount }) => sum + amount, 0) + this.#reserve + this.#allowed
  }

  /**
   * @param {number} now
   * @param {number} amount
   */
  #deposit(now, amount) {
    if (!(amount > 0)) return
    this.#moveTo(now)
    this.#deposits.push({ slot: this.#slot, amount })
  }

  /** Ten slots make a window; they stand on the clock, whoever looks at it and when. */
  #moveTo(/** @type {number} */ now) {
    this.#slot = Math.max(this.#slot, Math.floor(now / (this.#numbers.windowMs / 10)))
    this.#deposits = this.#deposits.filter(({ slot }) => slot > this.#slot - 10)
  }
}

/** The limit on concurrency: more by one for a success at half or more of it, a part of it for a timeout or an overload. */
export class LimitModel {
  #numbers
  #limit
  inside = 0
  waiting = 0

  /** @param {import('../../src/policy/concurrency.js').ConcurrencySettings} numbers */
  constructor(numbers) {
    this.#numbers = numbers
    this.#limit = numbers.initial
  }

  get places() {
    return Math.floor(this.#limit)
  }

  enter() {
    if (this.waiting === 0 && this.inside < this.places) {
      this.inside++
      return 'enter'
    }
    if (this.waiting >= this.#numbers.queue) return 'refuse'
    this.waiting++
    return 'queue'
  }

  next() {
    if (this.waiting === 0 || this.inside >= this.places) return false
    this.waiting--
    this.inside++
    return true
  }

  /** @param {string} outcome */
  leave(outcome) {
    const { min, max, backoff } = this.#numbers
    if (outcome === 'timeout' || outcome === 'overload') this.#limit = Math.max(min, this.#limit * backoff)
    else if (outcome === 'success' && this.inside >= this.#limit / 2) this.#limit = Math.min(max, this.#limit + 1)
    this.inside--
  }
}
