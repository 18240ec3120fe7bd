// The import table. A room is a folder of src, or a file that stands alone there; it may import itself, the rooms
// named in its row, and nothing else of src. An arrow that is not in the table fails `npm run architecture`: draw it
// here, in the open, or move the code. test/architecture/imports.test.ts proves that every rule below can fail.
//
//   adapters, sockets -> call -> policy, attempt -> wire, diagnosis -> knowledge -> failure

/** @type {Record<string, string[]>} */
const table = {
  failure: [],
  clock: [],
  knowledge: ['failure'],
  policy: ['knowledge', 'failure'],
  diagnosis: ['knowledge', 'failure'],
  telemetry: ['policy', 'failure'],
  wire: ['failure', 'clock'],
  attempt: ['wire', 'diagnosis', 'failure', 'clock'],
  origin: ['policy', 'wire', 'diagnosis', 'failure', 'clock', 'telemetry'],
  options: ['call', 'origin', 'policy', 'wire', 'clock'],
  call: ['policy', 'origin', 'attempt', 'diagnosis', 'failure', 'clock', 'telemetry'],
  adapters: ['call', 'attempt', 'options', 'policy', 'wire', 'failure', 'clock'],
  sockets: ['call', 'attempt', 'origin', 'policy', 'wire', 'diagnosis', 'failure', 'telemetry', 'clock'],
  server: ['wire', 'diagnosis', 'failure', 'clock', 'telemetry'],
  client: ['adapters', 'call', 'options', 'origin', 'wire', 'failure', 'clock', 'telemetry'],
  index: ['client', 'adapters', 'sockets', 'options', 'origin', 'policy', 'clock', 'diagnosis', 'failure', 'telemetry'],
  testing: [],
  doctor: ['index', 'sockets', 'testing', 'attempt', 'policy', 'diagnosis', 'knowledge', 'failure', 'clock'],
}

// Rooms that do no I/O: they take facts and give answers, so they see nothing of the world, node: modules included.
const pure = ['failure', 'knowledge', 'policy', 'diagnosis']

// Where packages may be imported. Everything else of node_modules is closed to src.
const packages = {
  undici: ['^src/adapters/', '^src/wire/undici[^/]*\\.ts$'],
  'p-retry': ['^src/call/call\\.ts$'],
  '@opentelemetry/api': ['^src/telemetry/opentelemetry[^/]*\\.ts$'],
}

// What people run or import by name; nothing in src needs to import these.
const entrances =
  '^src/(index|testing/rude-server|adapters/interceptor|sockets/socket|server/watch-clients|telemetry/opentelemetry|doctor/cli)\\.ts$'

const inRoom = (/** @type {string} */ room) => `^src/${room}(/|\\.ts$)`
const rooms = Object.keys(table).map(inRoom)

// A package by name, whether it was found in node_modules or not.
const ofPackage = (/** @type {string} */ name) => `(^|node_modules/)${name}(/|$)`

module.exports = {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one file, or a third is missing. Imports of types count.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...Object.entries(table).map(([room, allowed]) => ({
      name: `room-${room}`,
      comment: `${room} may import ${allowed.length === 0 ? 'no other room' : allowed.join(', ')}.`,
      severity: 'error',
      from: { path: inRoom(room) },
      to: { path: '^src/', pathNot: [room, ...allowed].map(inRoom) },
    })),
    {
      name: 'known-rooms',
      comment: 'A new folder or file at the top of src gets a row in the table first.',
      severity: 'error',
      from: { path: '^src/', pathNot: rooms },
      to: {},
    },
    {
      name: 'pure-rooms',
      comment: `${pure.join(', ')} do no I/O: they import nothing but src, and no clock either.`,
      severity: 'error',
      from: { path: pure.map(inRoom) },
      to: { pathNot: '^src/' },
    },
    {
      name: 'testing-stands-alone',
      comment: 'The rude server is plain sockets: what it tests must not be what it is made of.',
      severity: 'error',
      from: { path: inRoom('testing') },
      to: { dependencyTypesNot: ['core'], pathNot: inRoom('testing') },
    },
    ...Object.entries(packages).map(([name, homes]) => ({
      name: `package-${name}`,
      comment: `${name} is imported in ${homes.join(' or ')} and nowhere else.`,
      severity: 'error',
      from: { path: '^src/', pathNot: homes },
      to: { path: ofPackage(name) },
    })),
    {
      name: 'known-packages',
      comment: 'A run-time dependency needs a paragraph in DECISIONS.md and a row in the list of packages.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypesNot: ['core', 'local'], pathNot: ['^src/', ...Object.keys(packages).map(ofPackage)] },
    },
    {
      name: 'nothing-outside-src',
      comment: 'src is what is published; it cannot lean on tests, examples, scripts or its own build.',
      severity: 'error',
      from: { path: '^src/' },
      to: { pathNot: ['^src/', 'node_modules/'], dependencyTypes: ['local'] },
    },
    {
      name: 'named-places',
      comment: 'No util, common, helpers, lib or types: a helper lives where it is needed, or gets a name of its own.',
      severity: 'error',
      from: {},
      to: { path: '/(util|utils|common|helper|helpers|lib|types)(/|[.]ts$)', pathNot: 'node_modules/' },
    },
    {
      name: 'no-dead-file',
      comment: 'A file that no entrance leads to is dead, or an entrance that is missing from the list.',
      severity: 'error',
      from: { path: entrances },
      to: { path: '^src/', pathNot: entrances, reachable: false },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
}
