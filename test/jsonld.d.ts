/** What the tests use of `jsonld`, which brings no types. */
declare module 'jsonld' {
  type Document = Readonly<Record<string, unknown>>;
  interface Options {
    /** Refuses to fetch: everything a document needs stands in it. */
    readonly documentLoader: (url: string) => never;
    /** Fails where a term would be dropped. */
    readonly safe: true;
    /** Keeps `@graph` also where there is one node. */
    readonly graph?: boolean;
  }
  const jsonld: {
    expand(document: Document, options: Options): Promise<readonly Document[]>;
    compact(document: unknown, context: unknown, options: Options): Promise<Document>;
  };
  export default jsonld;
}
