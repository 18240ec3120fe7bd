import type { Sender, Sending } from '../attempt/sender.js'
import type { Clock } from '../clock.js'
import { drain } from './drain.js'

/** How an answer that is a Response is read. */
export abstract class ResponseSender implements Sender<Response> {
  abstract send(sending: Sending): Promise<Response>

  status(answer: Response): number {
    return answer.status
  }

  header(answer: Response): (name: string) => string | undefined {
    return (name) => answer.headers.get(name) ?? undefined
  }

  discard(answer: Response, clock: Clock): void {
    if (answer.body !== null && !answer.body.locked) drain(answer.body.getReader(), clock)
  }
}
