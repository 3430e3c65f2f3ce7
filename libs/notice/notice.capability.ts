import { createHash } from 'node:crypto';
import { attestationRegister } from '#assurance';
import { purposeRegister } from '#purpose';
import { capability, slice, view } from '#slice';
import { ClaimsController } from './notice.claims.controller.js';
import { noticeClaimsProjection } from './notice.claims.projection.js';
import { noticeCodec } from './notice.codec.js';
import { PublishNotice } from './notice.commands.js';
import { NoticesController } from './notice.controller.js';
import { noticeDecider, type NoticeFacts, type NoticeState } from './notice.decider.js';
import type { NoticeEvent } from './notice.events.js';
import { noticesProjection } from './notice.projection.js';
import { noticeRegister } from './notice.register.js';

/** Lower-case hex of the SHA-256 of a text's UTF-8 bytes: what `sha256sum` says of the published file. */
export function contentHash(content: string): string {
  return createHash('sha256').update(content, 'utf8').digest('hex');
}

export const noticeCapability = capability({
  name: 'notice',
  codec: noticeCodec,
  slices: [
    slice<PublishNotice, NoticeEvent, NoticeState, NoticeFacts>({
      decider: noticeDecider,
      commands: [{ command: PublishNotice, roles: ['privacyOfficer'] }],
      streamPrefix: 'notice-',
      stream: (command) => `notice-${command.noticeId}`,
      facts: (registers) => ({
        contentHash,
        purposes: registers.get(purposeRegister),
        attestations: registers.get(attestationRegister),
      }),
    }),
  ],
  registers: [noticeRegister],
  projections: [noticesProjection, noticeClaimsProjection],
  views: [
    view('register', 'notices', noticesProjection, 'notices'),
    view('register', 'claims', noticeClaimsProjection, 'claims'),
  ],
  controllers: [NoticesController, ClaimsController],
});
