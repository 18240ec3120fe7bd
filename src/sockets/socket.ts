/**
 * `offhook/socket`: connections and datagrams below HTTP, with the names and the verdicts of the rest.
 *
 * @packageDocumentation
 */

export type { DatagramEvent, RedialEvent } from '../telemetry/channels.js'
export { type DatagramLine, datagram } from './datagram.js'
export type { DatagramOptions, DatagramRequestOptions, DatagramTimeoutOptions } from './datagram-options.js'
export { dial } from './dial.js'
export type { DialOptions, DialPolicyOptions, DialTimeoutOptions } from './dial-options.js'
export { redial } from './redial.js'
export type {
  FactoryOptions,
  HeartbeatOptions,
  OpenContext,
  RedialOptions,
  RedialPolicyOptions,
  WithTls,
} from './redial-options.js'
