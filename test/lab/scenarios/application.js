// The peer's application hangs up, dies, or does not answer.

import { application, post } from './scenario.js'

/** @typedef {import('./scenario.js').Scenario} Scenario */

/** @type {Scenario[]} */
export const applicationScenarios = [
  {
    name: 'app-reset-busy',
    says: 'the handler resets a busy connection (linger 0) while it works on the request',
    label: application('rst', 'peer-application-aborted', 'rst after the request'),
    quick: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      return caller.call(far.url(`/reset?ms=${30 + 60 * stage.spread}`), post)
    },
  },
  {
    name: 'app-reset-fresh',
    says: 'the handler resets a fresh connection (linger 0) while it works on the first request',
    label: application('rst', 'peer-application-aborted', 'rst after the request'),
    alone: true,
    provoke: (stage, { far, caller }) => caller.call(far.url(`/reset?ms=${30 + 60 * stage.spread}`), post),
  },
  {
    name: 'app-reset-at-once',
    says: 'the handler resets the connection as soon as it has read the request',
    label: application(
      'rst',
      'peer-application-aborted',
      'rst one round trip after the request',
      'rst on busy reuse, at once',
    ),
    provoke: async (_, { far, caller }) => {
      await caller.good(far.url())
      return caller.call(far.url('/reset'), post)
    },
  },
  {
    name: 'app-closes-unread',
    says: 'the handler closes with the upload unread, without an answer',
    label: application('rst', 'peer-rejected-early', 'rst in an upload'),
    provoke: (_, { far, caller }) => caller.call(far.url('/unread'), { method: 'POST', bodyBytes: 4_000_000 }),
  },
  {
    name: 'app-413-early',
    says: 'the server answers 413 and closes while the upload is coming in; the answer is lost in the reset',
    label: application(['rst', 'fin-then-rst', 'fin'], 'peer-rejected-early', 'rst in an upload'),
    provoke: (_, { far, caller }) => caller.call(far.url('/early'), { method: 'POST', bodyBytes: 12_000_000 }),
  },
  {
    name: 'app-closes-silently',
    says: 'the handler closes the connection (FIN) instead of answering',
    label: application('fin', 'peer-application-aborted', 'fin instead of an answer'),
    quick: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      return caller.call(far.url(`/fin?ms=${30 * stage.spread}`), post)
    },
  },
  {
    name: 'app-resets-on-accept',
    says: 'the application resets every connection as soon as it has accepted it',
    label: application('rst', 'peer-application-aborted', 'rst on accept'),
    alone: true,
    far: () => ({ onConnect: 'reset' }),
    provoke: (_, { far, caller }) => caller.call(far.url(), post),
  },
  {
    name: 'app-reset-mid-body',
    says: 'the handler resets the connection in the middle of its answer',
    label: application('rst', 'peer-application-aborted', 'rst in an answer'),
    quick: true,
    provoke: (_, { far, caller }) => caller.call(far.url('/part?by=rst')),
  },
  {
    name: 'app-fin-mid-body',
    says: 'the handler closes the connection in the middle of its answer',
    label: application('fin', 'peer-application-aborted', 'fin in an answer'),
    provoke: (_, { far, caller }) => caller.call(far.url('/part?by=fin')),
  },
  {
    name: 'killed-mid-answer',
    says: 'kill -9 in the middle of an answer',
    label: application('fin', 'peer-process-gone', 'fin in an answer'),
    provoke: (_, { far, caller }) => caller.call(far.url('/part?by=die'), { options: { retry: false } }),
  },
  {
    name: 'killed-at-work',
    says: 'kill -9 while the request is being worked on; nobody restarts it',
    label: application('fin', 'peer-process-gone', 'fin instead of an answer'),
    provoke: async (_, { far, caller }) => {
      await caller.good(far.url())
      return caller.call(far.url('/die?ms=30'), post)
    },
  },
  {
    name: 'killed-with-unread-bytes',
    says: 'kill -9 of a process that has not read the request',
    label: application('rst', 'peer-process-gone', 'rst after the request'),
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await far.kill('SIGSTOP')
      const call = caller.call(far.url(), post)
      await stage.wait(stage.roundTripMs + 120)
      await far.kill('SIGKILL')
      return call
    },
  },
  {
    name: 'killed-idle',
    says: 'kill -9 between two requests; the next connection finds nobody',
    label: application('refused', 'peer-process-gone', 'refused where it had been accepted'),
    quick: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await far.kill('SIGKILL')
      await stage.wait(stage.roundTripMs + 50)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'restarted',
    says: 'kill -9 with ten requests under way, and a new process on the same port at once',
    label: application('fin', 'peer-process-gone', 'fin on all connections at once'),
    provoke: async (stage, { far, caller }) => {
      const calls = Array.from({ length: 10 }, () => caller.call(far.url('/ok?ms=3000'), post))
      await stage.wait(2 * stage.roundTripMs + 600)
      await far.kill('SIGKILL')
      await stage.far({ port: far.port })
      return /** @type {Promise<import('../stage.js').Outcome>} */ (calls.at(-1))
    },
  },
  {
    name: 'app-hangs',
    says: 'the application reads the request and never answers',
    label: application('silence', 'peer-application-silent', 'silence, acknowledged'),
    quick: true,
    provoke: (_, { far, caller }) => caller.call(far.url('/hang'), post),
  },
  {
    name: 'app-too-slow',
    says: 'the application answers, but later than the limit allows',
    label: application('silence', 'peer-application-silent', 'silence, acknowledged'),
    provoke: async (_, { far, caller }) => {
      await caller.good(far.url())
      return caller.call(far.url('/ok?ms=2500'), post)
    },
  },
  {
    name: 'app-stopped',
    says: 'the process is stopped (SIGSTOP, a debugger, a frozen container): its kernel acknowledges, it does not read',
    label: application('silence', 'peer-application-silent', 'silence, acknowledged'),
    provoke: async (_, { far, caller }) => {
      await caller.good(far.url())
      await far.kill('SIGSTOP')
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'app-stopped-fresh',
    says: 'the process is stopped; its kernel still makes the connection for it',
    label: application('silence', 'peer-application-silent', 'silence, acknowledged'),
    alone: true,
    provoke: async (_, { far, caller }) => {
      await far.kill('SIGSTOP')
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'app-hangs-mid-body',
    says: 'the application stops in the middle of its answer',
    label: application('silence', 'peer-application-silent', 'silence in an answer, the host lives'),
    provoke: (_, { far, caller }) => caller.call(far.url('/part?by=hang'), { options: { retry: false } }),
  },
  {
    name: 'app-never-reads',
    says: 'the application accepts and never reads, so that a large upload fills its window',
    label: application('silence', 'peer-application-silent', 'silence, the window closed'),
    alone: true,
    far: () => ({ onConnect: 'hold' }),
    provoke: (_, { far, caller }) => caller.call(far.url(), { method: 'POST', bodyBytes: 12_000_000 }),
  },
  {
    name: 'app-closes-on-accept',
    says: 'the application closes every connection (FIN) as soon as it has accepted it',
    label: application(['fin', 'fin-then-rst', 'rst'], 'peer-application-aborted', 'fin on accept'),
    alone: true,
    far: () => ({ onConnect: 'fin' }),
    provoke: (_, { far, caller }) => caller.call(far.url(), post),
  },
  {
    name: 'killed-in-upload',
    says: 'kill -9 of a process that has part of an upload unread',
    label: application('rst', 'peer-process-gone', 'rst in an upload'),
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await far.kill('SIGSTOP')
      const call = caller.call(far.url(), { method: 'POST', bodyBytes: 12_000_000 })
      await stage.wait(2 * stage.roundTripMs + 250)
      await far.kill('SIGKILL')
      return call
    },
  },
  {
    name: 'greets-in-another-protocol',
    says: 'a mail server listens on the port and greets',
    label: application('app-protocol', ['peer-speaks-otherwise', 'peer-said-no'], 'not HTTP'),
    alone: true,
    far: () => ({ onConnect: 'junk' }),
    provoke: (_, { far, caller }) => caller.call(far.url(), post),
  },
  {
    name: 'another-protocol',
    says: 'something that is no HTTP server listens on the port',
    label: application('app-protocol', ['peer-speaks-otherwise', 'peer-said-no'], 'not HTTP'),
    quick: true,
    provoke: (_, { far, caller }) => caller.call(far.url('/junk'), post),
  },
]
