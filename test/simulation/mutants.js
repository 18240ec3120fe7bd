// Faults that are planted into the built code, one at a time: the proof that the judge can fail. Each is a slip that
// somebody could make.

/** @type {readonly { name: string, file: string, from: string, to: string }[]} */
export const mutants = [
  {
    name: 'unsafe requests are repeated after a lost connection',
    file: 'policy/decision-row.js',
    from: "ifHarmless = { idempotent: 'C', keyed: 'C', unsafe: 'never' }",
    to: "ifHarmless = { idempotent: 'C', keyed: 'C', unsafe: 'C' }",
  },
  {
    name: 'one attempt more than allowed',
    file: 'policy/retry.js',
    from: 'question.attempts >= policy.attempts',
    to: 'question.attempts > policy.attempts',
  },
  {
    name: 'a transparent retry counts as none, for ever',
    file: 'policy/retry.js',
    from: 'question.transparent >= mostTransparentRetries',
    to: 'question.transparent >= 1_000',
  },
  {
    name: 'it sleeps into the deadline',
    file: 'policy/decision-table.js',
    from: 'waitMs >= question.remainingMs',
    to: 'waitMs >= question.remainingMs + 1_000',
  },
  {
    name: 'comes back before the server wants it to',
    file: 'policy/retry.js',
    from: 'if (asked === undefined)',
    to: 'if (asked !== undefined || asked === undefined)',
  },
  {
    name: 'retries that nobody paid for',
    file: 'call/call.js',
    from: 'verdict.cost === 0 || ',
    to: 'verdict.cost === 0 || true || ',
  },
  {
    name: 'throttled retries at another price than the budget says',
    file: 'call/call.js',
    from: 'throttleCost: this.#tries.origin.budget.throttleCost,',
    to: '',
  },
  {
    name: 'a refund of more than was paid',
    file: 'policy/budget.js',
    from: 'this.#reserve += room;',
    to: 'this.#reserve += 2 * room;',
  },
  {
    name: 'the window of the budget never ends',
    file: 'policy/window.js',
    from: 'const steps = ',
    to: 'if (this.#reached > 0) return; const steps = ',
  },
  {
    name: 'the gate lets in one too many',
    file: 'policy/concurrency.js',
    from: 'this.#inFlight < this.limit)',
    to: 'this.#inFlight <= this.limit)',
  },
  {
    name: 'whoever gives up in the gate keeps the place',
    file: 'origin/gate.js',
    from: "this.leave('ignored')",
    to: 'undefined',
  },
  {
    name: 'a breaker that lets everything through',
    file: 'policy/breaker.js',
    from: "extra || this.#settings.breaks === 'all' ? 'refuse' : 'pass'",
    to: "'pass'",
  },
  {
    name: 'a breaker that closes when its probe fails',
    file: 'policy/breaker.js',
    from: "outcome === 'success' || outcome === 'answered') {\n            this.#openForMs = 0",
    to: "outcome !== 'ignored') {\n            this.#openForMs = 0",
  },
  {
    name: 'a probe that never reports',
    file: 'call/tries.js',
    from: "this.origin.report('ignored', pass);\n        return outcome",
    to: 'return outcome',
  },
  {
    name: 'a hedge after the end of its call',
    file: 'call/tries.js',
    from: ' || this.#context.ending.ended !== undefined)\n            return false',
    to: ')\n            return false',
  },
  {
    name: 'unsafe requests are hedged',
    file: 'call/tries.js',
    from: "spec.requestClass === 'unsafe'",
    to: 'false',
  },
  {
    name: 'the surer verdict of two attempts is lost',
    file: 'call/hedged-try.js',
    from: 'heardness(outcome, race) >= heardness(failed.outcome, race)',
    to: 'heardness(outcome, race) < heardness(failed.outcome, race)',
  },
  {
    name: 'the deadline leaves its timer behind',
    file: 'call/ending.js',
    from: 'this.#clock.cancel(this.#timer);',
    to: '',
  },
  {
    name: 'the signal keeps its listener',
    file: 'call/ending.js',
    from: 'stopHearing(this.#signal, this.#onAbort)',
    to: 'undefined',
  },
  {
    name: 'the wait does not hear the abort',
    file: 'call/ending.js',
    from: 'await Promise.race([something, woken])',
    to: 'await something',
  },
  {
    name: 'an answer that is not wanted is left lying',
    file: 'call/call.js',
    from: 'this.#spec.sender.discard(outcome.answer, this.#host.clock)',
    to: 'undefined',
  },
  {
    name: 'an attempt is left out of the report',
    file: 'call/record.js',
    from: 'this.attempts.push(report(',
    to: 'if (this.attempts.length !== 1) this.attempts.push(report(',
  },
  {
    name: 'what was written is called unsent',
    file: 'diagnosis/classify.js',
    from: "started === true ? 'unknown' : shape",
    to: "started === true ? 'unsent' : shape",
  },
  {
    name: 'an inner call is multiplied',
    file: 'policy/decision-table.js',
    from: "signals?.stop === true || failure.advice === 'do-not-retry'",
    to: 'signals?.stop === true',
  },
]
