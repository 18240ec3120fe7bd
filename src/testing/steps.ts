import { Buffer } from 'node:buffer'
import { composeAnswer } from './answer.js'
import { type Exchange, writePieces, writeRepeatedly } from './exchange.js'
import { HungUp, type Line } from './line.js'
import { type Act, ALERTS, type AlertName, type Step } from './script.js'

/** Where steps are done. */
export interface Scene {
  readonly line: Line
  /** The request that the stage `request` is about. */
  readonly exchange?: Exchange
  /** How many requests this connection has answered. */
  readonly served: number
  /** In the stage `idle`: a wait ends when the next request comes. */
  readonly interruptible?: boolean
}

/**
 * Does the steps one after the other. Throws {@link HungUp} once the connection has ended, by a step or by the client;
 * returns when all are done, or the rest is to be skipped.
 */
export async function perform(steps: readonly Step[], scene: Scene): Promise<void> {
  for (const step of steps) {
    if (typeof step === 'string') await act(step, scene)
    else if ('read' in step) await scene.exchange?.read(step.read)
    else if ('respond' in step) await respond(step.respond, scene)
    else if ('inform' in step) await scene.exchange?.inform(step.inform, step.headers)
    else if ('write' in step) await write(step, scene)
    else if ('alert' in step) await alert(step.alert, scene.line)
    else if ('served' in step) {
      if (scene.served < step.served) return
    } else {
      await scene.line.wait(step.wait, scene.interruptible)
      if (scene.interruptible && (scene.line.source.length > 0 || scene.line.source.ended)) return
    }
  }
}

async function act(name: Act, { line, exchange }: Scene): Promise<void> {
  switch (name) {
    case 'execute':
      return exchange?.execute()
    case 'pause':
      return line.source.pause()
    case 'half-close':
      return line.halfClose()
    case 'stall':
      line.source.watch()
      await line.untilClientLeaves()
      line.close()
      break
    case 'deaf':
      line.source.goDeaf()
      await line.untilClientLeaves()
      line.close()
      break
    case 'rst':
      line.rst()
      break
    case 'fin':
      await line.fin()
      break
    case 'bare-fin':
      await line.bareFin()
      break
    case 'close':
      line.close()
      break
  }
  throw new HungUp()
}

async function respond(answer: Parameters<typeof composeAnswer>[0], { line, exchange }: Scene): Promise<void> {
  if (exchange) return exchange.respond(answer)
  // Nobody asked: a 408 on an idle connection, or an answer that comes before its question.
  const composed = composeAnswer(answer, {})
  await writePieces(line, composed.pieces, composed.everyMs)
  if (!composed.close) return
  await line.lingeringClose()
  throw new HungUp()
}

async function write(step: Extract<Step, { write: string }>, { line, exchange }: Scene): Promise<void> {
  const bytes = Buffer.from(step.write, 'latin1')
  const { times = 1, everyMs = 0 } = step
  if (exchange) await exchange.write(bytes, times, everyMs)
  else await writeRepeatedly(line, bytes, { times, everyMs })
}

/** A TLS record of type alert (21), version 3.3, two bytes: fatal (2) and its number. */
async function alert(name: AlertName, line: Line): Promise<void> {
  await line.write(Buffer.from([21, 3, 3, 0, 2, 2, ALERTS[name]]))
}
