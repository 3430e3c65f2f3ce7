import { createRequire } from 'node:module';

/**
 * The calls beneath the client, with its own stubs: for what the client never sends. Each answer is a plain object of
 * the stubs' `toObject`.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the stubs are built at run time
export type Stub = any;

const require = createRequire(import.meta.url);
const grpc = require('@grpc/grpc-js');
const { StreamsClient } = require('@eventstore/db-client/generated/streams_grpc_pb');
const { PersistentSubscriptionsClient } = require('@eventstore/db-client/generated/persistent_grpc_pb');
const { ServerFeaturesClient } = require('@eventstore/db-client/generated/serverfeatures_grpc_pb');
const { GossipClient } = require('@eventstore/db-client/generated/gossip_grpc_pb');
export const streams = require('@eventstore/db-client/generated/streams_pb');
export const persistent = require('@eventstore/db-client/generated/persistent_pb');
export const { Empty, UUID, StreamIdentifier } = require('@eventstore/db-client/generated/shared_pb');
const { Timestamp } = require('google-protobuf/google/protobuf/timestamp_pb');

export interface Failure {
  readonly code: number;
  readonly details: string;
  readonly metadata: { getMap(): Record<string, string> };
}

export interface Rpc {
  /** Clients of the generated services. */
  readonly streams: Stub;
  readonly persistentSubscriptions: Stub;
  readonly features: Stub;
  readonly gossip: Stub;
  close(): void;
}

/** @param tls the certificate to trust, and the header `authorization` to send with each call */
export function connect(url: string, tls?: { readonly ca: Buffer; readonly authorization?: string }): Rpc {
  const address = /@?([^/@]+?)(\/?\?|$)/.exec(url.replace(/^esdb:\/\//, ''))?.[1] ?? '';
  const caller = grpc.credentials.createFromMetadataGenerator((_: unknown, give: Stub) => {
    const metadata = new grpc.Metadata();
    if (tls?.authorization !== undefined) metadata.set('authorization', tls.authorization);
    give(null, metadata);
  });
  const credentials = tls
    ? grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(tls.ca), caller)
    : grpc.credentials.createInsecure();
  const open = (Client: Stub) => new Client(address, credentials, { 'grpc.max_send_message_length': -1 });
  const clients = [StreamsClient, PersistentSubscriptionsClient, ServerFeaturesClient, GossipClient].map(open);
  const [streamsClient, persistentClient, featuresClient, gossipClient] = clients;
  return {
    streams: streamsClient,
    persistentSubscriptions: persistentClient,
    features: featuresClient,
    gossip: gossipClient,
    close: () => clients.forEach((client) => client.close()),
  };
}

export const uuid = (text: string) => new UUID().setString(text);
export const identifier = (name: string) => new StreamIdentifier().setStreamName(Buffer.from(name));

/** One chunk of a batch append that expects `any`. */
export function chunk(options: {
  correlationId: string;
  stream?: string;
  deadline?: Date;
  events?: { id: string; type?: string; data?: Uint8Array }[];
  isFinal: boolean;
}): Stub {
  const request = new streams.BatchAppendReq()
    .setCorrelationId(uuid(options.correlationId))
    .setIsFinal(options.isFinal);
  if (options.stream !== undefined) {
    const target = new streams.BatchAppendReq.Options()
      .setStreamIdentifier(identifier(options.stream))
      .setAny(new Empty());
    if (options.deadline) target.setDeadline(Timestamp.fromDate(options.deadline));
    request.setOptions(target);
  }
  for (const { id, type, data } of options.events ?? []) {
    const message = new streams.BatchAppendReq.ProposedMessage().setId(uuid(id)).setData(data ?? new Uint8Array());
    if (type !== undefined) message.getMetadataMap().set('type', type);
    message.getMetadataMap().set('content-type', 'application/octet-stream');
    request.addProposedMessages(message);
  }
  return request;
}
