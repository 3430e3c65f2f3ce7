import { createHash } from 'node:crypto';
import { capability, slice, view } from '#slice';
import { noticeCodec } from './notice.codec.js';
import { PublishNotice } from './notice.commands.js';
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
      // `system`: a policy file is applied when the engine starts.
      commands: [{ command: PublishNotice, roles: ['privacyOfficer', 'operator', 'system'] }],
      streamPrefix: 'notice-',
      stream: (command) => `notice-${command.noticeId}`,
      facts: () => ({ contentHash }),
    }),
  ],
  registers: [noticeRegister],
  projections: [noticesProjection],
  views: [view('register', 'notices', noticesProjection, 'notices')],
});
