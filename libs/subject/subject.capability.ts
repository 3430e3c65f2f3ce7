import { subjectStream } from '#kernel';
import { noticeRegister } from '#notice';
import { collectionPointRegister, purposeRegister } from '#purpose';
import { capability, PERSONAL_ROLES, READERS, slice, view, type Role } from '#slice';
import { accuracyCheckPolicy, overdueCheckPolicy } from './accuracy.policy.js';
import { accuracyBacklogProjection } from './accuracy.projection.js';
import { art14NoticePolicy } from './art14-notice.policy.js';
import { art14NoticesProjection } from './art14-notices.projection.js';
import { holdingsProjection } from './holdings.projection.js';
import { itemHistoryProjection } from './item-history.projection.js';
import { whoWasToldWhatProjection } from './notice-told.projection.js';
import { AnswerRectification, RaiseRectificationOverdue, ReportChange } from './rectification.commands.js';
import { rectificationOverduePolicy } from './rectification.policy.js';
import { rectificationsProjection } from './rectification.projection.js';
import { RenotificationController } from './renotification.controller.js';
import { subjectCodec } from './subject.codec.js';
import {
  CollectData,
  CompleteCorrection,
  ConfirmAccuracy,
  CorrectData,
  DoubtAccuracy,
  LiftRestriction,
  PresentNotice,
  RaiseAccuracyCheck,
  RaiseArt14NoticeOverdue,
  RaiseOverdueCheck,
  RecordRenewal,
  RefuseCorrection,
  RegisterSubject,
  RestrictProcessing,
} from './subject.commands.js';
import { subjectDecider } from './subject.decider.js';
import { timelineProjection } from './timeline.projection.js';

/** What the person may read of themselves as well. */
const OWN: readonly Role[] = [...READERS, ...PERSONAL_ROLES];

export const subjectCapability = capability({
  name: 'subject',
  codec: subjectCodec,
  slices: [
    slice({
      decider: subjectDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: (registers) => ({
        purposes: registers.get(purposeRegister),
        collectionPoints: registers.get(collectionPointRegister),
        notices: registers.get(noticeRegister),
      }),
      touched: (command, { items, uses }) => {
        const ids = [
          ...('itemId' in command && command.itemId !== undefined ? [command.itemId] : []),
          ...('useId' in command && command.useId !== undefined
            ? (uses.get(command.useId) ?? []).map(({ itemId }) => itemId)
            : []),
        ];
        const touched = ids.flatMap((itemId) => items[itemId] ?? []);
        return {
          purposes: touched.map(({ purposeId }) => purposeId),
          categories: touched.map(({ category }) => category),
        };
      },
      async lookUp(command, _state, { vault }) {
        switch (command.type) {
          case 'RegisterSubject':
            return { erased: (await vault.tombstoneOfSubject(command.subjectId)) !== undefined };
          default:
            return {};
        }
      },
      commands: [
        { command: RegisterSubject, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: PresentNotice, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: CollectData, roles: ['service', 'staff'] },
        { command: CorrectData, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: RefuseCorrection, roles: ['privacyOfficer'], afterClosing: true },
        { command: CompleteCorrection, roles: ['staff', 'privacyOfficer'], afterClosing: true },
        { command: ConfirmAccuracy, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: DoubtAccuracy, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: RaiseAccuracyCheck, roles: ['system'], afterClosing: true },
        { command: RaiseOverdueCheck, roles: ['system'], afterClosing: true },
        { command: RecordRenewal, roles: ['service', 'staff'] },
        { command: RaiseArt14NoticeOverdue, roles: ['system'], afterClosing: true },
        {
          command: ReportChange,
          roles: ['service', 'staff', 'privacyOfficer', 'legal', 'subject', 'agent'],
          forThePerson: true,
        },
        { command: AnswerRectification, roles: ['staff', 'privacyOfficer'], afterClosing: true },
        { command: RaiseRectificationOverdue, roles: ['system'], afterClosing: true },
        { command: RestrictProcessing, roles: ['staff', 'privacyOfficer'] },
        { command: LiftRestriction, roles: ['privacyOfficer'], afterClosing: true },
      ],
    }),
  ],
  projections: [
    holdingsProjection,
    timelineProjection,
    accuracyBacklogProjection,
    itemHistoryProjection,
    rectificationsProjection,
    art14NoticesProjection,
    whoWasToldWhatProjection,
  ],
  views: [
    view('subject', 'timeline', timelineProjection, 'timeline'),
    view('register', 'accuracy-backlog', accuracyBacklogProjection, 'accuracy_backlog'),
    view('subject', 'accuracy', accuracyBacklogProjection, 'accuracy_backlog'),
    view('subject', 'item-history', itemHistoryProjection, 'item_history'),
    view('register', 'rectifications', rectificationsProjection, 'rectifications'),
    view('subject', 'rectifications', rectificationsProjection, 'rectifications', OWN),
    view('subject', 'rectification-items', rectificationsProjection, 'rectification_items', OWN),
    view('register', 'art14-notices', art14NoticesProjection, 'art14_notices'),
    view('subject', 'art14-notices', art14NoticesProjection, 'art14_notices'),
    view('register', 'notice-presentations', whoWasToldWhatProjection, 'notice_presentations'),
    view('subject', 'notice-presentations', whoWasToldWhatProjection, 'notice_presentations', OWN),
  ],
  controllers: [RenotificationController],
  policies: [accuracyCheckPolicy, overdueCheckPolicy, art14NoticePolicy, rectificationOverduePolicy],
});
