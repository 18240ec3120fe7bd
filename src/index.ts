/**
 * offhook: the HTTP client that tells who hung up, whether the request was heard, and whether it is safe to dial again.
 *
 * @packageDocumentation
 */

export type { CallOptions } from './adapters/call-options.js'
export type { FetchFunction } from './adapters/fetch.js'
export type { FetchBody, FetchInit } from './adapters/fetch-init.js'
export type { RequestBody, RequestFunction, RequestOptions, RequestResult } from './adapters/request.js'
export { type Client, type ClientStats, createClient, fetch, request } from './client.js'
export type { Clock, Timer } from './clock.js'
export { classify } from './diagnosis/classify.js'
export { diagnose } from './diagnosis/diagnose.js'
export type { Hangups, IdleEnds } from './diagnosis/endings.js'
export { explain } from './diagnosis/explain.js'
export type {
  Circumstances,
  RawErrorFacts,
  ReachOutcome,
  SiblingFacts,
  SocketRowFacts,
  TlsFacts,
} from './failure/circumstances.js'
export type { Diagnosis, Hypothesis, Mechanism, Party, Reason, ResetManner, Side } from './failure/diagnosis.js'
export {
  type AnyOffhookError,
  ConnectionClosedError,
  ConnectionRefusedError,
  ConnectionResetError,
  isOffhookError,
  LocalResourceError,
  NameResolutionError,
  NotAdmittedError,
  ProtocolError,
  ProxyError,
  RejectedError,
  StatusError,
  TimeoutError,
  TlsError,
  UnknownNetworkError,
  UnreachableError,
} from './failure/errors.js'
export type {
  AttemptReport,
  ByteCounts,
  ConnectionFacts,
  Decision,
  Evidence,
  ExchangeFacts,
  Http2Facts,
  Limit,
  SocketEnding,
  Timings,
} from './failure/evidence.js'
export type { Delivery, Failure, FailureKind, Phase, RequestClass, StopReason, TlsTrouble } from './failure/kinds.js'
export { OffhookError } from './failure/offhook-error.js'
export type { ClientOptions, Http2Options, TimeoutOptions } from './options.js'
export type { OriginStats } from './origin/origin.js'
export type { BreakerOptions, BreakerState } from './policy/breaker.js'
export type { BudgetSnapshot } from './policy/budget.js'
export type { BudgetOptions, BudgetPreset } from './policy/budget-options.js'
export type { ConcurrencyOptions } from './policy/concurrency.js'
export type { DiagnosisOptions } from './policy/diagnosis-options.js'
export type { HedgeOptions } from './policy/hedge.js'
export type { ProxyOptions } from './policy/proxy-options.js'
export type { BackoffOptions, RetryOptions } from './policy/retry-options.js'
export type { ReuseLimits } from './policy/reuse.js'
export type { ThrottleOptions } from './policy/throttle.js'
export type { AttemptEvent, CallEvent, ConnectionEvent, DecisionEvent } from './telemetry/channels.js'
