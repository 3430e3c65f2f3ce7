import { randomUUID } from 'node:crypto';
import type { Call, CallHandler } from './grpc.js';
import { encodeClusterInfo, encodeSupportedMethods, type SupportedMethod } from './wire.js';

/** The release of the real server whose behaviour this one reproduces. */
const SERVER_VERSION = '23.10.8';

const FEATURES: Readonly<Record<string, readonly string[]>> = {
  '/event_store.client.streams.Streams/Read': ['position', 'events'],
  '/event_store.client.streams.Streams/BatchAppend': ['deadline_duration'],
};
const PERSISTENT_SUBSCRIPTIONS = '/event_store.client.persistent_subscriptions.';
const featuresOf = (path: string): readonly string[] =>
  FEATURES[path] ?? (path.startsWith(PERSISTENT_SUBSCRIPTIONS) ? ['stream', 'all'] : []);

/** Tells clients which methods there are: all of `paths`. */
export function supportedMethods(paths: readonly string[]): (call: Call) => CallHandler {
  const methods = paths.map((path): SupportedMethod => {
    const [, service = '', method = ''] = path.toLowerCase().split('/');
    return { service, method, features: featuresOf(path) };
  });
  const answer = encodeSupportedMethods(methods, SERVER_VERSION);
  return unary(() => answer);
}

/** Tells clients that this server is the whole cluster. @param port known once the server listens */
export function clusterInfo(host: string, port: () => number): (call: Call) => CallHandler {
  const instanceId = randomUUID();
  return unary(() => encodeClusterInfo(instanceId, Date.now(), host, port()));
}

const unary =
  (answer: () => Buffer) =>
  (call: Call): CallHandler => ({
    message() {
      call.send(answer());
      call.end();
    },
  });
