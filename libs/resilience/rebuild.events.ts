/**
 * Read models were built anew from the beginning of the log (C08, I-08b): after their database was lost or deleted, or
 * for a new version of a projection. Whoever replays the log to that position must come to the same digests. Stands in
 * `rebuild-<uuid>`.
 */
export interface ProjectionRebuilt {
  readonly type: 'ProjectionRebuilt';
  readonly data: {
    readonly rebuildId: string;
    /** Position of the last event they had taken. */
    readonly through: number;
    /** SHA-256 over the digests of the projections, in hex. */
    readonly digest: string;
    readonly projections: readonly {
      /** Name and version, for example `holdings.v1`. */
      readonly projection: string;
      /** SHA-256 over its rows, in hex. */
      readonly digest: string;
    }[];
  };
}
