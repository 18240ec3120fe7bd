/** Reason for a request that a host's fetch makes (a redirect) after its attempt is over. */
export class AttemptOver extends Error {
  override readonly name = 'AttemptOver'
  constructor() {
    super('the attempt was over before this request was sent')
  }
}
