import { subjectStream, type Recorded } from '#kernel';
import { capability, slice, view, type Role } from '#slice';
import { accessLogProjection } from './access-log.projection.js';
import { BulkViewController } from './bulk-view.controller.js';
import { ApproveBulkView, CloseBulkView, RequestBulkView } from './bulk-view.commands.js';
import { bulkViewDecider, bulkViewStream } from './bulk-view.decider.js';
import { bulkViewRegister } from './bulk-view.register.js';
import { FileController } from './file.controller.js';
import { SearchController } from './search.controller.js';
import { viewingCodec } from './view.codec.js';
import { ViewPersonalData } from './view.commands.js';
import { accessStream, viewDecider, type Standing } from './view.decider.js';
import { lookFacts } from './view-facts.js';
import { DrawViewBudget, RecordSearch } from './viewer.commands.js';
import { viewerDecider, viewerStream } from './viewer.decider.js';
import { WhoLookedController } from './who-looked.controller.js';

/** Those who look at people's data; auditors are told that they do not, on record. */
const VIEWERS: readonly Role[] = ['staff', 'privacyOfficer', 'legal'];
/** Who looks is personal data of those who do. */
const OVERSEERS: readonly Role[] = ['privacyOfficer', 'legal', 'auditor'];

export const viewingCapability = capability({
  name: 'viewing',
  codec: viewingCodec,
  slices: [
    slice({
      decider: viewDecider,
      streamPrefix: 'access-',
      stream: (command) => accessStream(command.subjectId, command.occurredAt),
      facts: (registers) => ({ ...lookFacts(registers), standing: { known: false, restricted: false } }),
      async lookUp({ subjectId }, _state, { events }) {
        return { standing: await standingIn(events(subjectStream(subjectId))) };
      },
      commands: [{ command: ViewPersonalData, roles: [...VIEWERS, 'auditor'] }],
    }),
    slice({
      decider: viewerDecider,
      streamPrefix: 'viewer-',
      stream: ({ actor, occurredAt }) => viewerStream(actor.id, occurredAt),
      facts: lookFacts,
      commands: [
        { command: DrawViewBudget, roles: ['system'] },
        { command: RecordSearch, roles: ['system'] },
      ],
    }),
    slice({
      decider: bulkViewDecider,
      streamPrefix: bulkViewRegister.streamPrefix,
      stream: ({ bulkViewId }) => bulkViewStream(bulkViewId),
      facts: () => ({}),
      commands: [
        { command: RequestBulkView, roles: VIEWERS },
        { command: ApproveBulkView, roles: ['privacyOfficer'] },
        { command: CloseBulkView, roles: VIEWERS },
      ],
    }),
  ],
  registers: [bulkViewRegister],
  projections: [accessLogProjection],
  views: [
    view('subject', 'views', accessLogProjection, 'access_log'),
    view('register', 'access-log', accessLogProjection, 'access_log', OVERSEERS),
    view('register', 'searches', accessLogProjection, 'searches', OVERSEERS),
    view('register', 'bulk-views', accessLogProjection, 'bulk_views'),
  ],
  controllers: [FileController, BulkViewController, SearchController, WhoLookedController],
});

/** How a person stands, as their own stream has it now: a restriction that was just recorded counts. */
async function standingIn(events: AsyncIterable<Recorded>): Promise<Standing> {
  const standing = { known: false, restricted: false };
  for await (const { type } of events) {
    if (type === 'SubjectRegistered') standing.known = true;
    else if (type === 'ProcessingRestricted') standing.restricted = true;
    else if (type === 'RestrictionLifted') standing.restricted = false;
  }
  return standing;
}
