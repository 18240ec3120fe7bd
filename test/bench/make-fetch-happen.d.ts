// Its published types bring in those of the browser, for the whole project.
declare module 'make-fetch-happen' {
  interface Options {
    retry?: boolean | { retries: number }
    timeout?: number
  }
  const fetch: typeof globalThis.fetch & { defaults(options: Options): typeof globalThis.fetch }
  export default fetch
}
