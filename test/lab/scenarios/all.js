// Every scenario of the lab, by name.

import { applicationScenarios } from './application.js'
import { betweenScenarios } from './between.js'
import { hostScenarios } from './host.js'
import { idleScenarios } from './idle.js'
import { localScenarios } from './local.js'
import { pathScenarios } from './path.js'
import { tlsScenarios } from './tls.js'

export const scenarios = [
  ...applicationScenarios,
  ...hostScenarios,
  ...idleScenarios,
  ...pathScenarios,
  ...localScenarios,
  ...tlsScenarios,
  ...betweenScenarios,
]
