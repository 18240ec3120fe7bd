/** The parser of the Redis protocol comes without types. */
declare module 'redis-parser' {
  export default class Parser {
    constructor(options: { returnReply(reply: unknown): void; returnError(error: Error): void })
    execute(bytes: Buffer): void
  }
}
