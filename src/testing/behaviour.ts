import { checkScript } from './check-script.js'
import type { Behaviour, Script, SeenRequest, Step, Turns } from './script.js'
import { actsBeforeRequest, asScript } from './turns.js'

/** One behaviour with the turns that it has taken. */
type Rule =
  | { readonly script: Script }
  | { readonly turns: readonly Script[]; readonly per: Turns['per']; readonly taken: Map<string, number> }
  | { readonly ask: (request: SeenRequest) => Script | readonly Step[] }

const BEHAVE: Rule = { script: {} }

/**
 * Chooses the script for each connection and each request. A script that is data and applies to every path is known when the
 * connection is accepted; one that hangs on the request is known when its head was read.
 */
export class Rulebook {
  readonly #secure: boolean
  #rule: Rule = BEHAVE
  readonly #routes = new Map<string, Rule>()

  constructor(secure: boolean) {
    this.#secure = secure
  }

  /** What is done where no route fits. */
  setDefault(behaviour: Behaviour, where: string): void {
    this.#rule = this.#toRule(behaviour, where)
  }

  /** What is done for one path (`'/orders'`), or one method and path (`'POST /orders'`). */
  setRoute(route: string, behaviour: Behaviour): void {
    if (typeof route !== 'string' || !/^(?:[A-Z]+ )?[/*]\S*$/.test(route) || route.includes('?')) {
      throw new TypeError(
        `route must be a path without query, or a method and such a path ('POST /orders'), got '${route}'`,
      )
    }
    const rule = this.#toRule(behaviour, `the script of route '${route}'`)
    const scripts = 'script' in rule ? [rule.script] : 'turns' in rule ? rule.turns : []
    if (scripts.some(actsBeforeRequest)) {
      throw new TypeError(`the script of route '${route}' ${ONLY_LATER}`)
    }
    this.#routes.set(route, rule)
  }

  /** The script whose stages before a request apply to this connection. */
  forConnection(connection: number): Script {
    const rule = this.#rule
    if ('script' in rule) return rule.script
    return 'turns' in rule && rule.per === 'connection' ? take(rule, `${connection}`) : {}
  }

  /** The script for a request of which nothing was read yet; undefined where that hangs on its head. */
  beforeHead(connection: number): Script | undefined {
    if (this.#routes.size > 0) return undefined
    const known = 'script' in this.#rule || ('turns' in this.#rule && this.#rule.per === 'connection')
    return known ? this.forConnection(connection) : undefined
  }

  /** The script for a request whose head was read. Throws what a function of the user's throws. */
  forRequest(request: SeenRequest): Script {
    const path = request.path.split('?')[0] ?? ''
    const rule = this.#routes.get(`${request.method} ${path}`) ?? this.#routes.get(path) ?? this.#rule
    if ('script' in rule) return rule.script
    if ('turns' in rule) return take(rule, keyOf(rule.per, request))
    const where = `the script chosen for ${request.method} ${path}`
    const script = checkScript(rule.ask(request), this.#secure, where)
    if (actsBeforeRequest(script)) throw new TypeError(`${where} ${ONLY_LATER}`)
    return script
  }

  #toRule(behaviour: Behaviour, where: string): Rule {
    if (typeof behaviour === 'function') return { ask: behaviour }
    if (behaviour === null || typeof behaviour !== 'object' || !('turns' in behaviour)) {
      return { script: checkScript(behaviour, this.#secure, where) }
    }
    const { turns, per } = behaviour
    if (!Array.isArray(turns) || turns.length === 0)
      throw new TypeError(`${where}: turns must be a list of at least one script`)
    if (!['request-id', 'path', 'server', 'connection'].includes(per)) {
      throw new TypeError(`${where}: per must be 'request-id', 'path', 'server' or 'connection', got ${String(per)}`)
    }
    const scripts = turns.map((script: Script, at: number) =>
      checkScript(asScript(script), this.#secure, `${where}, turn ${at}`),
    )
    if (per !== 'connection' && scripts.some(actsBeforeRequest)) {
      throw new TypeError(`${where}: turns that act before a request has come need per: 'connection', got '${per}'`)
    }
    return { turns: scripts, per, taken: new Map() }
  }
}

const ONLY_LATER =
  'is chosen when the head of a request was read: it cannot have the stages accept, clientHello or open, or a certificate'

/** The next turn of `key`. A connection keeps its turn; anything else moves on. */
function take(rule: Extract<Rule, { turns: readonly Script[] }>, key: string): Script {
  const { turns, per, taken } = rule
  let turn = taken.get(key)
  if (per === 'connection') turn ??= taken.size
  else turn = (turn ?? -1) + 1
  taken.set(key, turn)
  return turns[Math.min(turn, turns.length - 1)] ?? {}
}

function keyOf(per: Turns['per'], request: SeenRequest): string {
  const path = request.path.split('?')[0] ?? ''
  if (per === 'connection') return `${request.connection}`
  if (per === 'path') return path
  // Without the header no attempt could be told from another request: a "fail once" would fail for ever.
  return per === 'server' ? '' : JSON.stringify([request.identified ? request.id : null, request.method, path])
}
